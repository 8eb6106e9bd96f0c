// train DATA MODEL [FILE.toml | NETWORK] [OPTION=VALUE...]: trains as the file or the network's paper says, but for these options.
#include <actio/train.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: train DATA MODEL [FILE.toml | NETWORK] [OPTION=VALUE...]\n", stderr), 2;
  try {
    actio::TrainRequest request;
    request.data = argv[1];
    request.output = argv[2];
    request.existing = actio::Existing::kResume;  // the same command goes on where it was stopped
    const std::string_view what = argc > 3 ? argv[3] : "if_ttn";
    request.spec = what.ends_with(".toml") ? actio::TrainSpec::read(what) : actio::paper_spec(what);
    for (int i = 4; i < argc; ++i) {
      const std::string_view word = argv[i];
      const std::size_t equals = std::min(word.find('='), word.size() - 1);
      request.spec.set(word.substr(0, equals), word.substr(equals + 1));
    }
    actio::TrainHooks hooks;
    hooks.warn = [](const std::string& line) { std::fprintf(stderr, "warning: %s\n", line.c_str()); };
    hooks.epoch = [&](const actio::EpochRecord& record) {
      std::printf("epoch %lld of %s: loss %.3f\n", static_cast<long long>(record.epoch), request.spec.get("train.epochs").c_str(), record.loss);
    };
    const actio::TrainOutcome outcome = actio::train(request, hooks);
    if (outcome.test_clips > 0) std::printf("%.1f %% of %lld test clips\n", 100 * outcome.test_top1, static_cast<long long>(outcome.test_clips));
  } catch (const actio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
