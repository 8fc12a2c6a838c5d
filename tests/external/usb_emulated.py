"""A Helios behind the kernel's usbfs, emulated by umockdev: galvo and libusb run as they are, no hardware, no
kernel module. Written from docs/protocols/helios.md and linux/usbdevice_fs.h; run it through usb_emulated.sh.

    usb_emulated.py GALVO MUSIC
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402

EAGAIN, EINVAL, ENODATA, ENOENT = 11, 22, 61, 2

# usbdevice_fs.h on 64-bit machines: the low 16 bits of a request name it.
SUBMIT, DISCARD, REAP, REAP_NO_WAIT = 0x550A, 0x550B, 0x550C, 0x550D
CAPABILITIES, GET_DRIVER = 0x551A, 0x5508
SILENTLY_DONE = {0x550F, 0x5510, 0x5504, 0x5515, 0x5514, 0x551B, 0x5512}
URB_BYTES = 56
AT_STATUS, AT_BUFFER, AT_ACTUAL = 4, 16, 28

FRAME_OUT, REQUEST_OUT, REPLY_IN = 0x02, 0x06, 0x83


def descriptors():
    def endpoint(address, kind, size, interval):
        return struct.pack("<BBBBHB", 7, 5, address, kind, size, interval)

    ends = endpoint(0x81, 2, 64, 0) + endpoint(FRAME_OUT, 2, 64, 0)
    ends += endpoint(REPLY_IN, 3, 32, 1) + endpoint(REQUEST_OUT, 3, 32, 1)
    plain = struct.pack("<9B", 9, 4, 0, 0, 0, 0xFF, 0, 0, 0)
    used = struct.pack("<9B", 9, 4, 0, 1, 4, 0xFF, 0, 0, 0) + ends
    config = struct.pack("<BBHBBBBB", 9, 2, 9 + len(plain) + len(used), 1, 1, 0, 0x80, 250)
    device = struct.pack(
        "<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xFF, 0, 0, 64, 0x1209, 0xE500, 0x0100, 0, 0, 0, 1
    )
    return device + config + plain + used


class Helios:
    """The device: requests and frames in, replies out, one frame playing and one waiting."""

    def __init__(self):
        self.replies, self.requests = [], []
        self.ends = []
        self.frames = self.lit_frames = self.refused = 0

    def free(self):
        now = time.monotonic()
        self.ends = [end for end in self.ends if end > now]
        return len(self.ends) < 2

    def take(self, endpoint, data):
        if endpoint == REQUEST_OUT:
            self.requests.append(data[0])
            if data[0] == 0x01:
                self.ends = []
            elif data[0] == 0x03:
                self.replies.append(bytes([0x83, int(self.free())]))
            elif data[0] == 0x04:
                self.replies.append(struct.pack("<BI", 0x84, 6))
            elif data[0] == 0x05:
                self.replies.append(b"\x85umockdev".ljust(32, b"\0"))
        elif endpoint == FRAME_OUT:
            rate, count, _flags = struct.unpack("<HHB", data[-5:])
            whole = len(data) == count * 7 + 5 and len(data) % 64 != 0
            if not whole or not self.free():
                self.refused += 1
                return
            begins = max([time.monotonic()] + self.ends)
            self.ends.append(begins + count / rate)
            self.frames += 1
            points = [data[k : k + 7] for k in range(0, count * 7, 7)]
            self.lit_frames += any(point[3] or point[4] or point[5] for point in points)


class UsbFs:
    """What the kernel does between libusb and the device: requests are submitted, and reaped when done."""

    def __init__(self, device):
        self.device = device
        self.waiting, self.done = [], []

    def on_ioctl(self, _base, client):
        request, arg = client.get_request() & 0xFFFF, client.get_arg()
        if request in SILENTLY_DONE:
            client.complete(0, 0)
        elif request == CAPABILITIES:
            arg.resolve(0, 4).update(0, struct.pack("<I", 0x01))
            client.complete(0, 0)
        elif request == GET_DRIVER:
            client.complete(-1, ENODATA)
        elif request == SUBMIT:
            self.submit(arg)
            client.complete(0, 0)
        elif request == DISCARD:
            client.complete(*self.discard(arg))
        elif request in (REAP, REAP_NO_WAIT):
            client.complete(*self.reap(arg))
        else:
            return False
        return True

    def submit(self, arg):
        urb = arg.resolve(0, URB_BYTES)
        head = bytes(urb.retrieve())
        endpoint, length = head[1], struct.unpack_from("<i", head, 24)[0]
        buffer = urb.resolve(AT_BUFFER, length)
        if endpoint & 0x80:
            self.waiting.append((urb, buffer, endpoint))
        else:
            self.device.take(endpoint, bytes(buffer.retrieve()))
            self.finish(urb, 0, length)
        self.answer()

    def answer(self):
        while self.waiting and self.device.replies:
            urb, buffer, _ = self.waiting.pop(0)
            reply = self.device.replies.pop(0)
            buffer.update(0, reply)
            self.finish(urb, 0, len(reply))

    def discard(self, arg):
        address = bytes(arg.retrieve())
        for k, (urb, _, _) in enumerate(self.waiting):
            if struct.pack("<Q", urb.client_addr) == address:
                self.waiting.pop(k)
                self.finish(urb, -ENOENT, 0)
                return 0, 0
        return -1, EINVAL

    def finish(self, urb, status, actual):
        urb.update(AT_STATUS, struct.pack("<i", status))
        urb.update(AT_ACTUAL, struct.pack("<i", actual))
        self.done.append(urb)

    def reap(self, arg):
        if not self.done:
            return -1, EAGAIN
        arg.resolve(0, 8).set_ptr(0, self.done.pop(0))
        return 0, 0


def run(command, timeout):
    """Runs a program while the emulation answers it."""
    context = GLib.MainContext.default()
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + timeout
        while child.poll() is None and time.monotonic() < deadline:
            context.iteration(False)
            time.sleep(0.0002)
        if child.poll() is None:
            child.kill()
        out.seek(0)
        return child.wait(), out.read()


def check(claim, holds, detail=""):
    print(("ok      " if holds else "FAILED  ") + claim, detail)
    if not holds:
        sys.exit(1)


def main():
    galvo, music = sys.argv[1:3]
    testbed, device = UMockdev.Testbed.new(), Helios()
    hexed = descriptors().hex().upper()
    testbed.add_from_string(
        "P: /devices/pci0000:00/0000:00:14.0/usb1/1-2\n"
        f"N: bus/usb/001/002={hexed}\n"
        "E: DEVNAME=/dev/bus/usb/001/002\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\n"
        "E: BUSNUM=001\nE: DEVNUM=002\nE: MAJOR=189\nE: MINOR=1\nE: PRODUCT=1209/e500/100\n"
        "A: busnum=1\\n\nA: devnum=2\\n\nA: speed=12\\n\nA: bConfigurationValue=1\\n\n"
        "A: idVendor=1209\\n\nA: idProduct=e500\\n\nA: bNumConfigurations=1\\n\n"
        f"H: descriptors={hexed}\n"
    )
    usbfs, base = UsbFs(device), UMockdev.IoctlBase()
    base.connect("handle-ioctl", usbfs.on_ioctl)
    testbed.attach_ioctl("/dev/bus/usb/001/002", base)

    status, said = run([galvo, "devices", "--json", "--timeout", "0.5"], 30)
    listed = json.loads(said[said.index("{") :])["projectors"] if status == 0 else []
    helios = [one for one in listed if (one["uri"] or "").startswith("helios:")]
    check("galvo devices lists the Helios by its place", bool(helios), helios or said)
    check("and has no trouble with it", helios[0]["trouble"] is None, helios[0]["uri"])

    report = os.path.join(tempfile.mkdtemp(), "report.json")
    show = [galvo, "play", music, "--audio", "none", "--headless", "--arm", "--duration", "4"]
    status, said = run(show + ["--dac", "helios://", "--report", report], 60)
    check("a show runs on it", status == 0, said if status else "")
    with open(report, encoding="utf8") as file:
        measured = json.load(file)
    check("without losing it", measured["reconnects"] == 0, f"{measured['points']} points")
    check("frames arrive, whole", device.frames > 50 and device.refused <= 2,
          f"{device.frames} taken, {device.refused} refused")
    check("with light", device.lit_frames > 20, f"{device.lit_frames} lit")
    check("and at the end it was told to stop and to close its shutter",
          device.requests[-2:] == [0x01, 0x02], device.requests[-4:])
    print("PASSED: the driver through the system's own USB library, on an emulated device")


main()
