#!/bin/sh
# Delete what the pipeline made, of one scale or (without one) of all; results/published and .venv stay.
# Usage: setup/clean.sh [SCALE]. Results of scale paper take weeks, so they are asked for: YES=1 answers beforehand.
set -eu

say() { printf 'seven-terms: %s\n' "$1" >&2; }

scales=${1:-smoke laptop full paper}
set --
for scale in $scales; do
  for folder in "results/$scale" "results/$scale"-seed*; do
    [ ! -e "$folder" ] || set -- "$@" "$folder"
  done
done
if [ "$scales" = 'smoke laptop full paper' ]; then
  for folder in results/bench .snakemake .cache; do
    [ ! -e "$folder" ] || set -- "$@" "$folder"
  done
fi
[ $# -gt 0 ] || { say "nothing to delete of: $scales"; exit 0; }
case " $*" in *' results/paper'*)
  if [ "${YES:-}" != 1 ]; then
    [ -t 0 ] || { say 'results of scale paper take weeks, so nothing was deleted; `make clean YES=1` deletes them.'; exit 1; }
    printf 'seven-terms: results of scale paper take weeks to make again. Delete them? Type yes: ' >&2
    read -r answer
    [ "$answer" = yes ] || { say 'nothing was deleted.'; exit 1; }
  fi ;;
esac
rm -rf "$@"
say "deleted: $*"
