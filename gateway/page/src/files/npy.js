/** The values as the network gave them, as an .npy file of float32. */

/**
 * @param {import("../depth.js").Depth} depth
 * @returns {Blob}
 */
export function npy(depth) {
  let head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${depth.height}, ${depth.width}), }`;
  // Magic, version and length have 10 bytes; the numbers begin at a multiple of 64.
  head += " ".repeat(63 - ((10 + head.length) % 64)) + "\n";
  const start = new Uint8Array(10 + head.length);
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length & 255, head.length >> 8]);
  start.set(new TextEncoder().encode(head), 10);
  const scale = (depth.high - depth.low) / 65535;
  const values = Float32Array.from(depth.values, (each) => depth.low + each * scale);
  return new Blob([start, values], { type: "application/x-npy" });
}
