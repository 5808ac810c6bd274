#version 330 core
// One edge an instance: 32 segments of a cubic curve as a strip of 66 vertices. curve_points() of
// viz/widgets/edges.cpp is its oracle.
layout(location = 0) in uvec2 ends;
layout(location = 1) in vec4 ink;
layout(location = 2) in float width;
layout(location = 3) in uvec2 style;  // kind (0 straight, 1 curve, 2 arc), dash (0 solid, 1 dashed, 2 dotted)

uniform samplerBuffer nodes;
uniform vec2 surface;    // framebuffer pixels
uniform vec2 pixels;     // framebuffer pixels per pixel of the interface
uniform vec2 origin;     // pixel = origin + zoom * node
uniform vec2 zoom;
uniform float unit;        // pixels per unit of width
uniform float arc_height;  // pixels

out float across;  // pixels from the middle of the line
out float along;   // pixels from its start; dashed lines only
flat out float half_width;
flat out vec4 line_ink;
flat out uint dash;

const int kSegments = 32;
vec2 p0, p1, p2, p3;

void place_control_points() {
  p0 = origin + zoom * texelFetch(nodes, int(ends.x)).xy;
  p3 = origin + zoom * texelFetch(nodes, int(ends.y)).xy;
  vec2 way = p3 - p0;
  if (style.x == 1u) {
    float middle = (p0.y + p3.y) / 2.0;
    p1 = vec2(p0.x, middle);
    p2 = vec2(p3.x, middle);
  } else if (style.x == 2u && length(way) > 0.0) {
    float rise = min(arc_height, length(way) / 2.0) * (4.0 / 3.0) / length(way);
    vec2 up = vec2(-way.y, way.x) * rise;
    p1 = p0 + up;
    p2 = p3 + up;
  } else {
    p1 = p0 + way / 3.0;
    p2 = p3 - way / 3.0;
  }
}

vec2 point(int i) {
  float t = float(i) / float(kSegments), u = 1.0 - t;
  return u * u * u * p0 + 3.0 * u * u * t * p1 + 3.0 * u * t * t * p2 + t * t * t * p3;
}

void main() {
  place_control_points();
  int i = gl_VertexID / 2;
  vec2 here = point(i);
  vec2 tangent = point(min(i + 1, kSegments)) - point(max(i - 1, 0));
  float size = length(tangent);
  vec2 normal = size > 0.0 ? vec2(-tangent.y, tangent.x) / size : vec2(0.0, 1.0);
  half_width = width * unit / 2.0;
  across = ((gl_VertexID & 1) == 0 ? -1.0 : 1.0) * (half_width + 1.0);
  along = 0.0;
  if (style.y > 0u) {
    vec2 before = p0;
    for (int k = 1; k <= i; ++k) {
      vec2 next = point(k);
      along += distance(next, before);
      before = next;
    }
  }
  line_ink = ink;
  dash = style.y;
  vec2 pixel = (here + normal * across) * pixels;
  gl_Position = vec4(pixel.x / surface.x * 2.0 - 1.0, 1.0 - pixel.y / surface.y * 2.0, 0.0, 1.0);
}
