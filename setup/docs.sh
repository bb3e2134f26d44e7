#!/bin/sh
# Add the packages of docs/requirements.lock to .venv: only `make docs` needs them. They are pinned, so that the site builds alike.
set -eu
stamp=.venv/docs-extra # what is installed

if [ -f "$stamp" ] && cmp -s docs/requirements.lock "$stamp"; then exit 0; fi
printf 'seven-terms: installing what builds the documentation (once; some seconds)\n' >&2
.venv/bin/python -m pip --disable-pip-version-check install -qq --no-deps -r docs/requirements.lock
cp docs/requirements.lock "$stamp"
