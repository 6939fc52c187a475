// The page: from a chosen photo to its depth, and what can be set and kept.

import { Failure, bytesAt, models, predict } from "./api.js";
import { COLORMAPS } from "./colormaps.js";
import { depthFrom } from "./depth.js";
import { stops } from "./gl.js";
import { readPhoto } from "./photo.js";
import { decodePng16 } from "./png16.js";
import { cloud, colourPng, glb, npy, ply, save, video } from "./saving.js";
import { Stage } from "./stage.js";
import { preferred, say, shown, speak } from "./words.js";

const SAMPLES = ["room", "street", "coffee", "cat"];
const FILTERS = ["none", "guided", "crf", "median", "bilateral"];
const CONTRASTS = ["none", "global", "clahe"];
const HELP = { compare: "helpCompare", points: "helpPoints", parallax: "helpParallax", measure: "helpMeasure" };

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @returns {Kind}
 */
const get = (id) => /** @type {Kind} */ (document.getElementById(id));
/** @param {string} id */
const field = (id) => /** @type {HTMLInputElement} */ (get(id));

const stage = new Stage();
/** @type {File | null} */
let file = null;
/** @type {import("./api.js").Answer | null} */
let answer = null;
/** @type {Uint8Array | null} */
let png = null;
/** @type {import("./api.js").Model[]} */
let known = [];
let under = new AbortController();

/* ---- words ---- */

function words() {
  speak(shown());
  const other = shown() === "en" ? "zh" : "en";
  get("language").textContent = other === "zh" ? "中文" : "English";
  get("language").lang = other;
  fill("filter", FILTERS.map((name) => [name, say(name)]));
  fill("equalize", CONTRASTS.map((name) => [name, say(name)]));
  fill("model", known.map((model) => [model.name, model.name]));
  resolutions();
  for (const [at, name] of SAMPLES.entries()) {
    const image = get("samples").children[at]?.querySelector("span");
    if (image) image.textContent = say(`sample_${name}`);
  }
  facts();
  help();
  lengths();
}

/**
 * @param {string} id
 * @param {string[][]} entries value and words
 */
function fill(id, entries) {
  const select = /** @type {HTMLSelectElement} */ (get(id));
  const chosen = select.value;
  select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
  if (entries.some(([value]) => value === chosen)) select.value = chosen;
}

function resolutions() {
  const model = known.find((each) => each.name === field("model").value) ?? known[0];
  if (!model) return;
  const grid = model.grid || 32;
  const sides = [0.75, 1, 1.5, 2, 3].map((factor) => Math.max(128, Math.round((model.resolution * factor) / grid) * grid));
  fill("resolution", [...new Set(sides)].filter((side) => side <= 1280).map((side) => [
    side === model.resolution ? "" : String(side),
    side === model.resolution ? `${side} (${say("default")})` : String(side),
  ]));
}

function help() {
  get("help").textContent = say(HELP[stage.view]);
}

function facts() {
  if (!answer) return;
  const total = answer.timings_ms.total ?? Object.values(answer.timings_ms).reduce((sum, each) => sum + each, 0);
  const model = known.find((each) => each.name === answer?.model);
  get("facts").textContent = [
    answer.model,
    say("size", { width: answer.width, height: answer.height }),
    say("took", { ms: total.toFixed(0) }),
    stage.depth?.metric ? say("farther") : say("nearer"),
    answer.weights === "untrained" ? say("untrained") : "",
    model?.licence ? `${say("licence")}: ${model.licence}` : "",
  ].filter(Boolean).join(" · ");
  get("canvas").setAttribute("aria-label", say("describe", { name: file?.name ?? "", width: answer.width, height: answer.height }));
}

/* ---- photo to depth ---- */

/** @param {File} chosen */
async function open(chosen) {
  file = chosen;
  await compute();
}

async function compute() {
  if (!file) return;
  under.abort();
  under = new AbortController();
  const { signal } = under;
  problem("");
  const before = performance.now();
  try {
    const photo = await readPhoto(file, field("full").checked);
    show("work");
    progress(say("sending"), 0);
    const options = Object.fromEntries(["model", "resolution", "filter"].map((id) => [id, field(id).value]));
    if (options.filter === "none") options.filter = "";
    const got = await predict(photo.sent, { ...options, format: "png16" }, signal, (share) =>
      progress(say(share < 1 ? "sending" : "computing"), share < 1 ? share : null),
    );
    progress(say("loading"), null);
    const bytes = await bytesAt(got.depth_image_url, signal);
    await take(got, bytes, photo.picture);
    document.body.dataset.took = (performance.now() - before).toFixed(0);
  } catch (error) {
    if (signal.aborted) return;
    if (!stage.depth) show("start");
    problem(inWords(error));
  } finally {
    if (!signal.aborted) get("progress").hidden = true;
  }
}

/**
 * @param {import("./api.js").Answer} got
 * @param {Uint8Array} bytes
 * @param {ImageBitmap | null} picture
 */
async function take(got, bytes, picture) {
  [answer, png] = [got, bytes];
  const depth = depthFrom(await decodePng16(bytes), got.range, got.kind.startsWith("metric"));
  stage.take(depth, picture);
  document.body.dataset.levels = String(depth.levels);
  get("acrossRow").hidden = stage.view !== "compare" || !picture;
  facts();
  lengths();
  get("note").textContent = picture ? "" : say("sharedDepth");
}

/** @param {unknown} error */
function inWords(error) {
  if (error instanceof Failure) return error.status === 0 ? say("serverDown") : say("failed", { message: error.message });
  return error instanceof Error ? error.message : String(error);
}

/** @param {string} text */
function problem(text) {
  get("problem").hidden = !text;
  get("problemText").textContent = text;
}

/**
 * @param {string} text
 * @param {number | null} share null where nobody knows
 */
function progress(text, share) {
  get("progress").hidden = false;
  get("progressText").textContent = text;
  const bar = /** @type {HTMLProgressElement} */ (get("progressBar"));
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

/** @param {"start" | "work"} part */
function show(part) {
  get("start").hidden = part !== "start";
  get("work").hidden = part !== "work";
  document.body.dataset.part = part;
}

function offer() {
  const input = field("file");
  input.onchange = () => input.files?.[0] && open(input.files[0]);
  const shot = field("shot");
  shot.onchange = () => shot.files?.[0] && open(shot.files[0]);
  get("choose").onclick = () => input.click();
  get("camera").onclick = () => shot.click();
  get("another").onclick = () => {
    under.abort();
    get("progress").hidden = true;
    input.value = shot.value = "";
    show("start");
    get("choose").focus();
  };
  get("cancel").onclick = () => {
    under.abort();
    get("progress").hidden = true;
    if (!stage.depth) show("start");
  };
  get("dismiss").onclick = () => problem("");
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    const dropped = event.dataTransfer?.files[0];
    if (dropped) open(dropped);
  });
  addEventListener("paste", (event) => {
    const pasted = event.clipboardData?.files[0];
    if (pasted) open(pasted);
  });
  for (const name of SAMPLES) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.sample = name;
    const image = new Image(320, 240);
    image.src = `samples/${name}.jpg`;
    image.alt = "";
    button.append(image, document.createElement("span"));
    button.onclick = async () => {
      const response = await fetch(image.src).catch(() => null);
      if (!response?.ok) return problem(say("serverDown"));
      await open(new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" }));
    };
    const item = document.createElement("li");
    item.append(button);
    get("samples").append(item);
  }
}

/* ---- views and look ---- */

function views() {
  const tabs = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll("[role=tab]")]);
  /** @param {HTMLButtonElement} tab */
  const choose = (tab) => {
    for (const each of tabs) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
    }
    const view = /** @type {import("./stage.js").View} */ (tab.dataset.view);
    get("stage").setAttribute("aria-labelledby", tab.id);
    get("acrossRow").hidden = view !== "compare" || !stage.photo;
    get("measurePanel").hidden = view !== "measure";
    document.body.dataset.view = view;
    if (view === "parallax") askForTilt();
    stage.show(view);
    help();
  };
  for (const [at, tab] of tabs.entries()) {
    tab.onclick = () => choose(tab);
    tab.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(at + step + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    };
    if (!stage.spatial && (tab.dataset.view === "points" || tab.dataset.view === "parallax")) tab.disabled = true;
  }
  if (!stage.spatial) get("note").textContent = say("noWebgl");
  choose(tabs[0]);
}

function askForTilt() {
  const events = /** @type {any} */ (globalThis).DeviceOrientationEvent;
  events?.requestPermission?.().catch(() => {}); // iOS asks its user; elsewhere there is nothing to ask
}

function look() {
  const names = Object.keys(COLORMAPS);
  fill("colormap", names.map((name) => [name, name]));
  const change = () => {
    const [near, far] = [field("near"), field("far")];
    if (Number(near.value) <= Number(far.value)) (document.activeElement === near ? far : near).value = String(
      document.activeElement === near ? Math.max(0, Number(near.value) - 0.1) : Math.min(100, Number(far.value) + 0.1),
    );
    stage.look = {
      colormap: field("colormap").value,
      near: Number(near.value) / 100,
      far: Number(far.value) / 100,
      invert: field("invert").checked,
      relief: Number(field("relief").value),
      edges: Number(field("edges").value) / 100,
    };
    legend();
    stage.draw();
    lengths();
  };
  for (const id of ["colormap", "near", "far", "invert", "relief", "edges"]) get(id).oninput = change;
  get("across").oninput = () => stage.slideTo(Number(field("across").value) / 100);
  const given = new URLSearchParams(location.hash.slice(1));
  if (names.includes(given.get("colormap") ?? "")) field("colormap").value = /** @type {string} */ (given.get("colormap"));
  change();
}

function legend() {
  const canvas = /** @type {HTMLCanvasElement} */ (get("legend"));
  const colours = stops(stage.look.colormap);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const ramp = context.createLinearGradient(0, 0, 256, 0);
  for (let stop = 0; stop < 33; stop++) {
    const at = stage.look.invert ? 32 - stop : stop;
    ramp.addColorStop(stop / 32, `rgb(${colours[4 * at]} ${colours[4 * at + 1]} ${colours[4 * at + 2]})`);
  }
  context.fillStyle = ramp;
  context.fillRect(0, 0, 256, 1);
}

function lengths() {
  const list = get("lengths");
  list.replaceChildren(
    ...stage.lengths(Number.parseFloat(field("known").value)).map(({ name, text, source }) => {
      const item = document.createElement("li");
      const [label, value, note] = ["b", "span", "small"].map((kind) => document.createElement(kind));
      [label.textContent, value.textContent, note.textContent] = [name, text, source];
      item.append(label, value, note);
      return item;
    }),
  );
}

/* ---- keeping ---- */

function keeping() {
  get("downloads").onclick = async (event) => {
    const kind = /** @type {HTMLElement} */ (event.target).dataset.save;
    if (!kind || !stage.depth || !png) return;
    const stem = (file?.name ?? "shared").replace(/\.\w+$/, "");
    const { depth, photo, look } = stage;
    /** @type {[Blob, string] | null} */
    let made = null;
    if (kind === "png16") made = [new Blob([/** @type {BlobPart} */ (png)], { type: "image/png" }), `${stem}_depth.png`];
    if (kind === "color") made = [await colour(), `${stem}_colour.png`];
    if (kind === "npy") made = [npy(depth), `${stem}_depth.npy`];
    if (kind === "ply") made = [ply(cloud(depth, photo, look)), `${stem}.ply`];
    if (kind === "glb") made = [glb(cloud(depth, photo, look)), `${stem}.glb`];
    if (kind === "video") made = await film(stem);
    if (!made) return;
    save(...made);
    get("note").textContent = say("saved", { file: made[1] });
  };
  get("share").onclick = async () => {
    if (!answer) return;
    const values = new URLSearchParams({
      depth: answer.depth_image_url.replace(/^.*\//, ""),
      model: answer.model,
      low: String(answer.range[0]),
      high: String(answer.range[1]),
      kind: answer.kind,
      colormap: stage.look.colormap,
    });
    const link = `${location.origin}${location.pathname}#${values}`;
    const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    get("note").textContent = copied ? say("copied") : say("copyThis", { link });
    get("share").dataset.link = link;
  };
}

/** The colour picture: by the server where its contrast is equalised, else as the page shows it. */
async function colour() {
  const equalize = field("equalize").value;
  if (equalize === "none" || !file) return colourPng(/** @type {import("./depth.js").Depth} */ (stage.depth), stage.look);
  const photo = await readPhoto(file, field("full").checked);
  const options = Object.fromEntries(["model", "resolution", "colormap"].map((id) => [id, field(id).value]));
  const signal = new AbortController().signal;
  const got = await predict(photo.sent, { ...options, equalize, format: "color_png" }, signal, () => {});
  return new Blob([/** @type {BlobPart} */ (await bytesAt(got.depth_image_url))], { type: "image/png" });
}

/**
 * @param {string} stem
 * @returns {Promise<[Blob, string] | null>}
 */
async function film(stem) {
  const { painter } = stage;
  if (!("parallax" in painter)) return null;
  get("note").textContent = say("recording");
  stage.recording = true;
  const made = await video(stage.canvas, (turn) =>
    painter.parallax(stage.look, Math.sin(2 * Math.PI * turn), 0.5 * Math.cos(2 * Math.PI * turn)),
  );
  stage.recording = false;
  stage.draw();
  if (!made) get("note").textContent = say("noVideo");
  return made && [made.content, `${stem}_parallax.${made.ending}`];
}

/** Open what a link shares: the depth alone. */
async function shared() {
  const given = new URLSearchParams(location.hash.slice(1));
  const identity = given.get("depth");
  if (!identity || !/^[\w.-]+$/.test(identity)) return;
  show("work");
  progress(say("loading"), null);
  try {
    const bytes = await bytesAt(`results/${identity}`);
    const picture = await decodePng16(bytes);
    const [low, high] = [Number(given.get("low")), Number(given.get("high"))];
    await take(
      {
        depth_image_url: identity, model: given.get("model") ?? "", weights: null, width: picture.width, height: picture.height,
        range: [low, high], kind: given.get("kind") ?? "", unit: null, timings_ms: {},
      },
      bytes,
      null,
    );
  } catch (error) {
    show("start");
    problem(error instanceof Failure && error.status === 404 ? say("gone") : inWords(error));
  } finally {
    get("progress").hidden = true;
  }
}

/* ---- start ---- */

function theme() {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
  get("theme").onclick = () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", dark ? "light" : "dark");
  };
}

theme();
speak(preferred());
offer();
views();
look();
keeping();
words();
show("start");
get("language").onclick = () => {
  const next = shown() === "en" ? "zh" : "en";
  localStorage.setItem("language", next);
  speak(next);
  words();
};
get("model").oninput = () => {
  resolutions();
  compute();
};
for (const id of ["resolution", "filter", "full"]) get(id).oninput = () => compute();
get("known").oninput = lengths;
get("clear").onclick = () => stage.clear();
stage.onLengths = lengths;
addEventListener("hashchange", shared);
shared();
models().then(
  (found) => {
    known = found;
    words();
  },
  (error) => problem(inWords(error)),
);
