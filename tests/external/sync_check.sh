#!/bin/sh
# Light against sound on a real sound server: builds galvo, starts a private server, and measures.
#   tests/external/sync_check.sh [native|alsa] [SECONDS]
# Set SYNC_LOG to a file to keep the report there, with its date and machine.
set -eu
cd "$(dirname "$0")/../.."
host=${1:-native}
seconds=${2:-60}
cargo build --locked --release --bin galvo --example sync_check
target=${CARGO_TARGET_DIR:-target}/release
folder=$(mktemp -d)
trap 'scripts/sound-server.sh stop "$folder"; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
scripts/sound-server.sh start "$folder"
case $host in
    native) eval "$(scripts/sound-server.sh env "$folder")" ;;
    alsa) eval "$(scripts/sound-server.sh alsa-env "$folder")" ;;
    *) echo "native or alsa, not $host" >&2; exit 2 ;;
esac
{
    echo "$(date -u +%F) $host, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), Linux $(uname -r)"
    status=0
    "$target/examples/sync_check" "$target/galvo" "$seconds" 2>&1 || status=$?
    echo "exit status $status"
} | tee -a "${SYNC_LOG:-/dev/null}" | tee "$folder/report"
grep -q '^exit status 0$' "$folder/report"
