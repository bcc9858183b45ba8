#!/bin/bash
# SPDX-License-Identifier: MIT
# Tries the streams of --export and --apply with Ceph's own programs, in a fresh Debian, with a cluster of
# one node in memory. As root; needs debootstrap, mkfs.xfs and a build. Not a part of tests/run.sh.
#
#   rbd.sh [SUITE]   (bookworm)
#
# Environment: LULLCP, the program (build/src/lullcp); MIRROR and LULL_ROOT, as in debian.sh: 4 GB of room;
# LULL_TEST_SEED.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=SCRIPTDIR/help.sh
. "$here/tools/help.sh"
help_answer "$@"
suite=${1:-bookworm}
lullcp=$(realpath "${LULLCP:-$here/build/src/lullcp}")
seed=${LULL_TEST_SEED:-$RANDOM}
if [ "$(id -u)" != 0 ]; then
  echo 'rbd.sh: run as root: it makes a Debian for Ceph' >&2
  exit 1
fi
# shellcheck source=SCRIPTDIR/debian.sh
. "$here/tools/debian.sh"
at_end() {
  for p in "$root"/t/c/*.pid; do
    [ ! -e "$p" ] || [ "$(readlink "/proc/$(cat "$p")/root")" != "$root" ] || kill "$(cat "$p")"
  done
  for _ in {1..50}; do
    grep -sqx "$root" <(for p in /proc/[0-9]*/root; do readlink "$p"; done) || break
    sleep 0.2
  done
  ! mountpoint -q "$X" || umount "$X" || umount -l "$X"
  rm -rf --one-file-system "$scratch"
  debian_end
}
inside() {
  timeout 900 chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive sh -ec 'cd /t && eval "$1"' sh "$1"
}
failed=0
equal() { # equal WHAT A B
  cmp "$2" "$3" && echo "$1: equal" || failed=1
}

echo "== Debian $suite, and Ceph"
debian_new "$suite" proc dev
scratch=$(mktemp -d "${LULL_ROOT:-${TMPDIR:-/tmp}}/lullcp-streams.XXXXXX")
X=$scratch/xfs
trap at_end EXIT
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/t/c" "$root/etc/ceph" "$X"
inside 'apt-get update -qq && apt-get install -y -qq --no-install-recommends ceph-common ceph-mon ceph-osd \
  python3-rbd' >"$scratch/log" 2>&1 || {
  tail -n 20 "$scratch/log" >&2
  exit 1
}
inside 'rbd --version'

echo '== one monitor, one OSD in memory'
fsid=$(cat /proc/sys/kernel/random/uuid)
cat >"$root/etc/ceph/ceph.conf" <<END
[global]
fsid = $fsid
mon host = v1:127.0.0.1:16789
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
ms bind msgr2 = false
run dir = /t/c
log file = /t/c/\$name.log
admin socket = /t/c/\$name.asok
pid file = /t/c/\$name.pid
keyring = /t/c/keyring
mon data = /t/c/mon
osd data = /t/c/osd
osd objectstore = memstore
END
# memstore takes the OSD's identity from a file
inside 'exec >c/up.log 2>&1
  cd c && mkdir mon osd
  ceph-authtool --create-keyring keyring --gen-key -n mon. --cap mon "allow *"
  ceph-authtool keyring --gen-key -n client.admin --cap mon "allow *" --cap osd "allow *"
  monmaptool --create --addv a "[v1:127.0.0.1:16789]" --fsid '"$fsid"' monmap
  ceph-mon --mkfs -i a --monmap monmap --keyring keyring
  ceph-mon -i a
  cat /proc/sys/kernel/random/uuid >osd/fsid
  timeout 60 ceph osd new "$(cat osd/fsid)"
  ceph-osd -i 0 --mkfs --osd-uuid "$(cat osd/fsid)"
  ceph-osd -i 0
  timeout 60 ceph osd pool create rbd 8 8' || {
  tail -n 20 "$root/t/c/up.log" >&2
  exit 1
}

echo "== our streams, seed $seed"
truncate -s 1G "$scratch/image"
mkfs.xfs -q "$scratch/image"
mount -o loop "$scratch/image" "$X"
changes="$here/tests/fs/changes.py"
python3 -S "$changes" make "$X/g0" 20000001 "$seed"
for i in 1 2 3; do
  cp --reflink=always "$X/g$((i - 1))" "$X/g$i"
  python3 -S "$changes" mutate "$X/g$i" "$seed$i" 12
done
for v in 1 2; do
  "$lullcp" --export --format=$v "$X/g0" >"$root/t/0.v$v"
  for i in 1 2 3; do
    "$lullcp" --export --format=$v --base="$X/g$((i - 1))" "$X/g$i" >"$root/t/$i.v$v"
  done
done
inside 'rbd create --size 1 img
  for i in 0 1 2; do rbd import-diff --no-progress $i.v1 img; done
  rbd import-diff --no-progress - img <3.v1
  rbd snap ls img
  for i in 0 1 2 3; do rbd export --no-progress img@g$i out.$i; done
  rbd merge-diff --no-progress 0.v1 1.v1 m01
  rbd merge-diff --no-progress 1.v1 2.v1 m12
  echo "what refuses version 2:"
  rbd import-diff --no-progress 0.v2 img || rbd merge-diff --no-progress 0.v2 1.v2 m || :' 2>&1 | grep -v '^$' || :
for i in 0 1 2 3; do
  equal "import-diff $i" "$X/g$i" "$root/t/out.$i"
done
"$lullcp" --apply --format=1 "$X/m" <"$root/t/m01"
equal 'merge-diff of a whole' "$X/g1" "$X/m"
"$lullcp" --apply --format=1 --base="$X/m" "$X/m2" <"$root/t/m12"
equal 'merge-diff of changes' "$X/g2" "$X/m2"

echo '== version 2, as rbd import --export-format 2 has it'
cat >"$root/t/wrap.py" <<'END'
import struct
whole = open("x", "rb").read()
head = whole[:whole.index(b"rbd diff v2\n") - 8]
with open("w", "wb") as f:
    f.write(head + struct.pack("<Q", 4))
    for i in range(4):
        f.write(open("%d.v2" % i, "rb").read())
END
inside 'rbd create --size 1 empty
  rbd export --no-progress --export-format 2 empty x
  python3 wrap.py
  rbd import --no-progress --export-format 2 w img2
  for i in 0 1 2 3; do rbd export --no-progress img2@g$i out2.$i; done' 2>&1 | grep -v '^$' || :
for i in 0 1 2 3; do
  equal "version 2, $i" "$X/g$i" "$root/t/out2.$i"
done

echo '== its streams'
cat >"$root/t/write.py" <<'END'
import random, sys
import rados, rbd

chance = random.Random(int(sys.argv[1]))
features = int(sys.argv[2])
cluster = rados.Rados(conffile="/etc/ceph/ceph.conf", name="client.admin")
cluster.connect()
pool = cluster.open_ioctx("rbd")
size = 20000001
rbd.RBD().create(pool, sys.argv[3], size, order=22, old_format=False, features=features)
with rbd.Image(pool, sys.argv[3]) as image:
    for snap in range(5):
        for _ in range(20):
            at = chance.randrange(size)
            n = min(chance.choice([1, 511, 512, 4096, 100000, 5000000]), size - at)
            how = chance.random()
            if how < 0.6:
                image.write(chance.randbytes(n), at)
            elif how < 0.8:
                image.discard(at, n)
            else:
                image.write_zeroes(at, n)
        image.flush()
        image.create_snap("s%d" % snap)
        if snap < 4:
            size = max(100, size + chance.randrange(-9000000, 9000000))
            image.resize(size)
pool.close()
cluster.shutdown()
END
# layering alone, and with an object map
for features in 1 61; do
  inside "python3 write.py $seed $features src$features"
  for whole in '' --whole-object; do
    inside "rm -f d? e?
      rbd export-diff --no-progress $whole src$features@s0 d0
      for i in 1 2 3 4; do
        rbd export-diff --no-progress $whole --from-snap s\$((i - 1)) src$features@s\$i d\$i
      done
      for i in 0 1 2 3 4; do rbd export --no-progress src$features@s\$i e\$i; done"
    rm -f "$X"/a?
    "$lullcp" --apply --format=1 "$X/a0" <"$root/t/d0"
    equal "export-diff $whole, features $features, 0" "$X/a0" "$root/t/e0"
    for i in 1 2 3 4; do
      "$lullcp" --apply --format=1 --base="$X/a$((i - 1))" "$X/a$i" <"$root/t/d$i"
      equal "export-diff $whole, features $features, $i" "$X/a$i" "$root/t/e$i"
    done
  done
done
[ $failed = 0 ] && echo "== good: $(inside 'rbd --version')"
exit $failed
