// The report as a reader uses it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { SAMPLES, audit, axe, browser, close, folder, join, open, pathToFileURL, readFileSync, report, writeFileSync } from "./browser.mjs";

after(() => browser.close());

const flagship = report("messenger-banking");
const shown = (page) => page.locator("#shown").textContent();
const visible = (page) => page.locator(".card:visible").count();

test("every sample opens from a file with the network off", async () => {
  for (const sample of SAMPLES) {
    const page = await open(report(sample));
    const json = JSON.parse(audit(sample, ["--format", "json"]));
    const number = json.findings.length ? `${json.findings.length} finding` : `${json.inventory.flows} flow`;
    assert.match(await shown(page), new RegExp(`^${number}`));
    assert.equal(await page.locator("h1").count(), 1);
    await close(page);
  }
});

test("axe finds nothing to object to, light and dark, wide and narrow", async () => {
  for (const sample of SAMPLES) {
    const address = report(sample);
    for (const [colorScheme, width] of [["light", 1440], ["dark", 390]]) {
      const page = await open(address, { colorScheme, viewport: { width, height: 900 } });
      await page.evaluate(() => { for (const details of document.querySelectorAll("details")) details.open = true; });
      // Evaluated in the page's world by the debugger, which its policy does not concern.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      }));
      const said = violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 200)} ${n.failureSummary}`).join(" | ")}`);
      assert.deepEqual(said, [], `${sample} ${colorScheme} ${width}`);
      await close(page);
    }
  }
});

test("nothing is wider than the screen", async () => {
  for (const width of [320, 390, 768, 1024, 1440, 2200]) {
    const page = await open(flagship, { viewport: { width, height: 900 } });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${width}: ${over} pixels too wide`);
    await close(page);
  }
});

test("searches, and says how many there are", async () => {
  const page = await open(flagship);
  await page.fill("#q", "jpmorgan ads-ranking");
  await page.waitForFunction(() => / of 84$/.test(document.getElementById("shown").textContent));
  const number = Number.parseInt(await shown(page), 10);
  assert.ok(number > 0 && number < 20, String(number));
  await page.fill("#q", "rf1:f970ee06bcddd2ea");
  await page.waitForFunction(() => document.getElementById("shown").textContent.startsWith("1 finding"));
  await page.fill("#q", "no such thing");
  await page.waitForFunction(() => document.getElementById("shown").textContent.startsWith("0 findings"));
  assert.equal(await visible(page), 0);
  await page.click("#reset");
  await page.waitForFunction(() => document.getElementById("shown").textContent === "84 findings");
  await close(page);
});

test("filters by severity, party, agreement, data, purpose and standing", async () => {
  const page = await open(flagship);
  await page.click("#more > summary");
  const only = async (field, value) => {
    await page.selectOption(`#f-${field}`, value);
    const text = await shown(page);
    await page.selectOption(`#f-${field}`, "");
    return Number.parseInt(text, 10);
  };
  assert.equal(await only("severity", "critical"), 14);
  assert.equal(await only("severity", "medium"), 9);
  assert.equal(await only("standing", "proposed"), 56);
  const json = JSON.parse(audit("messenger-banking", ["--format", "json"]));
  const flows = (f) => f.witnesses.flat().concat(f.path.map((hop) => hop.flow));
  const through = json.findings.filter((f) => f.agreements.includes("paypal-linking") || flows(f).some((flow) => flow.startsWith("paypal-linking/")));
  assert.equal(await only("agreement", "paypal-linking"), through.length);
  for (const [field, value] of [["party", "us-bancorp"], ["data", "financial.receipt"], ["purpose", "advertising.ranking"]]) {
    const number = await only(field, value);
    assert.ok(number > 0 && number < 84, `${field}: ${number}`);
  }
  await close(page);
});

test("sorts within the rules", async () => {
  const page = await open(flagship);
  await page.click("#more > summary");
  await page.selectOption("#sort", "to");
  await page.evaluate(() => { document.querySelector("#c1 .findings").open = true; });
  const ends = await page.locator("#g1 .card:visible h5 b:last-of-type").allTextContents();
  assert.deepEqual(ends, ends.toSorted());
  assert.ok(new Set(ends).size > 1);
  await close(page);
});

test("a promise leads to its causes, and a link opens what is folded", async () => {
  const page = await open(flagship);
  await page.locator("#promises ~ .promises a.num").first().click();
  const cause = await page.evaluate(() => document.activeElement.className);
  assert.match(cause, /^cause /);
  const folded = await page.locator("details.folded .card").first().getAttribute("id");
  await page.evaluate((id) => { location.hash = id; }, folded);
  await page.locator(`#${folded}`).waitFor({ state: "visible" });
  assert.equal(await page.evaluate(() => document.activeElement.id), folded);
  await close(page);
});

test("a finding lights its chain in the diagram and dims the rest", async () => {
  const page = await open(flagship);
  const card = page.locator(".card:not(:has(details))").filter({ hasText: "rf1:f970ee06bcddd2ea" });
  const flows = (await card.getAttribute("data-e")).split(" ").length;
  await page.evaluate(() => { location.hash = "rf1-f970ee06bcddd2ea"; });
  await card.locator("button").click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "diagram");
  assert.equal(await page.locator("#lit").isVisible(), true);
  const lines = page.locator(".drawing [data-flows]");
  const bright = page.locator(".drawing [data-flows]:not(.dim)");
  assert.equal(await bright.count(), flows);
  assert.ok(await lines.count() > flows);
  await page.click("#lit-back");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /rf1:f970ee06bcddd2ea/);
  await page.click("#unlight");
  assert.equal(await bright.count(), await lines.count());
  await close(page);
});

test("the filter dims what it leaves out of the diagram", async () => {
  const page = await open(flagship);
  await page.click("#more > summary");
  const bright = () => page.locator(".drawing [data-flows]:not(.dim)").count();
  const all = await bright();
  for (const [field, value] of [["party", "paypal"], ["agreement", "amex-linking"], ["data", "financial.receipt"], ["purpose", "advertising"], ["severity", "medium"], ["standing", "proposed"]]) {
    await page.selectOption(`#f-${field}`, value);
    const number = await bright();
    assert.ok(number > 0 && number < all, `${field}: ${number} of ${all}`);
    await page.selectOption(`#f-${field}`, "");
    assert.equal(await bright(), all);
  }
  await close(page);
});

test("light and dark follow the system and the button", async () => {
  const page = await open(flagship, { colorScheme: "light" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await paper(), "rgb(255, 255, 255)");
  await page.click("#theme");
  assert.equal(await paper(), "rgb(18, 23, 29)");
  await page.click("#theme");
  assert.equal(await paper(), "rgb(255, 255, 255)");
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await paper(), "rgb(255, 255, 255)", "what was chosen stays");
  await close(page);
});

test("prints the flagship on sixteen pages, and what is for a board on two", async () => {
  const count = (pdf) => pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  for (const format of ["A4", "Letter"]) {
    for (const [audience, most] of [[null, 16], ["board", 6]]) {
      const page = await open(report("messenger-banking", `print-${audience}`, audience ? ["--audience", audience] : []));
      const pdf = await page.pdf({ format, path: join(folder, "report.pdf"), tagged: true });
      assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
      assert.ok(count(pdf) <= most, `${format} ${audience}: ${count(pdf)} pages`);
      assert.ok(pdf.length <= 600_000, `${format}: ${pdf.length} bytes`);
      await close(page);
    }
  }
});

/** What of the parties' diagram is cut, lies outside of the page, or has a word broken in two. */
const clipped = () => {
  const wrong = [], wide = document.documentElement.clientWidth;
  for (const node of document.querySelectorAll(".lanes li, .lanes .text, .lanes .cells, .route li, .short, .promises li")) {
    const box = node.getBoundingClientRect();
    if (box.width && (box.left < 0 || box.right > wide + 0.5)) wrong.push(`outside: ${node.textContent.slice(0, 60)}`);
    if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth) wrong.push(`cut: ${node.textContent.slice(0, 60)}`);
  }
  // The lane of each row goes on in the row below.
  const rows = Array.from(document.querySelectorAll(".lanes li"), (row) => Array.from(row.querySelectorAll(".cells i")));
  rows.forEach((cells, at) => cells.forEach((cell, lane) => {
    const below = rows[at + 1] && rows[at + 1][lane];
    const leads = /\bd\b/i.test(cell.className), goesOn = Boolean(below) && /\bu\b/i.test(below.className);
    if (leads !== goesOn) wrong.push(`lane ${lane} of row ${at} ends in nothing`);
    if (below && Math.abs(below.getBoundingClientRect().left - cell.getBoundingClientRect().left) > 0.5) wrong.push(`lane ${lane} of row ${at} bends`);
  }));
  return wrong;
};

test("nothing of the parties' diagram is clipped at any width", async () => {
  for (const sample of SAMPLES) {
    for (const width of [320, 390, 768, 1024, 1440]) {
      const page = await open(report(sample), { viewport: { width, height: 900 } });
      assert.deepEqual(await page.evaluate(clipped), [], `${sample} ${width}`);
      assert.ok(await page.locator(".lanes .party").count() > 2);
      await close(page);
    }
  }
});

test("the diagram of systems fits the page, and has its own size on demand", async () => {
  for (const width of [390, 1024, 1440]) {
    const page = await open(flagship, { viewport: { width, height: 900 } });
    assert.equal(await page.locator(".drawing").isVisible(), false);
    await page.click("#systems > summary");
    const fits = () => page.evaluate(() => { const box = document.querySelector(".drawing"); return box.scrollWidth <= box.clientWidth + 1; });
    assert.ok(await fits(), `${width}: cut`);
    await page.check("#actual");
    assert.equal(await fits(), false, `${width}: scrolls`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${width}: ${over} pixels too wide`);
    await close(page);
  }
});

test("no name of a system touches the edge of its box", async () => {
  for (const sample of SAMPLES) {
    for (const width of [390, 1440]) {
      const page = await open(report(sample), { viewport: { width, height: 900 } });
      await page.click("#systems > summary");
      await page.check("#actual");
      const tight = await page.evaluate(() => Array.from(document.querySelectorAll(".drawing .system"))
        .map((node) => [node.querySelector(".label"), node.querySelector(".system-box")].map((part) => part.getBoundingClientRect()))
        .filter(([label, box]) => label.right > box.right - 6 || label.left < box.left + 6 || label.height < 10).length);
      assert.equal(tight, 0, `${sample} ${width}`);
      await close(page);
    }
  }
});

test("a clean page has no search over nothing, and filters its diagram", async () => {
  const page = await open(report("messenger-banking-fenced"));
  assert.equal(await page.locator("#q").isVisible(), false);
  await page.click("#more > summary");
  assert.equal(await page.locator("#f-severity").isVisible(), false);
  await page.selectOption("#f-party", "paypal");
  assert.match(await shown(page), /^\d+ flows of \d+$/);
  assert.equal(await page.locator(".promises .pill.broken").count(), 0);
  await close(page);
});

test("says everything without its script", async () => {
  const page = await open(flagship, { javaScriptEnabled: false });
  assert.equal(await page.locator(".card").count(), 84);
  assert.equal(await page.locator("#filter").isVisible(), false);
  await close(page);
});

test("everything can be reached by keyboard", async () => {
  const page = await open(flagship);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  const small = await page.evaluate(() => Array.from(document.querySelectorAll("button, select, input, summary, nav a"))
    .filter((node) => node.getClientRects().length).map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html));
  assert.deepEqual(small, []);
  await close(page);
});

test("the record that the page saves is the one that the program writes", async () => {
  const page = await open(flagship);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#csv")]);
  assert.equal(readFileSync(await download.path(), "utf8"), audit("messenger-banking", ["--format", "ropa-csv"]));
  await close(page);
});

test("no cell of a saved record is longer than a spreadsheet holds", async () => {
  const inventory = join(folder, "long.yaml");
  const keys = (letter, number) => Array.from({ length: number }, (_, n) => `${letter}${"x".repeat(60)}${n}`);
  const evidence = `${"#😀é".repeat(20_000)}`;
  writeFileSync(inventory, `
taxonomy: {data: {${keys("k", 900).map((key) => `${key}: {}`)}}}
parties:
  - {id: a, name: A, role: bank, contact: ${JSON.stringify(evidence.slice(0, 900))}, systems: [{id: s, purposes: [service], originates: [${keys("k", 900)}]}]}
  - {id: b, name: B, role: platform, systems: [{id: t, purposes: [service]}]}
agreements:
  - id: ab
    parties: [a, b]
    assurances: [{id: x, evidence: ${JSON.stringify(evidence)}}]
    flows: [{id: f, from: a/s, to: b/t, data: [${keys("k", 900)}], safeguards: [${keys("g", 900)}]}]
`);
  const page = await open(report(inventory, "long"));
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#csv")]);
  const saved = readFileSync(await download.path(), "utf8");
  assert.match(saved, /; … and \d+ more"/);
  assert.equal(saved, audit(inventory, ["--format", "ropa-csv"]));
  await close(page);
});

test("no script runs from hostile names", async () => {
  const hostile = `</script><img src=x onerror=alert(1)><svg onload=alert(2)>'"\u202e{{ 7 * 7 }}\``;
  const text = JSON.stringify(`${hostile} ${"W".repeat(900)}`);
  const inventory = join(folder, "hostile.yaml");
  writeFileSync(inventory, `
parties:
  - {id: a, name: ${text}, role: bank, contact: "=cmd()", systems: [{id: s, title: ${text}, purposes: [service], originates: [financial]}]}
  - {id: b, name: ${text}, role: platform, systems: [{id: t, purposes: [advertising], labels: {x: ${text}}}]}
agreements:
  - id: ab
    title: ${text}
    parties: [a, b]
    legal_basis: ${text}
    assurances: [{id: x, evidence: ${text}, valid_until: 2026-12-01}]
    terms: {purposes: [service], clauses: {purposes: {ref: ${text}, quote: ${text}}}}
    flows: [{id: f, title: ${text}, from: a/s, to: b/t, data: [financial], safeguards: [${text}]}]
statements:
  - {id: p, by: a, said: {quote: ${text}, who: ${text}}, promise: {forbid: {data: [financial], to: {party: b}}}}
waivers:
  - {rule: statement/p, reason: ${text}, approved_by: ${text}, expires: 2026-12-31, data: [financial]}
`);
  for (const width of [390, 1440]) {
    const page = await open(report(inventory, "hostile"), { viewport: { width, height: 900 } });
    await page.fill("#q", "alert");
    await page.waitForTimeout(300);
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.locator("[onload], [onerror]").count(), 0);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${width}: ${over} pixels too wide`);
    assert.equal((await page.content()).includes("\u202e"), false);
    await close(page);
  }
});

test("the policy lets nothing else run", async () => {
  const file = join(folder, "messenger-banking.html");
  const changed = join(folder, "changed.html");
  writeFileSync(changed, readFileSync(file, "utf8").replace("</main>", "<script>document.title = 'run'</script><p style='color: red' id='red'>x</p></main>"));
  const page = await open(pathToFileURL(changed).href);
  assert.notEqual(await page.title(), "run");
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.getElementById("red")).color), "rgb(255, 0, 0)");
  assert.ok(page.said.length >= 2, "it is said on the console");
  await page.context().close();
});
