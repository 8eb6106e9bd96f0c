#!/usr/bin/env bash
# tools/build_with_libtorch.sh FOLDER [TARGET...]: builds actio with the LibTorch 2.x in FOLDER (an unpacked archive of pytorch.org, or
# the folder torch/ of Python's package, with or without CUDA), runs the tests that need it, and trains a few steps in one process,
# in two, and on CUDA. The programs are in build/libtorch/bin. ACTIO_JOBS: compilers at a time; ACTIO_BUILD: another folder.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $# -ge 1 && -d $1 ]] || { echo "usage: tools/build_with_libtorch.sh FOLDER [TARGET...]" >&2; exit 2; }
folder=$(realpath "$1")
shift
jobs=${ACTIO_JOBS:-$(nproc)}
build=${ACTIO_BUILD:-build/libtorch}
bin=$build/bin

mkdir -p "$build"
if ! cmake --preset dev -B "$build" -DACTIO_LIBTORCH="$folder" >"$build/configure.log" 2>&1; then
  tail -n 25 "$build/configure.log" >&2
  exit 1
fi
grep LibTorch "$build/configure.log"
if [[ $# -gt 0 ]]; then
  exec cmake --build "$build" -j "$jobs" --target "$@"
fi
cmake --build "$build" -j "$jobs" --target actio actio-train test_torch rank_program
GOMP_SPINCOUNT=1000 "$bin/test_torch" --gtest_brief=1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin/actio" data synth -o "$work/clips" --classes stand_up,sit_down --clips-per-class 6 --min-frames 12 --max-frames 16 \
  --max-width 160 --max-height 120 >/dev/null
train() {
  "$bin/actio" train "$work/clips/labels.csv" -o "$work/model" --network tsn --streams rgb --backbone resnet18 --width 0.125 \
    --input-size 32 --short-side 36 --segments 2 --batch-size 4 --threads 1 --epochs 2 "$@"
}
echo "== one process"
train
echo "== two processes"
export MASTER_ADDR=127.0.0.1 MASTER_PORT=${MASTER_PORT:-29571} WORLD_SIZE=2
RANK=1 train --restart >/dev/null &
RANK=0 train --restart
wait $!
unset MASTER_ADDR MASTER_PORT WORLD_SIZE
for precision in "" --bf16 --fp16; do
  echo "== CUDA $precision"
  # shellcheck disable=SC2086
  train --restart --device cuda $precision || echo "exit code $?"
done
