#!/usr/bin/env bash
# Trains once undisturbed and once with kill -9 at random moments, and compares the finished models.
#   tools/kill_and_resume.sh KILLS SECONDS ACTIO DATA [options of actio train]
# Each run is killed after a random time of at most SECONDS; a run that ends before counts as the end.
set -euo pipefail

if [[ $# -lt 4 ]]; then
  sed -n '2,4s/^# \?//p' "$0" >&2
  exit 2
fi
kills=$1 longest=$2 actio=$3 data=$4
shift 4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$actio" train "$data" -o "$folder/whole.actio" --resume "$@" >"$folder/whole.log" 2>&1 || { tail -n 3 "$folder/whole.log" >&2; exit 1; }

killed=0
while true; do
  seconds=$(awk -v most="$longest" -v seed="$RANDOM$killed" 'BEGIN { srand(seed); printf "%.3f", 0.3 + rand() * (most - 0.3) }')
  [[ $killed -lt $kills ]] || seconds=1000000
  status=0
  # The shell would tell of every kill.
  { timeout -s KILL "$seconds" "$actio" train "$data" -o "$folder/killed.actio" --resume "$@" >"$folder/killed.log" 2>&1 || status=$?; } 2>/dev/null
  epochs=$(grep -c '^epoch' "$folder/killed.log" || true)
  if [[ $status -eq 0 ]]; then break; fi
  if [[ $status -ne 137 ]]; then tail -n 3 "$folder/killed.log" >&2; exit 1; fi
  killed=$((killed + 1))
  echo "kill $killed after $seconds s, $(grep -o 'going on after epoch [0-9]*' "$folder/killed.log" || echo 'before it went on'), $epochs epochs in this run"
done

sha256sum "$folder/whole.actio" "$folder/killed.actio" | sed "s|$folder/||"
if ! cmp -s "$folder/whole.actio" "$folder/killed.actio"; then
  echo "the models differ" >&2
  exit 1
fi
echo "the same model after $killed kills"
