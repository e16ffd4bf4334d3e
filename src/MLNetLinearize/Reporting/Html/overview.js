// Of a sum whose parts are up to a thousand times the score, single precision leaves this much uncertain.
const ROUNDING = 1e-3;

function drawSummary() {
  const source = [header.model && `Model: ${header.model}`, header.data && `Data: ${header.data}`].filter(Boolean);
  byId("source").textContent = source.join(" · ");
  const { errors } = statistics;
  const [worst, median] = [Number(errors.worst), Number(errors.median)];
  const fact = (name, value, note) => el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, value), el("dd", { class: "quiet" }, note));
  byId("summary").append(
    el("dl", { class: "facts" },
      fact("Rows", count(statistics.rows), statistics.notFinite ? `${count(statistics.notFinite)} without an explanation` : "all explained"),
      isLabelled ? fact("Accuracy", percent(statistics.right / statistics.labelled), `${count(statistics.right)} of ${count(statistics.labelled)} right`) : fact("Accuracy", "–", isClassifier ? "no labels given" : "a network of one output"),
      fact("Worst error", errorText(worst), `in row ${count(errors.worstRow)}`),
      fact("Median error", errorText(median), `over ${count(errors.count)} explanations`),
      fact("Explained", header.output, header.cut ? `before the final ${header.cut}` : isClassifier ? `${count(header.outputs)} outputs` : "one output")),
    el("p", {},
      `Every score here is the sum of its parts: what each ${isImage ? "pixel" : "feature"} contributed, and the bias that none contributed. `,
      `Over all rows the two sides differ by ${errorText(worst)} at worst (row ${count(errors.worstRow)}) and by ${errorText(median)} in the median, measured as |score − (Σ contributions + bias)| / max(1, |score|).`,
      worst < ROUNDING ? " What is left is the rounding of single-precision numbers." : ""),
    worst < ROUNDING ? "" : el("p", { class: "notice" }, "The worst error is more than the rounding of a well-scaled network. Where large contributions cancel to a small score, single precision has no more digits; sort the rows by error to see which."),
    statistics.notFinite ? el("p", { class: "notice" }, `${rowCount(statistics.notFinite)} came out as NaN or infinite (the first: row ${count(statistics.firstNotFinite)}) and ${statistics.notFinite === 1 ? "has" : "have"} no explanation. They are in the table as NaN and in no mean.`) : "");
}

function drawMistakes(filter) {
  const wrong = statistics.labelled - statistics.right;
  if (!isLabelled) return;
  const section = byId("mistakes");
  section.hidden = false;
  if (wrong === 0) {
    section.append(el("p", {}, `Nowhere: all ${rowCount(statistics.labelled)} are right.`));
    return;
  }
  const pairs = statistics.confusions.filter(([label, predicted]) => label !== predicted).slice(0, 12);
  const list = el("div", {},
    el("button", { type: "button", class: "primary", id: "all-mistakes", onclick: () => filter({ mistakes: true }) }, `All mistakes (${count(wrong)})`),
    el("p", { class: "quiet" }, "Most frequent first:"),
    el("div", { class: "chips" }, pairs.map(([label, predicted, n]) => el("button", { type: "button", class: "pair", onclick: () => filter({ label, predicted }) },
      el("strong", {}, className(label)), " taken for ", el("strong", {}, className(predicted)), ` (${count(n)})`))));
  section.append(
    el("p", {}, `${rowCount(wrong)} of ${count(statistics.labelled)}. Choose a pair to see its rows and what decided.`),
    el("div", { class: "beside" }, statistics.matrix.length ? matrix(filter) : "", list));
}

function matrix(filter) {
  const counts = new Map(statistics.confusions.map(([label, predicted, n]) => [`${label} ${predicted}`, n]));
  const classes = statistics.matrix;
  const most = Math.max(...statistics.confusions.filter(([l, p]) => l !== p).map(([, , n]) => n));
  const cell = (label, predicted) => {
    const n = counts.get(`${label} ${predicted}`) ?? 0;
    if (n === 0) return el("td", { class: "none" }, "·");
    const strength = Math.ceil(4 * n / most);
    return el("td", {}, el("button", {
      type: "button", class: label === predicted ? "right" : `wrong s${strength}`, onclick: () => filter({ label, predicted }),
      "aria-label": `${rowCount(n)} of ${className(label)} ${label === predicted ? "recognised" : `taken for ${className(predicted)}`}`,
    }, count(n)));
  };
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Confusion matrix" }, el("table", { class: "matrix" },
    el("caption", {}, "Down: the true class. Across: what the network said."),
    el("thead", {}, el("tr", {}, el("td", {}), classes.map(c => el("th", { scope: "col" }, className(c))))),
    el("tbody", {}, classes.map(label => el("tr", {}, el("th", { scope: "row" }, className(label)), classes.map(predicted => cell(label, predicted)))))));
}

function drawOverview(open) {
  if (isImage) drawMeanMaps();
  else drawImportance(open);
}

function drawMeanMaps() {
  byId("overview").append(el("p", {}, isClassifier
    ? "For each class the network chose: its rows' mean image, and the mean of what each pixel contributed to that class's score. Each map has its own colour scale."
    : "The rows' mean image, and the mean of what each pixel contributed to the score."),
  legend(null),
  el("div", { class: "cards" }, statistics.maps.map(m => {
    const map = mapAt(new DataView(bytesOf(m.map).buffer), 0, header.image[0] * header.image[1]);
    return el("figure", {}, el("figcaption", {}, el("strong", {}, isClassifier ? className(m.output) : "score"), ` ${rowCount(m.rows)}`),
      el("div", { class: "two" }, photograph(`Mean image of ${className(m.output)}`, bytesOf(m.image)), heatMap(`Mean contributions to ${className(m.output)}`, map, scaleOf([map]))));
  })));
}

function drawImportance(open) {
  const section = byId("overview");
  const chooser = el("select", { id: "importance-class" }, statistics.importance.map((s, i) =>
    el("option", { value: i }, s.output < 0 ? `all rows (${count(s.rows)})` : `rows explained as ${className(s.output)} (${count(s.rows)})`)));
  const place = el("div", {});
  const draw = () => place.replaceChildren(importanceTable(statistics.importance[chooser.value]));
  chooser.addEventListener("change", draw);
  section.append(
    el("p", {}, isClassifier ? "How much each feature contributes to the score of the class that the network chose." : "How much each feature contributes to the score."),
    isClassifier ? el("label", { class: "field" }, "Over ", chooser) : "",
    el("div", { class: "columns" }, place, statistics.swarm ? el("figure", {},
      beeswarm(statistics.swarm, open),
      el("figcaption", { class: "quiet" }, `Each dot is one of ${rowCount(statistics.swarm.rows.length)}${statistics.swarm.rows.length < statistics.rows ? " drawn at random" : ""}: how far right, how much the feature contributed there. Click one to open its row. The feature's value: `,
        el("span", { class: "swatches" }, "low ", [0, 1, 2, 3, 4].map(q => el("span", { class: `swatch q${q}` })), " high"))) : ""));
  draw();
}

function importanceTable(summary) {
  const most = Math.max(...summary.features.map(([, absolute]) => Number(absolute)), 0);
  return el("table", { class: "waterfall importance" },
    el("caption", {}, "Mean contribution, the largest first"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Feature"), el("td", {}), el("th", { scope: "col", class: "number" }, "Absolute"), el("th", { scope: "col", class: "number" }, "Signed"))),
    el("tbody", {}, summary.features.map(([index, absolute, mean]) => el("tr", {},
      el("th", { scope: "row" }, featureName(index)), el("td", { class: "chart" }, bar(0, Number(absolute), 0, most, "whole")),
      el("td", { class: "number" }, number(Number(absolute))), el("td", { class: "number" }, signed(Number(mean)))))));
}

function drawFooter() {
  const left = statistics.rows - statistics.listed, without = statistics.listed - statistics.stored;
  byId("footer").append(
    el("h2", {}, "How to read this"),
    el("p", {}, "At each row the network is an affine map: score = Σ weight · input + bias. A contribution is one weight times its input. ",
      header.piecewiseLinear ? "The weights hold in the whole linear region around the row; beyond it they change. " : "The network has smooth parts, so the weights are those of its tangent or slope at the row. ",
      "A contribution tells what the network computed, not what is true of the world. An input of 0 contributes nothing."),
    el("p", {}, isImage ? `Of an image, this file holds each pixel's contribution in steps of 1/127 of the map's largest, ${header.image[2] > 1 ? "summed over the colour channels, " : ""}and the image in 256 shades from its lowest to its highest value. ` : header.features.length > 64 ? "Of a row, this file holds the 64 strongest contributions, in single precision. " : "Of a row, this file holds every contribution, in single precision. ",
      "Scores, biases and errors are not rounded; the errors were measured before any rounding."),
    left > 0 ? el("p", { class: "notice" }, `Left out of the table: the last ${rowCount(left)}. All figures above count every row.`) : "",
    without > 0 ? el("p", { class: "notice" }, `To keep the file small, the explanations of ${rowCount(without)} are not stored; those of wrong rows were kept longest. All figures above count every row.`) : "",
    header.notes.length ? el("ul", {}, header.notes.map(note => el("li", {}, note))) : "");
}
