//! A virtual LaserCube on USB, as a value: commands, samples and time in, replies and light out.
//!
//! Written from `docs/protocols/lasercube_usb.md` alone; it shares the byte formats with the driver, and no
//! behaviour.

use std::collections::VecDeque;

use super::playback::{Playback, QueuedPoint, Recorder};
use super::usb_port::UsbDevice;
use crate::dac::usb::{Claim, Ids};
use crate::time::HostTime;
use crate::wire::lasercube_usb::{
    COMMAND_OUT, Command, PRODUCT_ID, Query, REPLY_IN, Reply, SAMPLE_BYTES, SAMPLE_OUT, VENDOR_ID,
    decode_sample,
};

/// Coordinates end here.
const MAX_VALUE: u32 = 4095;
/// Samples of one packet, by its own word.
const SAMPLES_PER_PACKET: u32 = 64;

/// A virtual LaserCube.
#[derive(Debug)]
pub struct Device {
    serial: String,
    mirrors: Playback,
    max_pps: u32,
    /// Old firmware refuses to tell its limits.
    tells_limits: bool,
    output_on: bool,
    pps: u32,
    /// Bytes of a sample whose rest has not come.
    begun: Vec<u8>,
    replies: VecDeque<Reply>,
    refuse_next: u32,
    stuck: bool,
    over_rates: u32,
    ran_dry: u32,
}

impl Device {
    /// A device just plugged in, with a ring for `capacity` samples and a clock off by `ppm` millionths;
    /// `recorder` watches the light.
    #[must_use]
    pub fn new(
        serial: &str,
        capacity: usize,
        ppm: f64,
        recorder: Option<Box<dyn Recorder>>,
    ) -> Self {
        Self {
            serial: serial.to_owned(),
            mirrors: Playback::new(capacity, ppm, recorder),
            max_pps: 40_000,
            tells_limits: true,
            output_on: false,
            pps: 1000,
            begun: Vec::new(),
            replies: VecDeque::new(),
            refuse_next: 0,
            stuck: false,
            over_rates: 0,
            ran_dry: 0,
        }
    }

    /// With firmware that does not know the questions about its limits.
    #[must_use]
    pub fn without_limits(mut self) -> Self {
        self.tells_limits = false;
        self
    }

    /// Refuses the next `count` commands.
    pub fn refuse_next(&mut self, count: u32) {
        self.refuse_next = count;
    }

    /// Shows nothing more of what it holds, or goes on, as with an interlock that the protocol does not tell.
    pub fn set_stuck(&mut self, now: HostTime, stuck: bool) {
        self.stuck = stuck;
        if stuck {
            self.mirrors.stop(now);
        }
    }

    /// True while output is on.
    #[must_use]
    pub const fn is_output_on(&self) -> bool {
        self.output_on
    }

    /// Times it was asked for a rate of zero or above its maximum.
    #[must_use]
    pub const fn over_rates(&self) -> u32 {
        self.over_rates
    }

    /// Times the ring ran empty with output on.
    #[must_use]
    pub const fn ran_dry(&self) -> u32 {
        self.ran_dry
    }

    /// The ring and the mirrors behind it.
    #[must_use]
    pub const fn mirrors(&self) -> &Playback {
        &self.mirrors
    }

    fn execute(&mut self, now: HostTime, command: Command) -> Option<u32> {
        match command {
            Command::SetOutput(on) => {
                self.output_on = on;
                if !on {
                    self.mirrors.stop(now);
                } else if !self.stuck && !self.mirrors.is_playing() && self.mirrors.queued() > 0 {
                    self.mirrors.begin(now, self.pps);
                }
                Some(0)
            }
            Command::Output => Some(u32::from(self.output_on)),
            Command::SetRate(pps) if pps == 0 || pps > self.max_pps => {
                self.over_rates += 1;
                None
            }
            Command::SetRate(pps) => {
                self.pps = pps;
                self.mirrors.set_pps(now, pps);
                Some(0)
            }
            Command::Clear => {
                self.mirrors.stop(now);
                self.mirrors.clear();
                Some(0)
            }
            Command::Ask(query) => match query {
                Query::Rate => Some(self.pps),
                Query::MaxRate => Some(self.max_pps).filter(|_| self.tells_limits),
                Query::Capacity => {
                    Some(self.mirrors.capacity() as u32).filter(|_| self.tells_limits)
                }
                Query::MinValue => Some(0),
                Query::MaxValue => Some(MAX_VALUE),
                Query::Free => Some((self.mirrors.capacity() - self.mirrors.queued()) as u32),
                Query::FirmwareMajor => Some(1),
                Query::FirmwareMinor => Some(2),
                Query::SamplesPerPacket => Some(SAMPLES_PER_PACKET),
            },
        }
    }

    fn take_samples(&mut self, now: HostTime, bytes: &[u8]) -> usize {
        let room = (self.mirrors.capacity() - self.mirrors.queued()) * SAMPLE_BYTES;
        let taken = bytes.len().min(room.saturating_sub(self.begun.len()));
        self.begun.extend_from_slice(&bytes[..taken]);
        let (samples, rest) = self.begun.as_chunks::<SAMPLE_BYTES>();
        for sample in samples {
            let stored =
                self.mirrors.push(QueuedPoint { point: decode_sample(sample), new_pps: None });
            debug_assert!(stored, "there was room");
        }
        self.begun = rest.to_vec();
        let may_play = self.output_on && !self.stuck;
        if may_play && !self.mirrors.is_playing() && self.mirrors.queued() > 0 {
            self.mirrors.begin(now, self.pps);
        }
        taken
    }
}

impl UsbDevice for Device {
    fn ids(&self) -> Ids {
        Ids { vendor: VENDOR_ID, product: PRODUCT_ID }
    }

    fn serial(&self) -> Option<String> {
        Some(self.serial.clone())
    }

    fn claims(&self) -> &'static [Claim] {
        &[Claim { interface: 0, setting: 0 }, Claim { interface: 1, setting: 1 }]
    }

    fn power_up(&mut self, _now: HostTime) {
        self.begun.clear();
        self.replies.clear();
        self.pps = 1000;
    }

    fn power_down(&mut self, now: HostTime) {
        self.mirrors.stop(now);
        self.mirrors.clear();
        self.output_on = false;
    }

    fn advance(&mut self, now: HostTime) {
        if self.mirrors.advance(now).is_some() {
            self.ran_dry += 1;
        }
    }

    fn receive(&mut self, now: HostTime, endpoint: u8, bytes: &[u8]) -> Option<usize> {
        self.advance(now);
        match endpoint {
            COMMAND_OUT => {
                if let Ok(command) = Command::parse(bytes) {
                    let refused = self.refuse_next > 0;
                    self.refuse_next = self.refuse_next.saturating_sub(1);
                    let done = if refused { None } else { self.execute(now, command) };
                    self.replies.push_back(Reply {
                        opcode: command.opcode(),
                        status: u8::from(done.is_none()),
                        value: done.unwrap_or(0),
                    });
                }
                Some(bytes.len())
            }
            SAMPLE_OUT => Some(self.take_samples(now, bytes)).filter(|n| *n > 0),
            _ => None,
        }
    }

    fn reply(&mut self, now: HostTime, endpoint: u8) -> Option<Vec<u8>> {
        self.advance(now);
        let reply = if endpoint == REPLY_IN { self.replies.pop_front() } else { None };
        Some(reply?.emit().to_vec())
    }
}
