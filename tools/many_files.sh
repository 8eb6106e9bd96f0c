#!/usr/bin/env bash
# tools/many_files.sh PROGRAM [COUNT] [FOLDER]: recognises COUNT (20000) different small files in one process of actio and prints its
# resident memory after every tenth of them. Flat means: what a process remembers of files has an end. The model knows nothing.
set -euo pipefail

[[ $# -ge 1 && -x $1 ]] || { echo "usage: tools/many_files.sh PROGRAM [COUNT] [FOLDER]" >&2; exit 2; }
actio=$(realpath "$1")
count=${2:-20000}
work=${3:-$(mktemp -d)}
[[ $# -ge 3 ]] || trap 'rm -rf "$work"' EXIT

cd "$work"
"$actio" data synth -o clips --classes stand_up,sit_down --clips-per-class 2 --min-frames 8 --max-frames 8 --min-width 64 --max-width 64 --min-height 64 --max-height 64 >/dev/null
"$actio" train clips/labels.csv -o model.actio --network tsn --streams both --motion mv --backbone resnet18 --width 0.05 --input-size 16 \
  --short-side 16 --segments 2 --motion-length 1 --epochs 1 --batch-size 2 --threads 1 --test-share 0 >/dev/null
clip=$(find clips -name '*.mp4' | sort | head -1)
mkdir -p many
for ((i = 0; i < count; ++i)); do
  [[ -e many/$i.mp4 ]] || { cat "$clip"; printf 'free of %08d' "$i"; } >"many/$i.mp4"
  echo "many/$i.mp4"
done >list.txt
rm -f answers.jsonl answers.jsonl.partial
"$actio" recognize model.actio --manifest list.txt -o answers.jsonl --workers 2 >/dev/null &
pid=$!
trap 'kill $pid 2>/dev/null || true' INT TERM
step=$((count / 10))
next=$step
while kill -0 "$pid" 2>/dev/null; do
  done=$(($(wc -l 2>/dev/null <answers.jsonl.partial || echo 1) - 1))
  if ((done >= next)); then
    printf '%6d files  %7d KiB\n' "$done" "$(awk '/VmRSS/ {print $2}' "/proc/$pid/status")"
    next=$((next + step))
  fi
  sleep 0.2
done
wait "$pid"
