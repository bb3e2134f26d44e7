#!/bin/sh
# Install Chromium and its driver, in which tests open the page, if that needs no question; otherwise say what is skipped.
set -u
. setup/apt.sh

present() { command -v chromedriver >/dev/null && { command -v chromium || command -v chromium-browser; } >/dev/null; }

present && exit 0
install_packages 'a browser for the tests' chromium chromium-driver && present && exit 0
line='install Chromium and chromedriver'
command -v apt-get >/dev/null && line='apt-get install chromium chromium-driver'
say "there is no browser, so the tests that open the page in one are skipped; for them: $line"
exit 0
