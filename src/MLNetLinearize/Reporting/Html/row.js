const STEPS = 15;

// One row's explanation: which class, rather than which, and what spoke for and against it.
function rowPanel(step, leave) {
  let current = -1, chosen = -1, against = -1, isByRegion = false;
  const title = el("h3", { id: "row-title", tabindex: -1 }, "No row is open");
  const about = el("p", {});
  const controls = el("div", { class: "controls" });
  const place = el("div", { "aria-live": "polite" });
  const node = el("section", { class: "panel", id: "row-panel", "aria-labelledby": "row-title", onkeydown: e => e.key === "Escape" && leave() },
    el("div", { class: "heading" }, title, el("span", {},
      el("button", { type: "button", onclick: () => step(-1), "aria-label": "Previous row" }, "↑"), " ", el("button", { type: "button", onclick: () => step(1), "aria-label": "Next row" }, "↓"))),
    about, controls, place);

  async function show(i) {
    current = i;
    const row = count(columns.row[i]);
    title.textContent = `Row ${row}`;
    about.replaceChildren(...sentence(i));
    const explanation = await explanations(i);
    // Another row may have been opened meanwhile.
    if (current !== i) return;
    if (!explanation) {
      controls.replaceChildren();
      place.replaceChildren(el("p", { class: "notice" }, "The explanation of this row is not stored, to keep the file small. Explain it on its own, or allow the report more bytes."));
      return;
    }
    const { targets } = explanation;
    if (targets.some(t => !Number.isFinite(t.score + t.bias + t.sum)))
      about.append(el("strong", { class: "alarm" }, ` This row came out as NaN or infinite, and its numbers explain nothing: ${targets.every(t => Number.isFinite(t.score))
        ? "at this very point the network has no finite slope, as √x has none at 0."
        : "they exceed single precision, or an operator gets what it is not defined for."}`));
    chosen = targets[0].output;
    against = -1;
    drawControls(explanation);
    draw(explanation);
  }

  function sentence(i) {
    const label = columns.label[i], predicted = columns.predicted[i];
    if (!isClassifier) return [`Score ${number(columns.score[i])}.`];
    if (predicted < 0) return ["No class: a score is not a number."];
    const said = [el("strong", {}, className(predicted)), columns.runnerUp[i] >= 0 ? ` before ${className(columns.runnerUp[i])}, by ${number(columns.margin[i])}.` : "."];
    if (label < 0) return ["The network says ", ...said];
    return label === predicted ? ["Right: ", ...said] : [el("span", { class: "alarm" }, "Wrong: "), `this is ${className(label)}; the network says `, ...said];
  }

  function role(output) {
    const roles = [output === columns.predicted[current] && "predicted", output === columns.runnerUp[current] && "runner-up", output === columns.label[current] && "true"].filter(Boolean);
    return roles.length ? ` (${roles.join(", ")})` : "";
  }

  function drawControls(explanation) {
    const { targets } = explanation;
    const parts = [];
    if (targets.length > 1) {
      const classChoice = el("fieldset", { class: "classes" }, el("legend", {}, "Explain"), targets.map(t => el("label", { class: "chip" },
        el("input", { type: "radio", name: "class", value: t.output, checked: t.output === chosen, onchange: () => { chosen = t.output; if (against === chosen) against = -1; drawControls(explanation); draw(explanation); byId("row-panel").querySelector(`input[value="${chosen}"]`).focus(); } }),
        el("span", {}, className(t.output) + role(t.output)))));
      const rather = el("select", { id: "against", onchange: e => { against = Number(e.target.value); draw(explanation); } },
        el("option", { value: -1 }, "– (the score itself)"), targets.filter(t => t.output !== chosen).map(t => el("option", { value: t.output, selected: t.output === against }, className(t.output) + role(t.output))));
      parts.push(classChoice, el("label", { class: "field" }, "rather than ", rather));
    }
    if (isImage) parts.push(el("label", { class: "field" }, el("input", { type: "checkbox", id: "by-region", checked: isByRegion, onchange: e => { isByRegion = e.target.checked; draw(explanation); } }), " smooth by region"));
    controls.replaceChildren(...parts);
  }

  function draw(explanation) {
    const a = explanation.targets.find(t => t.output === chosen);
    const b = explanation.targets.find(t => t.output === against);
    const total = a.score - (b?.score ?? 0), bias = a.bias - (b?.bias ?? 0);
    const what = b ? `${className(a.output)} rather than ${className(b.output)}` : isClassifier ? `Score of ${className(a.output)}` : "The score";
    const [totalText, sumText, biasText] = parts(total, bias);
    const statement = el("p", { class: "statement" }, el("strong", {}, `${what}: ${totalText}`), ` = ${isImage ? "pixels" : "features"} ${sumText} ${bias < 0 ? "−" : "+"} ${biasText.replace("−", "")} ${b ? "difference of biases" : "bias"}`);
    const check = el("p", { class: "quiet" }, `Parts and score differ by ${errorText(Math.max(a.error, b?.error ?? 0))} of max(1, |score|).`);
    place.replaceChildren(statement, ...(isImage ? images(explanation, a, b, what) : [features(explanation, a, b, what, total, bias)]), check);
  }

  function images({ pixels }, a, b, what) {
    const map = (b ? a.map.map((v, i) => v - b.map[i]) : a.map);
    const drawn = isByRegion ? byRegion(map) : map;
    const scale = scaleOf([drawn]);
    const [plus, minus] = [0, 1].map(s => map.reduce((sum, v) => sum + ((s ? v < 0 : v > 0) ? v : 0), 0));
    const figure = (name, canvas) => el("figure", {}, el("figcaption", {}, name), canvas);
    return [el("div", { class: "three" },
      figure("Image", photograph(`Row ${count(columns.row[current])} as the network saw it`, pixels)),
      figure("Contributions", heatMap(`${what}: pixels for it contributed about ${rough(plus)}, pixels against it about ${rough(minus)}`, drawn, scale)),
      figure("Both", overlay("The contributions over the image", pixels, drawn, scale))), legend(scale),
    el("p", {}, `Red pixels spoke for it, about ${rough(plus)} in all; blue pixels against it, about ${rough(minus)}.`)];
  }

  function features({ indices, values }, a, b, what, total, bias) {
    const contribution = k => a.contributions[k] - (b?.contributions[k] ?? 0);
    const order = indices.map((_, k) => k).sort((j, k) => Math.abs(contribution(k)) - Math.abs(contribution(j)) || j - k);
    const kept = order.slice(0, order.length <= STEPS + 1 ? order.length : STEPS);
    const steps = kept.map(k => [featureName(indices[k]), number(values[k]), contribution(k)]);
    const rest = header.features.length - kept.length;
    const sum = a.sum - (b?.sum ?? 0);
    if (rest > 0 && kept.length < order.length || rest > 0 && indices.length < header.features.length && indices.length >= 64) steps.push([`the other ${count(rest)} features`, "", sum - kept.reduce((s, k) => s + contribution(k), 0)]);
    return waterfall(b ? `From the difference of the biases to that of the scores: ${what}` : "From the bias to the score", bias, steps, total, b ? "Difference of biases" : "Bias", b ? "Difference of scores" : "Score");
  }

  return { node, show, focus: () => title.focus() };
}
