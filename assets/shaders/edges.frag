#version 330 core
// Coverage of a line by distance, its dash by length; premultiplied alpha.
in float across;
in float along;
flat in float half_width;
flat in vec4 line_ink;
flat in uint dash;

uniform vec4 dashes;  // on and off of dashed, on and off of dotted; pixels
uniform float opacity;

out vec4 color;

void main() {
  float away = abs(across);
  float covered = clamp(half_width - away + 0.5, 0.0, 1.0) - clamp(-half_width - away + 0.5, 0.0, 1.0);
  if (dash > 0u) {
    vec2 lengths = dash == 1u ? dashes.xy : dashes.zw;
    float period = lengths.x + lengths.y, place = mod(along, period);
    float on = clamp(0.5 + min(place, lengths.x - place), 0.0, 1.0);
    covered *= max(on, clamp(0.5 + place - period, 0.0, 1.0));
  }
  float alpha = line_ink.a * covered * opacity;
  if (alpha <= 0.0) discard;
  color = vec4(line_ink.rgb * alpha, alpha);
}
