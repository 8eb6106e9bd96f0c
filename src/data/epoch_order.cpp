#include "data/epoch_order.h"

#include <map>
#include <numeric>

#include "core/rng.h"

namespace actio::data {
namespace {

// The clips of one class in random order, again and again.
struct Deck {
  std::vector<std::size_t> items;
  std::size_t next = 0;

  std::size_t draw(Rng& rng) {
    if (next == 0) rng.shuffle(items);
    const std::size_t item = items[next];
    next = (next + 1) % items.size();
    return item;
  }
};

std::vector<std::size_t> balanced_order(const std::vector<std::int64_t>& classes, Rng& rng) {
  std::map<std::int64_t, Deck> by_class;
  for (std::size_t i = 0; i < classes.size(); ++i) by_class[classes[i]].items.push_back(i);
  std::vector<Deck*> decks;
  for (auto& [label, deck] : by_class) decks.push_back(&deck);
  std::vector<std::size_t> order;
  while (order.size() < classes.size()) {
    const std::size_t turn = order.size() % decks.size();
    if (turn == 0) rng.shuffle(decks);
    order.push_back(decks[turn]->draw(rng));
  }
  return order;
}

}  // namespace

std::vector<std::size_t> epoch_order(const std::vector<std::int64_t>& classes, const EpochOrder& options) {
  Rng rng(options.seed, static_cast<std::uint64_t>(options.epoch));
  if (options.shuffle && options.balanced) return balanced_order(classes, rng);
  std::vector<std::size_t> order(classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (options.shuffle) rng.shuffle(order);
  return order;
}

}  // namespace actio::data
