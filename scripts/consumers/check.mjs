// Reads reports as their consumers do: check.mjs FOLDER, with files NAME.FORMAT.
// Every format of a NAME has to hold as many findings as its table has rows.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const folder = process.argv[2];
// The packages lie below the working folder.
const require = createRequire(join(process.cwd(), 'package.json'));
const load = async (name) => {
  const module = await import(require.resolve(name));
  return module.default ?? module;
};
const Ajv = await load('ajv');
const MarkdownIt = await load('markdown-it');
const Papa = await load('papaparse');
const junit = await load('junit2json');

const here = dirname(new URL(import.meta.url).pathname);
const valid = new (Ajv.default ?? Ajv)({ allErrors: true }).compile(
  JSON.parse(readFileSync(join(here, 'codequality.schema.json'), 'utf8')),
);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.csv'))
  .map((file) => file.slice(0, -'.csv'.length));
assert(names.length > 0, `no reports in ${folder}`);
const read = (name, format) => readFileSync(join(folder, `${name}.${format}`), 'utf8');

function csv(name) {
  const { data, errors } = Papa.parse(read(name, 'csv'), { header: true, skipEmptyLines: true });
  assert.deepEqual(errors, []);
  for (const row of data) {
    for (const [column, cell] of Object.entries(row)) {
      assert(!/^[=+\-@\t\r\n]/.test(cell), `a formula in ${column}: ${cell}`);
    }
  }
  return data;
}

async function xml(name, rows) {
  const parse = junit.parse ?? junit;
  const { testsuite, tests, failures } = await parse(read(name, 'junit'));
  const cases = testsuite.flatMap((suite) => suite.testcase ?? []);
  assert.equal(cases.length, tests);
  const findings = cases.filter((test) => /\(rf1:[0-9a-f]+\)$/.test(test.name));
  assert.equal(findings.length, rows.length);
  const failed = findings.filter((test) => test.failure?.length > 0);
  assert.equal(failed.length, rows.filter((row) => row.fails === 'true').length);
  assert.equal(failed.length, failures);
  const skipped = findings.filter((test) => test.skipped?.length > 0);
  assert.equal(failed.length + skipped.length, findings.length);
}

function gitlab(name, rows) {
  const entries = JSON.parse(read(name, 'gitlab'));
  assert(valid(entries), JSON.stringify(valid.errors));
  assert.equal(entries.length, rows.length);
  assert.equal(new Set(entries.map((entry) => entry.fingerprint)).size, rows.length);
}

const OURS = new Set([
  'h2', 'h3', 'h4', 'p', 'ul', 'ol', 'li', 'strong', 'code', 'blockquote', 'details', 'summary', 'span',
  'table', 'thead', 'tbody', 'tr', 'th', 'td',
]);

function markdown(name) {
  const source = read(name, 'markdown');
  assert([...source].length <= 60_000, `${[...source].length} characters`);
  const html = new MarkdownIt({ html: true, linkify: true }).render(source);
  for (const [tag, element] of html.replaceAll('<!-- ringfence -->', '').matchAll(/<\/?([^\s>\/]*)[^>]*>/g)) {
    assert(OURS.has(element), `${tag} in ${name}`);
    const plain = /^<\/?\w+( start="\d+"| style="text-align:right")?>$/.test(tag);
    assert(plain, `${tag} in ${name}`);
  }
  // What GitHub and GitLab make links of after that, outside of code.
  const words = html.replace(/<code>.*?<\/code>/gs, ' ').replace(/<[^>]*>/g, ' ').replaceAll('&amp;', '&');
  const reference = /(?:^|[^\w])@\w|#\d|\bGH-\d|https?:\/\/|www\.\w|:\w+:/i.exec(words);
  assert.equal(reference, null, `${reference} in ${name}`);
}

function sarif(names, rows) {
  for (const name of names) {
    const { runs } = JSON.parse(read(name, 'sarif'));
    assert.equal(runs[0].results.length, rows.get(name).length);
  }
  // Each takes a while, and a few show what the validator thinks of our structure.
  const some = names.filter((name, index) => !name.startsWith('hostile-') || index % 12 === 0);
  const said = join(folder, 'validation.json');
  const tool = require('@microsoft/sarif-multitool');
  const files = some.map((name) => join(folder, `${name}.sarif`));
  const args = ['validate', ...files, '--rule-kind', 'Sarif;Ghas', '--level', 'Error;Warning'];
  const run = spawnSync(tool, [...args, '--kind', 'Fail', '--output', said, '--log', 'ForceOverwrite']);
  assert.equal(run.status, 0, `${run.error ?? ''}${run.stdout}${run.stderr}`);
  const [{ results, invocations }] = JSON.parse(readFileSync(said, 'utf8')).runs;
  rmSync(said);
  assert(invocations.every((one) => one.executionSuccessful));
  // The program has no page of its own yet.
  const open = (results ?? []).filter((result) => result.ruleId !== 'SARIF2005');
  assert.deepEqual(open.map((result) => [result.ruleId, result.message, result.locations[0]]), []);
  return some.length;
}

const rows = new Map(names.map((name) => [name, csv(name)]));
for (const name of names) {
  await xml(name, rows.get(name));
  gitlab(name, rows.get(name));
  markdown(name);
}
const validated = sarif(names, rows);
console.log(`${names.length} results read in csv, junit, gitlab and markdown, ${validated} in sarif`);
