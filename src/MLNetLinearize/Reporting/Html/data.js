const read = name => JSON.parse(document.querySelector(`script.${name}`).textContent);
const header = read("header");
const statistics = read("statistics");
const isImage = header.image != null;
const isClassifier = header.outputs > 1;
const isLabelled = statistics.labelled > 0;

const className = output => output < 0 ? "–" : header.classes[output] ?? String(output);
const featureName = index => header.features[index];

const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

// The table's columns, each one typed array over all rows. Numbers that JSON does not know came as text.
const columns = (() => {
  const chunks = [...document.querySelectorAll("script.rows")].map(node => JSON.parse(node.textContent));
  const column = (name, type) => type.from(chunks.flatMap(chunk => chunk[name]), Number);
  const result = { row: column("row", Float64Array) };
  for (const name of ["label", "predicted", "runnerUp", "target"]) result[name] = column(name, Int32Array);
  for (const name of ["score", "margin", "bias", "error"]) result[name] = column(name, Float64Array);
  result.stored = column("stored", Uint8Array);
  result.chunkSizes = chunks.map(chunk => chunk.row.length);
  return result;
})();

const rowTotal = columns.row.length;
const isMistake = i => columns.label[i] >= 0 && columns.label[i] !== columns.predicted[i];
const isBroken = i => !Number.isFinite(columns.score[i] + columns.bias[i] + columns.error[i]);

// Explanations are unpacked when they are looked at; the chunks used last are kept.
const explanations = (() => {
  const texts = document.querySelectorAll("script.details");
  const kept = new Map();
  const most = 8;

  function unpacked(chunk) {
    const promise = kept.get(chunk) ?? unpack(texts[chunk].textContent);
    kept.delete(chunk);
    kept.set(chunk, promise);
    if (kept.size > most) kept.delete(kept.keys().next().value);
    return promise;
  }

  async function unpack(text) {
    const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new DataView(await new Response(stream).arrayBuffer());
  }

  function place(i) {
    let first = 0, chunk = 0;
    while (i >= first + columns.chunkSizes[chunk]) first += columns.chunkSizes[chunk++];
    return [chunk, columns.stored.subarray(first, i).reduce((a, b) => a + b, 0)];
  }

  /** The explanation of the table's i-th row, or null where the file does not hold it. */
  return async function (i) {
    if (!columns.stored[i]) return null;
    const [chunk, index] = place(i);
    const view = await unpacked(chunk);
    return parse(view, 4 + 4 * view.getUint32(0, true) + view.getUint32(4 + 4 * index, true));
  };
})();

// The format is described at ReportDetails.
function parse(view, at) {
  const single = () => { const value = view.getFloat32(at, true); at += 4; return value; };
  const singles = n => Float32Array.from({ length: n }, single);
  const whole = () => { const value = view.getInt32(at, true); at += 4; return value; };
  const targets = Array.from({ length: view.getUint8(at++) }, () => ({ output: whole(), score: single(), bias: single(), sum: single(), error: single() }));
  if (!isImage) {
    const n = view.getUint16(at, true);
    at += 2;
    const indices = Array.from({ length: n }, whole);
    const values = singles(n);
    for (const target of targets) target.contributions = singles(n);
    return { targets, indices, values };
  }
  const [height, width, channels] = header.image;
  const range = [single(), single()];
  const pixels = new Uint8Array(view.buffer, at, height * width * channels);
  at += pixels.length;
  for (const target of targets) {
    target.map = mapAt(view, at, height * width);
    at += 4 + height * width;
  }
  return { targets, pixels, range };
}

function mapAt(view, at, length) {
  const step = view.getFloat32(at, true);
  return Float32Array.from(new Int8Array(view.buffer, view.byteOffset + at + 4, length), v => v === -128 ? NaN : v * step);
}
