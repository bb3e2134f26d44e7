#!/bin/sh
# Install tmux, in which a test drives W&B's terminal browser, if that needs no question; otherwise say what to run.
set -u
. setup/apt.sh

command -v tmux >/dev/null && exit 0
install_packages tmux tmux && command -v tmux >/dev/null && exit 0
line='conda install -c conda-forge tmux (on macOS: brew install tmux)'
command -v apt-get >/dev/null && line='apt-get install tmux'
say "there is no tmux, so the test that drives the terminal browser is skipped; to install it, run: $line"
exit 0
