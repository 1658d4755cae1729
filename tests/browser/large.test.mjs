// A large organisation's report: 5,000 systems and at least 10,000 findings.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { axe, browser, close, folder, join, open, report, writeFileSync } from "./browser.mjs";

after(() => browser.close());

const PARTIES = 500, SYSTEMS = 10;

/** Banks whose data gets to the advertising systems of platforms by way of hubs. */
function inventory() {
  const parties = [], agreements = [], flows = [];
  for (let p = 0; p < PARTIES; p += 1) {
    const bank = p % 2 === 0;
    const systems = [];
    for (let s = 0; s < SYSTEMS; s += 1) {
      const ads = !bank && s > 1;
      systems.push({ id: `s${s}`, purposes: [ads ? "advertising.ranking" : "service.account"], retention: "90d",
        ...(bank && s === 0 ? { originates: ["financial.account", "financial.transaction"] } : {}) });
      if (s > 0) flows.push({ id: `in-${p}-${s}`, from: `p${p}/s${s > 1 && !bank ? 1 : s - 1}`, to: `p${p}/s${s}`, data: ["financial"] });
    }
    parties.push({ id: `p${p}`, name: `Party number ${p}`, role: bank ? "bank" : "platform", systems });
  }
  for (let b = 0; b < PARTIES; b += 2) {
    for (const step of [1, 31]) {
      const to = (b + step) % PARTIES;
      agreements.push({ id: `a${b}-${to}`, title: `Agreement of party ${b} with party ${to}`, parties: [`p${b}`, `p${to}`], status: step === 31 ? "proposed" : "active",
        terms: { purposes: ["service"], retention: "90d", safeguards: ["encryption_in_transit"] },
        flows: [{ id: "share", from: `p${b}/s0`, to: `p${to}/s0`, data: ["financial.account"], purposes: ["service.account"], safeguards: ["encryption_in_transit"] }] });
    }
  }
  return JSON.stringify({ parties, agreements, flows });
}

test("is small enough and usable within two seconds", async () => {
  const file = join(folder, "large.yaml");
  writeFileSync(file, inventory());
  const address = report(file, "large");
  const size = statSync(fileURLToPath(address)).size;
  const started = performance.now();
  const page = await open(address);
  await page.waitForFunction(() => document.documentElement.dataset.ready);
  const ready = Math.round(performance.now() - started);
  const number = Number.parseInt((await page.locator("#shown").textContent()).replaceAll(",", ""), 10);
  const timed = async (act) => { const from = performance.now(); await act(); return Math.round(performance.now() - from); };
  const search = await timed(async () => {
    await page.fill("#q", "p498 s7");
    await page.waitForFunction(() => / of /.test(document.getElementById("shown").textContent));
  });
  await page.click("#reset");
  await page.waitForFunction(() => !/ of /.test(document.getElementById("shown").textContent));
  await page.click("#more > summary");
  const filter = await timed(async () => {
    await page.selectOption("#f-party", "p1");
    await page.waitForFunction(() => / of /.test(document.getElementById("shown").textContent));
  });
  console.log(`large: ${(size / 1e6).toFixed(1)} MB, ${number} findings, ready after ${ready} ms, search ${search} ms, filter ${filter} ms`);
  assert.ok(number >= 10_000, `${number} findings`);
  assert.ok(size < 15_000_000, `${size} bytes`);
  assert.ok(ready < 2_000, `${ready} ms`);
  assert.ok(search < 2_000 && filter < 2_000);

  await page.click("#reset");
  await page.waitForFunction(() => !/ of /.test(document.getElementById("shown").textContent));
  const more = page.locator(".group button:visible", { hasText: "Show 50 of" }).first();
  const before = await page.locator(".card").count();
  await more.click();
  assert.equal(await page.locator(".card").count(), before + 50);
  const last = await page.evaluate(() => {
    const all = JSON.parse(document.getElementById("data").textContent).findings.all;
    return `rf1-${all[all.length - 1].f}`;
  });
  await page.evaluate((id) => { location.hash = id; }, last);
  await page.locator(`#${last}`).waitFor({ state: "visible" });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document.getElementById("findings"), { runOnly: ["wcag2a", "wcag2aa"] }));
  assert.deepEqual(violations.map((v) => v.id), []);
  await close(page);
});

test("has a summary and the first findings without its script", async () => {
  const page = await open(`file://${join(folder, "large.html")}`, { javaScriptEnabled: false });
  assert.ok(await page.locator(".card").count() >= 100);
  assert.match(await page.locator("#findings noscript").textContent(), /findings/);
  await close(page);
});
