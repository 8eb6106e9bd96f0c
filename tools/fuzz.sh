#!/usr/bin/env bash
# Builds the fuzz targets and runs them, as many at a time as there are cores. A finding is written to build/fuzz/findings.
#   tools/fuzz.sh                    every target for 60 seconds, from the seeds and from what earlier runs found
#   tools/fuzz.sh 300 video zip      these targets for 300 seconds each
#   tools/fuzz.sh --fresh 20         from the committed seeds alone, always in the same order: what test.sh runs
# ACTIO_FUZZ_JOBS: how many run at a time. To run one input again: build/fuzz/bin/fuzz_TARGET FILE
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/build.sh

fresh=false
if [[ "${1:-}" == "--fresh" ]]; then fresh=true && shift; fi
seconds=${1:-60}
[[ $# -gt 0 ]] && shift
build_preset fuzz
folder=build/fuzz
findings=$folder/findings
mapfile -t known < <(cut -d' ' -f1 $folder/fuzzers.txt)
targets=("$@")
[[ $# -eq 0 ]] && targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $target "* ]] || { echo "fuzz.sh: unknown target '$target'; known: ${known[*]}" >&2; exit 2; }
done
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
mkdir -p $findings

# run_target NAME: ends at the first finding.
run_target() {
  local target=$1 longest dictionary corpus=$folder/corpus/$1 seed=1
  read -r _ longest dictionary < <(grep "^$target " $folder/fuzzers.txt)
  if $fresh; then corpus=$logs/$target.corpus; else seed=$((RANDOM + 1)); fi
  mkdir -p "$corpus"
  local options=(-seed=$seed -max_total_time="$seconds" -max_len="$longest" -timeout=10 -rss_limit_mb=2560
                 -print_final_stats=1 -artifact_prefix="$findings/$target-")
  [[ -n "$dictionary" ]] && options+=(-dict=tests/fuzz/dictionaries/"$dictionary".dict)
  UBSAN_OPTIONS=print_stacktrace=1 nice -n 10 "$folder/bin/fuzz_$target" "${options[@]}" "$corpus" \
    tests/fuzz/seeds/"$target" >"$logs/$target.log" 2>&1 && touch "$logs/$target.clean"
}

# line_of NAME: of the table.
line_of() {
  local target=$1 log=$logs/$1.log executions rate coverage verdict=none
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
  [[ -e $logs/$target.clean ]] || verdict=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  printf '%-18s %12s %14s %10s  %s\n' "$target" "${executions:-?}" "${rate:-?}" "${coverage:-?}" "${verdict:-see below}"
}

say "running ${#targets[@]} targets, $seconds s each"
for target in "${targets[@]}"; do
  while [[ $(jobs -pr | wc -l) -ge ${ACTIO_FUZZ_JOBS:-$(nproc)} ]]; do wait -n || true; done
  run_target "$target" &
done
wait
printf '%-18s %12s %14s %10s  %s\n' target executions executions/s coverage finding
failed=0
for target in "${targets[@]}"; do
  line_of "$target"
  [[ -e $logs/$target.clean ]] || failed=1
done
for target in "${targets[@]}"; do
  [[ -e $logs/$target.clean ]] && continue
  printf '\n-- %s\n' "$target"
  grep -E -A 25 'ERROR|runtime error|broken promise|Uncaught|terminate called' "$logs/$target.log" | head -n 40 || tail -n 20 "$logs/$target.log"
done
exit $failed
