#!/bin/sh
# Look at the places that Snakemake and its libraries write to, which say little when they cannot: home, temporary folder,
# and the path of the project itself.
set -u

say() { printf 'seven-terms: %s\n' "$1" >&2; }
stop() { say "$1"; exit 1; }

case $PWD in *[\'\"\`\$\#:\\{}]*)
  stop "the path of the project must hold none of ' \" \` \$ # : \\ { }, got $PWD; move or rename the folder (spaces and letters of any alphabet are fine)." ;;
esac

# writable FOLDER: whether 64 kB can be written there, or in the nearest folder above that exists.
writable() {
  place=$1
  while [ ! -d "$place" ]; do
    [ ! -e "$place" ] || return 1
    above=$(dirname "$place")
    [ "$above" != "$place" ] || return 1
    place=$above
  done
  probe="$place/.seven-terms-$$"
  { dd if=/dev/zero of="$probe" bs=1024 count=64 && rm -f "$probe"; } >/dev/null 2>&1 || { rm -f "$probe" 2>/dev/null; return 1; }
}

cache=${XDG_CACHE_HOME:-${HOME:-$(cd ~ 2>/dev/null && pwd)}/.cache}
writable "$cache" ||
  stop "the cache folder $cache must be writable, got one that is not; name another: \`export XDG_CACHE_HOME=$PWD/.cache\`, then the same command again."
writable "${TMPDIR:-/tmp}" ||
  stop "the temporary folder ${TMPDIR:-/tmp} must be writable and have room, got one that has not; name another: \`export TMPDIR=/path/to/folder\`, then the same command again."
