drawSummary();
const panel = rowPanel(by => table.step(by), () => table.focus());
const table = rowTable(i => {
  history.replaceState(null, "", `#row=${columns.row[i]}`);
  panel.show(i);
});
const indexOf = row => columns.row.indexOf(row);

drawMistakes(filters => {
  table.filter(filters);
  const first = table.first();
  if (first !== undefined) table.show(first);
  byId("rows").scrollIntoView();
  byId("rows").focus({ preventScroll: true });
});
drawOverview(row => {
  const i = indexOf(row);
  if (i < 0) return;
  table.show(i);
  byId("row-panel").scrollIntoView({ block: "nearest" });
  panel.focus();
});
drawEvaluation();
byId("rows").append(el("div", { class: "browse" }, table.node, panel.node));
drawFooter();

// What the address names is opened; else the first mistake, else the first row.
const named = new URLSearchParams(location.hash.slice(1));
table.filter({});
if (rowTotal > 0) {
  const first = Array.from({ length: rowTotal }, (_, i) => i).find(isMistake) ?? 0;
  const wanted = named.has("row") ? indexOf(Number(named.get("row"))) : -1;
  const hash = location.hash;
  table.show(wanted >= 0 ? wanted : first);
  if (wanted < 0) history.replaceState(null, "", hash || location.pathname);
  if (wanted >= 0 && byId("row-panel").getBoundingClientRect().top > innerHeight - 200) byId("rows").scrollIntoView();
}

const theme = byId("theme");
const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
theme.setAttribute("aria-pressed", isDark());
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  theme.setAttribute("aria-pressed", isDark());
});
