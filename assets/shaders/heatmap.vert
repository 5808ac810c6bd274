#version 330 core
// One tile of a heatmap: a rectangle of the framebuffer, without vertex buffers.
uniform vec4 rectangle;  // left, top, right, bottom; pixels from the top left corner
uniform vec2 surface;    // width, height in pixels

void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec2 pixel = mix(rectangle.xy, rectangle.zw, corner);
  gl_Position = vec4(pixel.x / surface.x * 2.0 - 1.0, 1.0 - pixel.y / surface.y * 2.0, 0.0, 1.0);
}
