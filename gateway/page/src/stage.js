// The stage: one canvas, four views of it, and what pointer and keyboard do there.

import { valueAt } from "./depth.js";
import { FlatPainter } from "./flat.js";
import { Painter, VIEW } from "./gl.js";
import { measured, written } from "./measuring.js";
import { say } from "./words.js";

/**
 * @typedef {import("./depth.js").Depth} Depth
 * @typedef {import("./gl.js").Look} Look
 * @typedef {"compare" | "points" | "parallax" | "measure"} View
 * @typedef {{x: number, y: number}} Pixel
 */

const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Stage {
  constructor() {
    this.canvas = /** @type {HTMLCanvasElement} */ (element("canvas"));
    this.overlay = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (element("overlay")));
    /** @type {Painter | FlatPainter} */
    this.painter = paint(this.canvas);
    this.canvas = this.painter.canvas;
    /** @type {View} */
    this.view = "compare";
    /** @type {Look} */
    this.look = { colormap: "inferno", near: 1, far: 0, invert: false, relief: 5, edges: 0.6 };
    this.across = 0.5;
    this.eye = { yaw: 0, pitch: 0, away: 1.15 };
    this.lean = { x: 0, y: 0 };
    /** @type {Depth | null} */
    this.depth = null;
    /** @type {ImageBitmap | null} */
    this.photo = null;
    /** @type {Pixel} */
    this.cross = { x: 0, y: 0 };
    /** @type {Pixel[]} */
    this.clicks = [];
    this.waiting = false;
    this.recording = false;
    this.touched = false;
    /** @type {{gamma: number, beta: number} | undefined} how the phone was held at first */
    this.level = undefined;
    /** @type {() => void} */
    this.onLengths = () => {};
    this.listen();
    new ResizeObserver(() => this.draw()).observe(element("stage"));
  }

  get spatial() {
    return this.painter instanceof Painter;
  }

  /**
   * @param {Depth} depth
   * @param {ImageBitmap | null} photo
   */
  take(depth, photo) {
    [this.depth, this.photo] = [depth, photo];
    this.clicks = [];
    this.cross = { x: depth.width / 2, y: depth.height / 2 };
    this.eye = { yaw: 0, pitch: 0, away: 1.15 };
    this.painter.take(depth, photo);
    element("stage").style.setProperty("--proportions", `${depth.width} / ${depth.height}`);
    element("stage").style.setProperty("--ratio", `${depth.width / depth.height}`);
    element("value").hidden = true;
    this.draw();
    if (this.view === "points" || this.view === "parallax") this.greet();
  }

  /** @param {View} view */
  show(view) {
    this.view = view;
    element("stage").dataset.view = view;
    element("value").hidden = true;
    this.draw();
    if (view === "points" || view === "parallax") this.greet();
  }

  /** Move once, so that it is seen that one can. */
  greet() {
    if (STILL.matches || !this.depth) return;
    const start = performance.now();
    const view = this.view;
    const frame = () => {
      const turn = Math.min(1, (performance.now() - start) / 1400);
      if (this.view !== view || this.touched) return;
      const swing = Math.sin(turn * 2 * Math.PI) * (1 - turn);
      this.eye = { yaw: 0.35 * swing, pitch: 0, away: 1.15 };
      this.lean = { x: swing, y: 0 };
      this.draw();
      if (turn < 1) requestAnimationFrame(frame);
    };
    this.touched = false;
    frame();
  }

  /** Draw in the next frame, once. */
  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawNow();
    });
  }

  drawNow() {
    if (!this.depth || this.recording) return;
    const box = this.canvas.getBoundingClientRect();
    const sharp = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [Math.max(1, Math.round(box.width * sharp)), Math.max(1, Math.round(box.height * sharp))];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.paint();
    element("divider").style.left = `${100 * this.across}%`;
    element("divider").hidden = this.view !== "compare" || !this.photo;
    this.drawMarks();
  }

  paint() {
    const { painter } = this;
    if (painter instanceof Painter && this.view === "points") painter.points(this.look, this.eye);
    else if (painter instanceof Painter && this.view === "parallax") painter.parallax(this.look, this.lean.x, this.lean.y);
    else painter.compare(this.look, this.view === "measure" ? 1 : this.across);
  }

  listen() {
    const { canvas } = this;
    /** @type {Map<number, Pixel>} */
    const down = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      down.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.touched = true;
      if (this.view === "compare") this.slide(event);
      if (this.view === "measure") this.click(this.pixel(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (this.view === "parallax" && (before || event.pointerType === "mouse")) {
        this.touched = true;
        const box = canvas.getBoundingClientRect();
        this.lean = { x: (2 * (event.clientX - box.left)) / box.width - 1, y: (2 * (event.clientY - box.top)) / box.height - 1 };
        this.draw();
      }
      if (this.view === "compare" || this.view === "measure") this.tell(this.pixel(event));
      if (!before) return;
      if (this.view === "compare") this.slide(event);
      if (this.view === "points") {
        const others = [...down.entries()].filter(([id]) => id !== event.pointerId);
        if (others.length) {
          const other = others[0][1];
          const was = Math.hypot(before.x - other.x, before.y - other.y);
          const is = Math.hypot(event.clientX - other.x, event.clientY - other.y);
          this.turn(0, 0, was / Math.max(is, 1));
        } else this.turn((event.clientX - before.x) / 220, (event.clientY - before.y) / 220, 1);
      }
      down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel"]))
      canvas.addEventListener(kind, (event) => down.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => (element("value").hidden = true));
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (this.view !== "points") return;
        event.preventDefault();
        this.turn(0, 0, Math.exp(event.deltaY / 600));
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => this.key(event));
    addEventListener("deviceorientation", (event) => {
      if (this.view !== "parallax" || event.gamma === null || event.beta === null) return;
      this.level ??= { gamma: event.gamma, beta: event.beta };
      const clamp = (/** @type {number} */ value) => Math.max(-1, Math.min(1, value));
      this.touched = true;
      this.lean = { x: clamp((event.gamma - this.level.gamma) / 25), y: clamp((event.beta - this.level.beta) / 25) };
      this.draw();
    });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const nearer = { "+": 0.9, "=": 0.9, "-": 1.1, "−": 1.1 }[event.key];
    if (!this.depth || !(step || nearer || event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    this.touched = true;
    if (this.view === "points") this.turn((step?.[0] ?? 0) * 0.08, (step?.[1] ?? 0) * 0.08, nearer ?? 1);
    else if (this.view === "parallax" && step) {
      this.lean = { x: Math.max(-1, Math.min(1, this.lean.x + step[0] * 0.15)), y: Math.max(-1, Math.min(1, this.lean.y + step[1] * 0.15)) };
      this.draw();
    } else if (step) {
      const by = Math.max(this.depth.width, this.depth.height) * (event.shiftKey ? 0.002 : 0.015);
      this.cross = {
        x: Math.max(0, Math.min(this.depth.width - 1, this.cross.x + step[0] * by)),
        y: Math.max(0, Math.min(this.depth.height - 1, this.cross.y + step[1] * by)),
      };
      this.tell(this.cross);
      this.draw();
    } else if (this.view === "measure") this.click(this.cross);
  }

  /**
   * @param {number} yaw
   * @param {number} pitch
   * @param {number} nearer
   */
  turn(yaw, pitch, nearer) {
    this.eye = {
      yaw: Math.max(-1.5, Math.min(1.5, this.eye.yaw + yaw)),
      pitch: Math.max(-1.2, Math.min(1.2, this.eye.pitch + pitch)),
      away: Math.max(0.35, Math.min(4, this.eye.away * nearer)),
    };
    this.draw();
  }

  /** @param {PointerEvent} event */
  slide(event) {
    const box = this.canvas.getBoundingClientRect();
    this.slideTo((event.clientX - box.left) / box.width);
  }

  /** @param {number} share */
  slideTo(share) {
    this.across = Math.max(0, Math.min(1, share));
    /** @type {HTMLInputElement} */ (element("across")).value = String(100 * this.across);
    this.draw();
  }

  /**
   * Where the pointer is, in pixels of the depth map.
   * @param {PointerEvent} event
   * @returns {Pixel}
   */
  pixel(event) {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = /** @type {Depth} */ (this.depth ?? { width: 1, height: 1 });
    return { x: ((event.clientX - box.left) / box.width) * width, y: ((event.clientY - box.top) / box.height) * height };
  }

  /**
   * Show the value of a pixel beside it.
   * @param {Pixel} pixel
   */
  tell(pixel) {
    if (!this.depth) return;
    this.cross = pixel;
    const output = /** @type {HTMLOutputElement} */ (element("value"));
    const value = valueAt(this.depth, pixel.x, pixel.y);
    output.hidden = false;
    output.value = this.depth.metric ? `${value.toFixed(2)} m` : `${value.toPrecision(5)}`;
    const across = pixel.x / this.depth.width;
    output.style.left = `${100 * across}%`;
    output.style.top = `${(100 * pixel.y) / this.depth.height}%`;
    output.dataset.side = across > 0.75 ? "left" : "right";
  }

  /** @param {Pixel} pixel */
  click(pixel) {
    this.clicks.push(pixel);
    this.onLengths();
    this.draw();
  }

  clear() {
    this.clicks = [];
    this.onLengths();
    this.draw();
  }

  /** The pairs of clicks. */
  segments() {
    const found = [];
    for (let at = 0; at + 1 < this.clicks.length; at += 2) found.push({ from: this.clicks[at], to: this.clicks[at + 1] });
    return found;
  }

  /**
   * Each segment in words. The first is the known length, but for a metric network that was given none.
   * @param {number} known metres; NaN for none
   */
  lengths(known) {
    if (!this.depth) return [];
    const { depth } = this;
    const all = this.segments();
    const reference = known > 0 && all.length ? { segment: all[0], metres: known } : null;
    return all.map((segment, at) => {
      if (reference && at === 0) return { name: say("reference"), text: `${known} m`, source: "" };
      const found = measured(depth, segment, reference, this.look.relief, VIEW);
      if (!found) return { name: `${at + 1}`, text: say("noScale"), source: "" };
      return {
        name: `${at + 1}`,
        text: written(found.metres, found.plusMinus),
        source: say(found.source === "network" ? "estimated" : "fromReference"),
      };
    });
  }

  drawMarks() {
    const { overlay, depth } = this;
    overlay.replaceChildren();
    if (!depth || this.view !== "measure") return;
    overlay.setAttribute("viewBox", `0 0 ${depth.width} ${depth.height}`);
    const unit = Math.max(depth.width, depth.height) / Math.max(this.canvas.clientWidth, 1) ;
    /** @param {string} kind @param {Record<string, string | number>} values */
    const add = (kind, values) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
      for (const [name, value] of Object.entries(values)) made.setAttribute(name, String(value));
      overlay.append(made);
      return made;
    };
    this.segments().forEach(({ from, to }, at) => {
      for (const kind of ["under", at ? "length" : "length known"])
        add("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: kind });
      add("text", { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 - 8 * unit, "font-size": 15 * unit }).textContent = at ? `${at + 1}` : "1";
    });
    for (const { x, y } of this.clicks) add("circle", { cx: x, cy: y, r: 5 * unit, class: "end" });
    const { x, y } = this.cross;
    const arm = 9 * unit;
    if (document.activeElement === this.canvas)
      add("path", { d: `M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}`, class: "cross" });
  }
}

/** @param {HTMLCanvasElement} canvas */
function paint(canvas) {
  try {
    return new Painter(canvas);
  } catch (error) {
    console.error(error);
    const plain = /** @type {HTMLCanvasElement} */ (canvas.cloneNode());
    canvas.replaceWith(plain);
    return new FlatPainter(plain);
  }
}
