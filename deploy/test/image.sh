# The Dockerfile itself, by buildah, which needs no daemon. The base image golang comes from no registry here: the fresh
# Debian of debian.sh with this machine's Go stands in for it.
[ -n "${deb:-}" ] || . "$top/deploy/test/debian.sh"
if [ -n "$no_fresh" ]; then
  leave "the Dockerfile" "$no_fresh"
  return
fi
need buildah buildah
b() { buildah --root "$work/images" --runroot "$work/images-run" --storage-driver vfs "$@"; }
base() {
  local c m
  c=$(b from scratch) && m=$(b mount "$c") && cp -a "$fresh"/{bin,lib,lib64,sbin,usr,etc,var} "$m/" && mkdir -p "$m"/{tmp,root} &&
    cp -a "$(go env GOROOT)" "$m/usr/local/go" && cp /etc/resolv.conf "$m/etc/" && cp -aL /etc/ssl/certs/ca-certificates.crt "$m/etc/ssl/certs/" &&
    b config --env PATH=/usr/local/go/bin:/usr/bin:/bin --env GOTOOLCHAIN=local --env "GOPROXY=$(go env GOPROXY)" "$c" &&
    b commit -q --rm "$c" docker.io/library/golang:1.26
}
check "a base image is made" base
check "the Dockerfile builds" b bud --isolation chroot --pull-never --format docker --ignorefile deploy/Dockerfile.dockerignore \
  --build-arg VERSION=1.2.3 -f deploy/Dockerfile -t v3gate .
image=$(b mount "$(b from --pull-never localhost/v3gate)")
files() { [ "$(cd "$image" && find . -type f | sort | tr '\n' ' ')" = "./etc/ssl/certs/ca-certificates.crt ./gateway " ] || { find "$image" -type f; return 1; }; }
check "certificates and the program are all that is in it" files
in_image() { env -i GATEWAY_ADMIN="$image_admin" GATEWAY_LISTEN=127.0.0.1:0 GATEWAY_STORE=/data/store.db GATEWAY_V3_KEY=sandboxsandboxsandbox123 \
  GATEWAY_V5_TOKEN=x /usr/sbin/chroot --userspec=65532:65532 --groups= "$image" /gateway "$@"; }
image_admin=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
in_image serve > "$work/image.log" 2>&1 &
pids+=($!)
check "it serves as its own user, and its health check says so" wait_for 10 in_image health
note "$(du -sh "$image" | cut -f1)"
