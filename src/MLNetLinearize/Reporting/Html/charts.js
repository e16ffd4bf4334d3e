// A bar from one value to another in a track that spans low to high. Lengths are told by the numbers beside it.
function bar(from, to, low, high, kind) {
  const at = value => 100 * (value - low) / (high - low || 1);
  const inner = el("div", { class: `bar ${kind}` });
  inner.style.left = `${at(Math.min(from, to))}%`;
  inner.style.width = `${Math.max(0.4, at(Math.max(from, to)) - at(Math.min(from, to)))}%`;
  const zero = el("div", { class: "zero" });
  zero.style.left = `${at(0)}%`;
  return el("div", { class: "track", "aria-hidden": "true" }, low <= 0 && high >= 0 ? zero : null, inner);
}

const kindOf = value => value < 0 ? "against" : "for";

// From the bias to the score, one feature a step; steps: [name, value or "", contribution].
function waterfall(caption, bias, steps, score, biasName, scoreName) {
  const ends = [0, bias, score];
  let sum = bias;
  for (const [, , contribution] of steps) ends.push(sum += contribution);
  const finite = ends.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const body = el("tbody", {});
  const line = (name, value, from, to, kind, text, head) => body.append(el("tr", { class: head ? "total" : null },
    el("th", { scope: "row" }, name), el("td", { class: "number" }, value), el("td", { class: "chart" }, Number.isFinite(from + to) ? bar(from, to, low, high, kind) : null), el("td", { class: "number" }, text)));
  line(biasName, "", 0, bias, "whole", number(bias), true);
  sum = bias;
  for (const [name, value, contribution] of steps) {
    line(name, value, sum, sum + contribution, kindOf(contribution), signed(contribution));
    sum += contribution;
  }
  line(scoreName, "", 0, score, "whole", number(score), true);
  return el("table", { class: "waterfall" }, el("caption", {}, caption),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Feature"), el("th", { scope: "col", class: "number" }, "Value"), el("td", {}), el("th", { scope: "col", class: "number" }, "Contribution"))), body);
}

// One dot a row and feature: how far right, how much it contributed; the colour, how high the feature's value is.
function beeswarm(swarm, open) {
  const [width, left, lane, top, radius] = [640, 170, 34, 22, 2.6];
  const height = top + lane * swarm.features.length + 26;
  const all = swarm.features.flatMap(f => f.contributions.map(Number));
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  const x = value => left + (width - left - 12) * (value - low) / (high - low || 1);
  const chart = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "swarm", "aria-label": `Contributions of the ${swarm.features.length} strongest features in ${rowCount(swarm.rows.length)}. The bars beside it tell the same as numbers.` });
  for (const tick of ticks(low, high)) chart.append(
    shape("line", { x1: x(tick), x2: x(tick), y1: top - 6, y2: height - 22, class: tick === 0 ? "axis" : "grid" }),
    shape("text", { x: x(tick), y: height - 8, class: "tick" }, tick === 0 ? "0" : trimmed(signed(tick))));
  swarm.features.forEach((feature, f) => {
    const y = top + lane * (f + 0.5);
    const label = shape("text", { x: left - 12, y: y + 4, class: "lane" }, shortened(featureName(feature.index), 22));
    label.append(shape("title", {}, featureName(feature.index)));
    chart.append(label);
    const ranks = rankOf(feature.values.map(Number));
    const stacks = new Map();
    feature.contributions.forEach((contribution, r) => {
      const column = Math.round(x(Number(contribution)) / 3);
      const level = stacks.get(column) ?? 0;
      stacks.set(column, level + 1);
      const offset = Math.min(lane / 2 - 3, Math.ceil(level / 2) * 3.2) * (level % 2 ? -1 : 1);
      chart.append(shape("circle", { cx: x(Number(contribution)).toFixed(1), cy: (y + offset).toFixed(1), r: radius, class: `q${Math.min(4, Math.floor(5 * ranks[r]))}`, onclick: () => open(swarm.rows[r]) }));
    });
  });
  return chart;
}

// From 0, the lowest value, to 1, the highest; equal values have equal ranks.
function rankOf(values) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const places = new Map(sorted.map((value, i) => [value, i / Math.max(1, sorted.length - 1)]));
  return values.map(value => places.get(value));
}

function ticks(low, high) {
  const rough = (high - low) / 8 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough);
  const result = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) result.push(i * step);
  return result;
}

const shortened = (text, most) => text.length <= most ? text : `${text.slice(0, most - 1)}…`;
