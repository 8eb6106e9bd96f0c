// Videos as streams of snippets, and what they should be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "stream/snippet_feed.h"
#include "support/synthetic_clip.h"
#include "video/decoder.h"
#include "video/encoder.h"

namespace actio::testing {

inline std::vector<stream::Snippet> snippets_of(const std::string& path, const Inputs& inputs, double part_seconds) {
  video::Decoder decoder(path, {.vectors = data::reads_vectors(inputs)});
  stream::SnippetFeed feed(inputs, part_seconds);
  std::vector<stream::Snippet> snippets;
  const auto drain = [&] {
    while (auto snippet = feed.next()) snippets.push_back(std::move(*snippet));
  };
  while (const auto frame = decoder.next()) {
    feed.push(*frame);
    drain();
  }
  feed.finish();
  drain();
  return snippets;
}

// The inputs of neighbouring snippets one behind the other, f32 [K, C, S, S].
inline TensorMap joined(std::span<const stream::Snippet> snippets) {
  TensorMap all;
  for (const auto& [name, first] : snippets.front().inputs) {
    Shape shape = first.shape();
    shape[0] = std::ssize(snippets);
    Tensor tensor(shape);
    for (std::size_t k = 0; k < snippets.size(); ++k) std::memcpy(tensor.raw() + k * first.bytes(), snippets[k].inputs.at(name).raw(), first.bytes());
    all.emplace(name, tensor);
  }
  return all;
}

inline bool same_bytes(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0; }

inline bool same_bytes(const TensorMap& a, const TensorMap& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.first == y.first && same_bytes(x.second, y.second); });
}

// Frame `t` of a moving texture is shown from tick(t) on, in 1/25 s.
inline void write_ticking_clip(const SyntheticClip& clip, const std::function<std::int64_t(std::int64_t)>& tick) {
  video::EncoderOptions options;
  options.codec = clip.codec;
  options.width = clip.width;
  options.height = clip.height;
  options.b_frames = clip.b_frames;
  options.gop = clip.gop;
  options.quality = clip.codec.starts_with("lib") ? clip.quality : 3;
  video::Encoder encoder(clip.path, options);
  for (int t = 0; t < clip.frames; ++t) encoder.write_at(synthetic_frame(clip, t), tick(t));
  encoder.close();
}

// 30 frames at 25 a second, then those that follow at 5.
inline std::int64_t quick_then_slow(std::int64_t index) { return index < 30 ? index : 30 + 5 * (index - 30); }

}  // namespace actio::testing
