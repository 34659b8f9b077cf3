"use strict";
// What the page does: draws lines, sorts tables, opens runs, copies the sweep file.

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

function make(tag, attributes = {}, text) {
  const node = document.createElementNS(SVG, tag);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  if (text !== undefined) node.textContent = text;
  return node;
}

const colour = (k) => `var(--c${k % 7})`;
const dashes = (k) => DASHES[Math.floor(k / 7) % DASHES.length];

// ---- axes ----

// Steps are drawn on log(1 + step), so that step 0 has a place.
const PLACE = {
  linear: { to: (v) => v, ticks: linearTicks },
  log: { to: (v) => Math.log10(v), ticks: logTicks },
  step: { to: (v) => Math.log10(1 + v), ticks: stepTicks },
};

function linearTicks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const stride = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let k = Math.ceil(low / stride - 1e-9); k * stride <= high + 1e-9 * stride; k++) found.push(k * stride);
  return found;
}

function logTicks(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first) / 5));
  const found = [];
  if (last - first < 2) {
    for (let k = first - 1; k <= last; k++) for (const m of [1, 2, 5]) found.push(m * 10 ** k);
    return found.filter((v) => v >= low && v <= high);
  }
  for (let k = first; k <= last; k += stride) found.push(10 ** k);
  return found;
}

function stepTicks(low, high) {
  if (high <= 20) return linearTicks(low, high);
  const top = Math.floor(Math.log10(high)), stride = Math.max(1, Math.ceil(top / 5));
  const found = [0];
  for (let k = 0; k <= top; k += stride) found.push(10 ** k);
  return found;
}

function tickText(v) {
  const size = Math.abs(v);
  if (v === 0 || (size >= 1e-3 && size < 1e4)) return String(Number(v.toPrecision(3)));
  const [mantissa, power] = v.toExponential(1).split("e");
  const raised = String(Number(power)).replace(/-/, "\u207b").replace(/\d/g, (d) => "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[d]);
  const front = Number(mantissa);
  return (front === 1 ? "" : front === -1 ? "-" : front + "\u00b7") + "10" + raised;
}

function range(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) {
    if (v === null) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.5, high + (Math.abs(high) || 1) * 0.5];
  return [low, high];
}

// ---- a picture: {lines: [{c, x, y, lo, hi}], log, xkind, xlabel, range} ----

function chart(panel, words) {
  const W = 340, H = 220, left = 48, right = 10, top = 8, bottom = 34;
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": words });
  const xs = panel.lines.flatMap((l) => l.x);
  const ys = panel.range || panel.lines.flatMap((l) => [...l.y, ...(l.lo || []), ...(l.hi || [])]);
  if (!xs.length || ys.every((v) => v === null)) {
    svg.append(make("text", { x: W / 2, y: H / 2, "text-anchor": "middle" }, "no values"));
    return svg;
  }
  const xkind = PLACE[panel.xkind || "step"];
  const xr = range(xs), good = panel.log ? ys.filter((v) => v > 0) : ys;
  const ykind = PLACE[panel.log && good.length ? "log" : "linear"];
  let yr = range(good);
  if (ykind === PLACE.log && yr[0] <= 0) yr = [yr[1] / 10, yr[1] * 10];
  const span = (kind, r) => [kind.to(r[0]), kind.to(r[1])];
  const [x0, x1] = span(xkind, xr), [y0, y1] = span(ykind, yr), pad = 0.04 * (y1 - y0);
  const X = (v) => left + ((xkind.to(v) - x0) / (x1 - x0)) * (W - left - right);
  const Y = (v) => H - bottom - ((ykind.to(v) - y0 + pad) / (y1 - y0 + 2 * pad)) * (H - top - bottom);
  const shown = (v) => v !== null && (ykind !== PLACE.log || v > 0);
  for (const t of ykind.ticks(...yr)) {
    svg.append(make("line", { class: "grid", x1: left, x2: W - right, y1: Y(t), y2: Y(t) }));
    svg.append(make("text", { x: left - 5, y: Y(t) + 4, "text-anchor": "end" }, tickText(t)));
  }
  for (const t of xkind.ticks(...xr)) {
    if (t < xr[0] || t > xr[1]) continue;
    svg.append(make("line", { class: "grid", x1: X(t), x2: X(t), y1: top, y2: H - bottom }));
    svg.append(make("text", { x: X(t), y: H - bottom + 14, "text-anchor": "middle" }, tickText(t)));
  }
  svg.append(make("path", { class: "axis", fill: "none", d: `M${left} ${top}V${H - bottom}H${W - right}` }));
  svg.append(make("text", { x: (left + W - right) / 2, y: H - 4, "text-anchor": "middle" }, panel.xlabel || "step"));
  const point = (x, v) => `${X(x).toFixed(1)} ${Y(v).toFixed(1)}`;
  for (const line of panel.lines) {
    if (!line.lo) continue;
    const there = line.x.map((_, i) => i).filter((i) => shown(line.lo[i]) && shown(line.hi[i]));
    if (there.length < 2) continue;
    const up = there.map((i) => point(line.x[i], line.hi[i]));
    const down = there.reverse().map((i) => point(line.x[i], line.lo[i]));
    svg.append(make("path", { class: "band", fill: colour(line.c), d: `M${up.join("L")}L${down.join("L")}Z` }));
  }
  for (const line of panel.lines) {
    let d = "", pen = "M";
    line.y.forEach((v, i) => {
      if (!shown(v)) { pen = "M"; return; }
      d += pen + point(line.x[i], v);
      pen = "L";
    });
    const path = make("path", { class: "line", stroke: colour(line.c), "stroke-dasharray": dashes(line.c), d });
    if (line.name) path.append(make("title", {}, line.name));
    svg.append(path);
  }
  return svg;
}

function legendOf(list) {
  for (const item of list.querySelectorAll("li[data-c]")) {
    const k = Number(item.dataset.c);
    const key = make("svg", { viewBox: "0 0 40 10", "aria-hidden": "true" });
    key.append(make("path", { class: "line", stroke: colour(k), "stroke-dasharray": dashes(k), d: "M0 5H40" }));
    item.prepend(key);
  }
}

for (const figure of document.querySelectorAll("figure.panel[data-panel]")) {
  const panel = data.panels[figure.dataset.panel];
  figure.append(chart(panel, figure.dataset.words));
}
for (const list of document.querySelectorAll("ul.legend")) legendOf(list);

// ---- tables ----

function closeRuns(table) {
  for (const button of table.querySelectorAll("button.run[aria-expanded=true]")) button.click();
}

function sortBy(th) {
  const table = th.closest("table"), body = table.tBodies[0], column = th.cellIndex;
  closeRuns(table);
  const down = th.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
  th.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => {
    const text = row.cells[column].dataset.v;
    const number = Number(text);
    return text === "" ? null : Number.isNaN(number) ? text : number;
  };
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null); // what is missing stays last
    const order = typeof a === "number" && typeof b === "number" ? a - b
      : typeof a !== typeof b ? (typeof a === "number" ? -1 : 1) : a < b ? -1 : a > b ? 1 : 0;
    return down ? -order : order;
  });
  body.append(...rows.map(([, row]) => row));
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sortBy(button.closest("th")));
}

// ---- runs ----

const runs = document.querySelector("#runs table"), show = document.getElementById("show");
let combination = null;

function filterRuns() {
  closeRuns(runs);
  let count = 0;
  for (const row of runs.tBodies[0].rows) {
    const flags = row.dataset.flags.split(" ");
    const fits = (combination === null || row.dataset.combination === combination) &&
      (show.value === "all" || (show.value === "flagged" ? row.dataset.flags !== "" : flags.includes(show.value)));
    row.hidden = !fits;
    count += fits;
  }
  document.getElementById("count").textContent = `${count} run${count === 1 ? "" : "s"}`;
  document.getElementById("all-runs").hidden = combination === null;
}

show.addEventListener("change", filterRuns);
document.getElementById("all-runs").addEventListener("click", () => {
  combination = null;
  filterRuns();
});
for (const button of document.querySelectorAll("button.pick")) {
  button.addEventListener("click", () => {
    combination = button.dataset.combination;
    show.value = "all";
    filterRuns();
    document.getElementById("h-runs").scrollIntoView();
    const first = [...runs.tBodies[0].rows].find((row) => !row.hidden);
    if (first) first.querySelector("button").focus({ preventScroll: true });
  });
}

function openRun(button) {
  const row = button.closest("tr"), number = button.dataset.run, name = `run-${number}`;
  if (button.getAttribute("aria-expanded") === "true") {
    document.getElementById(name).remove();
    button.setAttribute("aria-expanded", "false");
    return;
  }
  const open = document.createElement("tr"), cell = document.createElement("td"), grid = document.createElement("div");
  open.className = "open";
  open.id = name;
  cell.colSpan = row.cells.length;
  grid.className = "panels";
  const [schedule, curves] = data.runs[number];
  data.measures.forEach((measure, k) => {
    if (!curves[k]) return;
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    figure.className = "panel";
    caption.innerHTML = measure.html;
    const x = data.schedules[schedule];
    figure.append(caption, chart({ lines: [{ c: k, x, y: curves[k] }], log: measure.log }, `${measure.name} of run ${number}`));
    grid.append(figure);
  });
  if (!grid.childElementCount) grid.textContent = "This run has no record.";
  cell.append(grid);
  open.append(cell);
  row.after(open);
  button.setAttribute("aria-expanded", "true");
  button.setAttribute("aria-controls", name);
}

runs.addEventListener("click", (event) => {
  const button = event.target.closest("button.run");
  if (button) openRun(button);
});
filterRuns();

// ---- the sweep file ----

for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.of);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text); // where a page may not write: marked, to be copied by hand
      button.textContent = "Marked: copy it";
    }
  });
}
