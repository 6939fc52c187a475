/** The page: a photo comes in, its depth is asked for and shown. */
import { Depth } from "./depth.js";
import { box, button, element, input } from "./elements.js";
import { startFiles } from "./files_panel.js";
import { sample, startIntake } from "./intake.js";
import { counted, switchLanguage, t, write } from "./language.js";
import { drawHistogram, look, setLook, startLook } from "./look_panel.js";
import { MeasurePanel } from "./measure_panel.js";
import { chosen, offer, startOptions, wantsWhole } from "./options.js";
import { readPhoto } from "./photo.js";
import { Failure, keep, kept, models, predict, useKey } from "./server.js";
import { link, read } from "./share.js";
import { Stage, VIEWS } from "./stage.js";
import { startTheme } from "./theme.js";
import { startTilt } from "./tilt.js";
import { calm, startTrouble, tell } from "./trouble.js";

/** @type {{file: Blob, name: string, sample: string} | null} */
let source = null;
/** @type {{file: ArrayBuffer, name: string, sent: Blob | null, id: string} | null} */
let result = null;
/** @type {AbortController | null} */
let running = null;
/** Milliseconds from the photo to its depth. */
let took = 0;

const stage = new Stage();
const measuring = new MeasurePanel(stage);

/** @param {string} text nothing when the waiting is over */
function progress(text) {
  box("wait").hidden = !text;
  box("progress").textContent = text;
}

/**
 * @param {Blob} file
 * @param {string} name
 * @param {string} fromSample
 */
async function take(file, name, fromSample) {
  source = { file, name, sample: fromSample };
  await run();
}

/** Asks for the depth of the photo, by the options as they are. */
async function run() {
  if (!source) return;
  const asked = source;
  running?.abort();
  const control = (running = new AbortController());
  calm();
  progress(t("reading"));
  const begun = performance.now();
  try {
    const photo = await readPhoto(asked.file, asked.name, wantsWhole());
    const sending = (/** @type {number} */ share) => progress(share < 1 ? t("sending", { percent: Math.round(share * 100) }) : t("thinking"));
    const { file, info } = await predict(photo.file, chosen(), sending, control.signal);
    progress(t("drawing"));
    const depth = await Depth.read(file, info);
    if (control.signal.aborted) return;
    took = performance.now() - begun;
    result = { file, name: photo.name, sent: photo.file, id: "" };
    history.replaceState(null, "", location.pathname);
    show(depth, photo.picture);
  } catch (error) {
    // Another photo has taken its place.
    if (control !== running) return;
    if (!(error instanceof Failure && error.code === "cancelled")) tell(error, () => void run());
  } finally {
    if (control === running) progress("");
  }
}

/**
 * @param {Depth} depth
 * @param {ImageBitmap | null} picture
 */
function show(depth, picture) {
  document.body.dataset.state = "result";
  box("share-note").textContent = t(picture ? "share_note" : "from_link");
  stage.show(depth, picture);
  measuring.clear();
  recolour();
  describe();
  box("reading").textContent = t("done", { time: (took / 1000).toFixed(2) });
}

function recolour() {
  stage.recolour();
  if (stage.depth) drawHistogram(stage.depth);
}

function describe() {
  if (!stage.depth) return;
  const { width, height, levels, info } = stage.depth;
  const values = { model: info.variant, width, height, levels: counted(levels), time: Math.round(took) };
  box("details").textContent = t(took ? "details" : "details_short", values);
}

function readValue() {
  const { depth, mark } = stage;
  if (!depth || !mark) return;
  const value = depth.value(mark.x, mark.y);
  const text = depth.isDistance ? `${value.toFixed(2)} m, ${t("estimated")}` : `${t("value")} ${value.toFixed(4)}`;
  box("reading").textContent = `${text} · ${t("nearness", { percent: Math.round(depth.nearness(mark.x, mark.y) * 100) })}`;
}

async function askModels() {
  try {
    offer(await models());
  } catch (error) {
    tell(error, () => void askModels());
  }
}

async function share() {
  if (!result || !stage.depth) return;
  button("share").disabled = true;
  try {
    let { info } = stage.depth;
    const isSample = source?.sample ?? "";
    if (!isSample && !result.id && result.sent) {
      const answer = await keep(result.sent, chosen());
      result.id = answer.id;
      info = answer.info;
    }
    const address = link({ sample: isSample, id: result.id, info, look, view: stage.view });
    history.replaceState(null, "", address);
    box("share-note").textContent = t("share_here");
    await navigator.clipboard?.writeText(address).then(() => (box("share-note").textContent = t("shared")), () => {});
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
  try {
    if (asked.sample) return void (await take(await sample(asked.sample), asked.sample, asked.sample));
    progress(t("drawing"));
    const file = await kept(asked.id);
    source = null;
    took = 0;
    result = { file, name: "shared", sent: null, id: asked.id };
    show(await Depth.read(file.slice(0), asked.info), null);
  } catch (error) {
    tell(error, null);
  } finally {
    progress("");
  }
}

/** @param {string} id @param {(value: number) => string} set applies the value, and gives it in words */
function slide(id, set) {
  const apply = () => (box(`${id}-value`).textContent = set(Number(input(id).value)));
  input(id).addEventListener("input", apply);
  apply();
}

function startSliders() {
  const after = (/** @type {string} */ text) => (stage.draw(), measuring.update(), text);
  slide("ratio", (value) => after(((stage.lens.ratio = value), `× ${value}`)));
  slide("fov", (value) => after(((stage.lens.fov = value), `${value}°`)));
  slide("jump", (value) => after(((stage.jump = value / 100), `${value} %`)));
  slide("strength", (value) => after(((stage.strength = value / 100), `${value} %`)));
  input("painted").addEventListener("change", () => ((stage.painted = input("painted").checked), stage.draw()));
  button("reset").addEventListener("click", () => stage.resetCamera());
}

function start() {
  startIntake((file, name, fromSample) => void take(file, name, fromSample));
  write();
  startTheme();
  startTrouble(useKey);
  startLook(recolour);
  startOptions(() => void run());
  startFiles(stage, () => result);
  startTilt(stage);
  startSliders();
  stage.addEventListener("mark", readValue);
  stage.setView("compare");
  if (!stage.gpu) {
    box("no-webgl").hidden = false;
    for (const each of VIEWS) if (each === "space" || each === "parallax") /** @type {HTMLButtonElement} */ (box(`tab-${each}`)).disabled = true;
  }
  button("language").addEventListener("click", switchLanguage);
  button("cancel").addEventListener("click", () => running?.abort());
  button("share").addEventListener("click", () => void share());
  element("options", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("language", () => (describe(), stage.label(), readValue()));
  addEventListener("hashchange", () => void open());
  void askModels().then(open);
}

start();
