/**
 * The photo seen from a little to the side: each pixel looks along its ray for the first surface that it meets.
 */
import { COVER, NEARNESS } from "./gpu.js";

const FRAGMENT = `#version 300 es
precision highp float;
${NEARNESS}
uniform sampler2D photo;
uniform vec2 eye;
in vec2 place;
out vec4 colour;
// What is as near as this stays where it is.
const float STILL = 0.45;
const int STEPS = 28;
void main() {
  // A little larger than the frame, so that its edges stay out of sight.
  vec2 centre = (place - 0.5) * 0.94 + 0.5;
  float near = 1.0;
  float before = 1.0;
  for (int step = 0; step <= STEPS; step++) {
    near = 1.0 - float(step) / float(STEPS);
    if (nearness(centre + eye * (near - STILL)) >= near) break;
    before = near;
  }
  for (int step = 0; step < 5; step++) {
    float middle = (near + before) * 0.5;
    if (nearness(centre + eye * (middle - STILL)) >= middle) near = middle; else before = middle;
  }
  colour = vec4(texture(photo, centre + eye * (near - STILL)).rgb, 1.0);
}`;

export class Parallax {
  /** @param {import("./gpu.js").Gpu} gpu */
  constructor(gpu) {
    this.gpu = gpu;
    this.program = gpu.program(COVER, FRAGMENT);
  }

  /**
   * @param {number} x of the eye, -1 to 1
   * @param {number} y
   * @param {number} strength 0 to 1
   */
  draw(x, y, strength) {
    const { gl } = this.gpu;
    this.gpu.begin(this.program, { eye: [-x * strength * 0.09, -y * strength * 0.09] });
    gl.disable(gl.DEPTH_TEST);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
