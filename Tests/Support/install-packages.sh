#!/usr/bin/env bash
# Makes sure that the system packages are there which Plugboard needs to build (build), to be tested against real servers (interop), to
# check the models of the lanes (verify-lanes), to measure them beside other queues (bench-lanes) or to have another program read the
# AOL plugin's messages (oscar-capture).
#
#     Tests/Support/install-packages.sh build
#     Tests/Support/install-packages.sh build interop
#
# As root it installs what is missing and says so. As anybody else it prints the one command to type, and stops with status 1.
# Packages bring daemons; none of them is started by their installation.
set -euo pipefail

readonly build_packages=(libc-ares-dev libexpat1-dev libffi-dev libidn-dev libsqlite3-dev pkg-config)
readonly crash_packages=(mount python3 util-linux)
readonly interop_packages=(
    ejabberd erlang-base lua-unbound openssl procps prosody prosody-modules python3 python3-slixmpp util-linux
)
readonly verify_lanes_packages=(gcc libc6-dev spin)
readonly oscar_capture_packages=(tshark)
readonly bench_lanes_packages=(libboost-dev libck-dev libconcurrentqueue-dev librust-crossbeam-queue-dev)
readonly policy=/usr/sbin/policy-rc.d

usage() {
    echo "usage: ${0##*/} build|crash|interop|verify-lanes|bench-lanes|oscar-capture ..." >&2
    exit 2
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

require_swift() {
    if ! command -v swift >/dev/null; then
        echo "Swift 6.3 or newer is needed and not on the PATH: https://www.swift.org/install/linux" >&2
        exit 1
    fi
}

# Debian's packages ask policy-rc.d before they start a service; 101 means "not allowed".
forbid_service_starts() {
    saved_policy=$(mktemp --directory)
    if [ -e "$policy" ]; then cp --preserve=all "$policy" "$saved_policy/policy-rc.d"; fi
    trap restore_service_policy EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_service_policy() {
    rm -f "$policy"
    if [ -e "$saved_policy/policy-rc.d" ]; then cp --preserve=all "$saved_policy/policy-rc.d" "$policy"; fi
    rm -rf "$saved_policy"
}

install_packages() {
    echo "Installing the missing system packages: $*"
    forbid_service_starts
    export DEBIAN_FRONTEND=noninteractive
    # The package lists may be absent (a fresh container) or old (a file that has gone from the mirror): refresh them only then.
    local install=(apt-get install --yes --no-install-recommends --quiet=2 "$@")
    "${install[@]}" || { apt-get update --quiet=2 && "${install[@]}"; }
}

[ $# -gt 0 ] || usage
wanted=()
for group in "$@"; do
    case "$group" in
        build) require_swift && wanted+=("${build_packages[@]}") ;;
        crash) wanted+=("${crash_packages[@]}") ;;
        interop) wanted+=("${interop_packages[@]}") ;;
        oscar-capture) wanted+=("${oscar_capture_packages[@]}") ;;
        verify-lanes) wanted+=("${verify_lanes_packages[@]}") ;;
        bench-lanes)
            wanted+=("${bench_lanes_packages[@]}")
            # Debian's Rust will do, and so will any other that is there.
            if ! command -v cargo >/dev/null; then wanted+=(cargo); fi
            ;;
        *) usage ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "Plugboard is built and tested on Debian 12. Here there is no dpkg; install the counterparts of: ${wanted[*]}" >&2
    exit 1
fi

missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "System packages are missing. Type this, then run the command again:" >&2
    echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
install_packages "${missing[@]}"
