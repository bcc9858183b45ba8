#!/bin/sh
# SPDX-License-Identifier: MIT
# A hook for tests: logs each call in $HOOK_LOG, then does what the variables HOOK_* say.
echo "$1 $LULLCP_RUN_ID $LULLCP_RESUMED ${LULLCP_RESULT:-} $2" >>"$HOOK_LOG"
case $1 in
  freeze) sleep "${HOOK_FREEZE_SLEEP:-0}"; exit "${HOOK_FREEZE_EXIT:-0}" ;;
  thaw) sleep "${HOOK_THAW_SLEEP:-0}"; echo "thawed" >>"$HOOK_LOG"; exit "${HOOK_THAW_EXIT:-0}" ;;
esac
