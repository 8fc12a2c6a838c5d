//! A virtual Helios, as a value: packets and time in, replies and light out.
//!
//! Written from `docs/protocols/helios.md` alone; it shares the byte formats with the driver, and no
//! behaviour.

use std::collections::VecDeque;
use std::time::Duration;

use super::playback::Recorder;
use super::usb_port::UsbDevice;
use crate::dac::usb::{Claim, Ids};
use crate::point::LaserPoint;
use crate::time::HostTime;
use crate::wire::helios::{
    FRAME_OUT, Frame, MIN_PPS, Name, PACKET_BYTES, PRODUCT_ID, REPLY_IN, REQUEST_OUT, Reply,
    Request, VENDOR_ID, flag,
};

/// Frames are ignored for so long after a stop.
const DEAF_AFTER_STOP: Duration = Duration::from_millis(100);
/// Packets that are taken when no slot is free, before the endpoint stalls.
const PACKETS_WHEN_FULL: usize = 2;

#[derive(Debug)]
struct Slot {
    points: Vec<LaserPoint>,
    pps: u32,
    flags: u8,
}

/// A virtual Helios.
pub struct Device {
    firmware: u32,
    name: Name,
    ppm: f64,
    recorder: Option<Box<dyn Recorder>>,
    replies: VecDeque<Reply>,
    playing: Option<Slot>,
    waiting: Option<Slot>,
    /// When the first point of the playing frame was due, and how many of it are shown.
    since: HostTime,
    shown_of_frame: usize,
    shown: u64,
    shutter_open: bool,
    /// The endpoint takes a frame.
    endpoint_ready: bool,
    deaf_until: HostTime,
    not_ready_until: HostTime,
    sdk_level: u8,
    ran_dry: u32,
    frames: u32,
    ignored: u32,
    shortest: usize,
    stops: u32,
    last: LaserPoint,
    now: HostTime,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl Device {
    /// A device just plugged in, its clock off by `ppm` millionths; `recorder` watches the light.
    #[must_use]
    pub fn new(firmware: u32, name: &str, ppm: f64, recorder: Option<Box<dyn Recorder>>) -> Self {
        Self {
            firmware,
            name: Name::new(name),
            ppm,
            recorder,
            replies: VecDeque::new(),
            playing: None,
            waiting: None,
            since: HostTime::ZERO,
            shown_of_frame: 0,
            shown: 0,
            shutter_open: false,
            endpoint_ready: true,
            deaf_until: HostTime::ZERO,
            not_ready_until: HostTime::ZERO,
            sdk_level: 0,
            ran_dry: 0,
            frames: 0,
            ignored: 0,
            shortest: usize::MAX,
            stops: 0,
            last: LaserPoint::CENTRE,
            now: HostTime::ZERO,
        }
    }

    /// Says "not ready" until then, whatever its slots hold.
    pub fn refuse_until(&mut self, until: HostTime) {
        self.not_ready_until = until;
    }

    /// A reply nobody has asked for, as an earlier owner leaves it.
    pub fn leave_reply(&mut self, reply: Reply) {
        self.replies.push_back(reply);
    }

    /// True while the shutter is open.
    #[must_use]
    pub const fn is_shutter_open(&self) -> bool {
        self.shutter_open
    }

    /// True while a frame plays.
    #[must_use]
    pub const fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Times a frame ended with none behind it.
    #[must_use]
    pub const fn ran_dry(&self) -> u32 {
        self.ran_dry
    }

    /// Frames taken, frames ignored, and the points of the shortest one taken.
    #[must_use]
    pub const fn frames(&self) -> (u32, u32, usize) {
        (self.frames, self.ignored, self.shortest)
    }

    /// Stops received.
    #[must_use]
    pub const fn stops(&self) -> u32 {
        self.stops
    }

    /// The level of the host's protocol, as announced.
    #[must_use]
    pub const fn sdk_level(&self) -> u8 {
        self.sdk_level
    }

    /// Points not shown yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        let playing = self.playing.as_ref().map_or(0, |slot| slot.points.len());
        playing - self.shown_of_frame.min(playing)
            + self.waiting.as_ref().map_or(0, |slot| slot.points.len())
    }

    fn due(&self, pps: u32, index: usize) -> HostTime {
        let rate = f64::from(pps) * (1.0 + self.ppm * 1e-6);
        self.since.plus_nanos((index as f64 * 1e9 / rate).round() as i64)
    }

    fn show(&mut self, at: HostTime, point: LaserPoint) {
        // What the shutter holds back is no light.
        let seen = if self.shutter_open { point } else { point.blanked() };
        if let Some(recorder) = &mut self.recorder {
            recorder.shown(at, self.shown, &seen);
        }
        self.shown += 1;
        self.last = point;
    }

    /// What is shown from now on does not follow what was shown before.
    fn begins(&mut self, at: HostTime) {
        if let Some(recorder) = &mut self.recorder {
            recorder.begun(at);
        }
    }

    fn play(&mut self, now: HostTime) {
        while let Some(slot) = &self.playing {
            let (len, pps, flags) = (slot.points.len(), slot.pps, slot.flags);
            let due = self.due(pps, self.shown_of_frame);
            if due > now {
                return;
            }
            if self.shown_of_frame < len {
                let point = slot.points[self.shown_of_frame];
                self.shown_of_frame += 1;
                self.show(due, point);
                continue;
            }
            self.since = due;
            self.shown_of_frame = 0;
            if let Some(next) = self.waiting.take() {
                self.playing = Some(next);
                self.endpoint_ready = true;
            } else if flags & flag::SINGLE_SHOT != 0 {
                self.playing = None;
                self.ran_dry += 1;
                // The mirrors stay, the colours go.
                self.begins(due);
                let last = self.last.blanked();
                self.show(due, last);
            }
        }
    }

    fn take_frame(&mut self, now: HostTime, bytes: &[u8]) {
        let frame = Frame::parse(bytes).ok().filter(|_| now >= self.deaf_until);
        let Some(frame) = frame else {
            self.ignored += 1;
            return;
        };
        self.frames += 1;
        self.shortest = self.shortest.min(frame.len());
        let slot = Slot {
            points: frame.points().collect(),
            pps: u32::from(frame.pps).max(MIN_PPS),
            flags: frame.flags,
        };
        let cut = frame.flags & flag::START_AT_ONCE != 0;
        if self.playing.is_none() || cut {
            self.begins(now);
            self.playing = Some(slot);
            self.waiting = None;
            self.since = now;
            self.shown_of_frame = 0;
        } else {
            self.waiting = Some(slot);
        }
        self.play(now);
    }

    fn execute(&mut self, now: HostTime, request: Request) {
        match request {
            Request::Stop => {
                self.stops += 1;
                self.playing = None;
                self.waiting = None;
                self.endpoint_ready = true;
                self.deaf_until = now + DEAF_AFTER_STOP;
                self.begins(now);
                let dark = self.last.blanked();
                self.show(now, dark);
            }
            Request::Shutter(open) => self.shutter_open = open,
            Request::Status => {
                let free = self.waiting.is_none() && now >= self.not_ready_until;
                self.endpoint_ready |= free;
                self.replies.push_back(Reply::Status(free));
            }
            Request::Firmware => self.replies.push_back(Reply::Firmware(self.firmware)),
            Request::Name => self.replies.push_back(Reply::Name(self.name)),
            Request::SetName(name) => self.name = name,
            Request::SdkLevel(level) => self.sdk_level = level,
        }
    }
}

impl UsbDevice for Device {
    fn ids(&self) -> Ids {
        Ids { vendor: VENDOR_ID, product: PRODUCT_ID }
    }

    fn serial(&self) -> Option<String> {
        None
    }

    fn claims(&self) -> &'static [Claim] {
        &[Claim { interface: 0, setting: 1 }]
    }

    fn power_up(&mut self, now: HostTime) {
        self.now = now;
        self.replies.clear();
        self.endpoint_ready = true;
        self.deaf_until = now;
    }

    fn power_down(&mut self, now: HostTime) {
        self.advance(now);
        self.playing = None;
        self.waiting = None;
        self.shutter_open = false;
    }

    fn advance(&mut self, now: HostTime) {
        self.now = self.now.max(now);
        self.play(now);
    }

    fn receive(&mut self, now: HostTime, endpoint: u8, bytes: &[u8]) -> Option<usize> {
        self.advance(now);
        match endpoint {
            REQUEST_OUT => {
                if let Ok(request) = Request::parse(bytes) {
                    self.execute(now, request);
                }
                Some(bytes.len())
            }
            FRAME_OUT if !self.endpoint_ready || self.waiting.is_some() => {
                self.ignored += 1;
                Some(bytes.len().min(PACKETS_WHEN_FULL * PACKET_BYTES)).filter(|n| *n < bytes.len())
            }
            // No short packet ends it: the device waits for more until the host gives up.
            FRAME_OUT if bytes.len().is_multiple_of(PACKET_BYTES) => {
                self.ignored += 1;
                None
            }
            FRAME_OUT => {
                self.endpoint_ready = self.playing.is_none() && now >= self.deaf_until;
                self.take_frame(now, bytes);
                Some(bytes.len())
            }
            _ => None,
        }
    }

    fn reply(&mut self, now: HostTime, endpoint: u8) -> Option<Vec<u8>> {
        self.advance(now);
        if endpoint != REPLY_IN {
            return None;
        }
        let mut bytes = self.replies.pop_front()?.emit().as_bytes().to_vec();
        // The device always sends 32 bytes; what it does not mean is rubbish.
        bytes.resize(32, 0xe3);
        Some(bytes)
    }
}
