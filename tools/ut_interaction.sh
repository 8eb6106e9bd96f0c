#!/usr/bin/env bash
# Runs the table of docs/results/ut_interaction.md: each row is a network of configs/ut_interaction, on set 1 and set 2 (leave one sequence
# out) and across the sets (each held out once). What is done is kept: the same command goes on where it was stopped.
#   tools/ut_interaction.sh ACTIO LABELS.csv IMAGENET.actio OUT "SEEDS" [ROW ...]
# OUT/sSEED/{set1,set2,cross}/ROW gets the folds, scores.csv and result.json of the centre view, and scores_stfn.csv of STFN's five views;
# OUT/times.csv gets a line for each training that ran in one go, with its seconds.
# tools/ut_interaction_table.py OUT prints the table.
set -euo pipefail
[[ $# -ge 5 ]] || { sed -n '2,7s/^# *//p' "$0" >&2; exit 2; }
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
  local goes_on=
  [[ ! -e $folder.log ]] || goes_on=yes
  mkdir -p "$(dirname "$folder")"
  "$actio" train "$labels" -o "$folder" --init "$first" --config "$configs/$row.toml" --seed "$seed" --folds all "$@" \
    --stage-cache "$out/stages" --flow-cache "$out/flow" >>"$folder.log" 2>&1 || { tail -n 1 "$folder.log" >&2; return 1; }
  [[ -n $goes_on ]] || echo "$row,$part,$seed,$((SECONDS - begin))" >>"$out/times.csv"
  echo "$row $part seed $seed: $(grep 'all clips' "$folder.log" | tail -n 1), $((SECONDS - begin)) s"
}

# look_again FOLDER OPTION...: the folds' models with the views of STFN's section 4.2.
look_again() {
  local folder=$1 fold
  shift
  [[ -e $folder/scores_stfn.csv ]] && return
  for fold in "$folder"/fold_*; do
    [[ -e $fold/scores_stfn.csv ]] || "$actio" evaluate "$fold/model.actio" "$labels" --fold "${fold##*_}" --protocol stfn "$@" \
      --flow-cache "$out/flow" --scores "$fold/scores_stfn.csv" >>"$folder.log" 2>&1 || { tail -n 1 "$folder.log" >&2; return 1; }
  done
  awk 'FNR > 1 || NR == 1' "$folder"/fold_*/scores_stfn.csv >"$folder/scores_stfn.part"
  mv "$folder/scores_stfn.part" "$folder/scores_stfn.csv"
}

for seed in $seeds; do
  for row in "${rows[@]}"; do
    for part in set1 set2 cross; do
      clips=(--filter "set=${part#set}" --group sequence)
      [[ $part != cross ]] || clips=(--group set)
      train_row "$seed" "$part" "$row" "${clips[@]}"
      look_again "$out/s$seed/$part/$row" "${clips[@]}"
    done
  done
done
