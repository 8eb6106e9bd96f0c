#include "video/frame_index.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "video/packet_scan.h"
#include "video/pts_guess.h"

namespace actio::video {
namespace {

constexpr std::size_t kMostPackets = std::size_t{1} << 20;
constexpr std::size_t kMostDelayed = 32;  // frames; codecs allow 16

bool is_ordered_by_time(const Input& input) {
  const AVCodecID id = input.stream().codecpar->codec_id;
  return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC;
}

// The times of a packet, needed only while the index is built.
struct Times {
  std::int64_t pts = 0, dts = 0, order = 0;
  bool closed = false;
};

}  // namespace

class IndexBuilder {
 public:
  IndexBuilder(Input& input, std::int64_t& scanned)
      : input_(input), scanned_(scanned), scan_(make_packet_scan(*input.stream().codecpar)) {
    by_time_ = is_ordered_by_time(input);
  }

  std::optional<FrameIndex> build() {
    if (!scan_ || !read_all() || index_.packets_.empty()) return std::nullopt;
    if (!(by_time_ ? order_by_time() : order_by_type())) return std::nullopt;
    if (!add_restarts()) return std::nullopt;
    for (IndexedPacket& packet : index_.packets_) packet.droppable = packet.droppable && scan_->drops();
    return std::move(index_);
  }

 private:
  bool read_all() {
    PacketHandle packet(av_packet_alloc());
    if (!packet) return false;
    for (;;) {
      const int code = input_.read(*packet);
      if (code == AVERROR_EOF) return true;
      ++scanned_;
      if (code < 0 || !add(*packet)) return false;
    }
  }

  bool add(const AVPacket& packet) {
    constexpr int kSuspicious = AV_PKT_FLAG_CORRUPT | AV_PKT_FLAG_DISCARD;
    if (packet.size <= 0 || (packet.flags & kSuspicious) != 0 || index_.packets_.size() >= kMostPackets) return false;
    const auto found = scan_->next({packet.data, static_cast<std::size_t>(packet.size)});
    if (!found) return false;
    const auto number = static_cast<std::int32_t>(index_.packets_.size());
    IndexedPacket entry;
    entry.position = packet.pos;
    entry.time = is_timestamp(packet.dts) && !input_.seeks_by_pts() ? packet.dts : packet.pts;
    entry.size = packet.size;
    entry.display = found->picture ? 0 : -1;
    entry.type = found->type;
    entry.reference = found->picture && found->reference;
    entry.droppable = found->droppable;
    entry.refills = found->refills;
    index_.packets_.push_back(entry);
    times_.push_back({packet.pts, packet.dts, found->order, found->closed});
    if (found->restart) starts_.push_back(number);
    return true;
  }

  // H.264 and HEVC: frames come out in the order of their pts, which must be that of the codec's own count, and no more of
  // them may wait than the codec is prepared for.
  bool order_by_time() {
    const auto count = times_.size();
    std::vector<std::int32_t> packets(count);
    std::iota(packets.begin(), packets.end(), 0);
    const auto pts = [&](std::int32_t packet) { return times_[static_cast<std::size_t>(packet)].pts; };
    std::ranges::sort(packets, {}, pts);
    std::vector<std::int32_t> period(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_timestamp(times_[i].pts)) return false;
      period[i] = (i > 0 ? period[i - 1] : 0) + times_[i].closed;
    }
    index_.frames_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::int32_t packet = packets[i];
      index_.frames_[i] = {pts(packet), packet, -1};
      index_.packets_[static_cast<std::size_t>(packet)].display = static_cast<std::int32_t>(i);
      if (i == 0) continue;
      const std::int32_t before = packets[i - 1];
      if (pts(before) == pts(packet)) return false;
      const auto now = static_cast<std::size_t>(packet), then = static_cast<std::size_t>(before);
      if (period[now] < period[then]) return false;
      if (period[now] == period[then] && times_[now].order <= times_[then].order) return false;
    }
    return delay() <= input_.stream().codecpar->video_delay;
  }

  // The most frames that come before another one in the file and after it in display.
  int delay() const {
    int most = 0;
    std::int32_t last = -1;
    const auto& packets = index_.packets_;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      int later = 0;
      for (std::size_t j = i - std::min(i, kMostDelayed); j < i; ++j) later += packets[j].display > packets[i].display;
      if (i > kMostDelayed) {
        last = std::max(last, packets[i - kMostDelayed - 1].display);
        if (last > packets[i].display) return std::numeric_limits<int>::max();
      }
      most = std::max(most, later);
    }
    return most;
  }

  // The MPEG codecs: a B-frame comes out at once, a reference when the next one is decoded.
  bool order_by_type() {
    PtsGuess guess;
    const bool at_once = scan_->without_delay();
    std::int32_t held = -1;
    const auto emit = [&](std::int32_t packet, std::int32_t trigger) {
      const std::int64_t dts = trigger < 0 ? AV_NOPTS_VALUE : times_[static_cast<std::size_t>(trigger)].dts;
      const std::int64_t found = guess.next(times_[static_cast<std::size_t>(packet)].pts, dts);
      const bool first = index_.frames_.empty();
      const std::int64_t last = first ? 0 : index_.frames_.back().pts;
      index_.packets_[static_cast<std::size_t>(packet)].display = static_cast<std::int32_t>(index_.frames_.size());
      index_.frames_.push_back({usable_pts(found, first, last, input_.frame_ticks()), packet, trigger});
    };
    int references = 0;
    for (std::size_t i = 0; i < index_.packets_.size(); ++i) {
      const IndexedPacket& packet = index_.packets_[i];
      const auto number = static_cast<std::int32_t>(i);
      if (packet.display < 0) continue;
      if (!packet.reference && references < 2) return false;  // it would be left out
      references += packet.reference;
      if (at_once || !packet.reference) {
        emit(number, number);
      } else if (const std::int32_t before = std::exchange(held, number); before >= 0) {
        emit(before, number);
      }
    }
    if (held >= 0) emit(held, -1);
    return true;
  }

  // Only where everything decoded before is displayed before. The first picture must be such a point.
  bool add_restarts() {
    std::int32_t last = -1;
    auto start = starts_.begin();
    for (std::size_t i = 0; i < index_.packets_.size(); ++i) {
      const std::int32_t display = index_.packets_[i].display;
      if (display < 0) continue;
      if (start != starts_.end() && *start == static_cast<std::int32_t>(i)) {
        ++start;
        const bool allowed = scan_->restarts() || index_.restarts_.empty();
        if (allowed && last < display) index_.restarts_.push_back({static_cast<std::int32_t>(i), display});
      }
      if (index_.restarts_.empty()) return false;
      last = std::max(last, display);
    }
    return !index_.restarts_.empty() && index_.restarts_.front().display == 0;
  }

  Input& input_;
  std::int64_t& scanned_;
  std::unique_ptr<PacketScan> scan_;
  bool by_time_ = false;
  FrameIndex index_;
  std::vector<Times> times_;
  std::vector<std::int32_t> starts_;
};

bool FrameIndex::can_build(const Input& input) {
  // H.264 and HEVC are put in order by their pts, which AVI and raw streams do not have.
  const bool by_time = is_ordered_by_time(input);
  if (by_time) return input.seeks_exactly() && input.info().container != "avi";
  return input.can_be_indexed() && make_packet_scan(*input.stream().codecpar) != nullptr;
}

std::optional<FrameIndex> FrameIndex::build(Input& input, std::int64_t& scanned) {
  return can_build(input) ? IndexBuilder(input, scanned).build() : std::nullopt;
}

const RestartPoint& FrameIndex::restart_before(std::int64_t index) const {
  const auto after = std::ranges::upper_bound(restarts_, index, {}, [](const RestartPoint& point) { return point.display; });
  return *(after - 1);
}

}  // namespace actio::video
