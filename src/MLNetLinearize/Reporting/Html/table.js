const PAGE = 50;

// The columns to see: name, what a cell shows, what it is sorted by, and which way first.
const shown = [
  { id: "row", name: "Row", text: i => count(columns.row[i]), key: i => columns.row[i] },
  isLabelled && { id: "label", name: "Label", text: i => className(columns.label[i]), key: i => columns.label[i] },
  isClassifier && { id: "predicted", name: "Predicted", text: i => columns.predicted[i] < 0 ? "NaN" : className(columns.predicted[i]), key: i => columns.predicted[i] },
  isClassifier && columns.target.some((t, i) => t !== columns.predicted[i] && columns.predicted[i] >= 0) && { id: "target", name: "Explained", text: i => className(columns.target[i]), key: i => columns.target[i] },
  { id: "score", name: "Score", text: i => number(columns.score[i]), key: i => columns.score[i], isNumber: true, down: true },
  isClassifier && { id: "margin", name: "Runner-up", text: i => columns.runnerUp[i] < 0 ? "–" : `${className(columns.runnerUp[i])} (${number(-columns.margin[i])})`, key: i => columns.margin[i] },
  { id: "bias", name: "Bias", text: i => number(columns.bias[i]), key: i => columns.bias[i], isNumber: true, down: true },
  { id: "error", name: "Error", text: i => errorText(columns.error[i]), key: i => columns.error[i], isNumber: true, down: true },
].filter(Boolean);

function rowTable(open) {
  let order = [], page = 0, sort = { id: "row", down: false }, opened = -1;
  const filters = { label: "", predicted: "", mistakes: false, broken: false, search: "" };
  const body = el("tbody", {});
  const status = el("p", { id: "row-count", role: "status" });
  const pages = el("span", { class: "quiet" });
  const move = (text, by) => el("button", { type: "button", onclick: () => turn(page + by) }, text);
  const [back, forth] = [move("Previous", -1), move("Next", 1)];
  const heads = shown.map(column => el("th", { scope: "col", class: column.isNumber ? "number" : null },
    el("button", { type: "button", "data-column": column.id, onclick: () => sortBy(column) }, column.name)));

  const choice = (id, name, values) => {
    const present = [...new Set(values)].filter(v => v >= 0).sort((a, b) => a - b);
    const node = el("select", { id: `filter-${id}`, onchange: e => filter({ [id]: e.target.value }, true) }, el("option", { value: "" }, "any"), present.map(v => el("option", { value: v }, className(v))));
    return el("label", { class: "field" }, `${name} `, node);
  };
  const tick = (id, name) => el("label", { class: "field" }, el("input", { type: "checkbox", id: `filter-${id}`, onchange: e => filter({ [id]: e.target.checked }, true) }), ` ${name}`);
  const search = el("input", { type: "search", id: "filter-search", placeholder: "row number or class", autocomplete: "off", oninput: e => filter({ search: e.target.value }, true) });
  const bar = el("form", { class: "filters", role: "search", "aria-label": "Filter the rows", onsubmit: e => e.preventDefault(), onreset: () => filter({}) },
    el("label", { class: "field" }, "Find ", search),
    isLabelled ? choice("label", "Label", columns.label) : null,
    isClassifier ? choice("predicted", "Predicted", columns.predicted) : null,
    isLabelled ? tick("mistakes", "only mistakes") : null,
    statistics.notFinite ? tick("broken", "only NaN or infinite") : null,
    el("button", { type: "reset" }, "Show all"));
  const table = el("div", { class: "list" }, bar, status,
    el("div", { class: "scroll" }, el("table", { class: "rows", "aria-describedby": "rows-hint" },
      el("caption", { class: "unseen" }, "Rows of the data and what the network made of them"), el("thead", {}, el("tr", {}, heads)), body)),
    el("nav", { class: "pager", "aria-label": "Pages of rows" }, back, pages, forth),
    el("p", { id: "rows-hint", class: "quiet" }, "Enter or click opens a row; arrow keys move through them; a column's name sorts by it." + (isClassifier ? " Beside the runner-up stands the difference of its score." : "")));

  body.addEventListener("click", e => {
    const line = e.target.closest("tr");
    if (line) show(Number(line.dataset.index));
  });
  body.addEventListener("keydown", e => {
    const lines = [...body.rows];
    const at = lines.indexOf(e.target.closest("tr"));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    focusLine(lines[Math.max(0, Math.min(lines.length - 1, to))]);
  });

  function focusLine(line) {
    for (const button of body.querySelectorAll("button")) button.tabIndex = -1;
    const button = line.querySelector("button");
    button.tabIndex = 0;
    button.focus();
  }

  // Resets every filter but those given, unless they are to be added.
  function filter(change, isAddition = false) {
    if (!isAddition) Object.assign(filters, { label: "", predicted: "", mistakes: false, broken: false, search: "" });
    Object.assign(filters, change);
    for (const [id, value] of Object.entries(filters)) {
      const node = byId(`filter-${id}`);
      if (!node) continue;
      if (node.type === "checkbox") node.checked = value;
      else if (node.value !== String(value)) node.value = value;
    }
    select();
  }

  function select() {
    const text = filters.search.trim().toLowerCase();
    const wanted = /^[\d,]+$/.test(text) ? Number(text.replaceAll(",", "")) : null;
    const isFound = i => wanted !== null && columns.row[i] === wanted
      || [columns.label[i], columns.predicted[i]].some(c => c >= 0 && (wanted === null ? className(c).toLowerCase().includes(text) : className(c) === text));
    const matches = i => (filters.label === "" || columns.label[i] === Number(filters.label))
      && (filters.predicted === "" || columns.predicted[i] === Number(filters.predicted))
      && (!filters.mistakes || isMistake(i)) && (!filters.broken || isBroken(i)) && (text === "" || isFound(i));
    order = [];
    for (let i = 0; i < rowTotal; i++) if (matches(i)) order.push(i);
    arrange();
  }

  // What is not a number comes last, whichever way.
  function arrange() {
    const { key } = shown.find(c => c.id === sort.id);
    const sign = sort.down ? -1 : 1;
    order.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a - b;
      return sign * (x - y) || a - b;
    });
    status.textContent = order.length === rowTotal ? rowCount(rowTotal) : `${count(order.length)} of ${rowCount(rowTotal)}`;
    turn(0);
  }

  function sortBy(column) {
    sort = { id: column.id, down: sort.id === column.id ? !sort.down : !!column.down };
    arrange();
  }

  function turn(to) {
    const last = Math.max(0, Math.ceil(order.length / PAGE) - 1);
    page = Math.max(0, Math.min(last, to));
    back.disabled = page === 0;
    forth.disabled = page === last;
    pages.textContent = `Page ${count(page + 1)} of ${count(last + 1)}`;
    shown.forEach((column, c) => {
      if (column.id === sort.id) heads[c].setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else heads[c].removeAttribute("aria-sort");
    });
    body.replaceChildren(...order.slice(page * PAGE, (page + 1) * PAGE).map((i, n) => line(i, n === 0)));
    mark();
  }

  function line(i, isFirst) {
    const cells = shown.slice(1).map(column => el("td", { class: column.isNumber ? "number" : null }, column.text(i)));
    return el("tr", { "data-index": i, class: isBroken(i) ? "broken" : isMistake(i) ? "mistake" : null },
      el("th", { scope: "row" }, el("button", { type: "button", tabindex: isFirst ? 0 : -1, "aria-label": `Open row ${count(columns.row[i])}${isMistake(i) ? ", a mistake" : ""}` }, shown[0].text(i))), cells);
  }

  function mark() {
    for (const line of body.rows) {
      const isOpen = Number(line.dataset.index) === opened;
      line.classList.toggle("open", isOpen);
      line.querySelector("button").setAttribute("aria-expanded", isOpen);
    }
  }

  function show(i) {
    opened = i;
    const place = Math.floor(order.indexOf(i) / PAGE);
    if (place >= 0 && place !== page) turn(place);
    else mark();
    open(i);
  }

  // The row before or behind the open one, in the order of the table.
  function step(by) {
    const to = order.indexOf(opened) + by;
    if (to >= 0 && to < order.length) show(order[to]);
  }

  return { node: table, filter, show, step, focus: () => (body.querySelector("tr.open button") ?? body.querySelector("button"))?.focus(), first: () => order[0] };
}
