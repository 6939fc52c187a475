/** The page: a photo comes in, its depth is asked for and shown. */
import { Depth } from "./depth.js";
import { box, button, element } from "./elements.js";
import { startFiles } from "./files_panel.js";
import { sample, startIntake } from "./intake.js";
import { counted, say, switchLanguage, write } from "./language.js";
import { drawHistogram, look, setLook, startLook } from "./look_panel.js";
import { MeasurePanel } from "./measure_panel.js";
import { allow, chosen, offer, startOptions, wantsWhole } from "./options.js";
import { readPhoto } from "./photo.js";
import { keep, kept, models, predict, useKey } from "./server.js";
import { link, read } from "./share.js";
import { startSpace } from "./space_panel.js";
import { Stage, VIEWS } from "./stage.js";
import { startTheme } from "./theme.js";
import { startTilt } from "./tilt.js";
import { calm, startTrouble, tell } from "./trouble.js";

/**
 * @typedef {object} Source what the visitor gave
 * @property {() => Promise<Blob>} load
 * @property {string} name
 * @property {string} sample its name where it is one of the samples, or nothing
 */
/**
 * @typedef {object} Result what is shown
 * @property {Depth} depth
 * @property {ImageBitmap | null} picture none where only the depth is known
 * @property {ArrayBuffer} file the depth as the server sent it
 * @property {string} name of the files that are saved
 * @property {Source | null} source none where the depth came by a link
 * @property {Blob | null} sent the photo as the server got it
 * @property {Record<string, string>} options that it was asked with
 * @property {string} id of the depth on the server, where it is kept
 * @property {number} took milliseconds from the photo to its depth, or 0
 */

/** After so long the visitor is told that the server is slow. */
const LONG = 4000;

/** @type {Source | null} */
let source = null;
/** @type {Result | null} */
let result = null;
/** The latest of what was begun; all before it has been stopped. @type {AbortController | null} */
let running = null;

const stage = new Stage();
const measuring = new MeasurePanel(stage);

/**
 * Does one thing at a time: whatever is under way gives way to the latest.
 * @param {(signal: AbortSignal) => Promise<void>} work
 * @param {() => void} again what the visitor may try when it fails
 */
async function begin(work, again) {
  running?.abort();
  const control = (running = new AbortController());
  calm();
  box("wait").hidden = false;
  try {
    await work(control.signal);
  } catch (error) {
    // Another photo has taken its place.
    if (control !== running) return;
    back();
    if (!control.signal.aborted) tell(error, again);
  } finally {
    if (control === running) box("wait").hidden = true;
  }
}

/** To what was shown before. */
function back() {
  source = result?.source ?? null;
  if (stage.depth) return;
  if (result) show(result);
  else document.body.dataset.state = "empty";
}

/** @param {Source} given */
function take(given) {
  history.replaceState(null, "", location.pathname);
  return run(given);
}

/**
 * Asks for the depth of a photo, by the options as they are. The marks tell in the browser's profiler what took long.
 * @param {Source} asked
 */
async function run(asked) {
  source = asked;
  await begin(async (signal) => {
    performance.mark("begun");
    const begun = performance.now();
    say("progress", "reading");
    const photo = await readPhoto(await asked.load(), asked.name, wantsWhole());
    signal.throwIfAborted();
    performance.mark("read");
    if (photo.picture && asked !== result?.source) preview(photo.picture);
    const options = chosen();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let slow;
    const sending = (/** @type {number} */ share) => {
      say("progress", share < 1 ? "sending" : "thinking", { percent: Math.round(share * 100) });
      if (share === 1) slow = setTimeout(() => say("progress", "thinking_long"), LONG);
    };
    const { file, info } = await predict(photo.file, options, sending, signal).finally(() => clearTimeout(slow));
    performance.mark("answered");
    const depth = await Depth.read(file, info);
    signal.throwIfAborted();
    performance.mark("decoded");
    const took = performance.now() - begun;
    result = { depth, picture: photo.picture, file, name: photo.name, source: asked, sent: photo.file, options, id: "", took };
    show(result);
    requestAnimationFrame(() => performance.mark("painted"));
  }, () => void take(asked));
}

/** The photo alone, while its depth is on the way. @param {ImageBitmap} picture */
function preview(picture) {
  if (document.body.dataset.state === "empty") document.body.dataset.state = "working";
  stage.preview(picture);
}

/** @param {Result} shown */
function show({ depth, picture, source: from, took }) {
  document.body.dataset.state = "result";
  allow(from !== null);
  say("share-note", picture ? "share_note" : "from_link");
  stage.show(depth, picture);
  measuring.clear();
  recolour();
  describe();
  if (took) say("reading", "done", { time: (took / 1000).toFixed(2) });
  else say("reading", "from_link");
}

function recolour() {
  stage.recolour();
  if (stage.depth) drawHistogram(stage.depth);
}

function describe() {
  if (!result) return;
  const { depth, took } = result;
  const values = { model: depth.info.variant, width: depth.width, height: depth.height, levels: counted(depth.levels), time: Math.round(took) };
  say("details", took ? "details" : "details_short", values);
}

function readValue() {
  const { depth, mark } = stage;
  if (!depth || !mark) return;
  const percent = Math.round(depth.nearness(mark.x, mark.y) * 100);
  const value = depth.value(mark.x, mark.y);
  if (depth.isDistance) say("reading", "reading_metres", { value: value.toFixed(2), percent });
  else say("reading", "reading_value", { value: value.toFixed(4), percent });
}

async function askModels() {
  try {
    offer(await models());
  } catch (error) {
    tell(error, () => void askModels());
  }
}

async function share() {
  if (!result) return;
  button("share").disabled = true;
  try {
    const shared = result;
    const isSample = shared.source?.sample ?? "";
    if (!isSample && !shared.id && shared.sent) shared.id = await keep(shared.sent, shared.options);
    const address = link({ sample: isSample, id: shared.id, info: shared.depth.info, look, view: stage.view });
    history.replaceState(null, "", address);
    say("share-note", "share_here");
    await navigator.clipboard?.writeText(address).then(() => say("share-note", "shared"), () => {});
  } catch (error) {
    tell(error, () => void share());
  } finally {
    button("share").disabled = false;
  }
}

/** Opens what the address asks for. */
async function open() {
  const asked = read(location.hash);
  if (!asked) return;
  setLook(asked.look);
  if (stage.gpu) stage.setView(asked.view);
  if (asked.sample) return run(sample(asked.sample));
  await begin(async (signal) => {
    say("progress", "opening");
    const file = await kept(asked.id, signal);
    const depth = await Depth.read(file, asked.info);
    signal.throwIfAborted();
    source = null;
    result = { depth, picture: null, file, name: "shared", source, sent: null, options: {}, id: asked.id, took: 0 };
    show(result);
  }, () => void open());
}

function start() {
  startIntake((given) => void take(given), (error) => tell(error, null));
  write();
  startTheme();
  startTrouble(useKey);
  startLook(recolour);
  startOptions(() => source && void take(source));
  startFiles(stage, () => result);
  startTilt(stage);
  startSpace(stage, () => measuring.update());
  stage.addEventListener("mark", readValue);
  stage.setView("compare");
  if (!stage.gpu) {
    box("no-webgl").hidden = false;
    for (const each of VIEWS) if (each === "space" || each === "parallax") button(`tab-${each}`).disabled = true;
  }
  button("language").addEventListener("click", switchLanguage);
  button("cancel").addEventListener("click", () => running?.abort());
  button("share").addEventListener("click", () => void share());
  element("options", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("language", () => (describe(), stage.label()));
  addEventListener("hashchange", () => void open());
  void askModels().then(open);
}

start();
