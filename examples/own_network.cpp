// own_network DATA MODEL [OPTION=VALUE...]: trains a network that is none of actio's: two small streams, whose features meet in the order of time.
#include <actio/recognizer.h>
#include <actio/train.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

actio::Value stream(actio::NetworkBuilder& b, const actio::InputSpec& input) {
  const std::string prefix = input.name + ".";
  const actio::Value image = b.backbone(prefix, b.input(input), "mobilenet_v2", 0.25).back();
  return b.apply("global_avg_pool", prefix + "avgpool", {image});
}

actio::Network network(std::int64_t classes) {
  const std::int64_t segments = 4, size = 64;
  actio::NetworkBuilder b("two_small_streams", segments, {.size = size, .short_side = 72});
  const actio::Value frames = stream(b, actio::InputSpec::of("rgb", actio::InputKind::kFrame, size));
  const actio::Value motion = stream(b, actio::InputSpec::of("motion", actio::InputKind::kVectors, size, 3));
  const actio::Value both = b.apply("concat", "both", {frames, motion});
  const actio::Value sequence = b.apply("segment_stack", "sequence", {both});  // [D, segments]
  const actio::Value order = b.relu("order.relu", b.conv1d("order", sequence, {.channels = 64, .kernel = 3, .padding = 1, .bias = true}));
  const actio::Value scores = b.linear("classifier", b.dropout("dropout", b.apply("time_mean", "mean", {order}), 0.5), classes);
  b.head("clip", scores);
  return b.finish(scores, b.apply("softmax", "probabilities", {scores}));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: own_network DATA MODEL [OPTION=VALUE...]\n", stderr), 2;
  try {
    actio::TrainRequest request;
    request.data = argv[1];
    request.output = argv[2];
    request.network = network(2);
    std::fputs(request.network->describe().c_str(), stdout);
    for (int i = 3; i < argc; ++i) {
      const std::string_view word = argv[i];
      const std::size_t equals = std::min(word.find('='), word.size() - 1);
      request.spec.set(word.substr(0, equals), word.substr(equals + 1));
    }
    const actio::TrainOutcome outcome = actio::train(request);
    std::printf("%.1f %% of %lld test clips\n", 100 * outcome.test_top1, static_cast<long long>(outcome.test_clips));
    const actio::Recognizer recognizer(actio::Model::open(argv[2]));  // as any other model
    std::printf("%s has %zu classes\n", recognizer.model().network().c_str(), recognizer.model().classes().size());
  } catch (const actio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
