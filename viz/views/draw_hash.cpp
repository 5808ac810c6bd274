#include "viz/views/draw_hash.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "imgui.h"
#include "viz/widgets/draw_payload.h"

namespace sparsescope::viz {
namespace {

// FNV-1a over 64-bit words, with a final mix per word so that small differences spread.
class Hasher {
 public:
  void add(std::uint64_t word) {
    value_ = (value_ ^ word) * 0x100000001b3ull;
    value_ ^= value_ >> 29;
  }
  void add_length(float value) {
    add(static_cast<std::uint64_t>(std::llround(static_cast<double>(value) * 64)));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ull;
};

struct TexelBox {
  int left, top, right, bottom;  // inclusive
};

// Glyphs lie where the atlas had room when they were first used, which says nothing about the picture. So a
// shape is hashed by the texels under it, not by where they lie.
void add_texels(const ImTextureData& texture, const TexelBox& box, Hasher& hasher) {
  constexpr int kMostSamples = 24;  // a side
  const int width = box.right - box.left + 1, height = box.bottom - box.top + 1;
  const int stride_x = std::max(1, width / kMostSamples), stride_y = std::max(1, height / kMostSamples);
  for (int y = box.top; y <= box.bottom; y += stride_y) {
    for (int x = box.left; x <= box.right; x += stride_x) {
      const unsigned char* texel =
          texture.Pixels + (static_cast<std::ptrdiff_t>(y) * texture.Width + x) * texture.BytesPerPixel;
      hasher.add(texel[texture.BytesPerPixel - 1]);  // coverage
    }
  }
}

TexelBox box_of(const ImTextureData& texture, const ImDrawVert* const* corners, int count) {
  float left = 1, top = 1, right = 0, bottom = 0;
  for (int i = 0; i < count; ++i) {
    left = std::min(left, corners[i]->uv.x);
    right = std::max(right, corners[i]->uv.x);
    top = std::min(top, corners[i]->uv.y);
    bottom = std::max(bottom, corners[i]->uv.y);
  }
  const auto texel = [](float uv, int size, float shift) {
    return std::clamp(static_cast<int>(std::floor(uv * static_cast<float>(size) + shift)), 0, size - 1);
  };
  TexelBox box{texel(left, texture.Width, 0.01f), texel(top, texture.Height, 0.01f),
               texel(right, texture.Width, -0.01f), texel(bottom, texture.Height, -0.01f)};
  box.right = std::max(box.left, box.right);
  box.bottom = std::max(box.top, box.bottom);
  return box;
}

class DrawHasher {
 public:
  explicit DrawHasher(const std::function<std::uint64_t(std::uint64_t)>& version) : version_(version) {}

  void add(const ImDrawList& list) {
    for (const ImDrawCmd& command : list.CmdBuffer) {
      if (command.ElemCount == 0 && command.UserCallback == nullptr) continue;
      ++commands_;
      hasher_.add(command.ElemCount);
      hasher_.add_length(command.ClipRect.x);
      hasher_.add_length(command.ClipRect.y);
      hasher_.add_length(command.ClipRect.z);
      hasher_.add_length(command.ClipRect.w);
      if (command.UserCallback != nullptr) {
        add_payload(list, command);
      } else {
        add_elements(list, command);
      }
    }
    vertices_ += list.VtxBuffer.Size;
    indices_ += list.IdxBuffer.Size;
  }

  DrawHash result() const { return {hasher_.value(), vertices_, indices_, commands_}; }

 private:
  // What the renderer draws by itself counts by its content, not by the vertices, which it has none of.
  void add_payload(const ImDrawList& list, const ImDrawCmd& command) {
    const auto add = [&](std::uint64_t word) { hasher_.add(word); };
    if (const HeatmapPayload* heatmap = heatmap_payload(list, command)) {
      hash_payload(*heatmap, add);
    } else if (const EdgesPayload* edges = edges_payload(list, command)) {
      hash_payload(*edges, add);
    }
  }

  void add_elements(const ImDrawList& list, const ImDrawCmd& command) {
    const ImTextureData* texture = command.TexRef._TexData;
    const bool has_texels = texture != nullptr && texture->Pixels != nullptr;
    if (!has_texels) add_texture_name(command);
    const ImDrawIdx* index = list.IdxBuffer.Data + command.IdxOffset;
    for (unsigned i = 0; i < command.ElemCount;) {
      // A quad is two triangles over four neighbouring vertices: 0 1 2, 0 2 3.
      const bool is_quad = i + 6 <= command.ElemCount && index[i + 3] == index[i] &&
                           index[i + 4] == index[i + 2] && index[i + 5] == index[i] + 3 &&
                           index[i + 1] == index[i] + 1 && index[i + 2] == index[i] + 2;
      const unsigned count = is_quad ? 4 : std::min(3u, command.ElemCount - i);
      const ImDrawVert* corners[4];
      for (unsigned corner = 0; corner < count; ++corner) {
        corners[corner] = &list.VtxBuffer[static_cast<int>(
            command.VtxOffset + (is_quad ? index[i] + corner : index[i + corner]))];
        add_corner(*corners[corner]);
        if (!has_texels) {
          hasher_.add_length(corners[corner]->uv.x * 1024);
          hasher_.add_length(corners[corner]->uv.y * 1024);
        }
      }
      if (has_texels) add_texels(*texture, box_of(*texture, corners, static_cast<int>(count)), hasher_);
      i += is_quad ? 6 : 3;
    }
  }

  void add_corner(const ImDrawVert& vertex) {
    hasher_.add_length(vertex.pos.x);
    hasher_.add_length(vertex.pos.y);
    hasher_.add(vertex.col);
  }

  void add_texture_name(const ImDrawCmd& command) {
    const auto id = static_cast<std::uint64_t>(command.TexRef._TexID);
    hasher_.add(names_.emplace(id, names_.size()).first->second);
    if (version_) hasher_.add(version_(id));
  }

  const std::function<std::uint64_t(std::uint64_t)>& version_;
  Hasher hasher_;
  std::map<std::uint64_t, std::uint64_t> names_;  // textures in order of first use
  int vertices_ = 0, indices_ = 0, commands_ = 0;
};

}  // namespace

DrawHash hash_draw_data(const ImDrawData& data,
                        const std::function<std::uint64_t(std::uint64_t texture)>& texture_version) {
  DrawHasher hasher(texture_version);
  for (const ImDrawList* list : data.CmdLists) hasher.add(*list);
  return hasher.result();
}

DrawHash hash_draw_list(const ImDrawList& list,
                        const std::function<std::uint64_t(std::uint64_t texture)>& texture_version) {
  DrawHasher hasher(texture_version);
  hasher.add(list);
  return hasher.result();
}

}  // namespace sparsescope::viz
