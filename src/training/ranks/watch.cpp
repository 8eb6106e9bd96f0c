#include "training/ranks/watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace actio::training::ranks {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{500}, kGoodbye{1000};
constexpr std::size_t kLongestText = 2000, kHeader = 7;

enum Kind : char {
  kAlive = 'a',
  kGone = 'g',  // the text is the verdict
  kLeft = 'l',  // the text is the reason, empty for a job that is done
};

// Kind, rank in 4 bytes, the text's length in 2 bytes, the text.
std::string message_of(Kind kind, int rank, const std::string& text = {}) {
  std::string bytes(1, kind);
  const std::string kept = text.substr(0, kLongestText);
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((rank >> shift) & 0xff);
  for (int shift = 0; shift < 16; shift += 8) bytes += static_cast<char>((kept.size() >> shift) & 0xff);
  return bytes + kept;
}

}  // namespace

Watch::Watch(int rank, std::vector<std::string> names, std::vector<Peer> peers, milliseconds silence_limit)
    : rank_(rank), names_(std::move(names)), silence_limit_(silence_limit), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_.is_open()) fail("no file descriptor is left to watch over the group: {}", std::strerror(errno));
  for (Peer& peer : peers) links_.push_back({peer.rank, std::move(peer.socket), {}, Clock::now()});
  thread_ = std::thread([this] { run(); });
}

Watch::~Watch() { leave({}); }

std::string Watch::verdict() const {
  const std::lock_guard lock(mutex_);
  return verdict_;
}

std::string Watch::departure() const {
  const std::lock_guard lock(mutex_);
  return departure_;
}

std::string Watch::wait_for_verdict(milliseconds limit) const {
  std::unique_lock lock(mutex_);
  judged_.wait_for(lock, limit, [&] { return !verdict_.empty(); });
  return verdict_;
}

void Watch::leave(const std::string& reason) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    reason_ = reason;
  }
  leaving_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
  thread_.join();
}

void Watch::run() {
  Clock::time_point last_tick = Clock::now(), last_beat{};
  while (!leaving_) {
    std::vector<pollfd> items{{wake_.get(), POLLIN, 0}};
    for (const Link& link : links_) items.push_back({link.socket.get(), POLLIN, 0});  // poll skips closed ones
    poll(items.data(), items.size(), static_cast<int>(kTick.count()));
    for (Link& link : links_) receive(link);
    const Clock::time_point now = Clock::now();
    // Time during which this process itself was stopped is nobody else's silence.
    const auto pause = now - last_tick - 2 * kTick;
    last_tick = now;
    for (Link& link : links_) {
      if (pause > pause.zero()) link.heard += std::min<Clock::duration>(pause, now - link.heard);
      if (link.socket.is_open() && now - link.heard > silence_limit_) {
        lose(link, fmt::format("nothing was heard from it for {} s", silence_limit_.count() / 1000));
      }
    }
    if (now - last_beat >= 2 * kTick) {
      tell_others(nullptr, message_of(kAlive, rank_));
      last_beat = now;
    }
  }
  say_goodbye();
}

// What does not fit into the socket's buffer is lost with a peer that does not read, and is then gone soon.
void Watch::tell_others(const Link* except, const std::string& message) {
  for (const Link& link : links_) {
    if (&link != except && link.socket.is_open()) {
      send(link.socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
}

void Watch::receive(Link& link) {
  while (link.socket.is_open()) {
    char bytes[1024];
    const ssize_t count = recv(link.socket.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      lose(link, count == 0 || errno == ECONNRESET ? "its connection closed without a word, as when it is killed"
                                                   : fmt::format("its connection broke: {}", std::strerror(errno)));
      return;
    }
    link.heard = Clock::now();
    link.received.append(bytes, static_cast<std::size_t>(count));
    while (link.socket.is_open() && take_message(link)) {
    }
  }
}

// False where the received bytes are not a whole message.
bool Watch::take_message(Link& link) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(link.received[i])); };
  if (link.received.size() < kHeader) return false;
  const char kind = link.received[0];
  const std::uint32_t rank = byte(1) | byte(2) << 8 | byte(3) << 16 | byte(4) << 24;
  const std::size_t length = byte(5) | byte(6) << 8;
  const bool known = kind == kAlive || kind == kGone || kind == kLeft;
  if (!known || rank >= names_.size() || length > kLongestText) {
    lose(link, "it sent what is no message");
    return false;
  }
  if (link.received.size() < kHeader + length) return false;
  const std::string text = link.received.substr(kHeader, length);
  link.received.erase(0, kHeader + length);
  if (kind == kGone) judge(static_cast<int>(rank) == rank_ ? "the others took this process for gone: " + text : text);
  if (kind == kLeft) {
    note_departure(static_cast<int>(rank), text);
    if (rank_ == 0) tell_others(&link, message_of(kLeft, static_cast<int>(rank), text));
    if (static_cast<int>(rank) == link.rank) link.socket.close();  // which tells it that it was heard
  }
  return true;
}

void Watch::note_departure(int rank, const std::string& reason) {
  const std::string& name = names_[static_cast<std::size_t>(rank)];
  if (!reason.empty()) return judge(fmt::format("{} stopped: {}", name, reason));
  const std::lock_guard lock(mutex_);
  if (departure_.empty()) departure_ = name + " has left the group";
}

void Watch::lose(Link& link, const std::string& what) {
  const std::string text = fmt::format("{} is gone; {}", names_[static_cast<std::size_t>(link.rank)], what);
  tell_others(nullptr, message_of(kGone, link.rank, text));  // itself, too, for the case that it goes on
  link.socket.close();
  judge(text);
}

// The first one counts.
void Watch::judge(const std::string& verdict) {
  {
    const std::lock_guard lock(mutex_);
    if (!verdict_.empty()) return;
    verdict_ = verdict;
  }
  broken_ = true;
  judged_.notify_all();
}

// A socket that is closed with bytes unread in it throws away what it sent last, so the others' answers are awaited.
void Watch::say_goodbye() {
  std::string reason;
  {
    const std::lock_guard lock(mutex_);
    reason = reason_;
  }
  tell_others(nullptr, message_of(kLeft, rank_, reason));
  for (const Link& link : links_) {
    if (link.socket.is_open()) shutdown(link.socket.get(), SHUT_WR);
  }
  const Clock::time_point deadline = Clock::now() + kGoodbye;
  for (Link& link : links_) {
    char bytes[1024];
    while (link.socket.is_open()) {
      pollfd item{link.socket.get(), POLLIN, 0};
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
      if (left <= 0 || poll(&item, 1, static_cast<int>(left)) <= 0) break;
      if (recv(link.socket.get(), bytes, sizeof(bytes), MSG_DONTWAIT) <= 0) break;
    }
    link.socket.close();
  }
}

}  // namespace actio::training::ranks
