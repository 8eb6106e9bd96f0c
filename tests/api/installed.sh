#!/usr/bin/env bash
# Installs into an empty folder, builds examples/ there against nothing but what was installed, and runs them.
#   installed.sh BUILD SOURCE
set -euo pipefail
build=$(realpath "$1") source=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

say() { echo "installed: $*"; }
fail() { say "FAILED: $*"; exit 1; }
has() { [[ "$1" == *"$2"* ]] || fail "'$2' is not in: $1"; }

say "installing"
cmake --install "$build" --prefix "$folder/actio" >/dev/null
lib=$(dirname "$(find actio -name libactio.so)")
with_training=no
[[ -e $lib/libactio_train.so ]] && with_training=yes

say "the libraries show the interface and nothing else"
for library in "$lib"/libactio*.so; do
  others=$(nm -DC --defined-only "$library" | cut -d' ' -f3- | grep -vE '^(actio::[A-Za-z_]+(::|\(|\[|$)|(vtable|typeinfo|typeinfo name) for actio::Error$)' || true)
  [[ -z $others ]] || fail "$library shows $others"
  internals=$(nm -DC --defined-only "$library" | grep -E 'actio::(video|motion|data|net|eval|runtime|recognize|training|torch_train)::|::Impl' || true)
  [[ -z $internals ]] || fail "$library shows $internals"
done
needed=$(ldd "$lib/libactio.so")
[[ $needed != *torch* ]] || fail "libactio needs LibTorch"
[[ -z $(find actio/include -type f -not -path 'actio/include/actio/*') ]] || fail "headers of others are installed"

say "building examples/ by find_package"
cp -r "$source/examples" examples
cmake -S examples -B built -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH="$folder/actio" >configured.log 2>&1 || { cat configured.log; fail "not configured"; }
cmake --build built -j 2 >built.log 2>&1 || { cat built.log; fail "not built"; }
say "and by pkg-config"
export PKG_CONFIG_PATH="$folder/$lib/pkgconfig"
g++ -std=c++20 examples/recognize_file.cpp -o by_pkg_config $(pkg-config --cflags --libs actio) -Wl,-rpath,"$folder/$lib"

say "running them"
actio/bin/actio data synth -o clips --classes stand_up,sit_down --clips-per-class 4 --test-share 0.25 \
  --min-frames 12 --max-frames 14 --min-width 96 --max-width 96 --min-height 80 --max-height 80 >/dev/null
videos=(clips/*/*.*)
if [[ $with_training == no ]]; then
  say "without LibTorch there is no model to run them with"
  exit 0
fi
tiny=(network.backbone=resnet18 network.width=0.125 network.segments=3 preprocess.input_size=32 preprocess.short_side=36
      data.group=part data.fold=test preprocess.motion=mv preprocess.motion_length=2 train.epochs=1 train.batch_size=2 train.workers=1 train.threads=1)
output=$(built/train clips/labels.csv model.actio if_ttn "${tiny[@]}")
has "$output" "epoch 1 of 1: loss"
has "$output" "test clips"
cat >tiny.toml <<'TOML'
[network]
network = "tsn"
backbone = "resnet18"
width = 0.125
segments = 2
streams = "rgb"
[preprocess]
input_size = 32
short_side = 36
motion = "none"
[train]
batch_size = 2
threads = 1
TOML
has "$(built/train clips/labels.csv of_toml.actio tiny.toml train.epochs=1)" "epoch 1 of 1: loss"
own=$(built/own_network clips/labels.csv own.actio data.group=part data.fold=test train.epochs=1 train.batch_size=2 train.workers=1 train.threads=1)
has "$own" "two_small_streams has 2 classes"
has "$own" "test clips"
has "$(actio/bin/actio recognize own.actio "${videos[0]}")" "s"
code=0
wrong=$(built/train clips/labels.csv other.actio tsn train.epoch=1 2>&1) || code=$?
[[ $code -eq 2 ]] || fail "a wrong option gave code $code"
has "$wrong" "train.epochs"

has "$(built/recognize_file model.actio "${videos[0]}")" "%  s"
[[ $(./by_pkg_config model.actio "${videos[0]}") == $(built/recognize_file model.actio "${videos[0]}") ]] || fail "pkg-config's program says something else"
[[ $(built/recognize_file model.actio "${videos[0]}" | wc -l) -eq 2 ]] || fail "two classes have two lines"
many=$(built/recognize_many model.actio "${videos[@]}" 2>progress)
[[ $(wc -l <<<"$many") -eq ${#videos[@]} ]] || fail "not every video has an answer: $many"
has "$(cat progress)" "${#videos[@]} of ${#videos[@]}"
for video in "${videos[@]}"; do
  of_program=$(actio/bin/actio recognize model.actio "$video" --json --top 3 --threads 1)
  [[ $(grep -F "$video" <<<"$many") == "$of_program" ]] || fail "the program says something else: $of_program, and not $(grep -F "$video" <<<"$many")"
done
has "$(built/preprocessed_tensors model.actio)" "rgb [3, 3, 32, 32]"
own=$(built/own_video model.actio "${videos[0]}")
[[ $(grep -c '^memory: \|^functions: ' <<<"$own") -eq 2 && $(grep '^memory: \|^functions: ' <<<"$own" | cut -d' ' -f2- | sort -u | wc -l) -eq 1 ]] ||
  fail "memory and functions differ: $own"
code=0
built/recognize_file model.actio missing.mp4 2>missing || code=$?
[[ $code -eq 1 ]] || fail "a missing video gave code $code"
has "$(cat missing)" "missing.mp4: no such file"
# The program becomes the trainer, which lies elsewhere.
has "$(actio/bin/actio train --help)" "Train a network"
say "done"
