#!/usr/bin/env bash
# Runs the table of docs/results/ut_interaction.md: each row is a network of configs/ut_interaction, on set 1 and set 2 (leave one sequence
# out) and across the sets (each held out once). What is done is kept: the same command goes on where it was stopped.
#   tools/ut_interaction.sh ACTIO LABELS.csv IMAGENET.actio OUT "SEEDS" [ROW ...]
# OUT/sSEED/{set1,set2,cross}/ROW gets the folds, scores.csv and result.json; OUT/times.csv a line for each training with its seconds.
# tools/ut_interaction_table.py OUT prints the table.
set -euo pipefail
[[ $# -ge 5 ]] || { sed -n '2,6s/^# *//p' "$0" >&2; exit 2; }
configs=$(cd "$(dirname "$0")/../configs/ut_interaction" && pwd)
actio=$1 labels=$2 first=$3 out=$4 seeds=$5
shift 5
rows=("$@")
[[ $# -gt 0 ]] || rows=(tsn_rgb tsn_flow if_ttn stfn tsn_mv mv_if_ttn tsn_rgbdiff)
mkdir -p "$out"

train_row() {
  local seed=$1 part=$2 row=$3 folder=$out/s$1/$2/$3 begin=$SECONDS
  shift 3
  [[ -e $folder/result.json ]] && return
  mkdir -p "$(dirname "$folder")"
  "$actio" train "$labels" -o "$folder" --init "$first" --config "$configs/$row.toml" --seed "$seed" --folds all "$@" \
    --stage-cache "$out/stages" --flow-cache "$out/flow" >>"$folder.log" 2>&1 || { tail -n 1 "$folder.log" >&2; return 1; }
  echo "$row,$part,$seed,$((SECONDS - begin))" >>"$out/times.csv"
  echo "$row $part seed $seed: $(grep 'all clips' "$folder.log" | tail -n 1), $((SECONDS - begin)) s"
}

for seed in $seeds; do
  for row in "${rows[@]}"; do
    train_row "$seed" set1 "$row" --filter set=1 --group sequence
    train_row "$seed" set2 "$row" --filter set=2 --group sequence
    train_row "$seed" cross "$row" --group set
  done
done
