#!/usr/bin/env bash
# Makes the Debian packages of a build and looks into them; unpacks them beside each other, without root, and uses them.
#   packages.sh BUILD
set -euo pipefail
build=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

say() { echo "packages: $*"; }
fail() { say "FAILED: $*"; exit 1; }
has() { [[ "$1" == *"$2"* ]] || fail "'$2' is not in: $1"; }
lacks() { [[ "$1" != *"$2"* ]] || fail "'$2' is in: $1"; }
files_of() { dpkg-deb -c "$1"_*.deb | awk '$1 !~ /^d/ {print $6}' | sed 's|^\./||'; }
field_of() { dpkg-deb -f "$1"_*.deb "$2"; }

say "making them"
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$folder" >made.log 2>&1 || { cat made.log; fail "not made"; }
torch=$(sed -n 's/^ACTIO_TORCH:BOOL=//p' "$build/CMakeCache.txt")
version=$(field_of actio Version)
expected=2
[[ $torch != ON ]] || expected=3
packages=(*.deb)
[[ ${#packages[@]} -eq $expected ]] || fail "$expected packages are expected: ${packages[*]}"

say "what is in which"
runtime=$(files_of actio) dev=$(files_of actio-dev)
has "$runtime" usr/bin/actio
has "$runtime" usr/libexec/actio/actio-export
grep -qE '^usr/lib/([^/]+/)?libactio\.so\.[0-9.]+$' <<<"$runtime" || fail "no library: $runtime"
for other in train .h cmake .pc; do lacks "$runtime" "$other"; done
has "$dev" usr/include/actio/recognizer.h
has "$dev" actio-config.cmake
has "$dev" pkgconfig/actio.pc
grep -qE 'libactio\.so$' <<<"$dev" || fail "no libactio.so to link to: $dev"
lacks "$dev" libexec
lacks "$dev" libactio_train
[[ -z $(cat <(echo "$runtime") <(echo "$dev") <([[ $torch != ON ]] || files_of actio-train) | sort | uniq -d) ]] || fail "a file is in two packages"

say "what they depend on"
lacks "$(field_of actio Depends)" torch
has "$(field_of actio Depends)" libavcodec
[[ $(field_of actio-dev Depends) == "actio (= $version)" ]] || fail "actio-dev depends on: $(field_of actio-dev Depends)"
if [[ $torch == ON ]]; then
  train=$(files_of actio-train)
  has "$train" usr/libexec/actio/actio-train
  has "$train" libactio_train.so
  has "$train" pkgconfig/actio-train.pc
  lacks "$train" bin/actio$'\n'
  lacks "$train" include/
  has "$(field_of actio-train Depends)" "actio (= $version)"
  # One that no package brought is nobody's dependency.
  if ldd "$build/bin/actio-train" | grep -q ' /\(usr/\)\?lib/.*libtorch'; then has "$(field_of actio-train Depends)" libtorch; fi
fi

say "without actio-train"
dpkg-deb -x actio_*.deb root
code=0
message=$(root/usr/bin/actio train clips -o model.actio 2>&1) || code=$?
[[ $code -eq 1 && $(wc -l <<<"$message") -eq 1 ]] || fail "code $code: $message"
has "$message" "install the package actio-train"
has "$(root/usr/bin/actio export --help)" "ONNX"
dpkg-deb -x actio-dev_*.deb root
mkdir wants
cat >wants/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(wants LANGUAGES CXX)
find_package(actio REQUIRED COMPONENTS ${WANTED})
if(TARGET actio::train)
  message(STATUS "train is there")
endif()
CMAKE
configure() { cmake -S wants -B "made$RANDOM" -DCMAKE_PREFIX_PATH="$folder/root/usr" -DWANTED="$1" 2>&1; }
has "$(configure "")" "Generating done"
wrong=$(configure train | tr -s '\n ' ' ') && fail "train was found: $wrong"
has "$wrong" "has no component 'train': install the package actio-train"
if [[ $torch == ON ]]; then
  say "and with it"
  dpkg-deb -x actio-train_*.deb root
  has "$(configure train)" "train is there"
  has "$(root/usr/bin/actio train --help)" "Train a network"
fi
say "done"
