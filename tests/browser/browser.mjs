// What the browser tests share: the program, a browser without a network, pages.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const { RINGFENCE, NPM } = process.env;
assert.ok(RINGFENCE && NPM, "run scripts/browser");
const require = createRequire(join(NPM, "node_modules/"));
const { chromium } = require("playwright-core");
export const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const SAMPLES = ["messenger-banking", "messenger-banking-fenced", "cambridge-analytica", "open-banking"];
export const folder = mkdtempSync(join(tmpdir(), "ringfence-browser-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Runs an audit; standard output. Exit codes 0 and 1 are results. */
export function audit(where, args) {
  const out = spawnSync(RINGFENCE, ["audit", "--day", "2026-11-23", where, ...args], {
    cwd: join(root, "samples"), encoding: "utf8", maxBuffer: 1 << 28,
  });
  assert.ok(out.status === 0 || out.status === 1, `exit ${out.status}: ${out.stderr}`);
  return out.stdout;
}

/** Writes a sample's page; its address. */
export function report(where, name = where, args = []) {
  const file = join(folder, `${name}.html`);
  audit(where, ["--report", `html=${file}`, ...args]);
  return pathToFileURL(file).href;
}

export const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Opens a page with the network off; it fails a test if anything is logged, asked for or thrown. */
export async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options });
  await context.setOffline(true);
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => said.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { said.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith("file:") && !request.url().startsWith("blob:")) said.push(`request: ${request.url()}`); });
  await page.goto(address);
  page.said = said;
  return page;
}

/** Closes a page that has nothing to complain of. */
export async function close(page) {
  assert.deepEqual(page.said, []);
  await page.context().close();
}

export { execFileSync, join, pathToFileURL, readFileSync, writeFileSync };
