#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The completions of the shells: each option of --help, and the words that a value can be.
dir=$(cd "$(dirname "$0")" && pwd)/../../completions
. "$(dirname "$0")/../lib.sh"
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
for shell in zsh fish; do
  command -v $shell >/dev/null || cannot_run "needs $shell"
done
[ -r /usr/share/bash-completion/bash_completion ] || cannot_run 'needs bash-completion'
PATH=$(dirname "$LULLCP"):$PATH
export PATH
mkdir "$T/files"
cd "$T/files" || exit 99
: >image
mkdir folder

bash_offers() { # bash_offers WORD...: the last one is completed
  bash --norc -c '. /usr/share/bash-completion/bash_completion; . "$1"; shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
    _lullcp lullcp "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
    printf "%s\n" "${COMPREPLY[@]}"' bash "$dir/lullcp" "$@"
}
fish_offers() { # fish_offers LINE
  HOME=$T fish --no-config -c "source '$dir/lullcp.fish'; complete -C '$1'" | cut -f 1
}
zsh_offers() { # zsh_offers LINE: by a terminal of its own, for only there zsh completes
  HOME=$T zsh -f "$T/offers.zsh" "$dir" "$1"
}
cat >"$T/offers.zsh" <<'EOF'
zmodload zsh/zpty
zpty shell "PS1='READY> ' TERM=dumb zsh -f -i"
zpty -w shell "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=0"
zpty -w shell "zstyle ':completion:*' list-prompt ''; zstyle ':completion:*' verbose no; stty rows 500 cols 200"
zpty -w shell "bindkey '^D' list-choices; setopt no_beep no_list_packed; echo SET''UP"
zpty -r shell said '*SETUP*'
# before its prompt the shell does not listen, and below a list it prints that once more
until_prompt() {
  for i in {1..400}; do
    while zpty -r -t shell part; do listed+=$part; done
    [[ $listed != *READY* ]] || return
    sleep 0.05
  done
}
listed=''
until_prompt
listed=''
zpty -w -n shell "$2"$'\x04'
until_prompt
zpty -w -n shell $'\x15'"echo EN""D"$'\n'
zpty -r shell said '*END*'
print -r -- $listed$said
zpty -d shell
EOF

options=$("$LULLCP" --help | grep -oE '^ +(-., )*--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u)
check 'there are options' test "$(wc -l <<<"$options")" -gt 50

note bash
offered=$(bash_offers lullcp -- | tr -d '=' | sed 's/\[.*//' | sort -u)
same 'bash: all options' "$options" "$offered"
same 'bash: values' 'atomic auto fail snapshot trust' \
  "$(bash_offers lullcp --on-writers '' | sort | tr '\n' ' ' | sed 's/ $//')"
check 'bash: files' grep -qx image <<<"$(bash_offers lullcp --metrics im)"

note fish
offered=$(fish_offers 'lullcp --' | grep -oE -- '^--[a-z-]+' | sort -u)
same 'fish: all options' "$options" "$offered"
same 'fish: values' 'atomic auto fail snapshot trust' \
  "$(fish_offers 'lullcp --on-writers ' | sort | tr '\n' ' ' | sed 's/ $//')"
check 'fish: values after =' grep -qx -- '--verify=maps' <<<"$(fish_offers 'lullcp --verify=m')"
check 'fish: letters' grep -qx -- '-q' <<<"$(fish_offers 'lullcp -')"
check 'fish: files' grep -qx image <<<"$(fish_offers 'lullcp im')"

note zsh
offered=$(zsh_offers 'lullcp --' | grep -oE -- '(^|[[:space:]])--[a-z-]+' | tr -d ' \t\r' | sort -u)
same 'zsh: all options' "$options" "$(grep -vx -- '--' <<<"$offered")"
offered=$(zsh_offers 'lullcp --on-writers=')
for word in auto snapshot atomic fail trust; do
  check "zsh: value $word" grep -qw $word <<<"$offered"
done
check 'zsh: files' grep -qw image <<<"$(zsh_offers 'lullcp ')"
finish
