#include "video/examine.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "video/coverage.h"
#include "video/ffmpeg_compat.h"
#include "video/orientation.h"

namespace actio::video {
namespace {

constexpr std::int64_t kFramesPerReport = 32;
constexpr double kMostUnknown = 0.1;  // share of blocks whose vectors cannot be read: new picture parts alone give less

// What is only needed to word the findings.
struct Tally {
  std::int64_t frames = 0;
  std::int64_t backward = 0;  // frames that are not later than the one before
  std::int64_t blocks = 0, unknown_blocks = 0;
  std::int64_t size_changes = 0;
  std::int64_t turned_otherwise = 0;  // whose picture says another orientation than the first
  std::int64_t grey_of_any_range = 0;
  std::int64_t shortest_ticks = 0, longest_ticks = 0;
  std::int64_t last_key = 0;
  double last_time = 0;
};

void count_type(const Frame& frame, Examination& result) {
  if (frame.key) {
    ++result.key_frames;
  } else if (frame.type == FrameType::kB) {
    ++result.b_frames;
  } else if (frame.type != FrameType::kI) {
    ++result.p_frames;
  }
}

void add_interval(const Frame& before, const Frame& frame, Examination& result, Tally& tally) {
  const std::int64_t ticks = frame.pts - before.pts;
  const double seconds = frame.time_seconds - before.time_seconds;
  if (ticks <= 0) ++tally.backward;
  if (frame.index == 1 || ticks < tally.shortest_ticks) {
    tally.shortest_ticks = ticks;
    result.shortest_interval_seconds = seconds;
  }
  if (frame.index == 1 || ticks > tally.longest_ticks) {
    tally.longest_ticks = ticks;
    result.longest_interval_seconds = seconds;
  }
  if (frame.width != before.width || frame.height != before.height) ++tally.size_changes;
}

std::string count_text(std::int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// Whether the picture is grey and its stream leaves open in which range. Pictures by themselves (PNG) have the full one.
bool is_of_unknown_range(const AVFrame& picture, AVCodecID id) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  const AVCodecDescriptor* codec = avcodec_descriptor_get(id);
  return format && format->nb_components == 1 && (format->flags & AV_PIX_FMT_FLAG_PAL) == 0 &&
         picture.color_range == AVCOL_RANGE_UNSPECIFIED && codec && codec->mime_types == nullptr;
}

void note_picture(const Frame& frame, AVCodecID id, Tally& tally) {
  if (is_of_unknown_range(*frame.picture, id)) ++tally.grey_of_any_range;
  const std::int32_t* matrix = display_matrix(*frame.picture);
  if (matrix && orientation_of(matrix).value_or(Orientation{}) != frame.orientation) ++tally.turned_otherwise;
}

// What is shown otherwise than a player would.
void add_picture_findings(const StreamInfo& info, const Tally& tally, std::vector<std::string>& findings) {
  if (info.tracks > 1) {
    findings.push_back(fmt::format("the file has {} video tracks; track {} is read", info.tracks, info.track));
  }
  if (info.skewed_degrees != 0) {
    findings.push_back(
        fmt::format("the picture is to be turned by {:.1f} degrees {}, which is no multiple of 90; it is not turned",
                    std::abs(info.skewed_degrees), info.skewed_degrees > 0 ? "clockwise" : "anticlockwise"));
  }
  if (tally.turned_otherwise > 0) {
    findings.push_back(
        fmt::format("{} to be mirrored or turned otherwise than the first one; that of the first one holds for all",
                    count_text(tally.turned_otherwise, "frame is", "frames are")));
  }
  if (std::abs(info.pixel_aspect - 1) > 0.01) {
    findings.push_back(fmt::format("pixels are not square: {:.3f} times as wide as high; they are taken as if they were",
                                   info.pixel_aspect));
  }
  if (tally.grey_of_any_range > 0) {
    findings.push_back("the pictures are grey and the file does not say in which range; 0 to 255 is assumed");
  }
}

std::vector<std::string> findings_of(const Examination& result, const Tally& tally) {
  std::vector<std::string> findings;
  const DecodeCounters& counters = result.counters;
  const StreamInfo& info = result.info;
  if (tally.frames == 0) findings.push_back("no frame can be decoded");
  if (counters.damaged > 0) {
    findings.push_back(count_text(counters.damaged, "frame is damaged", "frames are damaged") +
                       "; the decoder filled in what it could");
  }
  if (counters.errors > 0) {
    findings.push_back(count_text(counters.errors, "packet cannot be decoded", "packets cannot be decoded"));
  }
  if (counters.left_out > 0) {
    findings.push_back(count_text(counters.left_out, "frame is left out", "frames are left out") +
                       ": it begins without a key frame, and they cannot be decoded without it");
  }
  if (info.frames_claimed > 0 && tally.frames > 0 && info.frames_claimed != tally.frames + counters.left_out) {
    findings.push_back(fmt::format("the container claims {}, {} can be decoded",
                                   count_text(info.frames_claimed, "frame", "frames"), tally.frames));
  }
  if (tally.backward > 0) {
    findings.push_back(count_text(tally.backward, "frame is", "frames are") + " not later than the one before");
  }
  if (!result.constant_rate) {
    findings.push_back(fmt::format("the frame rate varies: from {:.1f} to {:.1f} ms between frames",
                                   1e3 * result.shortest_interval_seconds, 1e3 * result.longest_interval_seconds));
  }
  const double interval = tally.frames > 1 ? tally.last_time / static_cast<double>(tally.frames - 1) : 0;
  const double missing = info.duration_seconds - tally.last_time - static_cast<double>(counters.left_out) * interval;
  if (tally.frames > 1 && info.duration_seconds > 0 && missing > 1 && missing > 2 * result.longest_interval_seconds) {
    findings.push_back(
        fmt::format("the container claims {:.2f} s, the last frame is at {:.2f} s", info.duration_seconds, tally.last_time));
  }
  if (tally.size_changes > 0) findings.push_back("the picture's size changes within the file");
  add_picture_findings(info, tally, findings);
  const auto unknown = static_cast<double>(tally.unknown_blocks);
  const double unknown_share = unknown / std::max(1.0, unknown + static_cast<double>(tally.blocks));
  if (unknown_share > kMostUnknown) {
    findings.push_back(fmt::format(
        "it is interlaced, and what the motion vectors of {:.0f}% of its blocks mean cannot be told", 100 * unknown_share));
  }
  return findings;
}

MotionSource vector_source(const Examination& result) {
  MotionSource source{"mv", false, ""};
  const bool any = result.p_coverage.mean_share > 0 || result.b_coverage.mean_share > 0;
  if (!result.info.carries_vectors) {
    source.works = result.counters.frames >= 2;
    source.remark = no_vectors_fact(result.info) + (source.works ? ": estimated from the pictures (--vectors any)" : "; needs two frames that can be decoded");
  } else if (!any) {
    source.remark = "no frame refers to another one; take estimated ones (--vectors estimated) or another motion source (rgbdiff or flow)";
  } else {
    source.works = true;
    source.remark = fmt::format("vectors cover {:.0f}% of P-frames", 100 * result.p_coverage.mean_share);
    if (result.b_frames > 0) source.remark += fmt::format(" and {:.0f}% of B-frames", 100 * result.b_coverage.mean_share);
    if (result.info.codec == "mpeg4" && result.b_frames > 0) source.remark += "; B-frames take those of the next P-frame";
  }
  return source;
}

std::vector<MotionSource> sources_of(const Examination& result) {
  const bool pairs = result.counters.frames >= 2;
  const std::string remark = pairs ? "" : "needs two frames that can be decoded";
  return {vector_source(result), {"rgbdiff", pairs, remark}, {"flow", pairs, remark}};
}

}  // namespace

Examination examine(const Source& source, const ProgressFn& progress, DecoderOptions limits) {
  Examination result;
  limits.vectors = limits.vectors_optional = true;
  Decoder decoder(source, limits);
  result.info = decoder.info();
  const AVCodecDescriptor* named = avcodec_descriptor_get_by_name(result.info.codec.c_str());
  const AVCodecID codec = named ? named->id : AV_CODEC_ID_NONE;
  Tally tally;
  CoverageMeter p_meter, b_meter;
  Frame before;
  while (auto frame = decoder.next()) {
    count_type(*frame, result);
    if (frame->index > 0) add_interval(before, *frame, result, tally);
    if (frame->key) {
      result.longest_gop = std::max(result.longest_gop, frame->index - tally.last_key);
      tally.last_key = frame->index;
    } else if (frame->type != FrameType::kI) {
      (frame->type == FrameType::kB ? b_meter : p_meter).add(*frame);
    }
    note_picture(*frame, codec, tally);
    tally.blocks += static_cast<std::int64_t>(frame->vectors.size());
    tally.unknown_blocks += frame->unknown_blocks;
    tally.frames = frame->index + 1;
    tally.last_time = frame->time_seconds;
    if (progress && tally.frames % kFramesPerReport == 0) {
      progress({"reading video", tally.frames, std::max(result.info.frames_claimed, tally.frames), ""});
    }
    before = std::move(*frame);
    before.picture.reset();
  }
  result.counters = decoder.counters();
  result.longest_gop = std::max(result.longest_gop, tally.frames - tally.last_key);
  result.constant_rate = tally.longest_ticks - tally.shortest_ticks <= 1;
  result.p_coverage = p_meter.result();
  result.b_coverage = b_meter.result();
  result.sources = sources_of(result);
  result.findings = findings_of(result, tally);
  return result;
}

}  // namespace actio::video
