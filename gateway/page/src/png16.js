/**
 * Grey PNG files of 16 bits, which browsers can show but hand out with 8 bits only.
 */

/**
 * @typedef {object} Grey16
 * @property {number} width
 * @property {number} height
 * @property {Uint16Array} values height * width, row by row
 */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/**
 * Reads one, without interlacing, as the server writes it.
 * @param {ArrayBuffer} file
 * @returns {Promise<Grey16>}
 */
export async function readPng16(file) {
  const bytes = new Uint8Array(file);
  const view = new DataView(file);
  if (!SIGNATURE.every((each, at) => bytes[at] === each)) throw new Error("not a PNG");
  let width = 0;
  let height = 0;
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === "IHDR") {
      width = view.getUint32(at + 8);
      height = view.getUint32(at + 12);
      if (bytes[at + 16] !== 16 || bytes[at + 17] !== 0 || bytes[at + 20] !== 0) throw new Error("not a grey PNG of 16 bits");
    } else if (name === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const inflated = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(inflated).arrayBuffer());
  return { width, height, values: unfiltered(lines, width, height) };
}

/**
 * The numbers of the lines, each of which begins with the kind of its filter (PNG specification, section 9).
 * @param {Uint8Array} lines
 * @param {number} width
 * @param {number} height
 */
function unfiltered(lines, width, height) {
  const stride = width * 2;
  if (lines.length < height * (stride + 1)) throw new Error("the PNG is not complete");
  const values = new Uint16Array(width * height);
  let above = new Uint8Array(stride);
  let line = new Uint8Array(stride);
  for (let y = 0, at = 0, to = 0; y < height; y++) {
    const kind = lines[at++];
    for (let x = 0; x < stride; x++) {
      const left = x > 1 ? line[x - 2] : 0;
      const up = above[x];
      const corner = x > 1 ? above[x - 2] : 0;
      let guess = 0;
      if (kind === 1) guess = left;
      else if (kind === 2) guess = up;
      else if (kind === 3) guess = (left + up) >> 1;
      else if (kind === 4) {
        const toLeft = Math.abs(up - corner);
        const toUp = Math.abs(left - corner);
        const toCorner = Math.abs(left + up - 2 * corner);
        guess = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
      }
      line[x] = lines[at++] + guess;
    }
    for (let x = 0; x < stride; x += 2) values[to++] = (line[x] << 8) | line[x + 1];
    [above, line] = [line, above];
  }
  return values;
}
