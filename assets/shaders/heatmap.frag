#version 330 core
// From the value of the cell under a pixel's centre to its colour. viz/widgets/heatmap_pixels.cpp is its oracle.
uniform sampler2D values;     // one level of the pyramid, a tile of it
uniform sampler2D invalid;    // the same cells: above 0.5, something below is invalid
uniform sampler2D colors;     // a row for each map: 256 entries, then the colours of under and over
uniform sampler2D quantiles;  // 257 x 1, Rank only

uniform vec2 pixels;     // framebuffer pixels per pixel of the interface
uniform vec2 origin;     // where cell `base` of the tile begins
uniform vec2 per_pixel;  // cells of the level per pixel; negative when an axis runs the other way
uniform ivec2 base;
uniform ivec2 size;  // cells of the tile

uniform int map;
uniform int scale;  // 0 linear, 1 log, 2 symlog, 3 rank
uniform vec2 limits;
uniform vec2 affine;  // from, factor
uniform float linear_width;
uniform bool has_invalid;
uniform int hatch;
uniform vec4 invalid_ink;
uniform vec4 invalid_paper;
uniform vec4 absent_ink;
uniform vec4 absent_paper;

in vec2 place;

out vec4 color;

const float kNoValue = -3.402e38;  // what uploads write for "not a number"

float stretched(float value) {
  if (scale == 1) return value > 0.0 ? log(value) : -1e30;
  if (scale == 2) return sign(value) * log(1.0 + abs(value) / linear_width);
  return value;
}

float quantile(int i) { return texelFetch(quantiles, ivec2(i, 0), 0).r; }

float rank_of(float value) {
  int i = 0;
  for (int step = 128; step > 0; step /= 2) {
    if (quantile(i + step) < value) i += step;
  }
  float from = quantile(i), width = quantile(i + 1) - from;
  return (float(i) + (width > 0.0 ? (value - from) / width : 0.0)) / 256.0;
}

int entry(float value) {
  if (value < limits.x) return 256;
  if (value > limits.y) return 257;
  float place = scale == 3 ? rank_of(value) : (stretched(value) - affine.x) * affine.y;
  return clamp(int(clamp(place, 0.0, 1.0) * 256.0), 0, 255);
}

void main() {
  // The pixel's centre. Not from gl_FragCoord: Mesa may keep its direction from the surface drawn to before.
  vec2 pixel = floor(place) + 0.5;
  ivec2 cell = base + ivec2(floor((pixel / pixels - origin) * per_pixel));
  cell = clamp(cell, ivec2(0), size - 1);
  float value = texelFetch(values, cell, 0).r;
  bool has_value = value > kNoValue;
  bool is_invalid = has_invalid && texelFetch(invalid, cell, 0).r > 0.5;
  color = has_value ? texelFetch(colors, ivec2(entry(value), map), 0) : is_invalid ? invalid_paper : absent_paper;
  if (!has_value && !is_invalid) {
    int stripe = (int(pixel.x) - int(pixel.y) + 16384 * hatch) % hatch;  // of negatives, % says nothing
    if (stripe < (hatch + 5) / 6) color = absent_ink;
  }
  if (is_invalid) {
    int stripe = (int(pixel.x) + int(pixel.y)) % hatch;
    if (stripe < (has_value ? 1 : hatch / 3)) color = invalid_ink;
  }
}
