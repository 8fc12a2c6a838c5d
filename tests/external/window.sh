#!/usr/bin/env bash
# The real window on a display of its own, worked by a pointer and keys as a person does: it plays, edits, saves, arms,
# stops, and closes when the show is over; and closes in order when the system asks for it. Prints the time of its
# pictures and its processor time.
#   tests/external/window.sh [PROGRAM]        (default: the debug build)
# Needs Debian's xvfb and xdotool; where they are missing it says SKIPPED.
set -euo pipefail
cd "$(dirname "$0")/../.."
galvo=${1:-target/debug/galvo}
for tool in Xvfb xdotool; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is missing: apt-get install xvfb xdotool"; exit 0; }
done

folder=$(mktemp -d)
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$folder/display" >/dev/null 2>&1 &
display_pid=$!
show_pid=
trap '[ -n "$show_pid" ] && kill "$show_pid" 2>/dev/null; kill "$display_pid" 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 100); do [ -s "$folder/display" ] && break; sleep 0.1; done
export DISPLAY=":$(tr -d '\n' <"$folder/display")"
unset WAYLAND_DISPLAY
export HOME=$folder XDG_CONFIG_HOME=$folder/config XDG_DATA_HOME=$folder/data XDG_CACHE_HOME=$folder/cache
mkdir -p "$folder/config/galvo"
echo 'safety_notes_read = true' >"$folder/config/galvo/desk.toml"

fail() { echo "FAILED: $1" >&2; tail -n 20 "$folder/log" >&2; exit 1; }
alive() { kill -0 "$show_pid" 2>/dev/null; }
click() { xdotool mousemove "$1" "$2"; sleep 0.2; xdotool click 1; sleep 0.4; }
# Processor time of the show so far, in hundredths of a second.
spent() { awk '{print $14 + $15}' "/proc/$show_pid/stat"; }
share() { local before; before=$(spent); sleep 5; echo "$(( ($(spent) - before) / 5 )) % of a core $1"; }

"$galvo" -v play assets/demo.ogg --audio none --preset "Ember Ring" --duration 40 --report "$folder/report.json" 2>"$folder/log" &
show_pid=$!
window=
for _ in $(seq 150); do
  window=$(xdotool search --onlyvisible --name '^galvo$' 2>/dev/null | head -n 1) && [ -n "$window" ] && break
  alive || fail "the program ended before it had a window"
  sleep 0.2
done
[ -n "$window" ] || fail "no window came"
xdotool windowfocus "$window"
sleep 2

share "while it plays, disarmed"
# Edits: the first parameter's slider is dragged to another place; then the preset is saved by its key.
xdotool mousemove 1113 519; sleep 0.2; xdotool mousedown 1; sleep 0.2
xdotool mousemove 1180 519; sleep 0.3; xdotool mouseup 1; sleep 0.5
xdotool key ctrl+s
sleep 1
saved=$(find "$folder" -name '*.toml' -path '*presets*' | head -n 1)
[ -n "$saved" ] || fail "no preset was saved"
grep -q 'Ember Ring' "$saved" || fail "the saved preset is another one"
radius=$(sed -n 's/^radius = \([0-9.]*\).*/\1/p' "$saved" | head -n 1)
awk -v radius="$radius" 'BEGIN { exit !(radius > 0.55) }' || fail "the radius is $radius: the slider was not moved"

# Arms by two acts.
click 1125 136
sleep 0.6
click 1060 136
sleep 2
share "while it plays, armed"
# STOP by its key, then pauses.
xdotool key Escape
sleep 1
xdotool key space
sleep 1
share "while it stands still, stopped"
# There is no window manager to close it: the show ends by its clock, and the window with it.
for _ in $(seq 150); do alive || break; sleep 0.2; done
alive && fail "the window did not close with its show"
wait "$show_pid" || fail "the show ended with an error"
show_pid=

grep -o 'window: .*' "$folder/log" || fail "the window did not say how long its pictures took"
python3 - "$folder/report.json" <<'PY' || exit 1
import json, sys
report = json.load(open(sys.argv[1]))
trips = [trip["reason"] for trip in report["trips"]]
lit = sum(stream["lit_points"] for stream in report["per_stream"])
assert any("STOP" in reason for reason in trips), f"STOP is not in the report: {trips}"
assert lit > 1000, f"only {lit} lit points"
assert report["media_s"] > 5, f"only {report['media_s']} s of music"
print(f"passed: {lit} lit points, {report['media_s']:.0f} s of music, trips: {trips}")
PY

# A polite kill, and Ctrl-C in the terminal that started the window: it closes dark, with its whole report.
for signal in TERM INT; do
  rm -f "$folder/report.json"
  "$galvo" play assets/demo.ogg --audio none --arm --report "$folder/report.json" 2>"$folder/log" &
  show_pid=$!
  for _ in $(seq 150); do
    xdotool search --onlyvisible --name '^galvo$' >/dev/null 2>&1 && break
    alive || fail "the program ended before it had a window"
    sleep 0.2
  done
  sleep 3
  kill "-$signal" "$show_pid"
  for _ in $(seq 100); do alive || break; sleep 0.1; done
  alive && fail "SIG$signal did not close the window"
  wait "$show_pid" || fail "SIG$signal: the show ended with an error"
  show_pid=
  python3 - "$folder/report.json" "$signal" <<'PY' || exit 1
import json, sys
report = json.load(open(sys.argv[1]))
trips = [trip["reason"] for trip in report["trips"]]
assert any("operator" in reason for reason in trips), f"SIG{sys.argv[2]}: nobody took the light away: {trips}"
print(f"passed: SIG{sys.argv[2]} closes the window, report of {report['points']} points, trips: {trips}")
PY
done
