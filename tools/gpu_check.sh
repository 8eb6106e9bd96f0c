#!/usr/bin/env bash
# tools/gpu_check.sh BIN LOGS [check] [clips] [speed]: what training on a CUDA device gives, beside the CPU and beside PyTorch, as a table.
# BIN: the folder of actio, actio-train, device_check and bench_train, built with a LibTorch that has CUDA (docs/building.md); what is
# not there is left out, and said. LOGS: a new folder for what the programs print. Without a part's name: all three.
#   check  one step and a few epochs of small networks in f32, tf32, bf16 and fp16; determinism, resuming, two ranks
#   clips  actio train on rendered clips, on the device and on the CPU; the model on the CPU; kill -9 and resume
#   speed  images per second beside the same network in PyTorch, after the losses were compared
# DEVICE: cuda, or cpu for a dry run. PYTHON: one with torch, torchvision and numpy. CASES: bench_train's. ROUNDS, STEPS, CLIPS, PIXELS:
# of speed. PER_CLASS, EPOCHS: of clips. LIMIT: seconds for a part. Exit code: 0 where nothing failed.
set -uo pipefail

[[ $# -ge 2 && -d $1 ]] || { sed -n '2,9s/^# \?//p' "$0" >&2; exit 2; }
bin=$(realpath "$1") logs=$2
shift 2
parts=${*:-check clips speed}
here=$(cd "$(dirname "$0")/.." && pwd)
device=${DEVICE:-cuda} limit=${LIMIT:-150}
mkdir -p "$logs" || exit 1
logs=$(realpath "$logs")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()
table=$logs/table.txt
: >"$table"

say() { echo "$*" | tee -a "$table"; }
has() {
  local program
  for program in "$@"; do
    [[ -x $bin/$program ]] || { say "left out: there is no $program in $bin"; return 1; }
  done
}
# run NAME COMMAND...: within the limit, with what it prints in LOGS/NAME.log; its time in milliseconds is in $took.
run() {
  local name=$1 begin status=0
  shift
  begin=$(date +%s%N)
  timeout -k 5 "$limit" "$@" >"$logs/$name.log" 2>&1 || status=$?
  took=$((($(date +%s%N) - begin) / 1000000))
  [[ $status -eq 0 ]] && return 0
  failed+=("$name")
  say "$name: exit code $status: $(tail -n 1 "$logs/$name.log")"
  return 1
}

check() {
  say "== device_check $device"
  has device_check || return
  run device_check "$bin/device_check" "$device"
  tee -a "$table" <"$logs/device_check.log"
}

# The demonstration's network and settings, by which each action is told from its time reversal.
settings=(--group part --fold test --network if_ttn --backbone resnet18 --width 0.25 --segments 6 --motion mv --motion-length 3
  --motion-bound 8 --input-size 64 --resize stretch --batch-size 16 --learning-rate 0.02 --schedule cosine --warmup-epochs 1
  --dropout-rgb 0.5 --dropout-motion 0.2 --dropout-ttn 0.2 --evaluate-every 0 --workers "$(nproc)")
epochs=${EPOCHS:-15}

train() {
  local name=$1
  shift
  run "$name" "$bin/actio" train "$work/clips/labels.csv" -o "$work/$name.actio" --scores "$work/$name.csv" --log "$logs/$name.jsonl" \
    "${settings[@]}" --epochs "$epochs" "$@"
}

# Of the scores in two files: how many clips there are, the largest difference, and how many answers differ. False where one of them lacks
# a clip, where a score is not a number, or where they are more than 1e-3 apart.
scores_apart() {
  awk -F, 'function best(row, count,    i, b) { b = 4; for (i = 5; i <= count; i++) if (row[i] + 0 > row[b] + 0) b = i; return b }
    FNR == 1 { next }
    NR == FNR { first[$1] = $0; expected++; next }
    { n = split(first[$1], a, ","); split($0, b, ","); clips++
      if (n != NF) bad = 1
      for (i = 4; i <= n; i++) {
        if (a[i] !~ /^[0-9.e+-]+$/ || b[i] !~ /^[0-9.e+-]+$/) bad = 1
        d = a[i] - b[i]; if (d < 0) d = -d; if (d > most) most = d
      }
      if (best(a, n) != best(b, n)) other++ }
    END { if (clips != expected || !clips) bad = 1
      printf "%d of %d clips, scores at most %.1e apart, %d other answers%s\n", clips, expected, most, other, bad ? ", not all of them comparable" : ""
      exit bad || most > 1e-3 }' "$1" "$2"
}

losses() { grep -o 'loss [0-9.a-z]*' "$logs/$1.log" | awk '{ print $2 }' | sed -n '1p;$p' | paste -sd' ' | sed 's/ / to /'; }
falls() { losses "$1" | awk '{ exit !($3 ~ /^[0-9.]+$/ && $3 < $1) }' || failed+=("$1: the loss does not fall"); }
accuracy() { grep -o 'test *[0-9.]* %' "$logs/$1.log" | tail -n 1; }

clips() {
  say "== actio train --device $device on rendered clips"
  has actio actio-train || return
  run synth "$bin/actio" data synth -o "$work/clips" --clips-per-class "${PER_CLASS:-40}" --min-frames 24 --max-frames 40 || return
  say "$(grep -m 1 ' clips' "$logs/synth.log")"
  local name
  for name in f32 bf16 fp16; do
    [[ $device == cpu && $name == fp16 ]] && continue
    local flags=(--device "$device" --no-tf32)
    [[ $name == f32 ]] || flags+=("--$name")
    train "$name" "${flags[@]}" || continue
    say "$name on $device: loss $(losses "$name"), $(accuracy "$name"), $((took / 1000)).$((took / 100 % 10)) s"
    falls "$name"
    run "evaluate-$name" "$bin/actio" evaluate "$work/$name.actio" "$work/clips/labels.csv" --group part --fold test --scores "$work/there.csv" ||
      continue
    local apart
    apart=$(scores_apart "$work/$name.csv" "$work/there.csv") || failed+=("$name: scores of the runtime")
    say "  the same model by the runtime on the CPU: $apart"
  done
  train cpu --device cpu && say "f32 on cpu: loss $(losses cpu), $(accuracy cpu), $((took / 1000)).$((took / 100 % 10)) s"
  resume
}

# Killed twice. On CUDA some sums depend on the order of the threads, so a second undisturbed training shows what that alone does.
resume() {
  has device_check || return
  epochs=6
  local flags=(--device "$device" --save-minutes 0.001)  # settings are in the model
  train whole "${flags[@]}" && train again "${flags[@]}" || return
  local whole=$took pause name
  for pause in 40 40; do
    # The shell would tell of every kill.
    { timeout -s KILL "$(awk "BEGIN { print $whole * $pause / 100000 }")" "$bin/actio" train "$work/clips/labels.csv" -o "$work/killed.actio" \
        "${settings[@]}" --epochs "$epochs" "${flags[@]}" --resume >>"$logs/killed.txt" 2>&1 || true; } 2>/dev/null
  done
  train killed "${flags[@]}" --resume || return
  say "killed twice: $(grep -o 'going on after.*' "$logs/killed.log" || echo 'nothing had been saved')"
  for name in again killed; do
    cmp -s "$work/whole.actio" "$work/$name.actio" && say "  $name: the same model, byte for byte" && continue
    say "  $name: weights $("$bin/device_check" compare "$work/$name.actio" "$work/whole.actio") apart from the first, relative"
  done
}

speed() {
  say "== images per second of training on $device: actio, PyTorch"
  has bench_train || return
  local arguments=(--device "$device" --peer "$here/bench/peers/train_torch.py" --python "${PYTHON:-$(command -v python3)}")
  arguments+=(--clips "${CLIPS:-0}" --pixels "${PIXELS:-0}" "${ROUNDS:-2}" "${STEPS:-10}")
  # shellcheck disable=SC2206
  arguments+=(${CASES:-tsn-resnet50-f32 tsn-resnet50-tf32 tsn-resnet50-bf16 tsn-mobilenet_v2-bf16 if_ttn-resnet50-bf16 if_ttn-mobilenet_v2-bf16})
  run bench_train "$bin/bench_train" "${arguments[@]}"
  tee -a "$table" <"$logs/bench_train.log"
}

if [[ $device == cuda ]]; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee -a "$table"; fi
for part in $parts; do
  begin=$SECONDS
  case $part in
    check | clips | speed) "$part" ;;
    *) echo "'$part' is none of check, clips, speed" >&2; exit 2 ;;
  esac
  say "-- $part: $((SECONDS - begin)) s"
done
[[ ${#failed[@]} -eq 0 ]] || { say "FAILED: ${failed[*]}"; exit 1; }
say "nothing failed"
