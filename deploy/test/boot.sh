# The unit at work: a copy of the fresh Debian of debian.sh boots in a container of its own, without a network, and
# testdata/boot.sh runs in it as its last unit.
[ -n "${deb:-}" ] || . "$top/deploy/test/debian.sh"
if can_boot "the unit at work"; then
  cp -a "$fresh" "$work/booted"
  boot "$work/booted" deploy/test/testdata/boot.sh 240 booted
fi
