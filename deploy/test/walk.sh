# docs/operations.md as it is written: its blocks are taken out of it and run in their order. Those marked "sh build" run in
# a copy of the source here, those marked "sh packages" in the fresh Debian while it has a network, all others in it as
# root, after systemd has booted it. testdata/walk.sh is what runs there, and says which facts of the outside are made up.
[ -n "${deb:-}" ] || . "$top/deploy/test/debian.sh"

# blocks FILE DIRECTORY: NNN-KIND for each fenced block and each comment "walk:", NNN being its line; blanks become "_".
blocks() {
  mkdir -p "$2"
  awk -v dir="$2" '
    fence && /^```$/ { fence = 0; close(file); next }
    fence { print > file; next }
    /^```/ { fence = 1; kind = substr($0, 4); gsub(/ /, "_", kind); file = sprintf("%s/%03d-%s", dir, NR, kind); printf "" > file }
    /^<!-- walk: [a-z]+ -->$/ { file = sprintf("%s/%03d-before", dir, NR); print $3 > file; close(file) }
  ' "$1"
}

# said FILE WANTED: FILE is as WANTED has it, where "..." stands for anything in its line, and alone for any lines.
said() {
  perl -0777 -e '($said, $want) = map { open F, "<", $_ or die $!; <F> } @ARGV;
    $said =~ s/([^\n])\z/$1\n/;
    $want = join "", map { $_ eq "...\n" ? "(?:.*\n)*" : do { $q = quotemeta; $q =~ s/(?:\\\.){3}/.*/g; $q } } split /(?<=\n)/, $want;
    exit($said !~ /\A$want\z/)' "$1" "$2" || { echo "what was said:"; cat "$1"; echo "what the document says:"; cat "$2"; return 1; }
}

# The machine that builds.
build_blocks() {
  local b text
  mkdir -p "$work/src" && git ls-files -z -co --exclude-standard | tar --null -T - -c | tar -x -C "$work/src" || return
  for b in "$work"/blocks/*-sh_build; do
    (cd "$work/src" && bash -eo pipefail "$b") > "$work/built" || return
    text=$(find "$work/blocks" -type f | sort | grep -A 1 -F "$b" | tail -n 1)
    case $text in *-text) said "$work/built" "$text" || return ;; esac
  done
}

# What v5 and the operator are in the walk; testdata/walk.sh starts it.
outside() {
  CGO_ENABLED=0 go build -o "$walk/root/outside/front" deploy/test/testdata/front.go &&
    cp "$gateway" "$walk/root/outside/gateway" && cd "$walk/root/outside" && ./gateway cert --host api.gandi.net --out tls &&
    cp tls/ca.pem "$walk/usr/local/share/ca-certificates/api.crt" && in_root "$walk" update-ca-certificates &&
    echo 127.0.0.2 api.gandi.net >> "$walk/etc/hosts"
}
packages() {
  local b
  for b in "$work"/blocks/*-sh_packages; do
    cp "$b" "$walk/root/packages" && in_root "$walk" bash -eo pipefail /root/packages || return
  done
  rm -f "$walk/root/packages"
  in_root "$walk" systemctl disable prometheus # a boot would give it port 9090 before the walk is there
}
first_time() { # the package is not there yet
  in_root "$walk" dpkg -P v3gate && in_root "$walk" deluser v3gate && rm -rf "$walk"/{etc,var/lib}/v3gate "$walk/root/v3gate.deb"
}

walk_through() {
  walk=$work/walk
  blocks docs/operations.md "$work/blocks"
  check "walk: what is built on another machine" build_blocks
  cp -a "$fresh" "$walk"
  mkdir -p "$walk/root/outside"
  check "walk: the machine is as one without the package" first_time
  check "walk: v5 is simulated there" eval "(outside)"
  check "walk: the packages that it uses" packages
  cp "$work/src/dist/gateway" "$work"/src/dist/*.deb "$walk/root/"
  cp -r "$work/blocks" "$walk/root/outside/"
  declare -f said > "$walk/root/outside/said.sh"
  boot "$walk" deploy/test/testdata/walk.sh 300 walk
  note "not run: $(grep -h . "$work"/blocks/*-console | cut -c 1-60 | paste -sd ';')"
}
if can_boot "docs/operations.md"; then walk_through; fi
