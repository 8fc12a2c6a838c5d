#!/bin/sh
# A private PulseAudio server without hardware, for checks of real sound on a machine without a sound card.
# Its only output is the null sink "room"; what is played there can be recorded from "room.monitor".
#
#   scripts/sound-server.sh start DIR     starts it; all its files are in DIR
#   eval "$(scripts/sound-server.sh env DIR)"   lets programs of this shell use it
#   scripts/sound-server.sh stop DIR
#
# Needs pulseaudio and pulseaudio-utils; for ALSA programs also libasound2-plugins.
set -eu

usage() { echo "usage: $0 start|env|stop DIR" >&2; exit 2; }
[ $# -eq 2 ] || usage
action=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
socket=$folder/pulse.socket

settings() {
    echo "export PULSE_SERVER='unix:$socket'"
    echo "export XDG_RUNTIME_DIR='$folder'"
    echo "export ALSA_CONFIG_PATH='$folder/alsa.conf'"
}

start() {
    for program in pulseaudio pactl; do
        command -v "$program" >/dev/null || { echo "$program is missing: install pulseaudio and pulseaudio-utils" >&2; exit 3; }
    done
    chmod 700 "$folder"
    cat >"$folder/server.pa" <<END
load-module module-null-sink sink_name=room format=float32le rate=48000 channels=2
load-module module-native-protocol-unix socket=$socket auth-anonymous=yes
set-default-sink room
set-default-source room.monitor
END
    # The whole of ALSA as its programs see it: everything goes to the server.
    cat >"$folder/alsa.conf" <<END
pcm.!default { type pulse hint { show on description "The sound server" } }
ctl.!default { type pulse }
pcm.room { type pulse device "room.monitor" hint { show on description "Monitor of the sound server" } }
END
    # A server that is late would be measured as light that is early; real-time priority is taken where it is to be had.
    urgently=
    if command -v chrt >/dev/null && chrt --fifo 25 true 2>/dev/null; then urgently="chrt --fifo 25"; fi
    # shellcheck disable=SC2086  # two words or none
    HOME=$folder XDG_RUNTIME_DIR=$folder setsid $urgently pulseaudio -n --file="$folder/server.pa" --daemonize=no --use-pid-file=no \
        --exit-idle-time=-1 --realtime=no --high-priority=no >"$folder/server.log" 2>&1 </dev/null &
    echo $! >"$folder/server.pid"
    eval "$(settings)"
    tries=0
    until pactl list short sinks 2>/dev/null | grep -q room; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ]; then echo "the sound server does not start:" >&2; cat "$folder/server.log" >&2; exit 1; fi
        sleep 0.1
    done
}

stop() {
    [ -f "$folder/server.pid" ] || return 0
    kill "$(cat "$folder/server.pid")" 2>/dev/null || true
    rm -f "$folder/server.pid" "$socket"
}

case $action in
    start) start ;;
    env) settings ;;
    stop) stop ;;
    *) usage ;;
esac
