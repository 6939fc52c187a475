// Mark a photo: points are [x, y] in pixels of the upright photo, [0, 0] the centre of the top left one.
const POINTS = { door: 4, sheet: 4, length: 2, measure: 2 };
const SHEETS = { a4_up: [0.21, 0.297, 0.001], a4_across: [0.297, 0.21, 0.001], letter_up: [0.2159, 0.2794, 0.001],
  card_across: [0.0856, 0.05398, 0.0002] };
const NEAR = { mouse: 12, pen: 16, touch: 26 }; // CSS pixels within which a point is taken hold of
const at = (id) => document.getElementById(id);
const language = navigator.language.toLowerCase().startsWith("zh") ? 1 : 0;
const [stage, drawing, loupe, picture] = ["stage", "drawing", "loupe", "photo"].map(at);

let texts, told, items = [], past = [], chosen = null, held = null, saved = "[]";

const say = (key, values = {}) => texts[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const open = () => items.findLast((item) => item.points.length < POINTS[item.kind]);
const limit = (value, size) => Math.min(size - 0.5, Math.max(-0.5, Math.round(value * 10) / 10));
const scale = () => stage.clientWidth / told.size[0];

function make(name, attributes = {}, ...children) {
  const made = name.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function status(text, kind = "") {
  at("status").textContent = text;
  at("status").className = kind;
}

function remember() {
  past.push(JSON.stringify(items));
}

function undo() {
  if (!past.length) return;
  items = JSON.parse(past.pop());
  chosen = null;
  show();
}

function begin(kind) {
  remember();
  items = items.filter((item) => item.points.length === POINTS[item.kind]);
  const sizes = { door: { width: 0.86, height: 2.01, tolerance: 0.01 }, sheet: sheet("a4_up"), length: { metres: null }, measure: {} };
  items.push({ kind, points: [], ...sizes[kind] });
  chosen = null;
  show();
}

function sheet(name) {
  const [width, height, tolerance] = SHEETS[name];
  return { width, height, tolerance };
}

function place(x, y) {
  const item = open();
  if (!item) return false;
  item.points.push([limit(x, told.size[0]), limit(y, told.size[1])]);
  chosen = [items.indexOf(item), item.points.length - 1];
  return true;
}

function move(x, y) {
  items[chosen[0]].points[chosen[1]] = [limit(x, told.size[0]), limit(y, told.size[1])];
}

// Draw what is marked; the list is made anew only when something was added, since an input loses its caret otherwise.
function show(list = true) {
  draw();
  if (list) writeList();
  const item = open();
  at("hint").textContent = item ? say(`${POINTS[item.kind] === 4 ? "corner" : "end"}_${item.points.length + 1}`, { what: say(item.kind) })
    : say(items.length ? "done" : "start");
  at("nothing").hidden = items.length > 0;
  at("undo").disabled = !past.length;
  at("save").disabled = JSON.stringify(items) === saved;
  at("save").textContent = say(told.version ? "replace" : "save", told);
}

function draw() {
  const times = scale();
  const on = ([x, y]) => [(x + 0.5) * times, (y + 0.5) * times];
  drawing.replaceChildren(...items.map((item, number) => {
    const places = item.points.map(on);
    const path = places.length ? `M${places.map((each) => each.join(" ")).join("L")}${places.length === 4 ? "Z" : ""}` : "";
    const group = make("svg:g", { "data-kind": item.kind });
    if (places.length === 4) group.append(make("svg:path", { d: path, class: "area" }));
    if (path) group.append(make("svg:path", { d: path, class: "under" }), make("svg:path", { d: path, class: "line" }));
    places.forEach(([cx, cy], point) => {
      const mine = chosen?.[0] === number && chosen[1] === point;
      group.append(make("svg:g", { class: mine ? "chosen" : "" }, make("svg:circle", { cx, cy, r: 8, class: "halo" }), make("svg:circle", { cx, cy, r: 8 })));
    });
    return group;
  }));
}

function field(item, name) {
  const input = make("input", { inputmode: "decimal", name, value: item[name] ?? "" });
  let before = null;
  input.addEventListener("focus", () => { before = JSON.stringify(items); });
  input.addEventListener("input", () => {
    if (before) past.push(before);
    before = null;
    const value = Number(input.value.replace(",", "."));
    item[name] = input.value.trim() && Number.isFinite(value) ? value : null;
    if (item.kind === "sheet") item.tolerance = 0.005;
    input.setCustomValidity(item[name] > 0 ? "" : say("number", { what: say(item.kind) }));
    show(false);
  });
  return make("label", {}, say(name), input);
}

function sizes(item) {
  const select = make("select", { name: "size" }, make("option", { value: "" }, say("own_size")),
    ...Object.keys(SHEETS).map((name) => make("option", { value: name }, say(name))));
  select.value = Object.keys(SHEETS).find((name) => SHEETS[name][0] === item.width && SHEETS[name][1] === item.height) ?? "";
  select.addEventListener("change", () => {
    if (!select.value) return;
    remember();
    Object.assign(item, sheet(select.value));
    show();
  });
  return make("label", { class: "wide" }, say("size"), select);
}

function writeList() {
  at("list").replaceChildren(...items.map((item, number) => {
    const remove = make("button", { type: "button" }, say("remove"));
    remove.addEventListener("click", () => {
      remember();
      items.splice(number, 1);
      chosen = null;
      show();
    });
    const points = item.points.map((_, point) => {
      const pressed = chosen?.[0] === number && chosen[1] === point;
      const button = make("button", { type: "button", "aria-pressed": pressed, "aria-label": say("point", { number: point + 1, what: say(item.kind) }) }, `${point + 1}`);
      button.addEventListener("click", () => {
        chosen = [number, point];
        show();
        at("list").children[number].querySelectorAll(".points button")[point].focus({ preventScroll: true });
      });
      return button;
    });
    const fields = make("div", { class: "fields" });
    if (item.kind === "sheet") fields.append(sizes(item));
    if (POINTS[item.kind] === 4) fields.append(field(item, "width"), field(item, "height"));
    if (item.kind === "door") fields.append(make("p", { class: "faint wide" }, say("leaf")));
    if (item.kind === "length") fields.append(field(item, "metres"));
    return make("li", { "data-kind": item.kind }, make("div", { class: "head" }, make("span", { class: "dot" }), say(item.kind), remove),
      make("div", { class: "points" }, ...points), fields);
  }));
}

// The photo around the chosen point, large, beside the finger and never below it.
function look() {
  loupe.hidden = !held;
  if (!held) return;
  const [x, y] = items[chosen[0]].points[chosen[1]];
  const across = 36 * Math.max(1, told.size[0] / 1600);
  const pen = loupe.getContext("2d");
  const middle = loupe.width / 2;
  pen.imageSmoothingEnabled = false;
  pen.fillStyle = "#333";
  pen.fillRect(0, 0, loupe.width, loupe.height);
  pen.drawImage(picture, x + 0.5 - across / 2, y + 0.5 - across / 2, across, across, 0, 0, loupe.width, loupe.height);
  for (const [colour, width] of [["#fff", 4], ["#111", 1.5]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    for (const [from, to] of [[0, middle - 12], [middle + 12, loupe.width]]) {
      pen.moveTo(from, middle), pen.lineTo(to, middle), pen.moveTo(middle, from), pen.lineTo(middle, to);
    }
    pen.stroke();
  }
  const [left, top] = [(x + 0.5) * scale(), (y + 0.5) * scale()];
  const above = stage.getBoundingClientRect().top + top > 190 ? top - 184 : top + 40;
  loupe.style.left = `${Math.min(stage.clientWidth - 144, Math.max(0, left - 72))}px`;
  loupe.style.top = `${above}px`;
}

function under(event) {
  const box = stage.getBoundingClientRect();
  return [(event.clientX - box.left) / scale() - 0.5, (event.clientY - box.top) / scale() - 0.5];
}

stage.addEventListener("pointerdown", (event) => {
  if (!told || event.button || held) return;
  event.preventDefault();
  stage.focus({ preventScroll: true });
  const [x, y] = under(event);
  let best = NEAR[event.pointerType] ?? NEAR.mouse, found = null;
  items.forEach((item, number) => item.points.forEach((point, index) => {
    const away = Math.hypot(point[0] - x, point[1] - y) * scale();
    if (away < best) [best, found] = [away, [number, index]];
  }));
  if (found) {
    remember();
    chosen = found;
  } else if (open()) {
    remember();
    place(x, y);
  } else return;
  // A point is moved by as much as the pointer moves, so that taking hold of it does not shift it.
  const [px, py] = items[chosen[0]].points[chosen[1]];
  held = { id: event.pointerId, dx: px - x, dy: py - y };
  stage.setPointerCapture(event.pointerId);
  show();
  look();
});

stage.addEventListener("pointermove", (event) => {
  if (held?.id !== event.pointerId) return;
  const [x, y] = under(event);
  move(x + held.dx, y + held.dy);
  draw();
  look();
});

function release(event) {
  if (held?.id !== event.pointerId) return;
  held = null;
  look();
  if (event.type === "pointercancel") undo(); // a second finger: the first was no click
  else if (past.at(-1) === JSON.stringify(items)) past.pop(); // taken hold of, not moved
  show();
}
stage.addEventListener("pointerup", release);
stage.addEventListener("pointercancel", release);

document.addEventListener("keydown", (event) => {
  if (!told || event.target.matches("input, select") || held) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    undo();
    return;
  }
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (steps && chosen) {
    event.preventDefault();
    remember();
    const [x, y] = items[chosen[0]].points[chosen[1]];
    const times = event.shiftKey ? 10 : 1;
    move(x + steps[0] * times, y + steps[1] * times);
    show(false);
  } else if (event.key === "Enter" && event.target === stage && open()) {
    event.preventDefault();
    remember();
    place(told.size[0] / 2 - 0.5, told.size[1] / 2 - 0.5);
    show();
  }
});

// What keeps the marks from being saved, in words; empty if nothing.
function wrong() {
  for (const item of items) {
    const what = say(item.kind);
    if (item.points.length < POINTS[item.kind]) return say("unfinished", { what, has: item.points.length, needs: POINTS[item.kind] });
    if (item.points.some((one, index) => item.points.slice(0, index).some((other) => Math.hypot(one[0] - other[0], one[1] - other[1]) < 2))) return say("same", { what });
    if (["width", "height", "metres"].some((name) => name in item && !(item[name] > 0))) return say("number", { what });
  }
  return "";
}

function toFile() {
  const of = (kind) => items.filter((item) => item.kind === kind);
  const ends = ({ points, kind, ...rest }) => ({ start: points[0], end: points[1], ...rest });
  return { ...told.marks, photo: told.photo, size: told.size, lengths: of("length").map(ends), measure: of("measure").map(ends),
    rectangles: [...of("door"), ...of("sheet")].map(({ points, ...rest }) => ({ ...rest, corners: points })) };
}

function fromFile(marks) {
  const ends = (kind) => ({ start, end, ...rest }) => ({ kind, points: [start, end], ...rest });
  return [...marks.rectangles.map(({ corners, ...rest }) => ({ ...rest, points: corners })), ...marks.lengths.map(ends("length")),
    ...marks.measure.map(ends("measure"))];
}

async function save() {
  const fault = wrong();
  if (fault) return status(say("refused", { why: fault }), "bad");
  const now = JSON.stringify(items);
  try {
    const answer = await fetch("marks", { method: "PUT", headers: { "Content-Type": "application/json", "If-Match": told.version }, body: JSON.stringify(toFile()) });
    const body = await answer.json();
    if (answer.status === 412) {
      if (!confirm(say("changed", told))) return status(say("kept"), "bad");
      told.version = (await (await fetch("marks")).json()).version;
      return save();
    }
    if (!answer.ok) return status(say("refused", { why: body.error }), "bad");
    told.version = body.version;
    saved = now;
    status(say("saved", told), "good");
  } catch {
    status(say("gone", told), "bad");
  }
  show(false);
}

async function start() {
  [texts, told] = await Promise.all(["texts.json", "marks"].map(async (path) => (await fetch(path)).json()));
  document.documentElement.lang = ["en", "zh-Hans"][language];
  document.title = at("title").textContent = say("title", told);
  document.querySelectorAll("[data-text]").forEach((each) => { each.textContent = say(each.dataset.text); });
  stage.setAttribute("aria-label", say("stage"));
  at("tools").append(...Object.keys(POINTS).map((kind) => {
    const button = make("button", { type: "button", "data-kind": kind }, make("span", { class: "dot" }), say(kind));
    button.addEventListener("click", () => begin(kind));
    return button;
  }));
  items = fromFile(told.marks);
  saved = JSON.stringify(items);
  if (told.version) status(say(told.problem ? "unreadable" : "exists", { ...told, why: told.problem }), told.problem ? "bad" : "");
  await picture.decode();
  new ResizeObserver(draw).observe(stage);
  at("undo").addEventListener("click", undo);
  at("save").addEventListener("click", save);
  window.addEventListener("beforeunload", (event) => { if (JSON.stringify(items) !== saved) event.preventDefault(); });
  show();
  stage.dataset.state = "ready";
}

start();
