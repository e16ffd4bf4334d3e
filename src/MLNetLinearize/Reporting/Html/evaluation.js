// How faithful the explanations are: curves of deletion and insertion, and the measures of the literature.
function drawEvaluation() {
  const node = document.querySelector("script.evaluation");
  if (!node) return;
  const evaluation = JSON.parse(node.textContent);
  // What a table calls its inputs everywhere else.
  if (evaluation.unit === "inputs" && !isImage) evaluation.unit = "features";
  const { unit, methods } = evaluation;
  const section = byId("evaluation");
  section.hidden = false;
  if (evaluation.explanations === 0) {
    section.append(el("p", { class: "notice" }, `None of ${rowCount(evaluation.rows)} has an explanation to judge.`));
    return;
  }
  const what = evaluation.isProbability ? "probability" : "score";
  const removed = evaluation.baseline === undefined ? "its value in the baseline row" : `the value ${trimmed(number(evaluation.baseline))}`;
  const high = methods.flatMap(m => [...m.deletion, ...m.insertion]).filter(v => v != null);
  const range = rounded(Math.min(0, ...high), Math.max(...high));
  const curves = (title, note, axis, key, area) => curvePanel(evaluation, { title, note, axis: `share of ${unit} ${axis}`, what, range, key, area: evaluation.measures.findIndex(m => m.name === area) });
  section.append(
    el("p", {}, `Nobody knows the right explanation of a prediction, so the network itself was asked: ${unit} were removed, and the score looked at. `,
      `Judged on ${count(evaluation.explanations)} explanation${evaluation.explanations === 1 ? "" : "s"} of ${rowCount(evaluation.rows)}, ${count(evaluation.units)} ${unit} each, beside other ways to explain. What is removed takes ${removed}.`,
      evaluation.skipped ? ` ${count(evaluation.skipped)} more could not be judged: NaN, infinite, or without a known label.` : ""),
    el("p", { class: "finding" }, finding(evaluation, what)),
    el("div", { class: "curves" },
      curves("Deletion", `The highest-ranked ${unit} go first: lower is better.`, "removed", "deletion", "deletion area"),
      curves("Insertion", `The highest-ranked ${unit} come back first: higher is better.`, "put back", "insertion", "insertion area")),
    el("p", { class: "quiet" }, "Input × gradient (Shrikumar et al. 2016) has no bias; occlusion (Zeiler and Fergus 2014) covers patches and takes what the score loses; random deals the linearization's contributions out by chance. ",
      "The linearization says exactly what the network computes at the row. Removing much leads far from it, where other pieces of the network answer; occlusion, which tries just that, often does better there."),
    measureTable(evaluation),
    evaluation.stages.length ? stageTable(evaluation) : "");
}

// A range from tick to tick.
function rounded(low, high) {
  const [first, second] = ticks(low, high);
  const step = second - first || 1;
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

// One sentence that needs no curve: what a tenth of the units does, chosen by the explanation and at random.
function finding({ fractions, methods, unit }, what) {
  const [ours, chance] = [methods[0], methods.find(m => m.name === "random")];
  const share = 0.1;
  const at = curve => {
    const i = fractions.findIndex(f => f >= share);
    const part = i === 0 ? 0 : (share - fractions[i - 1]) / (fractions[i] - fractions[i - 1]);
    return i === 0 ? curve[0] : curve[i - 1] + part * (curve[i] - curve[i - 1]);
  };
  return `Without the ${100 * share} % of the ${unit} that the linearization ranks first, the mean ${what} goes from ${number(ours.deletion[0])} to ${number(at(ours.deletion))}; without as many at random, to ${number(at(chance.deletion))}. With these alone it is ${number(at(ours.insertion))}; with as many at random, ${number(at(chance.insertion))}.`;
}

function curvePanel({ fractions, methods }, { title, note, axis, what, range, key, area }) {
  const [width, height, left, right, top, bottom] = [560, 300, 46, 26, 26, 44];
  const [low, high] = range;
  const x = share => left + (width - left - right) * share;
  const y = value => height - bottom - (height - top - bottom) * (value - low) / (high - low || 1);
  // Two lines in one place look like a missing line.
  const isSame = (a, b) => a.every((v, i) => v === b[i]);
  const lines = methods.map((m, i) => ({ name: m.name, curve: m[key], value: m.values[area], kind: `m${i}` }));
  const twin = lines.slice(1).find(l => isSame(l.curve, lines[0].curve));
  const drawn = lines.filter(l => l !== twin);
  const label = l => `${l.name}${twin && l === lines[0] ? `, here ${twin.name} as well` : ""}`;
  const chart = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "curve", "aria-label": `${title}: mean ${what} over the ${axis}. ${drawn.map(l => `${label(l)}: area ${cell(l.value)}`).join("; ")}.` });
  for (const tick of ticks(low, high)) chart.append(
    shape("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: tick === 0 ? "axis" : "grid" }),
    shape("text", { x: left - 8, y: y(tick) + 4, class: "lane" }, trimmed(number(tick))));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) chart.append(shape("text", { x: x(share), y: height - bottom + 18, class: "tick" }, `${100 * share} %`));
  chart.append(shape("text", { x: left, y: top - 13, class: "name" }, `mean ${what}`), shape("text", { x: (left + width - right) / 2, y: height - 6, class: "tick" }, axis));
  // The main line last, above the others.
  for (const line of [...drawn].reverse())
    chart.append(shape("polyline", { class: line.kind, points: line.curve.map((v, i) => v == null ? "" : `${x(fractions[i]).toFixed(1)},${y(v).toFixed(1)}`).join(" ") }));
  const swatch = line => shape("svg", { viewBox: "0 0 34 10", class: "curve key", "aria-hidden": "true" }, shape("polyline", { class: line.kind, points: "1,5 33,5" }));
  return el("figure", {}, el("figcaption", {}, el("strong", {}, title), ` ${note}`), chart,
    el("ul", { class: "keys" }, drawn.map(l => el("li", {}, swatch(l), el("span", {}, label(l)), el("span", { class: "number" }, `area ${cell(l.value)}`)))));
}

function measureTable({ measures, methods, scale }) {
  const best = (measure, m) => {
    if (measure.higherIsBetter === undefined) return null;
    const means = methods.map(method => method.values[m][0]).filter(v => v != null);
    return means.length ? Math[measure.higherIsBetter ? "max" : "min"](...means) : null;
  };
  const direction = measure => measure.higherIsBetter === undefined ? "" : measure.higherIsBetter ? "higher ↑" : "lower ↓";
  const rows = measures.map((measure, m) => methods.every(method => method.values[m][0] == null) ? "" : el("tr", {},
    el("th", { scope: "row" }, measure.name, el("span", { class: "meaning" }, `${measure.meaning} (${measure.source})`)),
    el("td", {}, direction(measure)),
    methods.map(method => el("td", { class: `number${method.values[m][0] != null && method.values[m][0] === best(measure, m) ? " best" : ""}` }, cell(method.values[m])))));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Measures" }, el("table", { class: "measures" },
    el("caption", {}, "Measures: mean ± standard error, the best in bold. ", el("span", { class: "quiet" }, `Curves, comprehensiveness and sufficiency in: ${scale}.`)),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Measure"), el("th", { scope: "col" }, "Better"), methods.map(m => el("th", { scope: "col", class: "number" }, m.name)))),
    el("tbody", {}, rows)));
}

function stageTable({ stages }) {
  const names = ["Rank correlation", "… of sizes", "Structural similarity"];
  const shown = names.map((_, c) => c).filter(c => stages.some(s => s.values[c][0] != null));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Randomised weights" }, el("table", { class: "measures stages" },
    el("caption", {}, "Randomised weights: likeness to the true explanations when layers get noise for weights, from the last one down. ",
      el("span", { class: "quiet" }, "Near 0 is right: an explanation that stays the same depends on nothing the network learned (Adebayo et al. 2018).")),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Noise down to"), shown.map(c => el("th", { scope: "col", class: "number" }, names[c])))),
    el("tbody", {}, stages.map(stage => el("tr", {}, el("th", { scope: "row" }, stage.layer), shown.map(c => el("td", { class: "number" }, cell(stage.values[c]))))))));
}

// A mean and its standard error, which keeps two digits up to 35 and one beyond (Particle Data Group, Review of Particle Physics, 2024, 5.3).
function cell([mean, error]) {
  if (mean == null) return "–";
  const second = error > 0 ? 1 - Math.floor(Math.log10(error)) : 3;
  const digits = error * 10 ** second > 35 ? second - 1 : second;
  if (digits > 5) return `${figure(mean)} ± ${figure(error)}`;
  const text = value => Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: Math.max(0, digits), maximumFractionDigits: Math.max(0, digits) });
  return `${mean < 0 ? "−" : ""}${text(mean)} ± ${text(error)}`;
}

const figure = value => value !== 0 && Math.abs(value) < 0.001 ? errorText(value).replace(/^-/, "−") : number(value);
