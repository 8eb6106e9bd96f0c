// recognize_file MODEL VIDEO: the three most probable actions.
#include <actio/recognizer.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: recognize_file MODEL VIDEO\n", stderr), 2;
  try {
    const actio::Recognizer recognizer(actio::Model::open(argv[1]));
    const actio::Recognition recognition = recognizer.recognize(argv[2]);
    for (const std::string& warning : recognition.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    for (const actio::ClassScore& best : recognizer.top(recognition, 3)) {
      std::printf("%5.1f %%  %s\n", 100.0 * best.probability, best.label.c_str());
    }
  } catch (const actio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
