/** Coloured points as a binary PLY: y is up, and the camera looks along -z. */

/**
 * @param {import("./surface.js").Surface} surface
 * @param {string} unit
 * @returns {Blob}
 */
export function ply({ points, colours }, unit) {
  const count = points.length / 3;
  const names = [..."xyz"].map((name) => `property float ${name}`);
  const parts = ["red", "green", "blue"].map((name) => `property uchar ${name}`);
  const head = ["ply", "format binary_little_endian 1.0", `comment unit ${unit}`, `element vertex ${count}`, ...names, ...parts, "end_header", ""];
  const body = new DataView(new ArrayBuffer(count * 15));
  for (let each = 0; each < count; each++) {
    for (let axis = 0; axis < 3; axis++) {
      body.setFloat32(each * 15 + axis * 4, points[each * 3 + axis], true);
      body.setUint8(each * 15 + 12 + axis, colours[each * 4 + axis]);
    }
  }
  return new Blob([head.join("\n"), body]);
}
