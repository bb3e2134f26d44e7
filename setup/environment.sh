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
  stop 'Python 3.11 or newer must be installed; `apt-get install python3 python3-venv` (as root) or https://www.python.org brings it, or name one: `make report PYTHON=/path/to/python3`.'
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
# Every file must have the SHA-256 that the lock was tested with; HASHES=no takes the versions alone.
install() { pip install -qq --no-build-isolation --no-deps $hashed "$@" || stop "$refused"; }
refused='packages must be those of the lock, got others or none (above); look at the network, or, where your index has builds of its own, `make environment HASHES=no`.'
if [ "${HASHES:-}" = no ]; then lock=requirements.lock hashed=; else lock=requirements.hashes hashed=--require-hashes; fi
# The build tools come first, at their pinned versions, so that no package fetches others behind the lock's back.
awk '/^[A-Za-z]/ { keep = /^(pip|setuptools)==/ } keep' "$lock" >.venv/tools.txt
install --requirement .venv/tools.txt
install --requirement "$lock"
# The build of PyTorch for GPUs asks for more packages, which the one for processors does not.
if pip check 2>&1 | grep -q '^torch '; then install --requirement requirements-cuda.hashes; fi
hashed=
install --editable .
pip check >/dev/null || stop 'requirements.lock must hold packages that fit together; run `.venv/bin/pip check` to see which do not.'
wanted >.venv/complete.part
mv .venv/complete.part "$stamp"
