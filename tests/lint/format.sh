#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# All C files in the tree follow .clang-format, and no line is wider than 90 columns. Versions of
# clang-format differ in a few lines, so with any version but 14 only the width is checked.
set -u
cd "$(dirname "$0")/../.." || exit 99
# The files in git, or all files of an archive.
list() {
  git ls-files -z 'src/*.[ch]' 'include/*.h' 'hooks/*.[ch]' 'tests/*.[ch]' 2>/dev/null ||
    find src include hooks tests -name '*.[ch]' -print0
}
mapfile -d '' files < <(list)
[ "${#files[@]}" -gt 300 ] || {
  echo "FAILED: ${#files[@]} files only"
  exit 1
}
status=0
wide=$(for f in "${files[@]}"; do
  expand -t 8 "$f" | awk -v f="$f" 'length > 90 { print f ":" FNR ": " length " columns" }'
done)
if [ "$wide" ]; then
  echo "$wide"
  status=1
fi
if command -v clang-format >/dev/null && [[ $(clang-format --version) == *'version 14.'* ]]; then
  clang-format --dry-run -Werror "${files[@]}" || status=1
else
  echo 'clang-format 14 is not here: only the width was looked at'
fi
echo "${#files[@]} files"
exit "$status"
