#!/bin/sh
# Pack the sources of the paper, with the bibliography that BibTeX made, so that pdflatex alone compiles them in an empty folder.
set -eu
report=$1/report
test -f "$report/main.tex" || { echo "seven-terms: $report/main.tex must exist; run \`make paper\` first." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/generated" "$folder/figures"
cp "$report/main.tex" "$report/preamble.tex" "$report/references.bib" "$folder"
test ! -f "$report/main.bbl" || cp "$report/main.bbl" "$folder"
cp "$report"/generated/*.tex "$folder/generated"
rm -f "$folder/generated/record.tex"
# figures: those that the paper shows, by the names that it has for them
grep -oh '\.\./figures/[A-Za-z0-9_/]*\.pdf' "$folder"/generated/terms.tex "$folder"/generated/summary.tex | sort -u | while read -r name; do
  mkdir -p "$folder/$(dirname "${name#../}")"
  cp "$report/$name" "$folder/${name#../}"
done
mkdir -p "$folder/figures/terms"
cp "$1"/figures/terms/*.pdf "$folder/figures/terms"
for file in "$folder"/preamble.tex "$folder"/generated/*.tex; do
  sed 's|\.\./figures/|figures/|g' "$file" > "$folder/sed" && mv "$folder/sed" "$file"
done
tar -czf "$2" -C "$folder" .
echo "seven-terms: $2"
