"use strict";
// The neighbourhood of a finding as a picture, for pages whose diagram shows parties alone.
// Systems stand in columns, what flows runs from left to right. A line bends between two
// columns only, and passes a column in a lane of its own: none runs through a box.
window.neighbourhood = (function () {
  const NS = "http://www.w3.org/2000/svg";
  const FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
  const NEIGHBOURS = 12, NAME = 36, LABEL = 24, PORT = 13, GAP = 16, STUB = 32, MARGIN = 12;
  const pen = document.createElement("canvas").getContext("2d");
  let touching = null;

  function draw(name, attributes, ...children) {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  function shortened(text, most) {
    const all = Array.from(text.replace(/\s+/g, " ").trim());
    if (all.length <= most) return all.join("");
    const end = Math.floor((most - 1) * 2 / 5);
    return all.slice(0, most - 1 - end).join("") + "…" + all.slice(all.length - end).join("");
  }
  function wide(text, size) {
    pen.font = "600 " + size + "px " + FONT;
    return Math.ceil(pen.measureText(text).width * 1.06);
  }

  // The systems of the chain, those next to it that have most to do with it, and what flows.
  function near(world, flows, places) {
    if (!touching) {
      touching = world.systems.map(() => []);
      world.ends.forEach((ends, n) => { if (ends) for (const s of new Set(ends)) touching[s].push(n); });
    }
    const own = flows.filter((n) => world.ends[n]);
    const chain = new Set(own.flatMap((n) => world.ends[n]).concat(places || []));
    const count = new Map();
    for (const s of chain) {
      for (const n of touching[s]) {
        for (const other of world.ends[n]) if (!chain.has(other)) count.set(other, (count.get(other) || 0) + 1);
      }
    }
    const others = Array.from(count).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const systems = new Set([...chain, ...others.slice(0, NEIGHBOURS).map(([s]) => s)]);
    const all = new Set(Array.from(chain).flatMap((s) => touching[s]));
    const lines = new Map();
    const marked = new Set(own);
    for (const n of Array.from(all).sort((a, b) => a - b)) {
      const [from, to] = world.ends[n];
      if (from === to || !systems.has(from) || !systems.has(to)) continue;
      const key = from + ":" + to;
      if (!lines.has(key)) lines.set(key, { from, to, flows: [], marked: false });
      lines.get(key).flows.push(n);
      lines.get(key).marked = lines.get(key).marked || marked.has(n);
    }
    const links = Array.from(lines.values());
    return { chain, systems: Array.from(systems).sort((a, b) => a - b), left: others.length - Math.min(others.length, NEIGHBOURS),
      links: [...links.filter((l) => l.marked), ...links.filter((l) => !l.marked)] };
  }

  // Every box gets a column; what would close a circle leads back to the left.
  function columns(boxes, links) {
    const next = new Map(Array.from(boxes.keys(), (s) => [s, []]));
    const reaches = (from, to, seen) => from === to || next.get(from).some((s) => !seen.has(s) && (seen.add(s), reaches(s, to, seen)));
    for (const link of links) {
      link.back = reaches(link.to, link.from, new Set());
      [link.a, link.b] = link.back ? [link.to, link.from] : [link.from, link.to];
      next.get(link.a).push(link.b);
    }
    const at = new Map();
    const before = (s) => links.filter((l) => l.b === s).map((l) => l.a);
    const depth = (s) => {
      if (!at.has(s)) at.set(s, Math.max(-1, ...before(s).map(depth)) + 1);
      return at.get(s);
    };
    for (const s of boxes.keys()) depth(s);
    for (const s of boxes.keys()) {
      if (!before(s).length && next.get(s).length) at.set(s, Math.min(...next.get(s).map((other) => at.get(other))) - 1);
    }
    const used = Array.from(new Set(at.values())).sort((a, b) => a - b);
    for (const [s, column] of at) at.set(s, used.indexOf(column));
    return at;
  }

  function place(boxes, links) {
    const at = columns(boxes, links);
    const grid = [];
    const put = (column, cell) => { (grid[column] = grid[column] || []).push(cell); cell.left = []; cell.right = []; };
    for (const [s, box] of boxes) put(at.get(s), box);
    for (const link of links) {
      link.cells = [boxes.get(link.a)];
      for (let c = at.get(link.a) + 1; c < at.get(link.b); c += 1) {
        const lane = { height: 4, lane: true };
        put(c, lane);
        link.cells.push(lane);
      }
      link.cells.push(boxes.get(link.b));
      for (let n = 1; n < link.cells.length; n += 1) {
        link.cells[n - 1].right.push(link.cells[n]);
        link.cells[n].left.push(link.cells[n - 1]);
      }
    }
    for (const [, box] of boxes) box.height = Math.max(46, PORT * (Math.max(box.left.length, box.right.length) + 1));
    const centre = (cell) => cell.y + cell.height / 2;
    const mean = (cells, of) => cells.reduce((sum, cell) => sum + of(cell), 0) / cells.length;
    const stack = (column) => {
      let y = 0;
      column.forEach((cell, n) => { cell.rank = n / column.length; cell.y = y; y += cell.height + GAP; });
    };
    grid.forEach(stack);
    for (let round = 0; round < 6; round += 1) {
      const side = round % 2 ? "right" : "left";
      for (const column of round % 2 ? grid.toReversed() : grid) {
        for (const cell of column) cell.want = cell[side].length ? mean(cell[side], (other) => other.rank) : cell.rank;
        column.sort((a, b) => a.want - b.want);
        stack(column);
      }
    }
    for (let round = 0; round < 8; round += 1) {
      for (const column of round % 2 ? grid.toReversed() : grid) {
        let free = -Infinity;
        for (const cell of column) {
          const both = cell.left.concat(cell.right);
          cell.want = (both.length ? mean(both, centre) : centre(cell)) - cell.height / 2;
          cell.y = Math.max(cell.want, free);
          free = cell.y + cell.height + GAP;
        }
        const shift = mean(column, (cell) => cell.want - cell.y);
        for (const cell of column) cell.y += shift;
      }
    }
    const top = Math.min(...grid.flat().map((cell) => cell.y)) - MARGIN;
    for (const cell of grid.flat()) cell.y = Math.round(cell.y - top);
    // Where lines leave and enter a box: in the order of where they lead.
    for (const link of links) link.y = [];
    const ports = (cell, side, step) => {
      const own = links.flatMap((link) => link.cells.flatMap((one, n) => (one === cell && link.cells[n + step] ? [[link, n, centre(link.cells[n + step])]] : [])));
      own.sort((a, b) => a[2] - b[2]);
      own.forEach(([link, n], i) => {
        link.y[2 * n + (step > 0 ? 1 : 0)] = Math.round(cell.lane ? centre(cell) : cell.y + cell.height * (i + 1) / (own.length + 1));
      });
    };
    let x = MARGIN;
    grid.forEach((column, c) => {
      const width = Math.max(0, ...column.map((cell) => cell.width || 0));
      let rise = 0, lines = 0;
      for (const cell of column) {
        Object.assign(cell, { x, width });
        ports(cell, "left", -1);
        ports(cell, "right", 1);
        for (const other of cell.right) { rise = Math.max(rise, Math.abs(centre(other) - centre(cell))); lines += 1; }
      }
      x += width + (c + 1 < grid.length ? 2 * STUB + Math.min(200, Math.round(30 + rise / 6 + lines)) : MARGIN);
    });
    return { width: x, height: Math.max(...grid.flat().map((cell) => cell.y + cell.height)) + MARGIN };
  }

  function line(link, short) {
    const { cells, y, back } = link;
    const last = cells.length - 1;
    const start = cells[0].x + cells[0].width, end = cells[last].x;
    let d = "M" + (start + (back ? short : 0)) + " " + y[1];
    for (let n = 0; n < last; n += 1) {
      const from = cells[n].x + cells[n].width + STUB, to = cells[n + 1].x - STUB, middle = Math.round((from + to) / 2);
      const [a, b] = [y[2 * n + 1], y[2 * n + 2]];
      d += "H" + from + (a === b ? "" : "C" + [middle, a, middle, b, to, b].join(" "));
      d += "H" + (n + 1 === last ? end - (back ? 0 : short) : cells[n + 1].x + cells[n + 1].width);
    }
    const [tip, level, way] = back ? [start, y[1], 1] : [end, y[2 * last], -1];
    return { d, head: "M" + tip + " " + level + "L" + (tip + way * short) + " " + (level - 5) + "V" + (level + 5) + "Z", tail: back ? [end, y[2 * last], -1] : [start, y[1], 1] };
  }

  // Flows by number, systems besides them; what is drawn, and how many systems are left out.
  return function (world, flows, places, severity) {
    const { chain, systems, links, left } = near(world, flows, places);
    if (!links.length) return null;
    const name = (s) => world.parties[world.systems[s][0]][0] + "/" + world.systems[s][1];
    const boxes = new Map(systems.map((s) => {
      const party = shortened(world.parties[world.systems[s][0]][1], NAME), label = shortened(world.systems[s][1], LABEL);
      return [s, { party, label, width: Math.max(90, wide(party, 11), wide(label, 12)) + 28 }];
    }));
    const { width, height } = place(boxes, links);
    const grave = severity === "critical" || severity === "high" ? " grave" : "";
    const words = systems.length + " systems, " + links.length + " lines; the chain is drawn in bold" + (left ? "; " + left + " more systems next to it are left out" : "") + ".";
    const svg = draw("svg", { class: "rf-diagram", role: "img", "aria-label": "Neighbourhood of the chain: " + words, viewBox: "0 0 " + width + " " + height, width, height, "font-family": FONT });
    for (const link of links.toReversed()) {
      const status = link.flows.map((n) => world.flows[n][6]);
      const standing = status.includes("active") ? "current" : status.every((word) => word === "proposed") ? "proposed" : "ended";
      const edge = draw("g", { class: "edge " + standing + (link.marked ? " violation" + grave : "") + (link.back ? " back" : ""), "data-edge": name(link.from) + ":" + name(link.to) },
        draw("title", {}, [name(link.from) + " → " + name(link.to), ...link.flows.slice(0, 12).map((n) => world.flows[n][0])].join("\n")));
      const { d, head, tail: [x, y, way] } = line(link, link.marked ? 11 : 8);
      edge.append(draw("path", { class: "line", d }), draw("path", { class: "head", d: head }));
      if (link.marked) edge.append(draw("path", { class: "dot", d: "M" + (x + 6 * way - 4) + " " + y + "l4 -4l4 4l-4 4Z" }));
      if (link.flows.length > 1) {
        const text = "×" + link.flows.length, size = wide(text, 10), from = way > 0 ? x + 12 : x - 12 - size;
        edge.append(draw("rect", { class: "patch", x: from - 1, y: y - 5, width: size + 2, height: 10 }), draw("text", { class: "count", x: from, y: y + 4, "font-size": 10 }, text));
      }
      svg.append(edge);
    }
    const ends = new Set(links.filter((l) => l.marked).map((l) => l.to));
    for (const l of links) if (l.marked) ends.delete(l.from);
    for (const [s, box] of boxes) {
      const group = draw("g", { class: "system" + (ends.has(s) ? " reached" + grave : ""), "data-system": name(s) }, draw("title", {}, name(s)),
        draw("rect", { class: "system-box", x: box.x, y: box.y, width: box.width, height: box.height, rx: 4 }));
      if (world.systems[s][2]) group.append(draw("rect", { class: "origin-bar", x: box.x + 3, y: box.y + 4, width: 4, height: box.height - 8, rx: 2 }));
      const middle = box.y + Math.round(box.height / 2);
      group.append(draw("text", { class: "note", x: box.x + 14, y: middle - 5, "font-size": 11 }, box.party),
        draw("text", { class: "label", x: box.x + 14, y: middle + 12, "font-size": 12, "font-weight": chain.has(s) ? 600 : 400 }, box.label));
      svg.append(group);
    }
    return { svg, words: words + (width > 320 ? " Where it is wider than the page, scroll it sideways." : "") };
  };
})();
