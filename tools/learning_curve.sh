#!/usr/bin/env bash
# Accuracy of STFN and of late fusion of the same two streams, by the number of rendered clips to learn from. What is done is kept.
#   tools/learning_curve.sh ACTIO OUT "SEEDS" ["CLIPS ..."]
# OUT/curve.csv gets a line for each training: seed, clips, direction of the fusion, and the accuracies in percent on 500 other clips.
set -euo pipefail
[[ $# -ge 3 ]] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 2; }
config=$(cd "$(dirname "$0")/../configs/learning_curve" && pwd)/stfn.toml
actio=$1 out=$2 seeds=$3 sizes=${4:-"100 300 1000 2500 5000"}
mkdir -p "$out"
[[ -e $out/learn/labels.csv ]] || "$actio" data synth -o "$out/learn" --clips-per-class 500 --seed 21 --test-share 0 >>"$out/synth.log" 2>&1
[[ -e $out/test/labels.csv ]] || "$actio" data synth -o "$out/test" --clips-per-class 50 --seed 22 --test-share 0 >>"$out/synth.log" 2>&1
[[ -e $out/curve.csv ]] || echo "seed,clips,direction,appearance,motion,late_fusion,stfn" >"$out/curve.csv"

# As many of each class, and all of the other clips, in one list whose column "part" divides them.
list_of() {
  awk -F, -v OFS=, -v each=$(($1 / 10)) 'FNR == 1 { ++file; for (i = 1; i <= NF; ++i) column[$i] = i; if (file == 1) print "path", "label", "part"; next }
    file == 1 && ++seen[$column["label"]] <= each { print "learn/" $column["path"], $column["label"], "train" }
    file == 2 { print "test/" $column["path"], $column["label"], "test" }' "$out/learn/labels.csv" "$out/test/labels.csv"
}

percent() { python3 -c 'import json, sys; of = json.load(sys.stdin); print(round(100 * of.get("fusion", of)["top1"], 1))'; }

for seed in $seeds; do
  for clips in $sizes; do
    folder=$out/s$seed/$clips list=$out/clips_$clips.csv
    [[ -e $folder/done ]] && continue
    mkdir -p "$folder"
    list_of "$clips" >"$list"
    data=("$list" --group part --fold test)
    # Few clips are seen more often, so that a network has ended to learn.
    epochs=$((clips <= 100 ? 60 : clips <= 300 ? 40 : clips <= 1000 ? 20 : clips <= 2500 ? 15 : 12))
    learn() { # MODEL OPTION...
      local model=$folder/$1.actio
      shift
      "$actio" train "${data[@]}" -o "$model" --config "$config" --seed "$seed" --epochs "$epochs" --resume "$@" >>"$folder/log" 2>&1
    }
    top1() { "$actio" evaluate "$folder/$1.actio" "${data[@]}" --scores "$folder/$1.csv" --json 2>>"$folder/log" | percent; }
    learn appearance --network tsn --streams rgb --dropout-rgb 0.5
    learn motion --network tsn --streams motion --dropout-motion 0.5
    appearance=$(top1 appearance)
    motion=$(top1 motion)
    late=$("$actio" fuse "$folder/appearance.csv" "$folder/motion.csv" --json | percent)
    for direction in bidirectional a_from_m; do
      grep -q "^$seed,$clips,$direction," "$out/curve.csv" && continue
      learn "$direction" --partial --network stfn --stfn-direction "$direction" --init "$folder/appearance.actio" "$folder/motion.actio" \
        --freeze rgb,motion --cache-views 4 --learning-rate 0.001
      fused=$(top1 "$direction")
      echo "$seed,$clips,$direction,$appearance,$motion,$late,$fused" >>"$out/curve.csv"
    done
    touch "$folder/done"
  done
done
