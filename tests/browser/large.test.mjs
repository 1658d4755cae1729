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

test("is small enough and usable", async () => {
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
  const { violations } = await page.evaluate(() => axe.run(document.getElementById("causes"), { runOnly: ["wcag2a", "wcag2aa"] }));
  assert.deepEqual(violations.map((v) => v.id), []);
  await close(page);
});

/** What is wrong with a picture that the script has drawn, measured as it is shown. */
function faults(svg) {
  const found = [];
  const box = (node) => { const { x, y, width, height } = node.getBBox(); return { left: x, top: y, right: x + width, bottom: y + height }; };
  const inside = (one, other) => one.left >= other.left && one.right <= other.right && one.top >= other.top && one.bottom <= other.bottom;
  const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  const view = svg.viewBox.baseVal, whole = { left: 0, top: 0, right: view.width, bottom: view.height };
  const shown = svg.getBoundingClientRect();
  if (Math.abs(shown.width - view.width) > 1) found.push(`shown ${shown.width} wide in place of ${view.width}`);
  const systems = Array.from(svg.querySelectorAll("[data-system]"), (node) => ({
    id: node.dataset.system, area: box(node.querySelector(".system-box")), texts: Array.from(node.querySelectorAll("text")),
  }));
  const lines = Array.from(svg.querySelectorAll("[data-edge]"), (node) => ({ id: node.dataset.edge, ends: node.dataset.edge.split(":"), path: node.querySelector(".line"), texts: Array.from(node.querySelectorAll("text")) }));
  const texts = [...systems, ...lines].flatMap(({ id, texts }) => texts.map((text) => ({ id, text, area: box(text) })));
  for (const { id, text, area } of texts) {
    if (Number(text.getAttribute("font-size")) < 10) found.push(`${text.textContent} is small`);
    if (!inside(area, whole)) found.push(`${text.textContent} leaves the picture`);
    const home = systems.find((system) => system.id === id);
    if (home && (!inside(area, home.area) || area.right > home.area.right - 4)) found.push(`${text.textContent} leaves its box`);
    for (const other of systems) if (other.id !== id && overlap(area, other.area)) found.push(`${text.textContent} of ${id} is on ${other.id}`);
  }
  texts.forEach((one, n) => { for (const other of texts.slice(n + 1)) if (overlap(one.area, other.area)) found.push(`${one.text.textContent} of ${one.id} is on ${other.text.textContent} of ${other.id}`); });
  systems.forEach(({ id, area, texts: own }, n) => {
    if (!inside(area, whole)) found.push(`${id} leaves the picture`);
    for (const other of systems.slice(n + 1)) if (overlap(area, other.area)) found.push(`${id} is on ${other.id}`);
    const label = own.find((text) => text.classList.contains("label")).textContent, name = id.split("/")[1];
    if (Array.from(name).length <= 24 && label !== name) found.push(`${id} is called ${label}`);
  });
  for (const { id, ends, path } of lines) {
    const length = path.getTotalLength();
    for (let at = 0; at <= length; at += 2) {
      const { x, y } = path.getPointAtLength(at);
      if (x < 0 || y < 0 || x > view.width || y > view.height) { found.push(`${id} leaves the picture`); break; }
      const through = systems.find(({ area }) => x > area.left + 0.1 && x < area.right - 0.1 && y > area.top + 0.1 && y < area.bottom - 0.1);
      if (through) { found.push(`${id} runs through ${through.id}`); break; }
      const text = texts.find((other) => other.id !== id && x > other.area.left && x < other.area.right && y > other.area.top + 1 && y < other.area.bottom - 1);
      if (text) { found.push(`${id} runs through the text ${text.text.textContent} of ${text.id}`); break; }
    }
    for (const end of ends) {
      const area = systems.find((system) => system.id === end)?.area;
      const touches = area && [0, length].some((at) => {
        const { x, y } = path.getPointAtLength(at);
        return Math.min(Math.abs(x - area.left), Math.abs(x - area.right)) <= 12 && y > area.top && y < area.bottom;
      });
      if (!touches) found.push(`${id} does not reach ${end}`);
    }
  }
  return found;
}

/** Opens the pictures of the cards that are shown; how many there are, how long one took at most, what is wrong. */
async function pictures(page, most) {
  return page.evaluate(async ([source, most]) => {
    const faults = new Function(`return ${source}`)();
    const wrong = [], lines = [];
    let slowest = 0;
    for (const one of document.querySelectorAll(".findings")) one.open = true;
    const details = Array.from(document.querySelectorAll(".card details:not(.folded)")).slice(0, most);
    for (const one of details) {
      const started = performance.now();
      one.open = true;
      one.dispatchEvent(new Event("toggle"));
      const svg = one.querySelector("svg");
      slowest = Math.max(slowest, performance.now() - started);
      wrong.push(...(svg ? faults(svg) : ["no picture"]).map((fault) => `${one.closest(".card").id}: ${fault}`));
      lines.push(svg ? svg.querySelectorAll(".violation[data-edge]").length : 0);
      one.open = false;
    }
    return { number: details.length, slowest, lines, wrong };
  }, [faults.toString(), most]);
}

test("a finding that is written out on demand has its neighbourhood as a picture", async () => {
  const page = await open(`file://${join(folder, "large.html")}`);
  await page.evaluate(() => { for (const one of document.querySelectorAll(".findings")) one.open = true; });
  await page.waitForTimeout(500);
  const cards = await page.locator(".card").count();
  const { number, slowest, lines, wrong } = await pictures(page, 400);
  console.log(`neighbourhoods: ${number} drawn, ${Math.round(slowest)} ms at most`);
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.ok(number > 0 && number === Math.min(400, cards), `${number} of ${cards}`);
  assert.ok(lines.every((n) => n > 0), "each shows its chain");
  await page.evaluate(() => { for (const one of document.querySelectorAll(".findings")) one.open = true; });
  const first = page.locator(".card details:not(.folded)").first();
  await first.locator("summary").click();
  await first.locator("svg").waitFor({ state: "visible" });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document.querySelector(".card"), { runOnly: ["wcag2a", "wcag2aa"] }));
  assert.deepEqual(violations.map((v) => v.id), []);
  await close(page);
});

/** Systems that send to and get from one another in circles, with long names: what is hard to draw. */
function tangled() {
  let seed = 7;
  const random = (n) => { seed = (seed * 48271) % 2147483647; return seed % n; };
  const parties = [], flows = [];
  for (let p = 0; p < 30; p += 1) {
    const systems = [];
    for (let s = 0; s < 6; s += 1) {
      const long = s === 5 ? "-with-a-name-much-longer-than-shown" : s === 4 ? "WWWWWWWWWWWWWWWWWWWW" : "";
      systems.push({ id: `s${s}${long}`, purposes: [p % 3 ? "service.account" : "advertising.ranking"], retention: "90d", ...(s === 0 ? { originates: ["financial"] } : {}) });
    }
    parties.push({ id: `p${p}`, name: p % 4 ? `Party ${p}` : `Party ${p} with a name that takes more room than there is`, role: p % 2 ? "bank" : "platform", systems });
  }
  for (let n = 0; n < 420; n += 1) {
    const [a, b] = [parties[random(30)], parties[random(30)]];
    const [from, to] = [a.systems[random(6)].id, b.systems[random(6)].id];
    if (a !== b || from !== to) flows.push({ id: `f${n}`, from: `${a.id}/${from}`, to: `${b.id}/${to}`, data: ["financial"] });
  }
  return JSON.stringify({ parties, flows });
}

test("pictures of what runs in circles keep to the same rules", async () => {
  const file = join(folder, "tangled.yaml");
  writeFileSync(file, tangled());
  const page = await open(report(file, "tangled"));
  for (const button of await page.locator(".group button:visible", { hasText: "Show" }).all()) await button.click();
  const { number, lines, wrong } = await pictures(page, 300);
  console.log(`tangled: ${number} drawn, ${Math.max(...lines)} lines of a chain at most`);
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.ok(number > 60, `${number}`);
  await close(page);
});

test("has a summary and the first findings without its script", async () => {
  const page = await open(`file://${join(folder, "large.html")}`, { javaScriptEnabled: false });
  assert.ok(await page.locator(".card").count() >= 100);
  assert.match(await page.locator("#causes noscript").textContent(), /findings/);
  await close(page);
});
