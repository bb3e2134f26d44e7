#!/bin/sh
# Make .venv from requirements.lock. Usage: setup/environment.sh PYTHON; does nothing when .venv is complete.
# The stamp names what was installed and where, so an interrupted, outdated or moved environment is made again by the
# next call.
set -eu
python=$1
stamp=.venv/complete # written last
mark=.venv/made-by-setup # written first: only what this script made is ever deleted

say() { printf 'seven-terms: %s\n' "$1" >&2; }
stop() { say "$1"; exit 1; }
wanted() { pwd; cat requirements.lock; }

if [ -f "$stamp" ] && wanted | cmp -s - "$stamp" && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

[ ! -e .venv ] || [ -e "$mark" ] ||
  stop '.venv must be one that this project made, got another; move it away with `mv .venv my-venv`, then the same command again.'
[ -n "$python" ] && command -v "$python" >/dev/null ||
  stop "Python 3.11 or newer must be installed, got ${python:-none}; \`apt-get install python3 python3-venv\` (as root) or https://www.python.org brings it, or name one: \`make report PYTHON=/path/to/python3\`."
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  stop "Python must be 3.11 or newer, got $version ($python); install a newer one, e.g. \`apt-get install python3.11 python3.11-venv\`, or name it: \`make report PYTHON=python3.11\`."
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  stop "Python $version lacks its venv module; run \`apt-get install python$version-venv\` (as root), then the same command again."

say "setting up .venv from requirements.lock with Python $version (once; a few minutes)"
rm -rf .venv.old
if [ -e .venv ]; then mv .venv .venv.old && rm -rf .venv.old; fi
mkdir .venv
: >"$mark"
"$python" -m venv .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
# The build tools come first, at their pinned versions, so that no package fetches others behind the lock's back.
if [ -z "${HASHES:-}" ]; then
  pip install -qq $(grep -E '^(pip|setuptools)==' requirements.lock)
  pip install -qq --no-build-isolation --requirement requirements.lock
else # every file must have the SHA-256 that is written down for it
  only() { awk -v names="^($1)==" "/^[A-Za-z]/ { keep = \$0 $2 names } keep" requirements.hashes >.venv/part.txt; }
  verified() { pip install -qq --no-build-isolation --no-deps --require-hashes --requirement "$1" || stop "packages must be those of $1, got others or none (above)."; }
  only 'pip|setuptools' '~' && verified .venv/part.txt
  only 'torch' '!~' && verified .venv/part.txt
  case $HASHES in
    cpu) verified requirements-cpu.hashes ;;
    *) only 'torch' '~' && verified .venv/part.txt
       [ "$(uname)" != Linux ] || verified requirements-cuda.hashes ;;
  esac
fi
pip install -qq --no-build-isolation --no-deps --editable .
pip check >/dev/null || stop 'requirements.lock must hold packages that fit together; run `.venv/bin/pip check` to see which do not.'
wanted >.venv/complete.part
mv .venv/complete.part "$stamp"
