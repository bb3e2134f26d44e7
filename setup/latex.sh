#!/bin/sh
# Install LaTeX where it is missing, if that needs no question; otherwise print the line to run and go on without.
set -u
packages='latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended lmodern'
styles='booktabs.sty natbib.sty placeins.sty draftwatermark.sty microtype.sty lmodern.sty'

say() { printf 'seven-terms: %s\n' "$1" >&2; }
present() { command -v latexmk >/dev/null && command -v pdflatex >/dev/null && kpsewhich $styles >/dev/null; }
install() {
  export DEBIAN_FRONTEND=noninteractive
  $1 apt-get -qq update && $1 apt-get -qq install --yes --no-install-recommends $packages >/dev/null
}

present && exit 0
command -v tectonic >/dev/null && exit 0 # a whole LaTeX in one program, as in environment.yml
if command -v apt-get >/dev/null; then
  line="apt-get install $packages"
  if [ "$(id -u)" = 0 ]; then as=''; elif sudo -n true 2>/dev/null; then as='sudo -E'; else as=none; fi
  if [ "$as" != none ]; then
    say 'installing LaTeX with apt-get (once; about a minute)'
    install "$as" && present && exit 0
  fi
else
  line='conda install -c conda-forge tectonic (or install TeX Live with latexmk from https://tug.org/texlive)'
fi
say "LaTeX is missing, so the report stops at its .tex files; for the PDF run: $line"
exit 0
