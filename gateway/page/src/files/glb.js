/** The surface with the photo's colours as a binary glTF 2.0. */

/**
 * @param {import("./surface.js").Surface} surface
 * @returns {Blob}
 */
export function glb({ points, colours, triangles }) {
  const bounds = (/** @type {(...numbers: number[]) => number} */ pick, /** @type {number} */ start) =>
    points.reduce((found, each, at) => ((found[at % 3] = pick(found[at % 3], each)), found), [start, start, start]);
  const count = points.length / 3;
  const parts = [points, colours, triangles];
  let offset = 0;
  const bufferViews = parts.map((part, at) => {
    const view = { buffer: 0, byteOffset: offset, byteLength: part.byteLength, target: at === 2 ? 34963 : 34962 };
    offset += part.byteLength;
    return view;
  });
  const document = {
    asset: { version: "2.0", generator: "midas-gateway" },
    extensionsUsed: ["KHR_materials_unlit"],
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    materials: [{ doubleSided: true, extensions: { KHR_materials_unlit: {} } }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, COLOR_0: 1 }, indices: 2, material: 0 }] }],
    accessors: [
      { bufferView: 0, componentType: 5126, count, type: "VEC3", min: bounds(Math.min, Infinity), max: bounds(Math.max, -Infinity) },
      { bufferView: 1, componentType: 5121, normalized: true, count, type: "VEC4" },
      { bufferView: 2, componentType: 5125, count: triangles.length, type: "SCALAR" },
    ],
    bufferViews,
    buffers: [{ byteLength: offset }],
  };
  let text = JSON.stringify(document);
  // Both parts end at a multiple of four; all numbers already do.
  text += " ".repeat((4 - (text.length % 4)) % 4);
  const chunk = (/** @type {number} */ length, /** @type {number} */ kind) => Uint32Array.of(length, kind);
  const head = Uint32Array.of(0x46546c67, 2, 12 + 8 + text.length + 8 + offset);
  const blobParts = /** @type {BlobPart[]} */ ([head, chunk(text.length, 0x4e4f534a), text, chunk(offset, 0x004e4942), ...parts]);
  return new Blob(blobParts, { type: "model/gltf-binary" });
}
