#!/usr/bin/env bash
# Installs what actio needs from Debian's packages (Debian 12 or a newer Ubuntu). Installed packages are skipped.
#   ./setup.sh           to build and run
#   ./setup.sh --tests   also what the tests use
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config git
  libtorch-dev libgloo-dev libopenblas0-pthread libdnnl-dev
  libavcodec-dev libavformat-dev libavutil-dev libswscale-dev
  libtomlplusplus-dev libcli11-dev nlohmann-json3-dev libfmt-dev libxxhash-dev zlib1g-dev libzstd-dev libhwy-dev
  libonnx-dev libprotobuf-dev
)
tests=(libgtest-dev libgmock-dev libbenchmark-dev python3 python3-torch python3-torchvision libopencv-dev libopencv-contrib-dev clang libclang-rt-dev)

if [[ "${1:-}" == "--tests" ]]; then
  packages+=("${tests[@]}")
elif [[ $# -gt 0 ]]; then
  echo "setup.sh: unknown argument '$1'; known: --tests" >&2
  exit 2
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "setup: all ${#packages[@]} packages are installed"
  exit 0
fi

as_root=()
if [[ $EUID -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "setup.sh: needs root or sudo to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "setup: done"
