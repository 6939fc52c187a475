/** The frame in which the photo is looked at: its four views, and what pointer and keys do in each. */
import { paint, table, tones } from "./colours.js";
import { box, canvas, input, still } from "./elements.js";
import { t } from "./language.js";
import { look } from "./look_panel.js";
import { Flat } from "./views/flat.js";
import { Gpu } from "./views/gpu.js";
import { Parallax } from "./views/parallax.js";
import { Points } from "./views/points.js";

/** @typedef {"compare" | "space" | "parallax" | "measure"} View */
/** @type {View[]} */
export const VIEWS = ["compare", "space", "parallax", "measure"];

export class Stage extends EventTarget {
  /** @type {View} */
  view = "compare";
  /** @type {import("./depth.js").Depth | null} */
  depth = null;
  /** What the graphics card gets of it. @type {import("./depth.js").Depth | null} */
  drawn = null;
  lens = { fov: 60, ratio: 6 };
  jump = 0.04;
  painted = false;
  strength = 0.6;
  camera = { yaw: 0, pitch: 0, zoom: 1, shift: /** @type {[number, number]} */ ([0, 0]) };
  eye = { x: 0, y: 0 };
  /** Where the mark is, in pixels of the map. @type {import("./measuring.js").Pixel | null} */
  mark = null;
  /** Whether a film is being made, which then moves the eye. */
  filming = false;
  #awaited = false;
  #moved = 0;

  constructor() {
    super();
    this.gpu = Gpu.on(canvas("picture"));
    if (this.gpu) {
      this.flat = new Flat(this.gpu);
      this.points = new Points(this.gpu);
      this.parallax = new Parallax(this.gpu);
    }
    this.#listen();
    new ResizeObserver(() => this.fit()).observe(box("stage"));
    addEventListener("resize", () => this.fit());
  }

  /**
   * @param {import("./depth.js").Depth} depth
   * @param {ImageBitmap | null} photo none where only the depth is known
   */
  show(depth, photo) {
    delete document.body.dataset.preview;
    this.depth = depth;
    this.drawn = depth.within(this.gpu?.longest ?? Infinity);
    this.mark = null;
    const { width, height } = this.drawn;
    this.#size(width, height);
    if (photo) this.#photo().drawImage(photo, 0, 0, width, height);
    else this.#photo().putImageData(paint({ ...look, map: "gray", far: 0, near: 1, invert: false, contrast: "none" }, this.drawn), 0, 0);
    this.gpu?.show(this.drawn, canvas("photo"));
    this.resetCamera();
    this.fit();
    if (!still() && this.view === "compare") this.#sweep();
  }

  /**
   * A photo whose depth is not known yet.
   * @param {ImageBitmap} photo
   */
  preview(photo) {
    document.body.dataset.preview = "";
    this.depth = this.drawn = this.mark = null;
    const share = Math.min(1, (this.gpu?.longest ?? 8192) / Math.max(photo.width, photo.height));
    this.#size(Math.max(1, Math.round(photo.width * share)), Math.max(1, Math.round(photo.height * share)));
    this.#photo().drawImage(photo, 0, 0, canvas("photo").width, canvas("photo").height);
    this.fit();
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #size(width, height) {
    Object.assign(canvas("photo"), { width, height });
  }

  #photo() {
    return /** @type {CanvasRenderingContext2D} */ (canvas("photo").getContext("2d", { willReadFrequently: true }));
  }

  /** The photo's pixels, of the size of the depth. */
  photoPixels() {
    const { width, height } = canvas("photo");
    return this.#photo().getImageData(0, 0, width, height);
  }

  resetCamera() {
    this.camera = { yaw: 0, pitch: 0, zoom: 1, shift: [0, 0] };
    this.eye = { x: 0, y: 0 };
    this.draw();
  }

  /** The frame in the photo's shape, as large as the window allows. */
  fit() {
    const { width, height } = canvas("photo");
    const frame = box("frame");
    const room = box("stage").clientWidth;
    if (!room) return;
    const tall = Math.max(260, innerHeight * 0.76);
    // A tall panorama stays wide enough for a finger, and is scrolled.
    const wide = Math.min(room, Math.max((tall * width) / height, 132));
    frame.style.width = `${wide}px`;
    frame.style.height = `${(wide * height) / width}px`;
    if (this.gpu) {
      const sharp = Math.min(devicePixelRatio || 1, 2, 2400 / wide, (2400 * width) / (wide * height));
      const size = { width: Math.round(wide * sharp), height: Math.round(((wide * height) / width) * sharp) };
      if (canvas("picture").width !== size.width || canvas("picture").height !== size.height) Object.assign(canvas("picture"), size);
    }
    this.dispatchEvent(new Event("fit"));
    this.draw();
  }

  /** After a choice of colour. */
  recolour() {
    if (!this.depth) return;
    if (this.gpu && this.drawn) this.gpu.colour(table(look, this.depth), this.drawn, tones(look, this.drawn));
    else {
      Object.assign(canvas("picture"), { width: this.depth.width, height: this.depth.height });
      canvas("picture").getContext("2d")?.putImageData(paint(look, this.depth), 0, 0);
    }
    this.draw();
  }

  /** Draws before the next picture of the screen; many calls become one. */
  draw() {
    if (this.#awaited || this.filming) return;
    this.#awaited = true;
    requestAnimationFrame((now) => {
      this.#awaited = false;
      if (!this.filming) this.#paint(now);
    });
  }

  /** @param {number} now */
  #paint(now) {
    if (!this.drawn || !this.gpu) return;
    if (this.view === "space") this.points?.draw(this.drawn, this.lens, this.camera, this.jump, this.painted);
    else if (this.view === "parallax") {
      const drifting = !still() && now - this.#moved > 2500;
      if (drifting) {
        const turn = (now - this.#moved - 2500) / 1400;
        const begun = Math.min(1, (now - this.#moved - 2500) / 1500);
        this.parallax?.draw(this.eye.x + (Math.sin(turn) - this.eye.x) * begun, this.eye.y + (Math.cos(turn) * 0.5 - this.eye.y) * begun, this.strength);
      } else this.parallax?.draw(this.eye.x, this.eye.y, this.strength);
      // It goes on by itself, as long as it is looked at.
      if (!still()) this.draw();
    } else this.flat?.draw(look);
  }

  /** @param {View} view */
  setView(view) {
    this.view = view;
    this.#moved = performance.now() - 2000;
    document.body.dataset.view = view;
    for (const each of VIEWS) {
      const tab = box(`tab-${each}`);
      tab.setAttribute("aria-selected", String(each === view));
      tab.tabIndex = each === view ? 0 : -1;
    }
    this.label();
    this.dispatchEvent(new Event("view"));
    this.draw();
  }

  label() {
    box("surface").setAttribute("aria-label", t(`stage_${this.view}`));
  }

  /** From the depth over to both halves, once, so that one sees that there is a line to move. */
  #sweep() {
    const begun = performance.now();
    const next = () => {
      const share = Math.min(1, (performance.now() - begun) / 900);
      this.#split(100 - 50 * (1 - (1 - share) ** 3));
      if (share < 1) requestAnimationFrame(next);
    };
    next();
  }

  /** @param {number} percent */
  #split(percent) {
    input("split").value = String(percent);
    const { clientWidth } = box("frame");
    // The middle of the slider's knob, which never leaves the frame.
    const knob = 44;
    const place = clientWidth ? ((knob / 2 + (clientWidth - knob) * (percent / 100)) / clientWidth) * 100 : percent;
    box("frame").style.setProperty("--split", `${percent <= 0 ? 0 : percent >= 100 ? 100 : place}%`);
  }

  /** @param {MouseEvent} event */
  #pixel(event) {
    const frame = box("surface").getBoundingClientRect();
    const depth = /** @type {import("./depth.js").Depth} */ (this.depth);
    return {
      x: Math.min(depth.width - 0.5, Math.max(0, ((event.clientX - frame.left) / frame.width) * depth.width)),
      y: Math.min(depth.height - 0.5, Math.max(0, ((event.clientY - frame.top) / frame.height) * depth.height)),
    };
  }

  /** @param {import("./measuring.js").Pixel} pixel */
  #setMark(pixel) {
    this.mark = pixel;
    this.dispatchEvent(new Event("mark"));
  }

  #listen() {
    const surface = box("surface");
    /** @type {Map<number, PointerEvent>} */
    const held = new Map();
    input("split").addEventListener("input", () => this.#split(Number(input("split").value)));
    surface.addEventListener("pointerdown", (event) => {
      held.set(event.pointerId, event);
      surface.setPointerCapture(event.pointerId);
    });
    for (const end of ["pointerup", "pointercancel"]) surface.addEventListener(end, (event) => held.delete(/** @type {PointerEvent} */ (event).pointerId));
    surface.addEventListener("pointermove", (event) => {
      if (!this.depth) return;
      const before = held.get(event.pointerId);
      if (this.view === "parallax") {
        const frame = surface.getBoundingClientRect();
        this.look(((event.clientX - frame.left) / frame.width) * 2 - 1, ((event.clientY - frame.top) / frame.height) * 2 - 1);
      } else if (this.view === "space") {
        if (!before) return;
        const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
        const other = [...held.values()].find((each) => each.pointerId !== event.pointerId);
        if (other) {
          const gap = (/** @type {PointerEvent} */ each) => Math.hypot(each.clientX - other.clientX, each.clientY - other.clientY);
          this.#zoom(gap(event) / Math.max(1, gap(before)));
        } else if (event.shiftKey || event.buttons === 2) this.#shift(dx, dy);
        else this.turn(dx * 0.005, dy * 0.005);
        held.set(event.pointerId, event);
      } else {
        this.#setMark(this.#pixel(event));
        if (before && this.view === "compare") {
          const frame = surface.getBoundingClientRect();
          this.#split(Math.min(100, Math.max(0, ((event.clientX - frame.left - 22) / (frame.width - 44)) * 100)));
        }
      }
    });
    surface.addEventListener("contextmenu", (event) => this.view === "space" && event.preventDefault());
    surface.addEventListener("click", (event) => {
      if (this.depth && this.view === "measure") this.#pick(this.#pixel(event));
    });
    surface.addEventListener("wheel", (event) => {
      if (this.view !== "space") return;
      event.preventDefault();
      this.#zoom(Math.exp(-event.deltaY * 0.0012));
    }, { passive: false });
    surface.addEventListener("keydown", (event) => this.#key(event));
    for (const each of VIEWS) box(`tab-${each}`).addEventListener("click", () => this.setView(each));
    box("views").addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const usable = VIEWS.filter((each) => !(/** @type {HTMLButtonElement} */ (box(`tab-${each}`)).disabled));
      const next = usable[(usable.indexOf(this.view) + step + usable.length) % usable.length];
      this.setView(next);
      box(`tab-${next}`).focus();
    });
  }

  /** @param {import("./measuring.js").Pixel} pixel */
  #pick(pixel) {
    this.#setMark(pixel);
    this.dispatchEvent(new Event("pick"));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.depth) return;
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    const moves = dx !== 0 || dy !== 0;
    if (moves) event.preventDefault();
    if (this.view === "space") {
      if (moves) this.turn(dx * 0.06, dy * 0.06);
      if (event.key === "+" || event.key === "=") this.#zoom(1.1);
      if (event.key === "-") this.#zoom(1 / 1.1);
    } else if (this.view === "parallax") {
      if (moves) this.look(this.eye.x + dx * 0.15, this.eye.y + dy * 0.15);
    } else {
      const { width, height } = this.depth;
      const mark = this.mark ?? { x: width / 2, y: height / 2 };
      const step = (event.shiftKey ? 0.05 : 0.01) * width;
      if (moves) this.#setMark({ x: Math.min(width - 0.5, Math.max(0, mark.x + dx * step)), y: Math.min(height - 0.5, Math.max(0, mark.y + dy * step)) });
      if (event.key === "Enter" && this.view === "measure") this.#pick(mark);
    }
  }

  /**
   * Where the eye of the parallax is, -1 to 1.
   * @param {number} x
   * @param {number} y
   */
  look(x, y) {
    this.eye = { x: Math.min(1, Math.max(-1, x)), y: Math.min(1, Math.max(-1, y)) };
    this.#moved = performance.now();
    this.draw();
  }

  /**
   * Turns the scene.
   * @param {number} yaw
   * @param {number} pitch
   */
  turn(yaw, pitch) {
    this.camera.yaw = Math.min(1.4, Math.max(-1.4, this.camera.yaw + yaw));
    this.camera.pitch = Math.min(1.2, Math.max(-1.2, this.camera.pitch + pitch));
    this.draw();
  }

  /** @param {number} times */
  #zoom(times) {
    this.camera.zoom = Math.min(6, Math.max(0.35, this.camera.zoom * times));
    this.draw();
  }

  /**
   * @param {number} dx in pixels of the window
   * @param {number} dy
   */
  #shift(dx, dy) {
    const { clientWidth, clientHeight } = box("frame");
    this.camera.shift[0] += (2 * dx) / clientWidth;
    this.camera.shift[1] -= (2 * dy) / clientHeight;
    this.draw();
  }
}
