"use strict";
(function () {
  const $ = (id) => document.getElementById(id);
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const world = JSON.parse($("data").textContent);
  const partyNumber = new Map(world.parties.map((party, n) => [party[0], n]));
  const agreementNumber = new Map(world.agreements.map((agreement, n) => [agreement[0], n]));

  // ---- light and dark
  const theme = $("theme");
  const darkSystem = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (darkSystem.matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  nameTheme();
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  darkSystem.addEventListener("change", nameTheme);

  // ---- small helpers that build elements; text is only ever text
  function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) if (value) node.setAttribute(key, value);
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  }
  const words = (text) => (text ? text.split(" ").filter(Boolean) : []);
  const plural = (n, word) => n.toLocaleString("en") + " " + word + (n === 1 ? "" : "s");

  // ---- the findings: from the page, or from the data
  const groups = all(".group").map((section) => ({
    section, cards: section.querySelector(".cards"), severity: section.dataset.severity,
    text: section.querySelector("header").textContent.toLowerCase(), shown: 0,
  }));
  const causes = all(".cause").map((section) => ({ section, groups: groups.filter((group) => section.contains(group.section)) }));
  for (const cause of causes) for (const group of cause.groups) group.text += " " + cause.section.querySelector("header").textContent.toLowerCase();
  const groupOf = new Map(groups.map((group) => [group.section.id, group]));
  // A page without findings, or for readers who need none, has the diagram alone to filter.
  const found = world.findings;
  const items = found ? fromData() : fromPage();
  const byAnchor = new Map(items.map((item) => [item.id, item]));

  function fromPage() {
    const list = [];
    for (const group of groups) {
      for (const node of all(".card", group.cards)) {
        const above = node.parentElement.closest(".card");
        const data = node.dataset;
        const item = {
          id: node.id, node, group, head: above ? byId(list, above.id) : null, order: list.length,
          status: data.s, flows: words(data.e).map(Number), keys: words(data.k).map((n) => world.keys[n]), parties: words(data.p).map(Number),
          agreements: words(data.r).map(Number), prospective: "o" in data,
          text: () => node.querySelector(".own").textContent.toLowerCase(),
          places: [], from: node.querySelector("h5, h6").textContent, length: node.querySelectorAll(".own .chain li").length,
        };
        item.to = (item.from.split(" to ")[1] || item.from);
        list.push(item);
        const foot = node.querySelector(".foot");
        foot.append(lightButton(item));
        if (!node.querySelector(".own .around")) foot.before(around(item));
      }
    }
    return list;
  }
  function byId(list, id) {
    for (let n = list.length - 1; n >= 0; n -= 1) if (list[n].id === id) return list[n];
    return null;
  }
  function fromData() {
    const text = (n) => (n === null || n === undefined ? "" : world.strings[n]);
    const place = (pair) => (pair ? text(pair[0]) + (pair[1] === null ? "" : " " + text(pair[1])) : "");
    let head = null;
    return found.all.map((raw, order) => {
      const group = groupOf.get(found.groups[raw.g][0]);
      const item = {
        id: "rf1-" + raw.f, raw, group, head: raw.c ? head : null, order, status: text(raw.s), flows: raw.e,
        keys: raw.k.map((n) => world.keys[n]), places: raw.h || [], parties: raw.p, agreements: raw.r, prospective: Boolean(raw.o),
        from: place(raw.u) || text(raw.a), to: place(raw.v) || text(raw.a), length: raw.w ? raw.w[0][2].length : 0,
      };
      if (!raw.c) { head = item; item.folded = []; } else if (head) head.folded.push(item);
      let known = null;
      item.text = () => {
        if (known === null) {
          const steps = (raw.w || []).flatMap((walk) => walk[2].flatMap(([at, data]) => {
            const s = found.steps[at];
            return [text(s[0]), text(s[1]), text(s[2]), text(s[4]), text(s[5]), text(s[6]), text(s[7]), text(data)];
          }));
          known = ["rf1:" + raw.f, item.from, item.to, text(raw.a), text(raw.t), ...raw.d.map(text), ...steps].join(" ").toLowerCase();
        }
        return known;
      };
      return item;
    });
  }

  // ---- what is made when it is opened
  const makers = new WeakMap();
  function later(summary, kind, make) {
    const details = el("details", { class: kind }, el("summary", null, summary));
    makers.set(details, make);
    details.addEventListener("toggle", () => { if (details.open) made(details); });
    return details;
  }
  function made(details) {
    const make = makers.get(details);
    makers.delete(details);
    if (make) details.append(...make());
  }
  function around(item) {
    if (!window.neighbourhood || !item.flows.length && !item.places.length) return "";
    return later("Neighbourhood of the chain", "near", () => {
      const drawn = window.neighbourhood(world, item.flows, item.places, item.group.severity);
      if (!drawn) return [el("p", null, "No declared flow leads there or away.")];
      return [el("div", { class: "around", role: "region", "aria-label": "Neighbourhood of the chain", tabindex: "0" }, drawn.svg), el("p", { class: "label" }, drawn.words)];
    });
  }

  // ---- the same card as the templates write, from the data
  function card(item, level) {
    const raw = item.raw;
    const text = (n) => (n === null || n === undefined ? "" : world.strings[n]);
    const system = (pair) => [el("bdi", null, text(pair[0])), ...(pair[1] === null ? [] : [" ", el("b", null, text(pair[1]))])];
    const head = el(level);
    if (text(raw.a)) head.append(el("b", null, text(raw.a)), " ");
    if (raw.u) head.append(...system(raw.u));
    if (raw.u && raw.v) head.append(" ", el("i", null, "to"), " ");
    if (raw.v) head.append(...system(raw.v));
    head.append(" ", el("span", { class: item.status === "grown" ? "status grown" : "status" }, item.status));
    const own = el("div", { class: "own" }, head);
    if (raw.t) own.append(el("p", null, text(raw.t)));
    if (text(raw.d[0])) {
      const data = el("p", { class: "data" }, el("b", null, "Data"), " ", el("bdi", null, text(raw.d[0])));
      if (raw.d[1] !== null) data.append(", arriving as ", el("bdi", null, text(raw.d[1])));
      if (raw.d[2] !== null) data.append("; worked out from it there: ", el("bdi", null, text(raw.d[2])));
      own.append(data);
    }
    for (const [word, meaning] of raw.m || []) own.append(el("p", { class: "mark" }, el("b", null, text(word)), " " + text(meaning)));
    if (raw.q) {
      const [what, quoted, verbatim, by, at] = raw.q;
      own.append(el("div", { class: "quote" }, el("span", { class: "what" }, text(what)), " ", el(verbatim ? "q" : "bdi", null, text(quoted)),
        by === null ? "" : el("span", { class: "by" }, text(by)), " ", at === null ? "" : el("code", null, text(at))));
    }
    for (const [label, start, hops, goesOn] of raw.w || []) {
      if (label !== null) own.append(el("p", { class: "label" }, text(label)));
      const chain = el("ol", { class: "chain" }, el("li", null, goesOn ? el("i", null, "goes on from ") : "", el("p", null, ...system(start))));
      for (const [at, data] of hops) {
        const s = found.steps[at];
        const hop = el("div", null, s[1] === null ? el("code", null, text(s[0])) : el("b", null, text(s[1])), " ",
          data === null ? "the same data" : el("bdi", null, text(data)), " · purpose: " + text(s[4]) + " · ");
        if (s[2] === null) hop.append(text(s[3]));
        else hop.append("under ", text(s[2]), s[3] === null ? "" : " (" + text(s[3]) + ")");
        hop.append(" ", el("code", null, text(s[5])));
        chain.append(el("li", null, hop, el("p", null, ...system([s[6], s[7]]))));
      }
      own.append(chain);
    }
    if (raw.x) own.append(el("ul", { class: "label" }, ...raw.x.map((line) => el("li", null, text(line)))));
    if (raw.n) own.append(el("p", { class: "label" }, plural(raw.n, "more chain") + " in the JSON report"));
    own.append(around(item));
    const foot = el("p", { class: "foot" });
    if (raw.l !== undefined) foot.append("declared at ", el("code", null, text(raw.l)), " · ");
    foot.append(el("code", null, "rf1:" + raw.f), lightButton(item));
    own.append(foot);
    const article = el("article", { class: "card", id: item.id }, own);
    const folded = (item.folded || []).filter((other) => other.match);
    if (folded.length) {
      const summary = folded.length + " that follow" + (folded.length === 1 ? "s" : "") + " from this";
      article.append(later(summary, "folded", () => folded.map((other) => card(other, "h6"))));
    }
    return article;
  }
  const FIRST = 5, MORE = 50;
  function show(group, upTo) {
    const heads = group.heads;
    const until = Math.min(upTo, heads.length);
    for (let n = group.shown; n < until; n += 1) group.cards.append(card(heads[n], "h5"));
    group.shown = until;
    const rest = heads.length - until;
    if (!group.button) {
      group.button = el("button", { type: "button" });
      group.button.addEventListener("click", () => {
        const next = group.shown;
        show(group, group.shown + MORE);
        const first = group.cards.children[next];
        if (first) { first.tabIndex = -1; first.focus(); }
      });
      group.cards.after(group.button);
    }
    group.button.hidden = rest === 0;
    group.button.textContent = "Show " + Math.min(MORE, rest) + " of " + rest.toLocaleString("en") + " more";
  }

  // Cards of a closed list are made when it is opened.
  function begin(group, always) {
    const list = group.section.closest(".findings");
    if (group.shown === 0 && (always || !list || list.open)) show(group, FIRST);
  }
  if (found) {
    for (const cause of causes) {
      const list = cause.section.querySelector(".findings");
      if (list) list.addEventListener("toggle", () => { if (list.open) cause.groups.forEach((group) => begin(group)); });
    }
  }

  // ---- the filter
  const form = $("filter");
  const fields = ["severity", "status", "party", "agreement", "data", "purpose", "standing"];
  const query = $("q"), sort = $("sort"), output = $("shown");
  function options(id, pairs) {
    const select = $("f-" + id);
    for (const [value, title] of pairs) select.append(el("option", { value }, title));
    if (!pairs.length) select.parentElement.hidden = true;
  }
  const unique = (list) => Array.from(new Set(list));
  function branches(pairs) {
    const titles = new Map(pairs);
    const keys = unique(pairs.flatMap(([key]) => key.split(".").map((_, n, parts) => parts.slice(0, n + 1).join("."))));
    return keys.sort().map((key) => [key, titles.has(key) && titles.get(key) !== key ? titles.get(key) + " (" + key + ")" : key]);
  }
  const GRAVE = ["critical", "high", "medium", "low", "info"];
  options("severity", GRAVE.filter((word) => groups.some((group) => group.severity === word)).map((word) => [word, word]));
  options("status", unique(items.map((item) => item.status)).map((word) => [word, word]));
  options("party", world.parties);
  options("agreement", world.agreements);
  options("data", branches(world.data));
  options("purpose", branches(world.purposes));
  const below = (key, above) => key === above || key.startsWith(above + ".");
  const related = (key, chosen) => below(key, chosen) || below(chosen, key);

  function flowMatches(n, want) {
    const flow = world.flows[n];
    if (want.party && world.parties[flow[1]][0] !== want.party && world.parties[flow[2]][0] !== want.party) return false;
    if (want.agreement && (flow[3] === null || world.agreements[flow[3]][0] !== want.agreement)) return false;
    if (want.data && !flow[5].some((key) => related(world.data[key][0], want.data))) return false;
    if (want.purpose && !flow[4].some((key) => related(world.purposes[key][0], want.purpose))) return false;
    if (want.standing && (want.standing === "proposed") !== (flow[6] === "proposed")) return false;
    return true;
  }
  function matches(item, want) {
    if (want.severity && item.group.severity !== want.severity) return false;
    if (want.status && item.status !== want.status) return false;
    if (want.standing && (want.standing === "proposed") !== item.prospective) return false;
    const some = (test) => item.flows.some((n) => test(world.flows[n]));
    if (want.party) {
      const n = partyNumber.get(want.party);
      if (!item.parties.includes(n) && !some((flow) => flow[1] === n || flow[2] === n)) return false;
    }
    if (want.agreement) {
      const n = agreementNumber.get(want.agreement);
      if (!item.agreements.includes(n) && !some((flow) => flow[3] === n)) return false;
    }
    if (want.data && !item.keys.some((key) => related(key, want.data))) return false;
    if (want.purpose && !some((flow) => flow[4].some((key) => related(world.purposes[key][0], want.purpose)))) return false;
    return want.words.every((word) => item.group.text.includes(word) || item.text().includes(word));
  }
  const ORDER = {
    from: (a, b) => a.from.localeCompare(b.from, "en"), to: (a, b) => a.to.localeCompare(b.to, "en"),
    length: (a, b) => a.length - b.length, status: (a, b) => a.status.localeCompare(b.status, "en"),
  };
  function apply() {
    const want = { words: query.value.toLowerCase().split(/\s+/).filter(Boolean) };
    for (const field of fields) want[field] = $("f-" + field).value;
    let number = 0;
    for (const item of items) {
      item.match = matches(item, want);
      item.below = false;
      if (item.match) {
        number += 1;
        if (item.head) item.head.below = true;
      }
    }
    const order = ORDER[sort.value];
    for (const group of groups) group.heads = [];
    for (const item of items) if (!item.head && (item.match || item.below)) item.group.heads.push(item);
    for (const group of groups) {
      if (order) group.heads.sort((a, b) => order(a, b) || a.order - b.order);
      group.section.hidden = group.heads.length === 0;
      if (found) {
        group.cards.replaceChildren();
        group.shown = 0;
        begin(group);
      }
    }
    const narrowed = want.words.length || fields.some((field) => want[field]);
    for (const cause of causes) {
      const shown = cause.groups.some((group) => !group.section.hidden);
      cause.section.hidden = cause.groups.length > 0 && !shown;
      const details = cause.section.querySelector(".findings");
      if (details && narrowed && shown) details.open = true;
    }
    if (!found) {
      for (const item of items) item.node.hidden = !(item.match || item.below);
      for (const group of groups) for (const item of group.heads) group.cards.append(item.node);
    }
    const flows = world.flows.map((_, n) => n).filter((n) => flowMatches(n, want));
    const of = (n, all, word) => plural(n, word) + (n === all ? "" : " of " + all.toLocaleString("en"));
    output.textContent = items.length ? of(number, items.length, "finding") : of(flows.length, world.flows.length, "flow");
    $("reset").disabled = !narrowed && !sort.value;
    draw(narrowed && fields.some((field) => want[field]) ? new Set(flows.map((n) => world.flows[n][0])) : null, want);
  }
  let waiting = 0;
  query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  for (const select of all("select", form)) select.addEventListener("change", apply);
  form.firstElementChild.addEventListener("submit", (event) => event.preventDefault());
  form.firstElementChild.addEventListener("reset", () => setTimeout(apply, 0));

  // ---- the diagram
  const drawing = document.querySelector(".drawing");
  const edges = drawing ? all("[data-flows]", drawing) : [];
  let lit = null;
  function draw(flows, want) {
    const severe = want && want.severity;
    for (const edge of edges) {
      const own = words(edge.dataset.flows);
      let on = !flows || own.some((flow) => flows.has(flow));
      if (on && severe) on = items.some((item) => item.match && item.flows.some((n) => own.includes(world.flows[n][0])));
      edge.classList.toggle("dim", !on);
      edge.classList.toggle("lit", Boolean(flows) && on && lit !== null);
    }
    if (drawing) drawing.classList.toggle("chosen", Boolean(flows));
  }
  function lightButton(item) {
    if (!item.flows.length || !document.querySelector(".drawing")) return "";
    const button = el("button", { type: "button", class: "light" }, "Show in the diagram");
    button.addEventListener("click", () => light(item));
    return button;
  }
  function light(item) {
    lit = item;
    draw(new Set(item.flows.map((n) => world.flows[n][0])), null);
    $("lit").hidden = false;
    $("lit-what").textContent = "Lit: " + item.from.replace(/\s+/g, " ").trim();
    $("lit-back").href = "#" + item.id;
    $("systems").open = true;
    $("systems").scrollIntoView();
    $("diagram").focus({ preventScroll: true });
    const first = edges.find((edge) => !edge.classList.contains("dim"));
    if (first) first.scrollIntoView({ block: "nearest", inline: "center" });
  }
  if (drawing) $("unlight").addEventListener("click", () => {
    lit = null;
    $("lit").hidden = true;
    apply();
    $("diagram").focus({ preventScroll: true });
  });

  // ---- what a link points at is brought to light
  function reveal() {
    const id = decodeURIComponent(location.hash.slice(1));
    const item = byAnchor.get(id);
    if (item && (item.group.section.hidden || !(item.match || item.below))) { form.firstElementChild.reset(); apply(); }
    if (item && found) {
      const head = item.head || item;
      show(item.group, item.group.heads.indexOf(head) + 1);
      const details = $(head.id) && $(head.id).querySelector(".folded");
      if (item.head && details) { made(details); details.open = true; }
    }
    const node = id && $(id);
    if (!node) return;
    for (let up = node.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
    if (node.tabIndex < 0) node.tabIndex = -1;
    node.scrollIntoView();
    node.focus({ preventScroll: true });
  }
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => { if (found) groups.forEach((group) => begin(group, true)); for (const details of all("main details:not(.near)")) { made(details); details.open = true; } });

  // ---- the record as a table
  const LONGEST = 32767, ROOM = 1024;
  function short(text) {
    if (text.length <= LONGEST) return text;
    let used = 0, end = 0;
    for (const sign of text) {
      used += sign === "#" ? 8 : sign.length;
      if (used > LONGEST - ROOM) break;
      end += sign.length;
    }
    const size = (part) => new TextEncoder().encode(part).length;
    const head = text.slice(0, end), at = head.lastIndexOf("; ");
    return at >= 0 && size(head.slice(0, at)) > Math.floor(size(head) / 2)
      ? text.slice(0, at) + "; … and " + (text.slice(at).split("; ").length - 1) + " more"
      : head + "… and " + [...text.slice(end)].length + " more characters";
  }
  const csv = $("csv");
  if (csv) {
    csv.hidden = false;
    csv.addEventListener("click", () => {
      const texts = (list) => all("dd", list).map((cell) => cell.textContent);
      const rows = world.record.length ? world.record.map((row) => row.map((n) => world.strings[n]))
        : all(".entry.record").flatMap((entry) => all(".rs", entry).map((one) => texts(entry.querySelector(".rp")).concat(texts(one))));
// As in src/report/csv.rs: a formula is stopped wherever a spreadsheet may start a cell, and no cell is longer
// than a spreadsheet holds.
      const harmless = (text) => text.trim().replace(/\s+/g, " ").replace(/(^|[,;|"]) *(?=[=+\-@＝＋－＠])/g, "$&'");
      const cell = (text) => '"' + short(harmless(text)).replace(/"/g, '""') + '"';
      const lines = [world.columns, ...rows].map((row) => row.map(cell).join(",") + "\r\n");
      const link = el("a", { href: URL.createObjectURL(new Blob(["\ufeff", ...lines], { type: "text/csv" })), download: "record-of-processing-" + world.day + ".csv" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  form.hidden = !items.length && !drawing;
  apply();
  if (location.hash) reveal();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
