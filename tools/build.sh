# Sourced by demo.sh and test.sh: configures and builds one preset, quickly the second time.
# shellcheck shell=bash

say() { printf '\n== %s\n' "$*"; }

# build_preset PRESET [TARGET...]: the last lines of the log are shown where a step fails.
build_preset() {
  local preset=$1 log=build/$1.log
  shift
  mkdir -p build
  say "building (preset $preset, log in $log)"
  local start=$SECONDS
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    echo "the build could not be configured; the whole log is in $log" >&2
    return 1
  fi
  local targets=()
  [[ $# -gt 0 ]] && targets=(--target "$@")
  if ! cmake --build --preset "$preset" "${targets[@]}" >>"$log" 2>&1; then
    grep -E -m 20 'error|Error|FAILED' "$log" >&2 || tail -n 25 "$log" >&2
    echo "the build failed; the whole log is in $log" >&2
    return 1
  fi
  echo "built in $((SECONDS - start)) s"
}
