const palette = bytesOf(header.palette);
const middle = (palette.length / 3 - 1) / 2;
const noNumber = [0xC8, 0xC8, 0xC8];

function colorOf(value) {
  if (Number.isNaN(value)) return noNumber;
  const at = 3 * (middle + Math.round(Math.max(-1, Math.min(1, value)) * middle));
  return palette.subarray(at, at + 3);
}

// The size that is drawn in full colour: the 99.5th percentile of what contributes at all, as in the contact sheet.
function scaleOf(maps) {
  const sizes = Float32Array.from(maps.flatMap(map => [...map].map(Math.abs).filter(v => v > 0))).sort();
  return sizes.length ? sizes[Math.ceil(0.995 * sizes.length) - 1] : 1;
}

function picture(label, color) {
  const [height, width] = header.image;
  const canvas = el("canvas", { width, height, role: "img", "aria-label": label, class: width <= 96 ? "pixels" : null });
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set([...color(i), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

const photograph = (label, pixels) => picture(label, i => shadeAt(pixels, i));
const heatMap = (label, map, scale) => picture(label, i => colorOf(map[i] / scale));

function overlay(label, pixels, map, scale) {
  return picture(label, i => {
    const [r, g, b] = shadeAt(pixels, i);
    const grey = 70 + 0.62 * (0.299 * r + 0.587 * g + 0.114 * b);
    const share = Math.min(1, Math.abs(map[i]) / scale) * 0.9;
    return colorOf(Math.sign(map[i])).map(c => Math.round(c * share + grey * (1 - share)));
  });
}

function shadeAt(pixels, i) {
  const channels = pixels.length / (header.image[0] * header.image[1]);
  return channels === 3 ? pixels.subarray(3 * i, 3 * i + 3) : [pixels[i], pixels[i], pixels[i]];
}

// Each contribution spread over its neighbourhood with Gaussian weights, which add up to 1 at the border too: the total stays.
function byRegion(map) {
  const [height, width] = header.image;
  return spread(spread(map, height, width, width, 1), width, height, 1, width);
}

function spread(source, lines, length, lineStep, step) {
  const reach = Math.ceil(3 * header.sigma);
  const result = new Float32Array(source.length);
  for (let i = 0; i < length; i++) {
    const [first, last] = [Math.max(0, i - reach), Math.min(length - 1, i + reach)];
    const weights = Array.from({ length: last - first + 1 }, (_, k) => Math.exp(-0.5 * ((first + k - i) / header.sigma) ** 2));
    const total = weights.reduce((a, b) => a + b);
    for (let l = 0; l < lines; l++)
      weights.forEach((weight, k) => result[l * lineStep + (first + k) * step] += source[l * lineStep + i * step] * weight / total);
  }
  return result;
}

function legend(scale) {
  const canvas = el("canvas", { width: palette.length / 3, height: 1, "aria-hidden": "true" });
  const image = new ImageData(palette.length / 3, 1);
  for (let i = 0; i < palette.length / 3; i++) image.data.set([...palette.subarray(3 * i, 3 * i + 3), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return el("div", { class: "legend" }, canvas,
    el("span", {}, scale ? `against (${number(-scale)})` : "against"), el("span", {}, "0"), el("span", {}, scale ? `for (${signed(scale)})` : "for"));
}
