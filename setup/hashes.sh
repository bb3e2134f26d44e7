#!/bin/sh
# Write requirements.hashes and requirements-cuda.hashes from requirements.lock. Needs uv and a package index; run by whoever
# changes the lock. requirements-cpu.hashes is written by hand from `sha256sum` of the wheel: another index has it.
set -eu
command -v uv >/dev/null || { echo 'seven-terms: uv must be installed; `pip install uv` brings it.' >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
grep -v '^#' requirements.lock >"$folder/lock.in"
grep '^torch==' requirements.lock >"$folder/torch.in"
compile() { uv pip compile --quiet --no-header --no-annotate --universal --generate-hashes --python-version 3.11 "$@"; }
compile --no-deps "$folder/lock.in" --output-file "$folder/lock.out"
compile --constraints "$folder/lock.in" "$folder/torch.in" --output-file "$folder/torch.out"
{
  echo '# requirements.lock with the SHA-256 of every file: written by setup/hashes.sh, read by setup/environment.sh.'
  cat "$folder/lock.out"
} >requirements.hashes
{
  echo '# What the build of PyTorch for GPUs asks for besides, on Linux: written by setup/hashes.sh, read by setup/environment.sh.'
  awk '/^[a-z]/ { keep = /^(cuda|nvidia|triton)/ } keep' "$folder/torch.out"
} >requirements-cuda.hashes
