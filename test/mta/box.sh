#!/bin/sh
# box.sh <folder> <package>…: a root directory in which a mail server of these packages runs with the paths that are
# compiled into it, and with the libraries of this machine. Needs root.
set -eu
box=$1
shift
for package in "$@"; do dpkg-deb -x "$package" "$box"; done
mkdir -p "$box/dev" "$box/etc" "$box/run" "$box/tmp" "$box/var/log" "$box/var/spool"
[ -e "$box/var/run" ] || ln -s ../run "$box/var/run"
chmod 755 "$box"
chmod 1777 "$box/tmp"
mknod -m 666 "$box/dev/null" c 1 3
mknod -m 666 "$box/dev/urandom" c 1 9
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -dumpmachine 2>/dev/null || echo "$(uname -m)-linux-gnu")
export LD_LIBRARY_PATH="$box/usr/lib/postfix:$box/usr/lib/$multiarch:$box/lib/$multiarch"
# ldd fails for scripts, which have no libraries.
find "$box" -type f -perm -u+x | while read -r file; do ldd "$file" 2>/dev/null || true; done |
  grep -oE '/[^ ]+' | grep -v "^$box/" | sort -u |
  while read -r library; do
    [ -e "$box$library" ] && continue
    mkdir -p "$box$(dirname "$library")"
    cp -L "$library" "$box$library"
  done
