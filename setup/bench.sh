#!/bin/sh
# Add the packages of the extra `bench` of pyproject.toml to .venv: only `make bench` needs them, to compare with.
# Where they cannot be installed the benchmark goes on without them.
set -u
stamp=.venv/bench-extra # what is installed

say() { printf 'seven-terms: %s\n' "$1" >&2; }
wanted() { sed -n 's/^bench = \[\(.*\)\].*/\1/p' pyproject.toml | tr -d '",'; }

if [ -f "$stamp" ] && wanted | cmp -s - "$stamp"; then exit 0; fi
say "installing $(wanted) for the benchmark (once; a minute)"
if .venv/bin/python -m pip --disable-pip-version-check install -qq --constraint requirements.lock $(wanted); then
  wanted >"$stamp"
else
  say "the benchmark goes on without: $(wanted)"
fi
exit 0
