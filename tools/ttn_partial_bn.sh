#!/usr/bin/env bash
# IF-TTN's TTN stage with partial batch norm, for docs/results/partial_bn.md: configs/if_ttn/table4_mv.toml cut down to MobileNetV2 at
# 128 px on motion vectors, UT-Interaction's set 1 to train on and set 2 to test on. The streams are trained once and frozen; then a TTN is
# trained for each seed on their kept features, and its head measured alone. One thread; what is done is kept.
#   tools/ttn_partial_bn.sh ACTIO LABELS.csv IMAGENET.actio OUT "SEEDS"
set -euo pipefail
[[ $# -eq 5 ]] || { sed -n '2,5s/^# *//p' "$0" >&2; exit 2; }
actio=$1 labels=$2 first=$3 out=$4 seeds=$5
mkdir -p "$out"
cat >"$out/network.toml" <<'TOML'
[network]
backbone = "mobilenet_v2"
segments = 5
[preprocess]
input_size = 128
resize = "stretch"
motion_bound = 8
[data]
group = "set"
fold = ["2"]
[train]
learning_rate = 0.01
steps = [0.4, 0.8]
evaluate_every = 0
threads = 1
TOML

# train NAME OPTION...
train() {
  local model=$out/$1.actio log=$out/$1.log
  shift
  "$actio" train "$labels" -o "$model" --config "$out/network.toml" --resume "$@" >>"$log" 2>&1 || { tail -n 1 "$log" >&2; return 1; }
}

# The streams as in configs/ut_interaction: batch norms learn, too.
train rgb --init "$first" --partial --network tsn --streams rgb --dropout-rgb 0.5 --epochs 20 --schedule cosine --warmup-epochs 2 \
  --cache-views 4 --freeze "$(printf 'rgb.features.%s,' 0 1 2 3 4 5)rgb.features.6"
train motion --init "$out/rgb.actio" --partial --network tsn --streams motion --motion mv --dropout-motion 0.5 --epochs 12 \
  --schedule cosine --warmup-epochs 2
for seed in $seeds; do
  train "ttn_$seed" --seed "$seed" --init "$out/rgb.actio,$out/motion.actio" --partial --network if_ttn --motion mv \
    --freeze rgb,motion --cache-views 4 --epochs 10 --partial-bn
  "$actio" evaluate "$out/ttn_$seed.actio" "$labels" --group set --fold 2 --head ttn --json >"$out/ttn_$seed.json"
  python3 -c 'import json, sys; print("seed", sys.argv[2], round(100 * json.load(open(sys.argv[1]))["top1"], 1))' "$out/ttn_$seed.json" "$seed"
done
