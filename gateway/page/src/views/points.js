/**
 * The photo as points in space, without those that would hang between two surfaces.
 */
import { distance, steepest } from "../space.js";
import { NEARNESS } from "./gpu.js";

const MOST = 1_000_000;

const VERTEX = `#version 300 es
precision highp float;
precision highp int;
${NEARNESS}
uniform sampler2D photo;
uniform sampler2D colours;
uniform mat4 view;
uniform vec3 range; // lowest and highest distance of a metric network; the ratio of a relative one
uniform vec3 grid; // columns, rows, pixels between points
uniform vec4 shape; // tangent of half the angle of view, jump that is an edge, width and height of the canvas
uniform bool isDistance;
uniform float painted;
out vec3 colour;
float distanceOf(float near) {
  if (isDistance) return max(0.001, range.x + (1.0 - near) * (range.y - range.x));
  return 1.0 / (1.0 / range.z + near * (1.0 - 1.0 / range.z));
}
vec4 seen(ivec2 at, float z) {
  vec2 size = vec2(textureSize(depth, 0));
  vec2 middle = (vec2(at) + 0.5 - size * 0.5) * (2.0 * shape.x / size.x) * z;
  return view * vec4(middle.x, -middle.y, -z, 1.0);
}
void main() {
  int columns = int(grid.x);
  int step = int(grid.z);
  ivec2 at = ivec2(gl_VertexID % columns, gl_VertexID / columns) * step;
  vec2 size = vec2(textureSize(depth, 0));
  float near = level(at);
  float z = distanceOf(near);
  float nearest = z, farthest = z;
  for (int y = -1; y <= 1; y++) for (int x = -1; x <= 1; x++) {
    float other = distanceOf(level(at + ivec2(x, y) * step));
    nearest = min(nearest, other);
    farthest = max(farthest, other);
  }
  gl_Position = seen(at, z);
  // A point covers the gaps to its neighbours, also where the surface is seen from the front of a slope.
  vec2 here = gl_Position.xy / gl_Position.w;
  float gap = 0.0;
  for (int side = 0; side < 2; side++) {
    ivec2 other = at + (side == 0 ? ivec2(step, 0) : ivec2(0, step));
    vec4 there = seen(other, distanceOf(level(other)));
    gap = max(gap, length((there.xy / there.w - here) * shape.zw) * 0.5);
  }
  gl_PointSize = clamp(gap * 1.25 + 0.6, 1.0, 14.0);
  if (farthest - nearest > shape.y * nearest) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  vec2 place = (vec2(at) + 0.5) / size;
  colour = painted > 0.5 ? texelFetch(colours, ivec2(int(levelOf(tones, at) * 4095.0 + 0.5), 0), 0).rgb : textureLod(photo, place, 0.0).rgb;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 colour;
out vec4 result;
void main() { result = vec4(colour, 1.0); }`;

/**
 * @typedef {object} Camera
 * @property {number} yaw in radians, around the middle of the scene
 * @property {number} pitch
 * @property {number} zoom
 * @property {[number, number]} shift
 */

export class Points {
  /** @param {import("./gpu.js").Gpu} gpu */
  constructor(gpu) {
    this.gpu = gpu;
    this.program = gpu.program(VERTEX, FRAGMENT);
  }

  /**
   * @param {import("../depth.js").Depth} depth
   * @param {import("../space.js").Lens} lens
   * @param {Camera} camera
   * @param {number} jump as for steepest
   * @param {boolean} painted in the colours of the depth
   * @returns {number} how many points are looked at
   */
  draw(depth, lens, camera, jump, painted) {
    const { gl, canvas } = this.gpu;
    let step = 1;
    while ((depth.width / step) * (depth.height / step) > MOST) step++;
    const columns = Math.ceil(depth.width / step);
    const rows = Math.ceil(depth.height / step);
    const half = Math.tan((lens.fov * Math.PI) / 360);
    const [nearest, farthest] = [distance(depth, 1, lens.ratio), distance(depth, 0, lens.ratio)];
    const middle = Math.sqrt(nearest * farthest);
    this.gpu.begin(this.program, {
      view: seen(camera, half, canvas.width / canvas.height, middle, farthest),
      range: [depth.low, depth.high, lens.ratio],
      grid: [columns, rows, step],
      shape: [half, steepest(depth, step, jump), canvas.width, canvas.height],
      painted: Number(painted),
    });
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.drawArrays(gl.POINTS, 0, columns * rows);
    return columns * rows;
  }
}

/**
 * From the scene to the screen, column by column: turned around a point in its middle.
 * @param {Camera} camera
 * @param {number} half tangent of half the horizontal angle of view
 * @param {number} aspect
 * @param {number} middle distance of what the camera turns around
 * @param {number} farthest
 */
function seen({ yaw, pitch, zoom, shift }, half, aspect, middle, farthest) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  // The rows of the turn: first about the upright axis, then about the horizontal one.
  const turn = [[cy, 0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]];
  const moved = turn.map((row) => row[2] * middle);
  moved[2] -= middle;
  const [near, far] = [middle * 0.02, farthest * 8];
  const [sx, sz] = [zoom / half, (far + near) / (near - far)];
  const scale = [sx, sx * aspect];
  const matrix = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    const part = (/** @type {number} */ row) => (column < 3 ? turn[row][column] : moved[row]);
    matrix[column * 4] = part(0) * scale[0] - part(2) * shift[0];
    matrix[column * 4 + 1] = part(1) * scale[1] - part(2) * shift[1];
    matrix[column * 4 + 2] = part(2) * sz + (column === 3 ? (2 * far * near) / (near - far) : 0);
    matrix[column * 4 + 3] = -part(2);
  }
  return matrix;
}
