#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>

#include "cli/child_process.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "cli/trainer_program.h"
#include "core/error.h"
#include "core/file.h"
#include "data/synthetic.h"
#include "eval/metrics.h"
#include "recognize/evaluation.h"

namespace actio::cli {
namespace {

struct DemoArguments {
  std::string out = "demo";
  std::int64_t seed = 1;
  std::int64_t clips_per_class = 150;
  std::int64_t epochs = 15;
};

struct DemoRow {
  std::string network;
  std::string model;
  double accuracy = 0;         // over all classes
  double order_accuracy = 0;   // an action against its reversal
  double train_seconds = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void say(const std::string& text) {
  std::puts(text.c_str());
  std::fflush(stdout);
}

std::string make_data(const DemoArguments& a) {
  const std::string folder = (std::filesystem::path(a.out) / "clips").string();
  const std::string labels = (std::filesystem::path(folder) / "labels.csv").string();
  const std::string recipe = fmt::format("seed {}, {} clips per class\n", a.seed, a.clips_per_class);
  const auto recipe_file = std::filesystem::path(a.out) / "clips.txt";
  const bool ours = path_exists(recipe_file);
  if (ours && path_exists(labels) && read_text_file(recipe_file) == recipe) {
    say(fmt::format("The clips of {} are there already.", folder));
    return labels;
  }
  std::error_code code;
  if (ours) std::filesystem::remove_all(folder, code);
  if (code) fail("{}: cannot be removed: {}", folder, code.message());
  // Written first, so that what an interrupted run leaves is known to be the demo's own.
  if (ours || !path_exists(folder)) write_file_atomically(recipe_file, "unfinished\n");
  data::SynthesisOptions options;
  options.out = folder;
  options.seed = a.seed;
  options.clips_per_class = a.clips_per_class;
  TerminalProgress progress;
  const data::SynthesisReport report = data::synthesise(options, progress.fn(), interrupt_token());
  progress.clear();
  write_file_atomically(recipe_file, recipe);
  say(fmt::format("Rendered {} clips of {} actions: {} to train on, {} to test on.", report.clips, report.classes.size(), report.train,
                  report.test));
  return labels;
}

// The arguments of `actio train` that both networks share: small enough for minutes on two cores.
std::vector<std::string> train_arguments(const DemoArguments& a, const std::string& labels, const std::string& model) {
  return {labels, "-o", model, "--group", "part", "--fold", "test", "--backbone", "resnet18", "--width", "0.25", "--segments", "6",
          "--input-size", "64", "--resize", "stretch", "--motion-length", "3", "--motion-bound", "8", "--epochs", std::to_string(a.epochs), "--batch-size",
          "16", "--learning-rate", "0.02", "--schedule", "cosine", "--warmup-epochs", "1", "--dropout-rgb", "0.5",
          "--dropout-motion", "0.2", "--evaluate-every", "0", "--seed", std::to_string(a.seed)};
}

DemoRow train_network(const DemoArguments& a, const std::string& labels, const std::string& name,
                      const std::vector<std::string>& network) {
  DemoRow row;
  row.network = name;
  std::string file = name;
  std::ranges::transform(file, file.begin(), [](char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
  row.model = (std::filesystem::path(a.out) / (file + ".actio")).string();
  std::vector<std::string> arguments = train_arguments(a, labels, row.model);
  arguments.insert(arguments.end(), network.begin(), network.end());
  say(fmt::format("\nTraining {}:\n  actio train {}", name, fmt::join(arguments, " ")));
  const auto start = std::chrono::steady_clock::now();
  const ChildEnd end = run_child(trainer_command_line(arguments), ChildOutput::kAsOurs);
  if (end.exit_code != 0) fail("training failed with exit code {}", end.exit_code);
  row.train_seconds = seconds_since(start);
  return row;
}

// The pair that each class of the model belongs to; classes without clips here are alone.
std::vector<std::int64_t> pairs_of_classes(const recognize::Evaluation& evaluation, const net::Model& model) {
  std::vector<std::int64_t> pair_of_class(model.classes.size());
  std::iota(pair_of_class.begin(), pair_of_class.end(), std::int64_t{0});
  std::map<std::string, std::int64_t> pairs;
  for (std::size_t i = 0; i < evaluation.items.size(); ++i) {
    const auto number = static_cast<std::int64_t>(model.classes.size() + pairs.size());
    const std::int64_t pair = pairs.emplace(evaluation.items[i].columns.at("pair"), number).first->second;
    pair_of_class[static_cast<std::size_t>(evaluation.labels[i])] = pair;
  }
  return pair_of_class;
}

void measure(DemoRow& row, const std::vector<data::Item>& test) {
  const recognize::Recognizer recognizer(row.model);
  TerminalProgress progress;
  const recognize::Evaluation evaluation =
      recognize::evaluate(recognizer, test, 2, {.progress = progress.fn(), .warn = {}, .stop = interrupt_token()});
  progress.clear();
  for (const std::string& failure : evaluation.failures) print_warning(failure);
  if (evaluation.items.empty()) fail_data("no test clip could be read");
  row.accuracy = eval::compute_metrics(evaluation.scores, evaluation.labels).top1;
  row.order_accuracy =
      eval::accuracy_within_groups(evaluation.scores, evaluation.labels, pairs_of_classes(evaluation, recognizer.model()));
}

void recognise_some(const DemoRow& row, const std::vector<data::Item>& test) {
  const recognize::Recognizer recognizer(row.model);
  say(fmt::format("\nThree clips that {} never saw:\n  actio recognize {} CLIP", row.network, row.model));
  const std::size_t step = std::max<std::size_t>(1, test.size() / 3);
  for (std::size_t i = step / 2; i < test.size(); i += step) {
    const recognize::ClassScore best = recognizer.top(recognizer.recognize(test[i].path, interrupt_token()), 1)[0];
    say(fmt::format("  {}  {:.0f} %  (truth: {})", best.label, 100 * best.probability, test[i].label));
  }
}

int run_demo(const DemoArguments& a) {
  const auto start = std::chrono::steady_clock::now();
  std::error_code failed;
  std::filesystem::create_directories(a.out, failed);
  if (failed) fail("{}: cannot be made: {}", a.out, failed.message());
  const std::string labels = make_data(a);
  data::DatasetOptions options;
  options.group = "part";
  options.fold = {"test"};
  const std::vector<data::Item> test = data::split_dataset(data::load_dataset(labels, options), options).test;

  std::vector<DemoRow> rows = {
      train_network(a, labels, "MV-IF-TTN", {"--network", "if_ttn", "--motion", "mv", "--dropout-ttn", "0.2"}),
      train_network(a, labels, "TSN-RGB", {"--network", "tsn", "--streams", "rgb"}),
  };
  for (DemoRow& row : rows) {
    throw_if_interrupted();
    measure(row, test);
  }
  recognise_some(rows[0], test);

  Json json = {{"seed", a.seed}, {"clips_per_class", a.clips_per_class}, {"epochs", a.epochs}, {"rows", Json::array()}};
  say(fmt::format("\n{} held-out clips, seed {}\n\n{:<12} {:>14} {:>26} {:>12}", test.size(), a.seed, "network", "all classes",
                  "an action or its reversal", "training"));
  for (const DemoRow& row : rows) {
    say(fmt::format("{:<12} {:>12.1f} % {:>24.1f} % {:>10.0f} s", row.network, 100 * row.accuracy, 100 * row.order_accuracy,
                    row.train_seconds));
    json["rows"].push_back({{"network", row.network}, {"model", row.model}, {"accuracy", row.accuracy},
                            {"order_accuracy", row.order_accuracy}, {"train_seconds", row.train_seconds}});
  }
  const double seconds = seconds_since(start);
  json["seconds"] = seconds;
  const std::string report = (std::filesystem::path(a.out) / "demo.json").string();
  write_file_atomically(report, json.dump(2) + "\n");
  say(fmt::format("\nAn action and its reversal show the same frames: only a network that looks at their order can tell them apart.\n"
                  "clips   {}\nmodels  {}\n        {}\nfigures {}\n{:.0f} s in all",
                  std::filesystem::path(labels).parent_path().string(), rows[0].model, rows[1].model, report, seconds));
  return 0;
}

}  // namespace

void add_demo(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("demo", "render clips, train MV-IF-TTN and TSN-RGB on them, and compare the two");
  auto a = std::make_shared<DemoArguments>();
  command.add_option("-o,--output", a->out, "the folder to work in [demo]");
  command.add_option("--seed", a->seed, "seed of clips and training [1]");
  command.add_option("--clips-per-class", a->clips_per_class, "clips per class [150]")->check(CLI::Range(4, 100000));
  command.add_option("--epochs", a->epochs, "passes over the training clips [15]")->check(CLI::Range(1, 100000));
  on_run(command, [a] { return run_demo(*a); });
}

}  // namespace actio::cli
