//! What a show measured, as the JSON of `--report`.

use serde::Serialize;

use crate::safety::TripReason;

/// Everything measured between start and end. The field names are stable: scripts rely on them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Seconds from start to end on the host's clock.
    pub duration_s: f64,
    /// Seconds of media that were played.
    pub media_s: f64,
    /// Points accepted by all streams.
    pub points: u64,
    /// Times a producer was late and the underrun policy stepped in, all streams.
    pub underruns: u64,
    /// Times a device ran empty, all streams.
    pub device_underflows: u64,
    /// Times a connection was made again, all streams.
    pub reconnects: u64,
    /// Interruptions of the sound clock.
    pub xruns: u64,
    /// Periods in which the decoder was late.
    pub decoder_underruns: u64,
    /// The sound device, or "software clock".
    pub audio_device: String,
    /// Time spent in one audio callback.
    pub callback_us: CallbackTimes,
    /// Light minus sound of the first projector, measured on its device's own reports.
    pub sync_ms: SyncFigures,
    /// The first projector's clock against the host's, parts per million; `null` until measured.
    pub drift_ppm: Option<f64>,
    /// Heap allocations in the audio callback; `null` in release builds, which do not count.
    pub allocations_in_callback: Option<u64>,
    /// Why light was taken away, in order.
    pub trips: Vec<TripEntry>,
    /// Files that were still to be written when the show ended, and whose disk did not answer in time.
    pub not_written: Vec<String>,
    /// Each projector.
    pub per_stream: Vec<StreamReport>,
}

/// Time spent in one audio callback, µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CallbackTimes {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// The longest.
    pub max: f64,
    /// Length of a period, to compare with.
    pub period: f64,
}

/// Light minus sound, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SyncFigures {
    /// Median: positive is light after sound. `null` until measured.
    pub offset_p50: Option<f64>,
    /// 95th percentile of the distance from the median.
    pub jitter_p95: Option<f64>,
    /// The largest distance from zero.
    pub max: Option<f64>,
    /// How many moments were measured.
    pub samples: u64,
}

/// One trip.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TripEntry {
    /// Seconds since the start of the show.
    pub at_s: f64,
    /// The projector.
    pub projector: String,
    /// Why.
    pub reason: String,
    /// The same, not in words.
    #[serde(skip)]
    pub kind: Option<TripReason>,
}

/// One projector.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StreamReport {
    /// Its URI.
    pub name: String,
    /// It was connected once at least.
    pub came_up: bool,
    /// Points per second.
    pub pps: u32,
    /// Points accepted.
    pub points: u64,
    /// Points that passed the gate lit.
    pub lit_points: u64,
    /// Times the producer was late.
    pub underruns: u64,
    /// Times the device ran empty.
    pub device_underflows: u64,
    /// Times the connection was made again.
    pub reconnects: u64,
    /// Times the device had no room and the same points were offered again.
    pub would_block: u64,
    /// Points ahead of the mirrors, ms: smallest, mean, largest.
    pub buffer_ms: BufferFigures,
    /// Light minus sound.
    pub sync_ms: SyncFigures,
    /// The device's clock against the host's, parts per million; `null` until measured.
    pub drift_ppm: Option<f64>,
    /// The last fault, if there was one.
    pub fault: Option<String>,
}

/// Points ahead of the mirrors, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BufferFigures {
    /// Smallest.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Largest.
    pub max: f64,
    /// What was wanted in the end: what was set, or what the line needed.
    pub wanted: f64,
}
