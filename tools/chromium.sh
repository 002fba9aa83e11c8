#!/bin/sh
# Makes sure a Chromium is here for the browser tests. Exit 0: it is. Exit 1: it is not, and why was said in one line.
set -eu
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "test-browser: all skipped, there is no Chromium here. Install it, on Debian: apt-get install chromium"
  exit 1
fi
echo "test-browser: installing Chromium"
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-ipafont-gothic; } >/dev/null 2>&1; then
  echo "test-browser: all skipped, Chromium could not be installed (apt-get failed)"
  exit 1
fi
