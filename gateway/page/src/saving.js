// The files that a visitor can keep.

import { distanceAt, distanceOf, pointAt } from "./depth.js";
import { coloured } from "./flat.js";
import { VIEW, steepest } from "./gl.js";

/**
 * @typedef {import("./depth.js").Depth} Depth
 * @typedef {import("./gl.js").Look} Look
 * @typedef {{positions: Float32Array<ArrayBuffer>, colours: Uint8Array<ArrayBuffer>}} Cloud
 */

/**
 * @param {Blob} content
 * @param {string} name
 */
export function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {Depth} depth
 * @param {Look} look
 */
export function colourPng(depth, look) {
  const canvas = new OffscreenCanvas(depth.width, depth.height);
  /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")).putImageData(coloured(depth, look), 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * The network's values as float32 [height, width], in NumPy's format 1.0.
 * @param {Depth} depth
 */
export function npy(depth) {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${depth.height}, ${depth.width}), }`;
  const padded = head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11) + "\n";
  const start = new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8]);
  const values = Float32Array.from(depth.values, (value) => depth.low + (value / 65535) * (depth.high - depth.low));
  return new Blob([start, padded, values]);
}

/**
 * Points with colours, without those at edges, where a pixel lies between near and far.
 * @param {Depth} depth
 * @param {ImageBitmap | null} photo
 * @param {Look} look
 * @returns {Cloud}
 */
export function cloud(depth, photo, look) {
  const { width, height } = depth;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (photo) context.drawImage(photo, 0, 0, width, height);
  else context.putImageData(coloured(depth, look), 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  const step = Math.max(1, Math.round(Math.sqrt((width * height) / 400_000)));
  const limit = steepest(look.edges);
  const [nearest, farthest] = [65535, 0].map((value) => 1 / distanceOf(depth, value, look.relief));
  const reach = Math.max(1, Math.floor(Math.max(width, height) / 400));
  /** @param {number} x @param {number} y */
  const inverse = (x, y) => {
    const [column, row] = [Math.min(width - 1, Math.max(0, x)), Math.min(height - 1, Math.max(0, y))];
    return (1 / distanceAt(depth, column, row, look.relief) - farthest) / (nearest - farthest || 1);
  };
  const positions = [];
  const colours = [];
  for (let y = 0; y < height; y += step)
    for (let x = 0; x < width; x += step) {
      const across = Math.abs(inverse(x + reach, y) - inverse(x - reach, y));
      const down = Math.abs(inverse(x, y + reach) - inverse(x, y - reach));
      if ((Math.max(across, down) / (2 * reach)) * Math.max(width, height) > limit) continue;
      const point = pointAt(depth, { x: x + 0.5, y: y + 0.5 }, look.relief, VIEW);
      positions.push(point[0], -point[1], -point[2]);
      const at = 4 * (y * width + x);
      colours.push(pixels[at], pixels[at + 1], pixels[at + 2], 255);
    }
  return { positions: Float32Array.from(positions), colours: Uint8Array.from(colours) };
}

/**
 * Binary PLY 1.0.
 * @param {Cloud} points
 */
export function ply({ positions, colours }) {
  const count = positions.length / 3;
  const head = `ply\nformat binary_little_endian 1.0\nelement vertex ${count}\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n`;
  const body = new DataView(new ArrayBuffer(15 * count));
  for (let at = 0; at < count; at++) {
    for (let axis = 0; axis < 3; axis++) body.setFloat32(15 * at + 4 * axis, positions[3 * at + axis], true);
    for (let channel = 0; channel < 3; channel++) body.setUint8(15 * at + 12 + channel, colours[4 * at + channel]);
  }
  return new Blob([head, body]);
}

/**
 * glTF 2.0 in one binary file, as points.
 * @param {Cloud} points
 */
export function glb({ positions, colours }) {
  const count = positions.length / 3;
  const bounds = { min: [Infinity, Infinity, Infinity], max: [-Infinity, -Infinity, -Infinity] };
  for (let at = 0; at < positions.length; at++) {
    bounds.min[at % 3] = Math.min(bounds.min[at % 3], positions[at]);
    bounds.max[at % 3] = Math.max(bounds.max[at % 3], positions[at]);
  }
  const document = JSON.stringify({
    asset: { version: "2.0" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, COLOR_0: 1 }, mode: 0 }] }],
    buffers: [{ byteLength: positions.byteLength + colours.byteLength }],
    bufferViews: [
      { buffer: 0, byteLength: positions.byteLength, target: 34962 },
      { buffer: 0, byteOffset: positions.byteLength, byteLength: colours.byteLength, target: 34962 },
    ],
    accessors: [
      { bufferView: 0, componentType: 5126, count, type: "VEC3", ...bounds },
      { bufferView: 1, componentType: 5121, normalized: true, count, type: "VEC4" },
    ],
  });
  const json = new TextEncoder().encode(document.padEnd(Math.ceil(document.length / 4) * 4));
  const length = 12 + 8 + json.length + 8 + positions.byteLength + colours.byteLength;
  const [JSON_CHUNK, BIN_CHUNK] = [0x4e4f534a, 0x004e4942];
  return new Blob([
    new Uint32Array([0x46546c67, 2, length, json.length, JSON_CHUNK]),
    json,
    new Uint32Array([positions.byteLength + colours.byteLength, BIN_CHUNK]),
    positions,
    colours,
  ]);
}

/**
 * Three seconds of what a canvas shows.
 * @param {HTMLCanvasElement} canvas
 * @param {(turn: number) => void} draw one picture, for 0..1 of the way round
 * @returns {Promise<{content: Blob, ending: string} | null>} null where the browser cannot
 */
export async function video(canvas, draw) {
  const kind = ["video/mp4", "video/webm;codecs=vp9", "video/webm"].find(
    (each) => typeof MediaRecorder !== "undefined" && MediaRecorder.isTypeSupported(each),
  );
  if (!kind) return null;
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: kind, videoBitsPerSecond: 8_000_000 });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const start = performance.now();
  await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    const frame = () => {
      const turn = (performance.now() - start) / 3000;
      if (turn >= 1) return resolve();
      draw(turn);
      requestAnimationFrame(frame);
    };
    frame();
  });
  recorder.stop();
  await ended;
  return { content: new Blob(parts, { type: kind }), ending: kind.startsWith("video/mp4") ? "mp4" : "webm" };
}

