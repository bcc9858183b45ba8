#!/bin/sh
# SPDX-License-Identifier: MIT
# Called by meson dist. Gives every file the time of the commit, so that the archive of a commit is always
# the same bytes, and adds a bill of materials.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
seconds=$(git -C "$here" log -1 --format=%ct)
sh "$here/tools/sbom.sh" "$MESON_DIST_ROOT" "$seconds" >"$MESON_DIST_ROOT/lullcp.spdx"
find "$MESON_DIST_ROOT" -exec touch -h -d "@$seconds" {} +
