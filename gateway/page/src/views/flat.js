/**
 * The depth in colours, flat, with contour lines where they are wanted.
 */
import { SIZE } from "../colours.js";
import { COVER, NEARNESS } from "./gpu.js";

const FRAGMENT = `#version 300 es
precision highp float;
${NEARNESS}
uniform sampler2D colours;
uniform float contours;
in vec2 place;
out vec4 colour;
void main() {
  float near = nearness(place);
  colour = texelFetch(colours, ivec2(int(smoothed(tones, place) * ${SIZE - 1}.0 + 0.5), 0), 0);
  if (contours > 0.0) {
    float at = near * contours;
    float wide = fwidth(at);
    float line = 1.0 - smoothstep(0.6, 1.5, abs(fract(at + 0.5) - 0.5) / max(wide, 1e-5));
    float fifth = mod(floor(at + 0.5), 5.0) < 0.5 ? 0.85 : 0.45;
    float bright = dot(colour.rgb, vec3(0.3, 0.6, 0.1));
    colour.rgb = mix(colour.rgb, vec3(bright > 0.5 ? 0.0 : 1.0), line * fifth * step(wide, 0.5));
  }
}`;

export class Flat {
  /** @param {import("./gpu.js").Gpu} gpu */
  constructor(gpu) {
    this.gpu = gpu;
    this.program = gpu.program(COVER, FRAGMENT);
  }

  /** @param {import("../colours.js").Look} look */
  draw(look) {
    const { gl } = this.gpu;
    this.gpu.begin(this.program, { contours: look.contours ? 25 : 0 });
    gl.disable(gl.DEPTH_TEST);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
