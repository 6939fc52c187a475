// PNG with 16-bit grey, read in own code: a browser's canvas would give 8 of the bits.

/**
 * @param {Uint8Array} file
 * @returns {Promise<{width: number, height: number, values: Uint16Array}>}
 */
export async function decodePng16(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) !== 0x89504e47) throw new Error("no PNG");
  let width = 0;
  let height = 0;
  const parts = [];
  for (let at = 8; at < file.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (kind === "IHDR") {
      [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
      if (file[at + 16] !== 16 || file[at + 17] !== 0 || file[at + 20] !== 0) throw new Error("not 16-bit grey");
    } else if (kind === "IDAT") parts.push(file.slice(at + 8, at + 8 + length));
    at += length + 12;
  }
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(stream).arrayBuffer());
  return { width, height, values: unfiltered(lines, width, height) };
}

/**
 * Undo the five filters of PNG (specification, section 9), at two bytes a pixel.
 * @param {Uint8Array} lines each with the number of its filter before it
 * @param {number} width
 * @param {number} height
 */
function unfiltered(lines, width, height) {
  const stride = 2 * width;
  const values = new Uint16Array(width * height);
  let above = new Uint8Array(stride);
  let line = new Uint8Array(stride);
  for (let row = 0; row < height; row++) {
    const start = row * (stride + 1);
    const filter = lines[start];
    for (let at = 0; at < stride; at++) {
      const raw = lines[start + 1 + at];
      const left = at > 1 ? line[at - 2] : 0;
      const up = above[at];
      if (filter === 0) line[at] = raw;
      else if (filter === 1) line[at] = raw + left;
      else if (filter === 2) line[at] = raw + up;
      else if (filter === 3) line[at] = raw + ((left + up) >> 1);
      else line[at] = raw + paeth(left, up, at > 1 ? above[at - 2] : 0);
    }
    for (let column = 0; column < width; column++)
      values[row * width + column] = (line[2 * column] << 8) | line[2 * column + 1];
    [above, line] = [line, above];
  }
  return values;
}

/**
 * @param {number} left
 * @param {number} up
 * @param {number} corner
 */
function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
