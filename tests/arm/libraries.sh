#!/usr/bin/env bash
# Fetches the arm64 libraries that the engine and its tests need, with apt, into a folder: nothing is
# installed, and the machine does not become one of two architectures.
#
# usage: libraries.sh FOLDER
set -euo pipefail
mkdir -p "$1"
root=$(cd "$1" && pwd)
packages="libpcre2-8-0:arm64 libpcre2-dev:arm64 libcmocka0:arm64 libcmocka-dev:arm64"
[ -f "$root/complete" ] && exit 0

mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial"
cat >"$root/apt/conf" <<T
APT::Architectures { "$(dpkg --print-architecture)"; "arm64"; };
APT::Sandbox::User "$(id -un)";
Dir::State "$root/apt";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$root/apt/cache";
T
export APT_CONFIG=$root/apt/conf
cd "$root/apt"
apt-get update -q >log 2>&1 && apt-get download -q $packages >>log 2>&1 || { cat log >&2; exit 1; }
for package in ./*.deb; do
    dpkg -x "$package" "$root"
done
cd "$root"
rm -r apt
touch complete
