#!/usr/bin/env bash
# Everything from a fresh Debian 12 to a first result: installs, builds, renders order-sensitive clips, trains two networks on
# them, and prints what each can tell apart. Arguments go to `actio demo` (see --help).
set -euo pipefail
cd "$(dirname "$0")"
source tools/build.sh

say "installing what is needed"
./setup.sh
build_preset release actio actio-train
say "actio demo"
exec build/release/bin/actio demo "$@"
