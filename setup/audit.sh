#!/bin/sh
# Hold the pinned versions against the known vulnerabilities, where pip-audit is installed and its database can be reached.
set -u

say() { printf 'seven-terms: %s\n' "$1" >&2; }

command -v pip-audit >/dev/null || {
  say 'pip-audit is not installed, so nobody asked for known vulnerabilities of the pinned packages; `pipx install pip-audit` brings it.'
  exit 0
}
said=$(pip-audit --requirement requirements.hashes --require-hashes --disable-pip --progress-spinner off 2>&1) && exit 0
case $said in *'known vulnerabilit'*)
  printf '%s\n' "$said" >&2
  say 'pinned packages must have no known vulnerability, got those above; raise their versions in pyproject.toml and requirements.lock.'
  exit 1 ;;
esac
say "known vulnerabilities could not be asked for: $(printf '%s\n' "$said" | tail -n 1 | cut -c 1-200)"
