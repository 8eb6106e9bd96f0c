#!/usr/bin/env bash
# Writes docs/options.md from the programs' own lists:  tools/options_doc.sh build/release/bin/actio > docs/options.md
set -euo pipefail
actio=$1

cat <<'HEAD'
# Options

Every option is a flag (`--motion-length 5`), a line of a TOML file given with `--config`, and part of the model that was trained with
it. Flags win over the file. `actio COMMAND --print-config` prints the effective values in this form. This page is written by
`tools/options_doc.sh`; a test compares it with the programs.
HEAD
for command in "train" "evaluate" "fuse" "reproduce" "recognize" "quantize" "bench" "explain cam" "timeline" "flow" "doctor" "data list" "data scan" "data check" "data synth"; do
  printf '\n## actio %s\n\n```toml\n' "$command"
  # shellcheck disable=SC2086
  "$actio" $command --print-config
  printf '```\n'
done
cat <<'TAIL'

`actio import` and `actio describe` take the tables [network] and [preprocess] of `actio train`; describe takes [runtime], too.
TAIL
