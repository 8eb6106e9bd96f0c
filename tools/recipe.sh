#!/usr/bin/env bash
# Trains with nothing but the data, first weights and the column of groups, as docs/results/recipe.md tells, and tests every head. What is done is
# kept: the same command goes on where it was stopped.
#   tools/recipe.sh ACTIO UT_LABELS.csv TENNIS_LABELS.csv IMAGENET.actio OUT "SEEDS" "PARTS" [OPTION ...]
# PARTS of: set1 tennis_dev (to choose on), set2 cross tennis (to look at once). OPTIONs are actio train's, such as --motion flow.
# OUT/sSEED/PART/FOLD gets the model, its log, seconds, and scores.csv with scores_HEAD.csv; tools/recipe_table.py OUT prints the table.
# KEPT=FOLDER: folds whose answers are in what tools/recipe_table.py --keep wrote there are not trained again.
set -euo pipefail
[[ $# -ge 7 ]] || { sed -n '2,8s/^# *//p' "$0" >&2; exit 2; }
actio=$1 ut=$2 tennis=$3 first=$4 out=$5 seeds=$6 parts=$7
shift 7

one() {
  local seed=$1 part=$2 fold=$3 labels=$4 begin=$SECONDS
  shift 4
  local folder=$out/s$seed/$part/fold_${fold//,/_} data=()
  while [[ $# -gt 0 && $1 != -- ]]; do data+=("$1"); shift; done
  shift
  [[ -e $folder/done ]] && return
  grep -qs "^${fold//,/_}," "${KEPT:+$KEPT/s${seed}_$part.csv}" && return
  mkdir -p "$folder"
  "$actio" train "$labels" -o "$folder/m.actio" --init "$first" "${data[@]}" --fold "$fold" --seed "$seed" --resume "$@" >>"$folder/log" 2>&1 ||
    { tail -n 1 "$folder/log" >&2; return 1; }
  [[ -e $folder/seconds ]] || echo $((SECONDS - begin)) >"$folder/seconds"
  local head
  for head in "" rgb motion ttn; do
    "$actio" evaluate "$folder/m.actio" "$labels" "${data[@]}" --fold "$fold" ${head:+--head "$head"} --scores "$folder/scores${head:+_$head}.csv" >>"$folder/log" 2>&1 || true
  done
  rm -rf "$folder/m.stages"
  touch "$folder/done"
  echo "$part $fold seed $seed: $(<"$folder/seconds") s"
}

for seed in $seeds; do
  for part in $parts; do
    case $part in
      set1) for fold in {1..10}; do one "$seed" set1 "$fold" "$ut" --filter set=1 --group sequence -- "$@"; done ;;
      set2) for fold in {11..20}; do one "$seed" set2 "$fold" "$ut" --filter set=2 --group sequence -- "$@"; done ;;
      cross) for fold in 1,2,3,4,5,6,7,8,9,10 11,12,13,14,15,16,17,18,19,20; do one "$seed" cross "$fold" "$ut" --group sequence -- "$@"; done ;;
      tennis_dev) for fold in {0..4}; do one "$seed" tennis_dev "$fold" "$tennis" --filter "block=0|1|2|3|4" --group block -- "$@"; done ;;
      tennis) one "$seed" tennis 5,6,7,8 "$tennis" --group block -- "$@" ;;
      *) echo "unknown part '$part'" >&2; exit 2 ;;
    esac
  done
done
