#version 330 core
// The finished picture as it is seen with a colour-vision deficiency: a matrix over linear light.
uniform sampler2D picture;
uniform mat3 seen;

in vec2 place;

out vec4 color;

vec3 linear_from_srgb(vec3 c) {
  return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), greaterThan(c, vec3(0.04045)));
}
vec3 srgb_from_linear(vec3 c) {
  return mix(c * 12.92, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, greaterThan(c, vec3(0.0031308)));
}

void main() {
  vec4 texel = texelFetch(picture, ivec2(place * vec2(textureSize(picture, 0))), 0);
  vec3 light = clamp(seen * linear_from_srgb(texel.rgb), 0.0, 1.0);
  color = vec4(srgb_from_linear(light), texel.a);
}
