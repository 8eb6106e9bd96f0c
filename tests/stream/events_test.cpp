// From decisions to events: thresholds, lengths and gaps.
#include "stream/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace actio::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kClasses = {"clap", "wave"};

// Window i is i .. i + 2 s, so that its middle is i + 1 and its borders are half a second around that.
Decision decision(int i, float clap, float wave) {
  const Tensor probabilities = Tensor::of({2}, std::vector<float>{clap, wave});
  return {static_cast<double>(i), i + 2.0, {}, probabilities, probabilities};
}

using Pairs = std::vector<std::pair<float, float>>;

std::vector<std::string> texts(const std::vector<Event>& events) {
  std::vector<std::string> texts;
  for (const Event& e : events) texts.push_back(fmt::format("{} {}..{}", e.label, e.start, e.end));
  return texts;
}

std::vector<Event> events_of(const EventRules& rules, const Pairs& probabilities) {
  EventMaker maker(rules, kClasses);
  std::vector<Event> events;
  int i = 0;
  const auto keep = [&](const std::vector<Event>& more) { events.insert(events.end(), more.begin(), more.end()); };
  for (const auto& [clap, wave] : probabilities) keep(maker.add(decision(i++, clap, wave)));
  keep(maker.finish());
  return events;
}

const EventRules kPlain{.enter = 0.6, .leave = 0.4};

TEST(Events, begin_at_the_enter_threshold_and_end_below_the_leave_threshold) {
  const Pairs seen = {{0.5F, 0}, {0.7F, 0}, {0.5F, 0}, {0.45F, 0}, {0.3F, 0}, {0.5F, 0}};
  const std::vector<Event> events = events_of(kPlain, seen);
  EXPECT_THAT(texts(events), ElementsAre("clap 1.5..4.5"));
  EXPECT_NEAR(events[0].score, 0.55, 1e-6);
  EXPECT_NEAR(events[0].peak, 0.7, 1e-6);
  EXPECT_EQ(events[0].peak_time, 2);
}

TEST(Events, do_not_flicker_between_the_thresholds_as_they_would_with_one) {
  const Pairs seen = {{0.7F, 0}, {0.55F, 0}, {0.65F, 0}, {0.55F, 0}, {0.65F, 0}};
  EXPECT_EQ(events_of(kPlain, seen).size(), 1U);
  EXPECT_EQ(events_of({.enter = 0.6, .leave = 0.6}, seen).size(), 3U);
}

TEST(Events, are_none_where_no_class_is_likely) { EXPECT_THAT(events_of(kPlain, {{0.5F, 0.5F}, {0.55F, 0.45F}, {0.2F, 0.3F}}), IsEmpty()); }

TEST(Events, reach_to_the_ends_of_the_first_and_the_last_window) {
  EXPECT_THAT(texts(events_of(kPlain, {{0.9F, 0}})), ElementsAre("clap 0..2"));
  EXPECT_THAT(texts(events_of(kPlain, {{0.9F, 0}, {0, 0.9F}})), ElementsAre("clap 0..1.5", "wave 1.5..3"));
}

TEST(Events, give_way_to_a_class_that_is_more_probable) {
  const Pairs seen = {{0.9F, 0}, {0.45F, 0.5F}, {0.42F, 0.65F}, {0.3F, 0.7F}};
  EXPECT_THAT(texts(events_of(kPlain, seen)), ElementsAre("clap 0..2.5", "wave 2.5..5"));
}

TEST(Events, that_are_too_short_are_none) {
  const Pairs seen = {{0, 0}, {0.9F, 0}, {0, 0}, {0, 0}, {0.9F, 0}, {0.9F, 0}, {0, 0}};
  EXPECT_THAT(texts(events_of({.enter = 0.6, .leave = 0.4, .min_length = 1.5}, seen)), ElementsAre("clap 4.5..6.5"));
}

TEST(Events, of_one_class_that_lie_close_are_one) {
  const Pairs seen = {{0.9F, 0}, {0.1F, 0}, {0.8F, 0}, {0.7F, 0}, {0, 0}, {0, 0}, {0.9F, 0}};
  const std::vector<Event> events = events_of({.enter = 0.6, .leave = 0.4, .merge_gap = 1}, seen);
  EXPECT_THAT(texts(events), ElementsAre("clap 0..4.5", "clap 6.5..8"));
  EXPECT_NEAR(events[0].score, 0.8, 1e-6) << "of its own decisions, not of the gap's";
  EXPECT_EQ(events[0].peak_time, 1);
}

TEST(Events, are_merged_before_the_short_ones_are_left_out) {
  const EventRules rules{.enter = 0.6, .leave = 0.4, .min_length = 2.5, .merge_gap = 1};
  EXPECT_THAT(texts(events_of(rules, {{0, 0}, {0.9F, 0}, {0, 0}, {0.9F, 0}, {0, 0}})), ElementsAre("clap 1.5..4.5"));
}

TEST(Events, are_merged_over_another_class_that_is_too_short_to_be_an_event_and_over_no_other) {
  const Pairs short_one = {{0.9F, 0}, {0.9F, 0}, {0, 0.9F}, {0.9F, 0}, {0.9F, 0}};
  EXPECT_THAT(texts(events_of({.enter = 0.6, .leave = 0.4, .min_length = 1.2, .merge_gap = 1}, short_one)), ElementsAre("clap 0..6"));
  EXPECT_THAT(texts(events_of({.enter = 0.6, .leave = 0.4, .min_length = 0.8, .merge_gap = 1}, short_one)),
              ElementsAre("clap 0..2.5", "wave 2.5..3.5", "clap 3.5..6"));
}

TEST(Events, come_as_soon_as_nothing_can_change_them) {
  EventMaker maker({.enter = 0.6, .leave = 0.4, .merge_gap = 1}, kClasses);
  EXPECT_THAT(maker.add(decision(0, 0.9F, 0)), IsEmpty());
  EXPECT_THAT(maker.add(decision(1, 0, 0)), IsEmpty()) << "ended, but another one may follow";
  EXPECT_THAT(maker.add(decision(2, 0, 0)), IsEmpty());
  EXPECT_THAT(texts(maker.add(decision(3, 0, 0))), ElementsAre("clap 0..1.5"));
  EXPECT_THAT(maker.finish(), IsEmpty());
}

TEST(Events, are_refused_with_rules_that_make_no_sense) {
  EXPECT_THROW(EventMaker({.enter = 0.4, .leave = 0.5}, kClasses), Error);
  EXPECT_THROW(EventMaker({.enter = 1.4}, kClasses), Error);
  EXPECT_THROW(EventMaker({.min_length = -1}, kClasses), Error);
  EXPECT_THROW(EventMaker(kPlain, {"clap"}).add(decision(0, 0.9F, 0)), Error);
}

}  // namespace
}  // namespace actio::stream
