# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The help of a script in this directory is the comment at its head. To be sourced.
#
#   help_show           prints it
#   help_answer ARG...  ends the script where the first argument is an option
help_show() { sed -n '3,/^[^#]/{s/^# \{0,1\}//p;}' "$0"; }
help_answer() {
  case ${1:-} in
  --help)
    help_show
    exit 0
    ;;
  -*)
    echo "$(basename "$0"): unrecognized option '$1'" >&2
    help_show >&2
    exit 1
    ;;
  esac
}
