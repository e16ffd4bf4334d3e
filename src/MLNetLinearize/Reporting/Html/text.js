// Elements are made of nodes, never of markup: what the data calls a class or a column is text, whatever it looks like.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter(c => c != null));
  return node;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const shape = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const byId = id => document.getElementById(id);

const grouped = new Intl.NumberFormat("en-US");
const count = value => grouped.format(value);
const rowCount = n => n === 1 ? "1 row" : `${count(n)} rows`;
const percent = share => `${(100 * share).toFixed(1)} %`;

// Four significant digits or so; the true minus sign, which is as wide as the plus.
function number(value, signed = false) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  const text = size >= 1e5 || (size > 0 && size < 0.001) ? size.toExponential(2) : size.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
  return (value < 0 ? "−" : signed ? "+" : "") + text;
}

// Without the zeros that end its decimals.
const trimmed = text => text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
const signed = value => number(value, true);
// Of sums over a map, whose pixels the file holds rounded.
const rough = value => trimmed(signed(Number(value.toPrecision(3))));
const errorText = value => !Number.isFinite(value) ? number(value) : value === 0 ? "0" : value.toExponential(1);

// Rounded so that the parts add up to the whole as they are printed.
function parts(total, bias) {
  if (!Number.isFinite(total) || !Number.isFinite(bias)) return [number(total), number(total - bias), number(bias)];
  const digits = Math.max(Math.abs(total), Math.abs(bias)) >= 100 ? 1 : 2;
  const text = value => (value < -0.5 * 10 ** -digits ? "−" : "") + Math.abs(value).toFixed(digits);
  const round = value => Number(value.toFixed(digits));
  return [text(round(total)), text(round(total) - round(bias)), text(round(bias))];
}
