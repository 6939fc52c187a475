// The pictures, drawn by WebGL 2: photo beside depth, coloured points, parallax. All from one texture of 16-bit depth, so
// colours, range and inversion change without asking the server.

import { COLORMAPS } from "./colormaps.js";

/**
 * @typedef {import("./depth.js").Depth} Depth
 * @typedef {{colormap: string, near: number, far: number, invert: boolean, relief: number, edges: number}} Look
 */

const SHARED = `#version 300 es
precision highp float; precision highp int; precision highp usampler2D;
uniform usampler2D depth; uniform sampler2D photo; uniform sampler2D colours;
uniform vec2 size; uniform vec2 limits; uniform bool inverted;
float level(ivec2 at) { return float(texelFetch(depth, clamp(at, ivec2(0), ivec2(size) - 1), 0).r) / 65535.0; }
float smoothLevel(vec2 uv) {
  vec2 at = uv * size - 0.5; ivec2 corner = ivec2(floor(at)); vec2 part = at - vec2(corner);
  return mix(mix(level(corner), level(corner + ivec2(1, 0)), part.x),
             mix(level(corner + ivec2(0, 1)), level(corner + ivec2(1, 1)), part.x), part.y);
}
vec3 coloured(float d) {
  float shown = clamp((d - limits.x) / max(limits.y - limits.x, 1e-6), 0.0, 1.0);
  if (inverted) shown = 1.0 - shown;
  return texture(colours, vec2((shown * 32.0 + 0.5) / 33.0, 0.5)).rgb;
}
`;

const FULL = `#version 300 es
out vec2 uv;
void main() { uv = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2); gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0); uv.y = 1.0 - uv.y; }
`;

const COMPARE = `${SHARED}
uniform float across; in vec2 uv; out vec4 colour;
void main() { colour = vec4(uv.x < across ? texture(photo, uv).rgb : coloured(smoothLevel(uv)), 1.0); }
`;

const PARALLAX = `${SHARED}
uniform vec2 shift; uniform float strength; in vec2 uv; out vec4 colour;
void main() {
  // The picture is a relief: march along the line of sight from the near side until it meets the surface.
  vec2 zoomed = (uv - 0.5) * (1.0 - strength * 0.9) + 0.5;
  vec2 step = shift * strength / 40.0;
  vec2 at = zoomed + shift * strength * 0.5;
  float height = 1.0; float before = 1.0;
  for (int i = 0; i < 40; i++) {
    float surface = smoothLevel(at);
    if (surface >= height) break;
    before = height - surface; at -= step; height -= 1.0 / 40.0;
  }
  float under = smoothLevel(at) - height;
  at += step * clamp(under / max(under + before, 1e-5), 0.0, 1.0);
  colour = vec4(texture(photo, clamp(at, 0.0, 1.0)).rgb, 1.0);
}
`;

const POINTS = `${SHARED}
uniform mat4 camera; uniform float relief; uniform float steepest; uniform float focal; uniform float centre;
uniform ivec2 grid; uniform float dot; uniform bool photographed; uniform bool metric; uniform vec2 metres;
out vec3 tint;
float distanceOf(float d) { return metric ? max(mix(metres.x, metres.y, d), 1e-3) / metres.x : 1.0 / (1.0 + d * (relief - 1.0)); }
// Inverse distance, 1 for the nearest and 0 for the farthest: on a plane it changes evenly, at an edge it leaps.
float nearness(ivec2 at) {
  float d = level(at);
  return metric ? (1.0 / distanceOf(d) - 1.0) / (metres.x / max(metres.y, 1e-3) - 1.0) : d;
}
void main() {
  ivec2 cell = ivec2(gl_VertexID % grid.x, gl_VertexID / grid.x);
  ivec2 at = ivec2((vec2(cell) + 0.5) / vec2(grid) * size);
  float d = level(at); float z = distanceOf(d);
  ivec2 reach = ivec2(max(1.0, max(size.x, size.y) / 400.0));
  float slope = max(abs(nearness(at + reach * ivec2(1, 0)) - nearness(at - reach * ivec2(1, 0))),
                    abs(nearness(at + reach * ivec2(0, 1)) - nearness(at - reach * ivec2(0, 1))))
                / float(2 * reach.x) * max(size.x, size.y);
  vec2 pixel = (vec2(at) + 0.5 - size / 2.0) / focal;
  gl_Position = camera * vec4(pixel.x * z, -pixel.y * z, centre - z, 1.0);
  gl_PointSize = max(1.0, dot * z / max(gl_Position.w, 1e-3));
  if (slope > steepest) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  tint = photographed ? texelFetch(photo, ivec2((vec2(at) + 0.5) / size * vec2(textureSize(photo, 0))), 0).rgb : coloured(d);
}
`;

const DOT = `#version 300 es
precision highp float; in vec3 tint; out vec4 colour;
void main() { colour = vec4(tint, 1.0); }
`;

export const POINT_LIMIT = 1_000_000;

/** The field of view that is taken where nothing tells it: that of a phone's main camera, along the longer side. */
export const VIEW = (65 * Math.PI) / 180;

/**
 * How steep inverse distance may be before a point counts as lying between near and far: its change over the whole range,
 * for the picture's longer side. Floors and walls reach about 4.
 * @param {number} edges 0..1, how much is cut
 */
export const steepest = (edges) => 40 * (3 / 40) ** edges;

/** What draws on a canvas. Throws where the browser has no WebGL 2. */
export class Painter {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    this.canvas = canvas;
    this.programs = {
      compare: program(gl, FULL, COMPARE),
      parallax: program(gl, FULL, PARALLAX),
      points: program(gl, POINTS, DOT),
    };
    this.textures = [0, 1, 2].map(() => gl.createTexture());
    gl.bindVertexArray(gl.createVertexArray());
    this.colormap = "";
    /** @type {Depth | null} */
    this.depth = null;
    this.photographed = false;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  }

  /**
   * Take a depth map and its photo.
   * @param {Depth} depth
   * @param {ImageBitmap | HTMLCanvasElement | null} photo of any size; null for none
   */
  take(depth, photo) {
    const { gl } = this;
    this.depth = depth;
    this.photographed = photo !== null;
    this.bind(0, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, depth.width, depth.height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, depth.values);
    this.bind(1, gl.LINEAR);
    if (photo) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, photo);
    else gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array([128, 128, 128, 255]));
  }

  /**
   * @param {number} unit
   * @param {number} filter
   */
  bind(unit, filter) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, this.textures[unit]);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  /**
   * Begin a picture.
   * @param {"compare" | "parallax" | "points"} name
   * @param {Look} look
   * @returns {(name: string) => WebGLUniformLocation | null}
   */
  begin(name, look) {
    const { gl } = this;
    const used = this.programs[name];
    gl.useProgram(used);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    if (look.colormap !== this.colormap) {
      this.bind(2, gl.LINEAR);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 33, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, stops(look.colormap));
      this.colormap = look.colormap;
    }
    /** @param {string} uniform */
    const at = (uniform) => gl.getUniformLocation(used, uniform);
    gl.uniform1i(at("depth"), 0);
    gl.uniform1i(at("photo"), 1);
    gl.uniform1i(at("colours"), 2);
    const { width, height } = /** @type {Depth} */ (this.depth);
    gl.uniform2f(at("size"), width, height);
    gl.uniform2f(at("limits"), look.far, look.near);
    gl.uniform1i(at("inverted"), look.invert ? 1 : 0);
    return at;
  }

  /**
   * The photo to the left of a line and the coloured depth to its right.
   * @param {Look} look
   * @param {number} across 0..1, where the line is
   */
  compare(look, across) {
    const at = this.begin("compare", look);
    this.gl.disable(this.gl.DEPTH_TEST);
    this.gl.uniform1f(at("across"), this.photographed ? across : -1);
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }

  /**
   * The photo seen from a little aside.
   * @param {Look} look
   * @param {number} x -1..1
   * @param {number} y -1..1
   */
  parallax(look, x, y) {
    const at = this.begin("parallax", look);
    this.gl.disable(this.gl.DEPTH_TEST);
    this.gl.uniform2f(at("shift"), x, y);
    this.gl.uniform1f(at("strength"), 0.05);
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }

  /**
   * The coloured points, turned about the middle of the scene.
   * @param {Look} look
   * @param {{yaw: number, pitch: number, away: number}} eye angles in radians; away 1 is where the photo was taken
   */
  points(look, eye) {
    const { gl } = this;
    const depth = /** @type {Depth} */ (this.depth);
    const at = this.begin("points", look);
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0.055, 0.06, 0.07, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const fit = Math.min(1, Math.sqrt(POINT_LIMIT / (depth.width * depth.height)));
    const grid = [Math.round(depth.width * fit), Math.round(depth.height * fit)];
    const focal = Math.max(depth.width, depth.height) / 2 / Math.tan(VIEW / 2);
    const centre = 0.45;
    gl.uniformMatrix4fv(at("camera"), false, this.camera(eye, centre, focal, depth));
    gl.uniform1f(at("relief"), look.relief);
    gl.uniform1f(at("steepest"), steepest(look.edges));
    gl.uniform1f(at("focal"), focal);
    gl.uniform1f(at("centre"), centre);
    gl.uniform2i(at("grid"), grid[0], grid[1]);
    gl.uniform1f(at("dot"), (1.9 * Math.max(this.canvas.width / grid[0], this.canvas.height / grid[1])) / eye.away);
    gl.uniform1i(at("photographed"), this.photographed ? 1 : 0);
    gl.uniform1i(at("metric"), depth.metric ? 1 : 0);
    gl.uniform2f(at("metres"), depth.low, depth.high);
    gl.drawArrays(gl.POINTS, 0, grid[0] * grid[1]);
  }

  /**
   * The matrix from the scene, whose middle is the origin, to the screen.
   * @param {{yaw: number, pitch: number, away: number}} eye
   * @param {number} centre
   * @param {number} focal
   * @param {Depth} depth
   */
  camera(eye, centre, focal, depth) {
    const [cy, sy] = [Math.cos(eye.yaw), Math.sin(eye.yaw)];
    const [cp, sp] = [Math.cos(eye.pitch), Math.sin(eye.pitch)];
    const back = centre * eye.away;
    // rotation about y, then about x, then a step back
    const turn = [cy, sp * sy, -cp * sy, 0, 0, cp, sp, 0, sy, -sp * cy, cp * cy, 0, 0, 0, -back, 1];
    // The photo fills the canvas from where it was taken: both have the same proportions.
    const [fx, fy] = [(2 * focal) / depth.width, (2 * focal) / depth.height];
    const [near, far] = [0.01, 10];
    const a = (near + far) / (near - far);
    const b = (2 * near * far) / (near - far);
    const lens = [fx, 0, 0, 0, 0, fy, 0, 0, 0, 0, a, -1, 0, 0, b, 0];
    const product = new Float32Array(16);
    for (let column = 0; column < 4; column++)
      for (let row = 0; row < 4; row++)
        for (let k = 0; k < 4; k++) product[4 * column + row] += lens[4 * k + row] * turn[4 * column + k];
    return product;
  }
}

/**
 * The 33 colours of a map, far to near, as RGBA.
 * @param {string} name
 */
export function stops(name) {
  const text = COLORMAPS[/** @type {keyof typeof COLORMAPS} */ (name)];
  const colours = new Uint8Array(33 * 4).fill(255);
  for (let stop = 0; stop < 33; stop++)
    for (let channel = 0; channel < 3; channel++)
      colours[4 * stop + channel] = Number.parseInt(text.slice(6 * stop + 2 * channel, 6 * stop + 2 * channel + 2), 16);
  return colours;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {string} vertex
 * @param {string} fragment
 */
function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of /** @type {const} */ ([[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "program");
  return made;
}
