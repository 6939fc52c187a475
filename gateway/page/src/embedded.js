/**
 * The view in space for a page that carries its own depth, such as a room report: every `.space` with a canvas, the
 * id of what holds its photo, and its distances as JSON (see room_report/space_view.py). It asks no server for anything.
 */
import { SIZE } from "./colours.js";
import { Depth } from "./depth.js";
import { Gpu } from "./views/gpu.js";
import { Points } from "./views/points.js";

const JUMP = 0.04;

/**
 * @typedef {object} Packed
 * @property {number} width
 * @property {number} height
 * @property {number} low metres of the nearest
 * @property {number} high metres of the farthest
 * @property {number} fov degrees
 * @property {string} levels see room_report/space_view.py
 */

/** @param {Packed} packed */
async function unpacked({ width, height, low, high, levels }) {
  const bytes = Uint8Array.from(atob(levels), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const values = new Uint16Array(await new Response(stream).arrayBuffer());
  for (let at = 0; at < values.length; at++) if (at % width) values[at] += values[at - 1];
  // A map of distances holds the farthest as its largest.
  return new Depth({ width, height, values: values.map((each) => 65535 - each) }, { variant: "", weights: "", range: [low, high], kind: "metric_depth" });
}

/** @param {HTMLElement} place */
async function show(place) {
  const canvas = /** @type {HTMLCanvasElement} */ (place.querySelector("canvas"));
  const photo = Object.assign(new Image(), { src: document.querySelector(`#${place.dataset.photo} image`)?.getAttribute("href") });
  const packed = /** @type {Packed} */ (JSON.parse(place.querySelector("script")?.textContent ?? ""));
  const gpu = Gpu.on(canvas);
  if (!gpu) return;
  const depth = await unpacked(packed);
  await photo.decode();
  const picture = document.createElement("canvas");
  Object.assign(picture, { width: photo.naturalWidth, height: photo.naturalHeight });
  picture.getContext("2d")?.drawImage(photo, 0, 0);
  gpu.show(depth, picture);
  gpu.colour(new Uint8Array(SIZE * 4), depth, depth.values);
  const points = new Points(gpu);
  const camera = { yaw: 0.3, pitch: 0.2, zoom: 0.9, shift: /** @type {[number, number]} */ ([0, 0]) };
  const draw = () => {
    // The whole photo is in view, also in a canvas that is wider than it.
    const whole = Math.min(1, (canvas.height / canvas.width) * (depth.width / depth.height));
    points.draw(depth, { fov: packed.fov, ratio: 1 }, { ...camera, zoom: camera.zoom * whole }, JUMP, false);
  };
  const fit = () => {
    const sharp = Math.min(devicePixelRatio || 1, 2);
    Object.assign(canvas, { width: Math.round(canvas.clientWidth * sharp), height: Math.round(canvas.clientHeight * sharp) });
    draw();
  };
  /** @param {number} yaw @param {number} pitch @param {number} zoom */
  const move = (yaw, pitch, zoom) => {
    camera.yaw = Math.max(-1.5, Math.min(1.5, camera.yaw + yaw));
    camera.pitch = Math.max(-0.6, Math.min(1.4, camera.pitch + pitch));
    camera.zoom = Math.max(0.4, Math.min(5, camera.zoom * zoom));
    requestAnimationFrame(draw);
  };
  place.dataset.state = "shown";
  new ResizeObserver(fit).observe(canvas);
  listen(canvas, move);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {(yaw: number, pitch: number, zoom: number) => void} move
 */
function listen(canvas, move) {
  /** @type {Map<number, PointerEvent>} */
  const held = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => held.delete(/** @type {PointerEvent} */ (event).pointerId));
  canvas.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const other = [...held.values()].find((each) => each.pointerId !== event.pointerId);
    held.set(event.pointerId, event);
    if (other) {
      const [was, is] = [before, event].map((each) => Math.hypot(each.clientX - other.clientX, each.clientY - other.clientY));
      if (was > 0) move(0, 0, is / was);
    } else move((event.clientX - before.clientX) / 250, (event.clientY - before.clientY) / 250, 1);
  });
  // Scrolling the page must not get stuck here: only after a click, or with a pinch of the touch pad.
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    move(0, 0, Math.exp(-event.deltaY / 500));
  }, { passive: false });
  /** @type {Record<string, [number, number, number]>} */
  const keys = { ArrowLeft: [-0.1, 0, 1], ArrowRight: [0.1, 0, 1], ArrowUp: [0, -0.1, 1], ArrowDown: [0, 0.1, 1], "+": [0, 0, 1.15], "=": [0, 0, 1.15], "-": [0, 0, 1 / 1.15] };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    move(...keys[event.key]);
  });
}

for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".space"))) show(place);
