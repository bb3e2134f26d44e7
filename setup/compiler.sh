#!/bin/sh
# Install a C++ compiler where there is none, if that needs no question; otherwise say what to run and go on without.
set -u
. setup/apt.sh

present() { for name in "${CXX:-c++}" c++ g++ clang++; do command -v "$name" >/dev/null && return 0; done; return 1; }

present && exit 0
install_packages 'a C++ compiler' g++ && present && exit 0
line='conda install -c conda-forge cxx-compiler (on macOS: xcode-select --install)'
command -v apt-get >/dev/null && line="apt-get install g++ (as root; without: $line)"
say "there is no C++ compiler, so small networks train several times more slowly; to install one, run: $line"
exit 0
