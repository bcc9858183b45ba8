# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The rooms of src/, and which rooms each may include and call; sourced.
rooms='cli engine/restore engine/tree engine/set engine/file engine/carry engine/inspect engine/clone engine/base guard store plan sys util'
allowed() { # allowed ROOM
  local below='engine/base guard store plan sys util'
  case $1 in
    cli) echo util ;;
    engine/restore) echo "engine/restore engine/inspect engine/tree engine/set engine/file engine/clone $below" ;;
    engine/tree) echo "engine/tree engine/set engine/file engine/clone $below" ;;
    engine/set) echo "engine/set engine/file engine/clone $below" ;;
    engine/file) echo "engine/file engine/clone $below" ;;
    engine/carry) echo "engine/carry engine/inspect engine/clone $below" ;;
    engine/inspect) echo "engine/inspect engine/clone $below" ;;
    engine/clone) echo "engine/clone $below" ;;
    engine/base) echo "$below" ;;
    guard | store) echo "$1 sys util" ;;
    plan | sys) echo "$1 util" ;;
    util) echo util ;;
    *) return 1 ;;
  esac
}
