#!/bin/sh
# The unmodified USB path, libusb and all, against a Helios that umockdev emulates behind the kernel's usbfs.
# Linux only; no hardware, no kernel module, no rights. Says so and skips where something is missing.
#
#   tests/external/usb_emulated.sh [GALVO]      GALVO: the program, target/debug/galvo where left out
set -eu
cd "$(dirname "$0")/../.."
galvo=${1:-target/debug/galvo}
python=/usr/bin/python3

if ! command -v umockdev-wrapper >/dev/null; then
    echo "SKIPPED: umockdev is not installed (Debian: apt-get install umockdev gir1.2-umockdev-1.0 python3-gi)"
    exit 0
fi
if ! "$python" -c 'import gi; gi.require_version("UMockdev", "1.0")' 2>/dev/null; then
    echo "SKIPPED: umockdev cannot be used from Python (Debian: apt-get install gir1.2-umockdev-1.0 python3-gi)"
    exit 0
fi
[ -x "$galvo" ] || cargo build --locked --bin galvo
exec umockdev-wrapper "$python" tests/external/usb_emulated.py "$galvo" assets/demo.ogg
