// Several processes that train together, on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rank_processes.h"
#include "torch/distributed/group.h"
#include "training/ranks/launch.h"
#include "training/ranks/watch.h"

namespace actio::torch_train::distributed {

using namespace training::ranks;
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::RankProcess;
using testing::Ranks;
using testing::Variables;

// Time that a machine may need which is busy with other things.
constexpr seconds kPatience{240};
// In which all others must have stopped once one is gone.
constexpr seconds kPromise{30};

// Whether all processes did what they should.
void expect_done(int size, const std::string& scenario) {
  Ranks ranks(size, {scenario});
  for (int rank = 0; rank < size; ++rank) {
    EXPECT_EQ(ranks[rank].wait(kPatience), 0) << "rank " << rank << ": " << ranks[rank].err();
  }
}

TEST(Distributed, collectives_add_copy_and_gather_over_two_and_three_processes) {
  expect_done(2, "collectives");
  expect_done(3, "collectives");
}

TEST(Distributed, a_group_of_one_needs_no_network_and_changes_nothing) {
  expect_done(1, "collectives");
  expect_done(1, "reducer");
  RankProcess alone({"training"}, {});
  EXPECT_EQ(alone.wait(kPatience), 0) << alone.err();
  EXPECT_EQ(alone.out(), "rank 0 of 1: done\n");
}

TEST(Distributed, batch_norms_see_the_whole_batch_in_every_network_and_type) {
  expect_done(2, "norms");
  expect_done(3, "norms");
}

TEST(Distributed, training_equals_that_of_one_process_with_the_whole_batch_and_sums_start_before_backward_is_over) {
  expect_done(2, "training");
}

TEST(Distributed, gradients_that_only_some_ranks_have_count_as_zero_and_passes_without_sums_are_included_later) {
  expect_done(2, "reducer");
  expect_done(3, "reducer");
}

// The victim is sent a signal while the others do what the scenario says; they must all name it.
void expect_stop(const std::string& scenario, int size, int victim, int signal, const std::string& silence_limit) {
  SCOPED_TRACE(fmt::format("{}: rank {} of {}, signal {}", scenario, victim, size, signal));
  Ranks ranks(size, {scenario, silence_limit});
  for (int rank = 0; rank < size; ++rank) {
    ASSERT_TRUE(ranks[rank].wait_until_ready(kPatience)) << ranks[rank].err();
  }
  ranks[victim].send(signal);
  const auto begin = std::chrono::steady_clock::now();
  for (int rank = 0; rank < size; ++rank) {
    if (rank == victim) continue;
    EXPECT_EQ(ranks[rank].wait(kPromise), 1) << "rank " << rank;
    EXPECT_THAT(ranks[rank].err(),
                MatchesRegex(fmt::format("error: rank {} of {} \\([^ ]+\\) is gone; [^\n]+\n", victim, size)));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kPromise);
}

TEST(Distributed, a_killed_process_stops_the_others_with_its_name) {
  expect_stop("all_compute", 2, 0, SIGKILL, "20");
  expect_stop("one_computes", 2, 1, SIGKILL, "20");
  expect_stop("endless", 3, 0, SIGKILL, "20");
  expect_stop("endless", 3, 2, SIGKILL, "20");
}

TEST(Distributed, a_killed_process_stops_the_others_while_they_test_or_compute_features) {
  expect_stop("testing", 2, 1, SIGKILL, "20");
  expect_stop("testing", 2, 0, SIGKILL, "20");
  expect_stop("features", 2, 1, SIGKILL, "20");
}

TEST(Distributed, a_process_that_is_stopped_is_gone_after_the_limit_of_silence) {
  expect_stop("endless", 2, 0, SIGSTOP, "3");
  expect_stop("all_compute", 2, 1, SIGSTOP, "3");
}

TEST(Distributed, a_process_that_was_taken_for_gone_stops_when_it_goes_on) {
  Ranks ranks(2, {"endless", "3"});
  for (int rank : {0, 1}) ASSERT_TRUE(ranks[rank].wait_until_ready(kPatience)) << ranks[rank].err();
  ranks[1].send(SIGSTOP);
  EXPECT_EQ(ranks[0].wait(kPromise), 1);
  ranks[1].send(SIGCONT);
  EXPECT_EQ(ranks[1].wait(kPromise), 1);
  EXPECT_THAT(ranks[1].err(), AllOf(HasSubstr("the others took this process for gone: rank 1 of 2"), HasSubstr("for 3 s")));
}

// How long the stop is, other ranks tell: it ends when they have taken one of theirs, stopped at the same time, for gone.
TEST(Distributed, a_stop_that_is_shorter_than_the_limit_of_silence_harms_nobody) {
  Ranks ranks(2, {"endless", "240"}), impatient(2, {"endless", "2"});
  for (int rank : {0, 1}) {
    ASSERT_TRUE(ranks[rank].wait_until_ready(kPatience)) << ranks[rank].err();
    ASSERT_TRUE(impatient[rank].wait_until_ready(kPatience)) << impatient[rank].err();
  }
  for (RankProcess* process : {&ranks[0], &ranks[1], &impatient[1]}) ASSERT_TRUE(process->stop(kPatience));
  const std::size_t done = ranks[0].out().size();
  EXPECT_EQ(impatient[0].wait(kPatience), 1);
  EXPECT_EQ(ranks[0].out().size(), done) << "a stopped process prints";
  for (int rank : {0, 1}) ranks[rank].send(SIGCONT);
  // Both must take part in what either of them does.
  for (int rank : {0, 1}) EXPECT_TRUE(ranks[rank].wait_for_output(done + 100, kPatience)) << ranks[rank].err();
}

TEST(Distributed, a_rank_that_fails_tells_the_others_why) {
  Ranks ranks(3, {"one_fails"});
  for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(ranks[rank].wait(kPatience), 1) << rank;
  EXPECT_EQ(ranks[1].err(), "error: the loss is nan in step 7\n");
  for (int rank : {0, 2}) {
    EXPECT_THAT(ranks[rank].err(), MatchesRegex("error: rank 1 of 3 \\([^ ]+\\) stopped: the loss is nan in step 7\n"));
  }
}

TEST(Distributed, a_rank_that_is_done_too_early_is_named) {
  Ranks ranks(2, {"one_finishes"});
  EXPECT_EQ(ranks[1].wait(kPatience), 0) << ranks[1].err();
  EXPECT_EQ(ranks[0].wait(kPatience), 1);
  EXPECT_THAT(ranks[0].err(), MatchesRegex("error: rank 1 of 2 .* has left the group, but rank 0 of 2 .* goes on\n"));
}

TEST(Distributed, ranks_that_were_started_differently_say_so) {
  Ranks ranks(2, {"different"});
  for (int rank : {0, 1}) {
    EXPECT_EQ(ranks[rank].wait(kPatience), 2);
    EXPECT_THAT(ranks[rank].err(), MatchesRegex("error: rank 1 of 2 .*: the configuration differs from that of rank 0\n"));
  }
}

// The last line: c10d logs its attempts before it gives up.
std::string last_line(const std::string& text) {
  const std::size_t end = text.empty() ? 0 : text.find_last_not_of('\n') + 1;
  const std::size_t begin = text.substr(0, end).find_last_of('\n');
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1));
}

TEST(Distributed, a_rank_that_does_not_come_is_named) {
  const testing::ReservedPort port;
  const auto variables = [&](const char* rank, const char* size) {
    return Variables{{"RANK", rank}, {"WORLD_SIZE", size}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", port.text()}};
  };
  RankProcess alone({"collectives", "20", "3"}, variables("0", "2"));
  EXPECT_EQ(alone.wait(kPatience), 1);
  EXPECT_THAT(last_line(alone.err()), HasSubstr("error: rank 1 of 2 did not come to 127.0.0.1:" + port.text()));
  RankProcess second({"collectives", "20", "3"}, variables("1", "2"));
  EXPECT_EQ(second.wait(kPatience), 1);
  EXPECT_THAT(last_line(second.err()), HasSubstr("error: rank 1 of 2: cannot reach the store at 127.0.0.1:" + port.text()));
  RankProcess zero({"collectives"}, variables("0", "2")), two({"collectives"}, variables("1", "3"));
  EXPECT_EQ(zero.wait(kPatience), 2);
  EXPECT_THAT(last_line(zero.err()), HasSubstr("rank 1 was started as one of 3 ranks, rank 0 as one of 2"));
}

Launch launch_of(const Variables& variables) {
  return find_launch([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Launch, reads_what_torchrun_slurm_and_mpirun_set) {
  EXPECT_EQ(launch_of({}).size, 1);
  EXPECT_EQ(launch_of({{"RANK", "0"}, {"WORLD_SIZE", "1"}}).size, 1) << "needs no address";
  const Launch torchrun = launch_of(
      {{"RANK", "3"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"MASTER_ADDR", "10.0.0.7"}, {"MASTER_PORT", "1234"},
       {"TORCHELASTIC_USE_AGENT_STORE", "True"}, {"TORCHELASTIC_RESTART_COUNT", "2"}, {"SLURM_PROCID", "0"}});
  EXPECT_EQ(std::tuple(torchrun.rank, torchrun.size, torchrun.local_rank, torchrun.host, torchrun.port),
            std::tuple(3, 8, 1, "10.0.0.7", 1235))
      << "torchrun itself listens at 1234";

  Variables slurm{{"SLURM_PROCID", "5"}, {"SLURM_NTASKS", "16"}, {"SLURM_LOCALID", "1"}, {"SLURM_JOB_ID", "1234567"},
                  {"SLURM_JOB_NODELIST", "gpu-[007-009,12],login"}};
  EXPECT_EQ(launch_of(slurm).host, "gpu-007");
  EXPECT_EQ(launch_of(slurm).port, 24567);
  EXPECT_EQ(std::tuple(launch_of(slurm).rank, launch_of(slurm).size, launch_of(slurm).local_rank), std::tuple(5, 16, 1));
  slurm["MASTER_ADDR"] = "head";
  slurm["MASTER_PORT"] = "999";
  EXPECT_EQ(launch_of(slurm).host, "head");
  EXPECT_EQ(launch_of(slurm).port, 999);
  EXPECT_EQ(launch_of({{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_LAUNCH_NODE_IPADDR", "10.1.1.1"}}).host,
            "10.1.1.1");
  EXPECT_EQ(launch_of({{"SLURM_NTASKS", "4"}}).size, 1) << "a shell inside of an allocation";

  const Variables mpi{{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                      {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}};
  EXPECT_EQ(std::tuple(launch_of(mpi).rank, launch_of(mpi).size, launch_of(mpi).host), std::tuple(1, 2, "127.0.0.1"));
  EXPECT_EQ(launch_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MASTER_ADDR", "a"}}).host, "a");
}

std::string complaint(const Variables& variables) {
  try {
    launch_of(variables);
    return "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
}

TEST(Launch, names_the_variable_and_its_value_where_they_make_no_sense) {
  EXPECT_EQ(complaint({{"RANK", "3"}, {"WORLD_SIZE", "2"}}), "RANK=3 WORLD_SIZE=2: ranks count from 0 to 1");
  EXPECT_EQ(complaint({{"RANK", "1"}}), "RANK=1 is set, but WORLD_SIZE is not");
  EXPECT_EQ(complaint({{"WORLD_SIZE", "2"}, {"RANK", ""}}), "WORLD_SIZE=2 is set, but RANK is not");
  EXPECT_EQ(complaint({{"RANK", "0x1"}, {"WORLD_SIZE", "2"}}), "RANK=0x1: expected a whole number from 0");
  EXPECT_EQ(complaint({{"RANK", "-1"}, {"WORLD_SIZE", "2"}}), "RANK=-1: expected a whole number from 0");
  EXPECT_EQ(complaint({{"RANK", "0"}, {"WORLD_SIZE", "0"}}), "WORLD_SIZE=0: expected a whole number from 1");
  EXPECT_EQ(complaint({{"RANK", "0"}, {"WORLD_SIZE", "2"}}), "WORLD_SIZE=2 is set, but MASTER_ADDR is not");
  EXPECT_EQ(complaint({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}}),
            "WORLD_SIZE=2 is set, but MASTER_PORT is not");
  EXPECT_EQ(complaint({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "70000"}}),
            "MASTER_PORT=70000: expected a whole number from 1 to 65535");
  EXPECT_EQ(complaint({{"SLURM_PROCID", "3"}}), "SLURM_PROCID=3 is set, but SLURM_NTASKS is not");
  EXPECT_THAT(complaint({{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}}), HasSubstr("neither SLURM_JOB_NODELIST nor"));
  EXPECT_EQ(complaint({{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_JOB_NODELIST", "a[1-"}}),
            "'a[1-' is not a Slurm node list");
  EXPECT_THAT(complaint({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}),
              HasSubstr("OMPI_COMM_WORLD_SIZE=4 is set and not all ranks are on this machine: MASTER_ADDR"));
}

TEST(Launch, takes_the_first_machine_of_a_slurm_node_list) {
  EXPECT_EQ(first_slurm_host("one"), "one");
  EXPECT_EQ(first_slurm_host("one,two"), "one");
  EXPECT_EQ(first_slurm_host("n[3,5-7]"), "n3");
  EXPECT_EQ(first_slurm_host("rack[01-04]n[10-12],x"), "rack01n10");
  for (const char* wrong : {"", ",a", "n[", "n[]", "n[1"}) EXPECT_THROW(first_slurm_host(wrong), Error) << wrong;
}

TEST(Distributed, refuses_backends_that_it_does_not_know_or_have) {
  EXPECT_THROW(Group::connect({.backend = "smoke"}, {}), Error);
}

}  // namespace
}  // namespace actio::torch_train::distributed
