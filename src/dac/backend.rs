//! What every projector driver does, and what it says of itself.

use std::time::Duration;

use crate::safety::SafeChunk;
use crate::time::HostTime;

/// How a device takes points: this decides how its stream is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A queue that any number of points may be added to while there is room (Ether Dream, LaserCube).
    Fifo,
    /// Whole frames: one shows while the next is taken (Helios).
    FrameSwap,
    /// Packets with time stamps, sent by a metronome (IDN).
    Timed,
    /// Clocked by a sound card (audio XY).
    AudioClocked,
}

/// What a connected device can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How it takes points.
    pub delivery: Delivery,
    /// The most points one write may carry.
    pub max_points_per_chunk: usize,
    /// Points the device holds, where it has said so.
    pub capacity_points: Option<u32>,
    /// Lowest rate it may be asked for, points per second; at least 1.
    pub min_pps: u32,
    /// Highest rate it may be asked for, points per second.
    pub max_pps: u32,
    /// True when reports carry `queued_points`.
    pub reports_queue: bool,
    /// The buffering that suits its transport: how far ahead of the mirrors the host should be.
    pub suggested_buffer: Duration,
    /// Points it has to hold to go on playing: it stops with fewer. 0 where it plays to the last one.
    pub least_points: u32,
    /// Starting it moves the relay of a shutter: once stopped it is started again when light is wanted and not before,
    /// and a seek does not stop it.
    pub start_moves_relay: bool,
}

/// The device's truth at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeviceReport {
    /// When this was true, on the host's clock (the middle of the round trip where it can be told).
    pub at: HostTime,
    /// Points waiting in the device.
    pub queued_points: Option<u32>,
    /// Points shown since the connection was made (counted over restarts of the device's own counter).
    pub played_points: Option<u64>,
    /// The rate it plays at now, points per second; `None` while it does not play.
    pub playing_pps: Option<u32>,
    /// Underflows of the device's own buffer since the connection was made.
    pub underflows: u32,
    /// Times points may have been lost on the way since the connection was made: what follows is shown earlier
    /// by as much.
    pub gaps: u32,
    /// The device is in emergency stop. It latches: only an operator's reset clears it.
    pub estop: bool,
}

/// How long a device takes to answer a command that had no other before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerTime {
    /// A mean of late.
    pub usual: Duration,
    /// The last one.
    pub last: Duration,
    /// It takes its time for each command, one after the other: few large ones get more through than many small ones.
    pub one_at_a_time: bool,
}

/// Why a device takes no points although its connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It has accepted the connection and said nothing yet: as good as not connected.
    Silent,
    /// Its light source is not ready yet.
    WarmingUp,
    /// Its light source cools down before it may be used again.
    CoolingDown,
}

impl Hindrance {
    /// For people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Silent => "it has accepted the connection, and is waited for",
            Self::WarmingUp => {
                "it is warming up, dark; an arm that was asked for at the start waits for it, any other is taken back: arm when it is ready"
            }
            Self::CoolingDown => {
                "it is cooling down, dark and disarmed: arm it when it is ready again"
            }
        }
    }
}

/// The answer to a write. "Not now" is an outcome, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The whole chunk was taken.
    Accepted,
    /// No room: offer the same chunk again, unchanged.
    NotNow,
}

/// Why a device could not do what was asked, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum DacError {
    /// Another program holds the device. Close it, or try later.
    #[error("{device} is held by another program: close that program, or choose another projector")]
    Busy {
        /// The device as the user named it.
        device: String,
    },
    /// It does not answer. Reconnecting may help.
    #[error("{device} does not answer ({detail}): check its power, its cable and the network")]
    Gone {
        /// The device as the user named it.
        device: String,
        /// What was observed.
        detail: String,
    },
    /// No such device is there. Plug it in, or name another.
    #[error("{device} is not there: {detail}")]
    Absent {
        /// The device as the user named it.
        device: String,
        /// What was looked for, and what to do about it.
        detail: String,
    },
    /// It is there and answers, and takes no light now. The message names the cause.
    #[error("{device} takes no light now: {detail}")]
    Unready {
        /// The device as the user named it.
        device: String,
        /// Why, and what to do about it.
        detail: String,
    },
    /// The system denies access. The message names the cure.
    #[error("no permission to use {device}: {cure}")]
    PermissionDenied {
        /// The device as the user named it.
        device: String,
        /// What to do about it.
        cure: String,
    },
    /// It said something its protocol does not allow. Reconnect; if it repeats, check the firmware.
    #[error("{device} broke its protocol: {detail}")]
    Protocol {
        /// The device as the user named it.
        device: String,
        /// What was received.
        detail: String,
    },
    /// The device is in emergency stop: an operator has to reset it.
    #[error("{device} is in emergency stop: make the room safe, then reset and arm again")]
    EmergencyStop {
        /// The device as the user named it.
        device: String,
    },
    /// The address or name is wrong.
    #[error("{0}")]
    BadAddress(String),
}

/// A projector driver. It lives on a thread of its own, so that it may wait, within its time-outs.
///
/// The order is `connect`, then `write` and `poll` in any order, then `close`. After an error only `connect`
/// and `close` are called.
pub trait Backend: Send {
    /// What the user calls it: the URI.
    fn name(&self) -> &str;

    /// What the device is taken for until it has said so itself: what a stream is planned with.
    fn presumed(&self) -> Capabilities;

    /// Opens the device, dark. Bounded by a time-out of at most 2 s. A device that is slow to say a first word is not
    /// waited for here, where nothing else can be heeded: see [`hindrance`](Self::hindrance).
    fn connect(&mut self, now: HostTime) -> Result<Capabilities, DacError>;

    /// Offers a chunk. Never waits for room; never takes part of a chunk.
    fn write(&mut self, now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError>;

    /// The device's latest word; asks for a new one where the protocol wants asking. Never waits for it.
    fn poll(&mut self, now: HostTime) -> Result<DeviceReport, DacError>;

    /// What the device says of its own health, for people: battery, temperature, firmware. `None` where it says
    /// nothing.
    fn condition(&self) -> Option<String> {
        None
    }

    /// What an operator should know of this device and do about it, told once after it was connected: firmware
    /// that is too old. `None` where there is nothing.
    fn advice(&self) -> Option<String> {
        None
    }

    /// Why it takes no points now, if it does not; as of the last [`poll`](Self::poll).
    fn hindrance(&self) -> Option<Hindrance> {
        None
    }

    /// How long its answers take; `None` where it gives none, or none that says when the points are there.
    fn answer_time(&self) -> Option<AnswerTime> {
        None
    }

    /// Times that somebody else has stopped it since the connection was made: another program, or a hand on the device.
    fn foreign_stops(&self) -> u32 {
        0
    }

    /// Dark at once: clears what is queued by the device's own stop. The next `write` starts it again.
    fn stop(&mut self, now: HostTime) -> Result<(), DacError>;

    /// Clears an emergency stop of the device, at an operator's explicit wish.
    fn reset_estop(&mut self, now: HostTime) -> Result<(), DacError>;

    /// Stops, closes the shutter and lets go. Never fails: what does not answer is left.
    fn close(&mut self, now: HostTime);
}
