#!/usr/bin/env bash
# What networks that learned the vectors of one codec answer to the same clips in codecs that hand out none. What is done is kept.
#   tools/estimated_vectors.sh ACTIO LABELS.csv CACHE RECIPE_OUT PART [OPTION ...]
# For each model OUT/sSEED/PART/fold_FOLD/m.actio of tools/recipe.sh: its test clips as they are and encoded anew as HEVC, VP9 and AV1 (the ffmpeg
# program) in CACHE. OPTIONs are those of the data, such as --group block. Prints a line for each model and codec: clips, top-1 of the whole and of the motion stream.
set -euo pipefail
[[ $# -ge 5 ]] || { sed -n '2,6s/^# *//p' "$0" >&2; exit 2; }
actio=$1 labels=$2 cache=$3 out=$4 part=$5
shift 5
declare -A encoders=([hevc]="libx265 -crf 24 -x265-params log-level=error" [vp9]="libvpx-vp9 -crf 34 -b:v 0 -cpu-used 4" [av1]="libsvtav1 -crf 36 -preset 8")

encode() {  # CODEC FILE TARGET
  [[ -e $3 ]] && return
  mkdir -p "$(dirname "$3")"
  # shellcheck disable=SC2086
  SVT_LOG=1 ffmpeg -nostdin -v error -i "$2" -an -c:v ${encoders[$1]} -y "$3.part.mkv"
  mv "$3.part.mkv" "$3"
}

# All clips in CODEC, in a list with the columns of LABELS.
list_of() {  # CODEC
  python3 - "$labels" "$1" "$cache" >"$cache/$1.jobs" <<'PY'
import csv, os, sys
labels, codec, cache = sys.argv[1:]
folder = os.path.dirname(os.path.abspath(labels))
with open(labels, newline="") as file:
    rows = list(csv.DictReader(file))
with open(f"{cache}/{codec}.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    for row in rows:
        source = os.path.join(folder, row["path"])
        row["path"] = os.path.abspath(os.path.join(cache, codec, os.path.splitext(row["path"])[0] + ".mkv"))
        writer.writerow(row)
        print(source, row["path"], sep="\t")
PY
}

figures() { python3 -c 'import json, sys; of = json.load(sys.stdin); print(of["clips"], round(100 * of["top1"], 1), sep=",")'; }

mkdir -p "$cache"
echo "model,codec,clips,whole,motion"
for codec in as_it_is hevc vp9 av1; do
  list=$labels
  if [[ $codec != as_it_is ]]; then
    list_of "$codec"
    list=$cache/$codec.csv
    while IFS=$'\t' read -r source target; do encode "$codec" "$source" "$target"; done <"$cache/$codec.jobs"
  fi
  for model in "$out"/s*/"$part"/fold_*/m.actio; do
    fold=$(basename "$(dirname "$model")")
    fold=${fold#fold_}
    evaluate=("$actio" evaluate "$model" "$list" "$@" --fold "${fold//_/,}" --json)
    whole=$("${evaluate[@]}" 2>/dev/null)
    echo "${model#"$out"/},$codec,$(figures <<<"$whole"),$("${evaluate[@]}" --head motion 2>/dev/null | figures | cut -d, -f2)"
  done
done
