# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Debian's kernels, for a virtual machine. The script that sources this must have say, die and $T.
#
#   kernel_get KERNEL             5.10, 6.1, 6.12 or a package as a file: $tree, $vmlinuz, $release
#   kernel_modules DIR MODULE...  these and their dependencies, in DIR/m; DIR/modules has their order
#   unpack PACKAGE-FILE DIR
#
# Fetched packages are kept in $cache.
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/lullcp-kernels
mkdir -p "$cache"

# apt as it is set up here, but for the suite, and with a state of its own.
apt_at() { # apt_at SUITE PROGRAM ARG...
  local state=$cache/apt-$1 suite=$1 program=$2
  shift 2
  if [[ ! -s $state/sources ]]; then
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sort -u |
      while read -r label uri; do
        case $label in
        Debian) echo "deb [signed-by=$key] $uri $suite main" ;;
        Debian-Security) echo "deb [signed-by=$key] $uri $suite-security main" ;;
        esac
      done >"$state/sources.new"
    [[ -s $state/sources.new ]] || die 'no archive of Debian is among the sources of apt'
  fi
  local options=(-o "Dir::Cache=$state" -o "Dir::State::Lists=$state/lists"
    -o "Dir::State::status=/dev/null" -o "Dir::Etc::SourceParts=/dev/null"
    -o "APT::Architecture=amd64" -o "APT::Architectures=amd64" -o "APT::Sandbox::User=root")
  if [[ ! -s $state/sources ]]; then
    apt-get "${options[@]}" -o "Dir::Etc::SourceList=$state/sources.new" -qq update >&2 ||
      die "$suite: cannot fetch the lists of packages"
    mv "$state/sources.new" "$state/sources"
  fi
  "$program" "${options[@]}" -o "Dir::Etc::SourceList=$state/sources" "$@"
}
key=/usr/share/keyrings/debian-archive-keyring.gpg

unpack() { # unpack PACKAGE-FILE DIRECTORY
  mkdir "$2.new" && dpkg-deb -x "$1" "$2.new" && mv "$2.new" "$2" || die "$1: cannot unpack it"
}

# fetch SUITE PACKAGE [DIRECTORY]: unpacked; its place in $tree
fetch() {
  local name=$2 new
  tree=$cache/${3:-$1-$2}
  [[ ! -d $tree ]] || return 0
  if [[ $name == linux-image-amd64 ]]; then # which only says which one it is
    name=$(apt_at "$1" apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: //p')
    [[ -n $name ]] || die "$1: no kernel found"
  fi
  say "fetching $name"
  new=$(mktemp -d "$cache/new.XXXXXX")
  (cd "$new" && apt_at "$1" apt-get -qq download "$name" >&2) || die "$name: cannot fetch it"
  unpack "$(echo "$new"/*.deb)" "$tree"
  rm -r "$new"
}

kernel_get() {
  case $1 in
  5.10) fetch bullseye linux-image-amd64 bullseye ;;
  6.1) fetch bookworm linux-image-amd64 bookworm ;;
  6.12) fetch trixie linux-image-amd64 trixie ;;
  *)
    [[ -f $1 ]] || die "$1: neither 5.10, 6.1 or 6.12 nor a file"
    tree=$cache/$(basename "$1" .deb)
    [[ -d $tree ]] || unpack "$1" "$tree"
    ;;
  esac
  vmlinuz=$(echo "$tree"/boot/vmlinuz-*)
  release=${vmlinuz##*/vmlinuz-}
  # from Debian 13 on /lib is where it is in usr only
  [[ -e $tree/lib ]] || ln -s usr/lib "$tree/lib"
  [[ -s $tree/lib/modules/$release/modules.dep ]] || depmod -b "$tree" "$release"
}

kernel_modules() {
  local dir=$1 verb module name
  shift
  mkdir -p "$dir/m"
  modprobe -d "$tree" -S "$release" --show-depends -a "$@" >"$T/modules" || die "$release: lacks a module"
  while read -r verb module _; do
    [[ $verb == insmod ]] || continue
    name=$(basename "$module")
    case $name in
    *.xz) xz -dc "$module" >"$dir/m/${name%.xz}" ;;
    *) cp "$module" "$dir/m/" ;;
    esac
    echo "/m/${name%.xz}"
  done <"$T/modules" | awk '!seen[$0]++' >"$dir/modules"
}
