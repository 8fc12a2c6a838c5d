#!/bin/sh
# Wireshark's own dissector reads a whole IDN session of galvo: scan, service map, stream, keep-alives, stop.
# No packet may be malformed. Needs tshark and the right to capture on loopback; says so and skips without.
#
#   tests/external/idn_tshark.sh [GALVO]      GALVO: the program, target/debug/galvo where left out
set -eu
cd "$(dirname "$0")/../.."
galvo=${1:-target/debug/galvo}

if ! command -v tshark >/dev/null; then
    echo "SKIPPED: tshark is not installed (Debian: apt-get install tshark)"
    exit 0
fi
if ! tshark -i lo -a duration:1 -w /dev/null >/dev/null 2>&1; then
    echo "SKIPPED: this user may not capture on loopback (run as root, or join the group wireshark)"
    exit 0
fi
[ -x "$galvo" ] || cargo build --locked --bin galvo

work=$(mktemp -d)
simulator= capture=
end() {
    [ -z "$simulator" ] || kill "$simulator" 2>/dev/null || true
    [ -z "$capture" ] || kill "$capture" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

"$galvo" simulate idn --listen 127.0.0.1:0 --duration 60 >"$work/simulator.txt" &
simulator=$!
n=0
until grep -q listening "$work/simulator.txt"; do
    n=$((n + 1))
    [ $n -lt 100 ] || { echo "FAILED: the simulator does not start"; exit 1; }
    sleep 0.1
done
uri=$(sed -n 's/.*--dac //p' "$work/simulator.txt")
port=${uri##*:}

tshark -i lo -f "udp port $port" -w "$work/session.pcapng" >"$work/capture.txt" 2>&1 &
capture=$!
n=0
until grep -q Capturing "$work/capture.txt"; do
    n=$((n + 1))
    [ $n -lt 100 ] || { echo "FAILED: the capture does not start"; exit 1; }
    sleep 0.1
done
"$galvo" play assets/demo.ogg --audio none --headless --arm --duration 3 --dac "$uri" >"$work/play.txt" 2>&1 \
    || { cat "$work/play.txt"; exit 1; }
sleep 1
kill -INT "$capture"
wait "$capture" || true
capture=

read_session() {
    tshark -r "$work/session.pcapng" -d "udp.port==$port,idn" "$@" 2>/dev/null
}
all=$(read_session -Y idn | wc -l)
malformed=$(read_session -Y _ws.malformed | wc -l)
if [ "$malformed" -gt 0 ]; then
    echo "FAILED: $malformed of $all packets are malformed, the first ones:"
    read_session -Y _ws.malformed -V | head -60
    exit 1
fi
if [ "$all" -lt 500 ]; then
    echo "FAILED: only $all IDN packets were seen in three seconds of light"
    exit 1
fi
echo "PASSED: $all IDN packets, none malformed"
