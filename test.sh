#!/usr/bin/env bash
# Everything from a fresh Debian 12 to the tests' verdict. Needs no network beyond apt, no GPU and nothing outside this folder.
#   ./test.sh                 all tests
#   ./test.sh -R Decoder      arguments go to ctest
#   ACTIO_PRESET=asan ./test.sh   the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   ACTIO_FUZZ_SECONDS=0 ./test.sh   without the fuzz targets, which else run for 20 seconds each when all tests run
set -euo pipefail
cd "$(dirname "$0")"
source tools/build.sh
preset=${ACTIO_PRESET:-dev}

say "installing what is needed"
./setup.sh --tests
say "checking the arrows between the layers"
python3 tools/check_layers.py
build_preset "$preset"
say "running the tests"
ctest --preset "$preset" -j "$(nproc)" --output-on-failure "$@"
seconds=${ACTIO_FUZZ_SECONDS:-20}
if [[ $# -eq 0 && $preset == dev && $seconds -gt 0 ]]; then
  tools/fuzz.sh --fresh "$seconds"
fi
