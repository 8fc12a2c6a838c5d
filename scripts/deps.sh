#!/usr/bin/env bash
# Installs the system packages that galvo needs and that are missing. Debian and its kin; elsewhere it says
# what to install. Works as root or with sudo; does nothing when all is there.
set -euo pipefail

# Package | what it is for
packages=(
  "gcc|linking"
  "pkg-config|finding the libraries below"
  "libasound2-dev|sound and MIDI (ALSA)"
  "libusb-1.0-0-dev|USB projectors"
  "libegl1|the window and its tests"
  "libgl1|the window"
  "libgl1-mesa-dri|drawing without a graphics card"
  "mesa-vulkan-drivers|drawing without a graphics card"
  "libvulkan1|the window and its tests"
  "libx11-6|the window"
  "libx11-xcb1|the window"
  "libxcursor1|the window"
  "libxi6|the window"
  "libxrandr2|the window"
  "libxkbcommon0|the window"
  "libxkbcommon-x11-0|the window"
)

if ! command -v dpkg-query >/dev/null; then
  # Not Debian: a missing library stops the build with its name, so a list is all that helps.
  if ! pkg-config --exists alsa libusb-1.0 2>/dev/null; then
    echo "deps: this is no Debian system. Please install what these Debian packages hold:" >&2
    printf '  %s\n' "${packages[@]//|/: }" >&2
  fi
  exit 0
fi

missing=()
for line in "${packages[@]}"; do
  name=${line%%|*}
  state=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "deps: installing ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "deps: not root and no sudo here. Please run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
