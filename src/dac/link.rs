//! What a device thread tells the stream, in stream time.

use crate::time::{HostTime, StreamInstant};

/// The device's truth, mapped to stream time by the thread that knows what the device has accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkReport {
    /// When this was true.
    pub at: HostTime,
    /// One past the last point the device has accepted.
    pub accepted: StreamInstant,
    /// The point leaving the mirrors at `at`: `accepted` less what the device holds. `None` where the
    /// device does not say, or does not play.
    pub playing: Option<StreamInstant>,
    /// The rate it plays at, points per second; `None` while it does not play.
    pub playing_pps: Option<u32>,
    /// Points in the device, raw.
    pub device_queued: Option<u64>,
    /// Grows with every break in the flow: underflow, stop, reconnect. The map from points to time holds
    /// only within one value.
    pub discontinuity: u32,
    /// True while connected.
    pub connected: bool,
}
