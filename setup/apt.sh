# Sourced by the other scripts: install packages where that needs no question.

say() { printf 'seven-terms: %s\n' "$1" >&2; }

# install_packages NAME PACKAGES...: fails where there is no apt-get, no right to use it, or no such package.
install_packages() {
  name=$1
  shift
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" = 0 ]; then as=''; elif sudo -n true 2>/dev/null; then as='sudo -E'; else return 1; fi
  say "installing $name with apt-get (once; about a minute)"
  export DEBIAN_FRONTEND=noninteractive
  $as apt-get -qq update && $as apt-get -qq install --yes --no-install-recommends "$@" >/dev/null
}
