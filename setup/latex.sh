#!/bin/sh
# Install LaTeX where it is missing, if that needs no question; otherwise print the line to run and go on without.
set -u
. setup/apt.sh
packages='latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended lmodern'
styles='booktabs.sty natbib.sty placeins.sty draftwatermark.sty microtype.sty lmodern.sty'

present() { command -v latexmk >/dev/null && command -v pdflatex >/dev/null && kpsewhich $styles >/dev/null; }

present && exit 0
command -v tectonic >/dev/null && exit 0 # a whole LaTeX in one program, as in environment.yml
install_packages LaTeX $packages && present && exit 0
line='conda install -c conda-forge tectonic (or install TeX Live with latexmk from https://tug.org/texlive)'
command -v apt-get >/dev/null && line="apt-get install $packages (as root; without: $line)"
say "LaTeX is missing, so the report stops at its .tex files; for the PDF run: $line"
exit 0
