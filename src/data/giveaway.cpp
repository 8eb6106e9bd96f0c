#include "data/giveaway.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

namespace actio::data {
namespace {

constexpr std::size_t kNeighbours = 5;
constexpr double kMostP = 0.01;
// Of what chance leaves open. Below it a network that learns the fact gains little. The bits that a clip takes depend on
// what moves in it, so that they say a little of the action wherever all is encoded alike.
constexpr double kLeastGain = 0.1, kLeastGainOfContent = 0.4;

using Neighbours = std::array<int, kNeighbours>;  // the nearest first; -1 where there are no more

// A number that orders clips of the same distance at random, the same for every fact.
std::uint32_t tie(std::size_t a, std::size_t b, std::int64_t seed) {
  std::uint64_t x = (static_cast<std::uint64_t>(a) << 32 | b) ^ (static_cast<std::uint64_t>(seed) * 0x9E3779B97F4A7C15ULL);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<std::uint32_t>(x >> 32);
}

class Nearest {
 public:
  void offer(float distance, std::uint32_t order, int clip) {
    Entry entry{distance, order, clip};
    for (Entry& kept : kept_) {
      if (std::pair(entry.distance, entry.order) < std::pair(kept.distance, kept.order)) std::swap(entry, kept);
    }
  }
  Neighbours take() {
    Neighbours result{};
    for (std::size_t i = 0; i < kNeighbours; ++i) result[i] = kept_[i].clip;
    return result;
  }

 private:
  struct Entry {
    float distance = std::numeric_limits<float>::infinity();
    std::uint32_t order = ~0U;
    int clip = -1;
  };
  std::array<Entry, kNeighbours> kept_{};
};

// What is compared: all facts together, and each alone.
struct Candidates {
  std::vector<std::string> names;
  std::vector<double> least_gain;
  std::vector<std::vector<Neighbours>> neighbours;  // of each candidate and clip
};

Candidates candidates_of(const std::vector<Fact>& facts, const std::vector<std::size_t>& clips, const Labelling& labelling,
                         std::int64_t seed, const std::stop_token& stop) {
  Candidates result{{"all facts"}, {kLeastGain}, {}};
  for (const Fact& fact : facts) {
    result.names.push_back(fact.name);
    result.least_gain.push_back(fact.of_content ? kLeastGainOfContent : kLeastGain);
  }
  result.neighbours.resize(result.names.size(), std::vector<Neighbours>(clips.size()));
  for (std::size_t i = 0; i < clips.size() && !stop.stop_requested(); ++i) {
    std::vector<Nearest> nearest(result.names.size());
    for (std::size_t j = 0; j < clips.size(); ++j) {
      if (labelling.group[clips[i]] == labelling.group[clips[j]]) continue;
      const std::uint32_t order = tie(i, j, seed);
      float sum = 0;
      for (std::size_t k = 0; k < facts.size(); ++k) {
        const float away = distance(facts[k], clips[i], clips[j]);
        nearest[k + 1].offer(away, order, static_cast<int>(j));
        if (!facts[k].of_content) sum += away;
      }
      nearest[0].offer(sum, order, static_cast<int>(j));
    }
    for (std::size_t k = 0; k < nearest.size(); ++k) result.neighbours[k][i] = nearest[k].take();
  }
  return result;
}

// The class that most neighbours have; of several that which the nearest has.
int vote(const Neighbours& neighbours, const std::vector<int>& labels) {
  int best = -1;
  std::int64_t most = 0;
  for (const int one : neighbours) {
    if (one < 0) break;
    const int label = labels[static_cast<std::size_t>(one)];
    const auto votes = std::ranges::count_if(
        neighbours, [&](int other) { return other >= 0 && labels[static_cast<std::size_t>(other)] == label; });
    if (votes > most) {
      most = votes;
      best = label;
    }
  }
  return best;
}

double accuracy(const std::vector<Neighbours>& neighbours, const std::vector<int>& labels) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += vote(neighbours[i], labels) == labels[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

std::vector<std::size_t> drawn(std::size_t count, const GiveawayOptions& options) {
  std::vector<std::size_t> clips(count);
  std::iota(clips.begin(), clips.end(), std::size_t{0});
  if (count <= static_cast<std::size_t>(options.most_clips)) return clips;
  Rng rng(static_cast<std::uint64_t>(options.seed), 0x636C697073ULL);
  rng.shuffle(clips);
  clips.resize(static_cast<std::size_t>(options.most_clips));
  std::ranges::sort(clips);
  return clips;
}

struct Statistics {
  double mean = 0, deviation = 0;
};

Statistics statistics_of(const std::vector<double>& values) {
  Statistics result;
  for (const double value : values) result.mean += value / static_cast<double>(values.size());
  for (const double value : values) result.deviation += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(result.deviation / static_cast<double>(values.size()));
  return result;
}

// `runs[candidate][0]` is with the labels as they are, the others with exchanged ones.
std::vector<FactScore> scores_of(const Candidates& candidates, const std::vector<std::vector<double>>& runs) {
  const std::size_t count = runs[0].size();
  std::vector<double> greatest(count, 0.0);  // over the candidates, in standard deviations; less than 0 counts for nothing
  std::vector<FactScore> scores;
  std::vector<double> own;
  for (std::size_t k = 0; k < runs.size(); ++k) {
    const Statistics all = statistics_of(runs[k]);
    const auto z = [&](double value) { return all.deviation > 0 ? (value - all.mean) / all.deviation : 0.0; };
    for (std::size_t run = 0; run < count; ++run) greatest[run] = std::max(greatest[run], z(runs[k][run]));
    const double others = all.mean * static_cast<double>(count) - runs[k][0];
    scores.push_back({candidates.names[k], runs[k][0], others / static_cast<double>(count - 1), 1, false});
    own.push_back(z(runs[k][0]));
  }
  for (std::size_t k = 0; k < scores.size(); ++k) {
    FactScore& score = scores[k];
    std::int64_t as_great = 1;  // the labels as they are
    for (std::size_t run = 1; run < count; ++run) as_great += greatest[run] >= own[k] ? 1 : 0;
    score.p_value = own[k] > 0 ? static_cast<double>(as_great) / static_cast<double>(count) : 1;
    score.found = score.p_value < kMostP && score.accuracy - score.chance >= candidates.least_gain[k] * (1 - score.chance);
  }
  return scores;
}

Json score_json(const FactScore& score) {
  return {{"name", score.name},
          {"accuracy", score.accuracy},
          {"chance", score.chance},
          {"p", score.p_value},
          {"found", score.found}};
}

}  // namespace

bool Giveaway::found() const { return all.found || std::ranges::any_of(single, &FactScore::found); }

Giveaway find_giveaway(const std::vector<Fact>& facts, const Labelling& labelling, const GiveawayOptions& options,
                       const std::stop_token& stop) {
  Giveaway result;
  const std::vector<std::size_t> clips = drawn(labelling.label.size(), options);
  Labelling of_clips{{}, {}, labelling.classes};
  for (const std::size_t clip : clips) {
    of_clips.label.push_back(labelling.label[clip]);
    of_clips.group.push_back(labelling.group[clip]);
  }
  const auto kinds = [](const std::vector<int>& numbers) { return std::set<int>(numbers.begin(), numbers.end()).size(); };
  if (facts.empty() || kinds(of_clips.label) < 2 || kinds(of_clips.group) < 2) return result;
  const Candidates candidates = candidates_of(facts, clips, labelling, options.seed, stop);
  const LabelExchange exchange(of_clips);
  Rng rng(static_cast<std::uint64_t>(options.seed));
  std::vector<std::vector<double>> runs(candidates.names.size());
  for (std::int64_t run = 0; run <= options.permutations; ++run) {
    if (stop.stop_requested()) return result;
    const std::vector<int> labels = run == 0 ? of_clips.label : exchange.draw(rng);
    for (std::size_t k = 0; k < runs.size(); ++k) runs[k].push_back(accuracy(candidates.neighbours[k], labels));
  }
  result.clips = static_cast<std::int64_t>(clips.size());
  std::vector<FactScore> scores = scores_of(candidates, runs);
  result.all = scores[0];
  result.single.assign(scores.begin() + 1, scores.end());
  std::ranges::stable_sort(result.single, [](const FactScore& a, const FactScore& b) {
    return std::pair(a.found, a.accuracy - a.chance) > std::pair(b.found, b.accuracy - b.chance);
  });
  return result;
}

Json to_json(const Giveaway& giveaway) {
  Json json = {
      {"found", giveaway.found()}, {"clips", giveaway.clips}, {"all", score_json(giveaway.all)}, {"single", Json::array()}};
  for (const FactScore& score : giveaway.single) json["single"].push_back(score_json(score));
  return json;
}

}  // namespace actio::data
