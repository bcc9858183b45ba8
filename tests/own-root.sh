#!/bin/bash
# SPDX-License-Identifier: MIT
# own-root.sh COMMAND [ARG]...: runs COMMAND with a root that is a mount point.
#
# In a chroot the root often is not a mount point. Then its propagation cannot be changed, but systemd
# and libvirt do this first when they make a mount namespace. This script binds such a root to a
# directory, in a namespace of its own, and runs COMMAND in it.
#
# The directory must lie on a private mount. Otherwise the new mount would appear in other namespaces.
# Only mount points can be made private, and /dev is one wherever there are devices.
if [ "$(id -u)" != 0 ] || unshare -m --propagation private true 2>/dev/null; then
  exec "$@"
fi
exec unshare -m --propagation unchanged bash -c '
  new=/dev/shm/.root
  if ! { mount --make-rprivate /dev && mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm &&
    mkdir "$new" && mount --rbind / "$new" && mount --make-rprivate "$new"; }; then
    echo "$0: the root of this chroot is no mount point. Leave it, type" \
      "\"mount --bind DIRECTORY DIRECTORY\", and enter it again" >&2
    exit 1
  fi
  exec chroot "$new" bash -c "cd \"\$0\" && exec \"\$@\"" "$PWD" "$@"' "$0" "$@"
