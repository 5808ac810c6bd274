#version 330 core
// One tile of a heatmap: a rectangle of the framebuffer, without vertex buffers.
uniform vec4 rectangle;  // left, top, right, bottom; pixels from the top left corner
uniform vec2 surface;    // width, height in pixels

out vec2 place;  // framebuffer pixels from the top left corner

void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  place = mix(rectangle.xy, rectangle.zw, corner);
  gl_Position = vec4(place.x / surface.x * 2.0 - 1.0, 1.0 - place.y / surface.y * 2.0, 0.0, 1.0);
}
