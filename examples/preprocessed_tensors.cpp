// preprocessed_tensors MODEL: recognises inputs that the caller made, here grey noise, in memory of the caller's own.
#include <actio/recognizer.h>

#include <cstdio>
#include <random>

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: preprocessed_tensors MODEL\n", stderr), 2;
  try {
    const actio::Model model = actio::Model::open(argv[1]);
    std::mt19937 random(1);
    actio::TensorMap inputs;
    for (const actio::InputSpec& input : model.inputs().list) {
      actio::Shape shape = {model.segments()};  // one row for each snippet
      const actio::Shape row = input.row();      // [C, S, S]
      shape.insert(shape.end(), row.begin(), row.end());
      const auto count = static_cast<std::size_t>(actio::shape_numel(shape));
      const std::shared_ptr<float[]> values(new float[count]);
      for (std::size_t i = 0; i < count; ++i) values[i] = std::normal_distribution<float>()(random);
      const std::shared_ptr<std::byte[]> memory(values, reinterpret_cast<std::byte*>(values.get()));
      inputs[input.name] = actio::Tensor::wrap(shape, actio::DType::kF32, memory, count * sizeof(float));
      std::printf("%s %s\n", input.name.c_str(), actio::shape_text(shape).c_str());
    }
    const actio::Recognizer recognizer(model);
    const actio::ClassScore best = recognizer.top(recognizer.recognize(inputs), 1).front();
    std::printf("%5.1f %%  %s\n", 100.0 * best.probability, best.label.c_str());
  } catch (const actio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
