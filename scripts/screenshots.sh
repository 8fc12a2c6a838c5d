#!/usr/bin/env bash
# Takes the pictures of docs/images from the real program, in a window on a display of its own.
# Needs Debian's xvfb, xdotool and imagemagick. Usage: scripts/screenshots.sh PROGRAM [SIZE]
set -euo pipefail
cd "$(dirname "$0")/.."
galvo=$1
size=${2:-1280x800}
for tool in Xvfb xdotool import; do
  command -v "$tool" >/dev/null || {
    echo "screenshots: $tool is missing: apt-get install xvfb xdotool imagemagick" >&2
    exit 1
  }
done

# Xvfb picks a free display and writes its number.
numbers=$(mktemp)
Xvfb -displayfd 3 -screen 0 "${size}x24" -nolisten tcp 3>"$numbers" >/dev/null 2>&1 &
display_pid=$!
show_pid=
trap '[ -n "$show_pid" ] && kill "$show_pid" 2>/dev/null; kill "$display_pid" 2>/dev/null; rm -f "$numbers"' EXIT
for _ in $(seq 50); do [ -s "$numbers" ] && break; sleep 0.1; done
export DISPLAY=":$(tr -d '\n' <"$numbers")"
unset WAYLAND_DISPLAY

# picture NAME SECONDS ARGUMENTS...: plays the demo with ARGUMENTS, and takes a picture after SECONDS.
picture() {
  local name=$1 seconds=$2
  shift 2
  "$galvo" play assets/demo.ogg --audio none "$@" 2>/dev/null &
  show_pid=$!
  sleep "$seconds"
  import -window root "docs/images/$name.png"
  kill "$show_pid"
  wait "$show_pid" 2>/dev/null || true
  show_pid=
  echo "docs/images/$name.png"
}

mkdir -p docs/images
picture window 9 --arm --master 60 --start 60 --preset "Solar Crown"
picture window-disarmed 7 --start 20
picture window-tunnel 9 --arm --master 60 --start 62 --preset "Warp Gate"
