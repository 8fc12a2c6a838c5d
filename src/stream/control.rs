//! The handle on a running stream for other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::config::{ConfigError, StreamConfig};
use super::stats::StreamStats;
use crate::dac::LinkControl;
use crate::path::Mounting;
use crate::safety::arm::Refused;
use crate::safety::{Arm, TripReason};
use crate::time::HostTime;

/// Wishes that the stream reads at its next tick.
#[derive(Debug)]
pub(super) struct Wishes {
    pub(super) pps: AtomicU32,
    /// Bits of an `f32`; `u32::MAX` (not a number) while nobody has set it.
    pub(super) master: AtomicU32,
    /// [`Mounting::to_bits`].
    pub(super) mounting: AtomicU64,
    pub(super) colour_delay_ns: AtomicU64,
    pub(super) end: AtomicBool,
    pub(super) stop: AtomicBool,
    pub(super) over: AtomicBool,
}

impl Wishes {
    pub(super) fn new(config: &StreamConfig) -> Self {
        Self {
            pps: AtomicU32::new(config.pps),
            master: AtomicU32::new(u32::MAX),
            mounting: AtomicU64::new(Mounting::default().to_bits()),
            colour_delay_ns: AtomicU64::new(nanos(config.colour_delay)),
            end: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            over: AtomicBool::new(false),
        }
    }
}

/// No more than colours can wait.
fn nanos(delay: Duration) -> u64 {
    u64::try_from(delay.min(StreamConfig::MAX_COLOUR_DELAY).as_nanos()).unwrap_or(0)
}

/// The handle on a stream: clone it, send it anywhere. No call waits.
#[derive(Clone, Debug)]
pub struct StreamControl {
    pub(super) wishes: Arc<Wishes>,
    pub(super) arm: Arm,
    pub(super) link: LinkControl,
    pub(super) stats: StreamStats,
    pub(super) rates: (u32, u32),
}

impl StreamControl {
    /// Allows light from `now` on. Returns the arming generation. Refused while a stop is latched.
    pub fn arm(&self, now: HostTime) -> Result<u64, Refused> {
        self.arm.arm(now)
    }

    /// Takes light away; the stream goes on, dark.
    pub fn disarm(&self, now: HostTime) {
        self.arm.disarm(now, TripReason::Operator);
    }

    /// The projector's switch itself, for the red button and its reset.
    #[must_use]
    pub const fn switch(&self) -> &Arm {
        &self.arm
    }

    /// True while light is allowed.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.arm.is_armed()
    }

    /// Asks for another rate. It takes effect with the first point made for it, within the buffer's length.
    /// Refused outside the device's range.
    pub fn set_pps(&self, pps: u32) -> Result<(), ConfigError> {
        let (min, max) = self.rates;
        if pps < min || pps > max {
            return Err(ConfigError::Rate { pps, min, max });
        }
        self.wishes.pps.store(pps, Ordering::Relaxed);
        Ok(())
    }

    /// Brightness of all light on this projector, 0..=1; what is not a number is dark.
    pub fn set_master(&self, master: f32) {
        let master = if master.is_finite() { master.clamp(0.0, 1.0) } else { 0.0 };
        self.wishes.master.store(master.to_bits(), Ordering::Relaxed);
    }

    /// How the projector hangs. It acts with the next points made, before the gate: zones and limits hold in the
    /// projector's own field.
    pub fn set_mounting(&self, mounting: &Mounting) {
        self.wishes.mounting.store(mounting.to_bits(), Ordering::Relaxed);
    }

    /// How the projector hangs.
    #[must_use]
    pub fn mounting(&self) -> Mounting {
        Mounting::from_bits(self.wishes.mounting.load(Ordering::Relaxed))
    }

    /// How much later colours come than positions, at most [`StreamConfig::MAX_COLOUR_DELAY`]. It acts with the next
    /// points made, without a gap: a longer delay shows the colours of the difference once more, a shorter one leaves
    /// them out.
    pub fn set_colour_delay(&self, delay: Duration) {
        self.wishes.colour_delay_ns.store(nanos(delay), Ordering::Relaxed);
    }

    /// How much later colours come than positions.
    #[must_use]
    pub fn colour_delay(&self) -> Duration {
        Duration::from_nanos(self.wishes.colour_delay_ns.load(Ordering::Relaxed))
    }

    /// The time of points to keep ahead; `None`: as the line needs it.
    pub fn set_buffer(&self, buffer: Option<Duration>) {
        self.link.fix_buffer(buffer);
    }

    /// Ends the stream as if the producer had said so: queued points play out, then dark.
    pub fn end(&self) {
        self.wishes.end.store(true, Ordering::Release);
    }

    /// Ends the stream now: dark at once, queued points dropped. Not latched.
    pub fn stop(&self, now: HostTime) {
        self.arm.disarm(now, TripReason::Operator);
        self.wishes.stop.store(true, Ordering::Release);
    }

    /// True once a stop was asked for.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.wishes.stop.load(Ordering::Acquire)
    }

    /// True once the stream is over and dark.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.wishes.over.load(Ordering::Acquire)
    }

    /// Asks the device to clear its own emergency stop, at an operator's explicit wish.
    pub fn reset_device_estop(&self) {
        self.link.request_estop_reset();
    }

    /// What the stream counts.
    #[must_use]
    pub const fn stats(&self) -> &StreamStats {
        &self.stats
    }
}
