#!/usr/bin/env bash
# tools/pack_programs.sh FOLDER LIBTORCH PROGRAM...: programs for a machine that has LibTorch and the C library, but not Debian's packages.
# Copies them, stripped, and every shared library that they load but LIBTORCH's, CUDA's and the C library's to FOLDER. There:
#   LD_LIBRARY_PATH=FOLDER/lib:LIBTORCH/lib FOLDER/PROGRAM        with CUDA's: add the package's nvidia/*/lib
# For a machine whose C library is not older than this one's.
set -euo pipefail

[[ $# -ge 3 ]] || { sed -n '2,6s/^# \?//p' "$0" >&2; exit 2; }
folder=$1 libtorch=$(realpath "$2")
shift 2
mkdir -p "$folder/lib"
for program in "$@"; do
  [[ -x $program ]] || { echo "$program: no program" >&2; exit 1; }
  strip -o "$folder/$(basename "$program")" "$program"
  missing=$(ldd "$program" | awk '/not found/ { print $1 }' | paste -sd' ')
  [[ -z $missing ]] || echo "$program: $missing not found here" >&2
  ldd "$program" | awk '$3 ~ /^\// { print $1, $3 }' | while read -r name path; do
    case $name in
      libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | ld-linux* | libgcc_s.so.* | libstdc++.so.*) continue ;;
    esac
    path=$(realpath "$path")
    [[ $path == "$libtorch"/* || $path == "${libtorch%/torch}"/nvidia/* || $path == *libcuda.so* ]] && continue
    [[ -e $folder/lib/$name ]] || strip -o "$folder/lib/$name" "$path" 2>/dev/null || cp "$path" "$folder/lib/$name"
  done
done
du -sh "$folder"
