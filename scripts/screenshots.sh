#!/usr/bin/env bash
# Takes the pictures of docs/images from the real program, in a window on a display of its own: the whole desk, and
# each pane by itself. Needs Debian's xvfb, xdotool and imagemagick.
# Usage: scripts/screenshots.sh PROGRAM [PICTURE…]; without names all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
galvo=$(realpath "$1")
shift
wanted=("$@")
for tool in Xvfb xdotool import; do
  command -v "$tool" >/dev/null || {
    echo "screenshots: $tool is missing: apt-get install xvfb xdotool imagemagick" >&2
    exit 1
  }
done

# Folders of its own: nobody's settings are seen, and none are changed.
home=$(mktemp -d)
export HOME=$home XDG_CONFIG_HOME=$home/config XDG_DATA_HOME=$home/data XDG_CACHE_HOME=$home/cache
desk=$XDG_CONFIG_HOME/galvo/desk.toml

# Xvfb picks a free display and writes its number.
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$home/display" >/dev/null 2>&1 &
display_pid=$!
# A second projector for the panes that show several.
"$galvo" simulate ether-dream --listen 127.0.0.1:0 >"$home/projector" 2>/dev/null &
projector_pid=$!
show_pid=
trap '[ -n "$show_pid" ] && kill "$show_pid" 2>/dev/null; kill "$display_pid" "$projector_pid" 2>/dev/null; rm -rf "$home"' EXIT
for _ in $(seq 50); do [ -s "$home/display" ] && break; sleep 0.1; done
export DISPLAY=":$(tr -d '\n' <"$home/display")"
unset WAYLAND_DISPLAY
for _ in $(seq 50); do [ -s "$home/projector" ] && break; sleep 0.1; done
projector=$(grep -o 'ether-dream://[^ ]*' "$home/projector" | head -1)

is_wanted() {
  [ ${#wanted[@]} -eq 0 ] || printf '%s\n' "${wanted[@]}" | grep -qx "$1"
}

# take NAME AREA SECONDS ARGUMENTS...: starts galvo with ARGUMENTS, does what `act` says, and takes a picture of AREA
# (WxH+X+Y, or "all") after SECONDS.
act() { :; }
take() {
  local name=$1 area=$2 seconds=$3
  shift 3
  "$galvo" "$@" 2>/dev/null &
  show_pid=$!
  sleep "$seconds"
  act
  # The pointer would lie in the picture, and light up what is under it.
  xdotool mousemove 1279 799
  sleep 1.2
  if [ "$area" = all ]; then
    import -window root "docs/images/$name.png"
  else
    import -window root -crop "$area" +repage "docs/images/$name.png"
  fi
  kill "$show_pid"
  wait "$show_pid" 2>/dev/null || true
  show_pid=
  act() { :; }
  echo "docs/images/$name.png"
}

song=(play assets/demo.ogg --audio none)
lit=("${song[@]}" --arm --master 60)

fresh_desk() {
  mkdir -p "${desk%/*}"
  echo 'safety_notes_read = true' >"$desk"
}

# whole NAME SECONDS ARGUMENTS...: the desk as it opens.
whole() {
  is_wanted "$1" || { act() { :; }; return 0; }
  fresh_desk
  take "$1" all "${@:2}"
}

# pane TITLE WIDTH HEIGHT SECONDS ARGUMENTS...: one pane in the upper left corner of the desk, cut out.
pane() {
  local title=$1 width=$2 height=$3 name
  name=pane-${title// /-}
  shift 3
  is_wanted "$name" || { act() { :; }; return 0; }
  local below=safety
  [ "$title" = safety ] && below=log
  local beside=preview
  [ "$title" = preview ] && beside=presets
  mkdir -p "${desk%/*}"
  cat >"$desk" <<EOF
safety_notes_read = true
[layout]
custom = true
[layout.desk]
share = 1.0
row = [
  { share = $width.0, column = [
    { share = $height.0, tabs = ["$title"] },
    { share = $((684 - height)).0, tabs = ["$below"] },
  ] },
  { share = $((1256 - width)).0, tabs = ["$beside"] },
]
EOF
  take "$name" "${width}x$height+8+72" "$@"
}

mkdir -p docs/images
cp assets/demo.ogg "$home/encore.ogg"
cp assets/demo.ogg "$home/last dance.ogg"
whole window 9 "${lit[@]}" --start 60 --preset "Solar Crown"
whole window-disarmed 7 "${song[@]}" --start 20
whole window-tunnel 9 "${lit[@]}" --start 62 --preset "Warp Gate"
whole welcome 4

pane preview 600 600 9 "${lit[@]}" --start 60 --preset "Double Helix"
pane presets 480 560 9 "${lit[@]}" --start 60
pane parameters 380 600 9 "${lit[@]}" --start 60 --preset "Warp Gate"
pane text 720 600 7 "${song[@]}" --start 60 --preset "Heartbeat"
pane transport 760 180 12 "${song[@]}" --start 58
pane sound 560 220 9 "${song[@]}" --start 58
pane tempo 340 220 12 "${song[@]}" --start 58
pane projectors 380 300 9 "${lit[@]}" --start 20 --dac sim: --dac "$projector"
pane set-up 560 660 7 "${song[@]}" --start 20
pane safety 380 300 7 "${lit[@]}" --start 20
pane queue 400 300 9 "${song[@]}" --start 20 "$home/encore.ogg" "$home/last dance.ogg"
pane recorder 560 300 9 "${lit[@]}" --start 20
pane live 380 300 7 "${lit[@]}" --start 20
pane controllers 460 300 7 "${song[@]}" --start 20
pane sync 420 300 12 "${lit[@]}" --start 20
pane health 560 220 9 "${lit[@]}" --start 20
pane log 560 220 9 play assets/demo.ogg no-such-song.flac --audio none --start 20
