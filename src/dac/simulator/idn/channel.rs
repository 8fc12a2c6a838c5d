//! One channel: configuration, waves by their time stamps, frames.

use std::time::Duration;

use super::mirrors::Mirrors;
use crate::point::LaserPoint;
use crate::time::HostTime;
use crate::wire::idn::{
    ChannelConfig, Chunk, Layout, Message, Reassembly, input_event, mode, pipeline_event,
};

/// How much the device buffers against jitter: OpenIDN's setting as delivered.
const BUFFER: Duration = Duration::from_millis(40);
/// A chunk is not shorter than this, microseconds.
const MIN_DURATION_US: u32 = 200;
/// The device follows the sender's clock by this share of what a chunk comes too early, and too late.
const FOLLOW_EARLY: f64 = 0.05;
const FOLLOW_LATE: f64 = 0.01;

/// How time stamps become moments.
#[derive(Clone, Copy, Debug)]
struct TimeLine {
    /// The time stamp that joins on without a gap.
    expected: u32,
    /// The same, counted on without wrapping.
    expected_us: i64,
    /// Moment less time stamp, ns.
    offset: f64,
    /// When what was received last ends.
    ends: HostTime,
    /// A span that was skipped and may still be filled: its first and last time stamp.
    gap: Option<(u32, u32)>,
}

/// One channel of a session.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub(super) service: Option<usize>,
    mode: u8,
    layout: Option<Layout>,
    data_match: u8,
    time: Option<TimeLine>,
    reassembly: Reassembly,
}

impl Channel {
    /// True if frames may be drawn here.
    pub(super) const fn is_open(&self) -> bool {
        self.service.is_some()
    }

    /// Takes a configuration for an open channel; returns pipeline events.
    pub(super) fn configure(&mut self, config: &ChannelConfig<'_>) -> u16 {
        if !matches!(config.mode, mode::CONTINUOUS | mode::DISCRETE) {
            return pipeline_event::BAD_SERVICE;
        }
        let same_match = self.layout.is_some() && self.data_match == config.data_match;
        if !same_match || self.mode != config.mode {
            self.layout = Layout::parse(config.words).ok();
            if self.layout.is_none() {
                return pipeline_event::BAD_CONFIG;
            }
        }
        self.mode = config.mode;
        self.data_match = config.data_match;
        0
    }

    /// Takes what a message holds; returns input and pipeline events.
    pub(super) fn take(
        &mut self,
        now: HostTime,
        ppm: f64,
        message: &Message<'_>,
        mirrors: &mut Mirrors,
    ) -> (u16, u16) {
        match message.chunk {
            Chunk::Void | Chunk::Other { .. } => (0, 0),
            Chunk::Wave { .. } if self.mode != mode::CONTINUOUS => (0, pipeline_event::WRONG_CHUNK),
            Chunk::Wave { data_match, .. } if data_match != self.data_match => {
                (0, pipeline_event::MISMATCH)
            }
            Chunk::Wave { duration, data, .. } => {
                let Some(layout) = &self.layout else { return (0, pipeline_event::BAD_CONFIG) };
                // Data that does not come out even is dropped without a word, as OpenIDN does.
                let Some(samples) = layout.samples(data) else { return (0, 0) };
                let points: Vec<_> = samples.map(|sample| sample.to_point()).collect();
                let fastest = points.len() > duration as usize;
                if duration < MIN_DURATION_US || points.is_empty() || fastest {
                    return (0, pipeline_event::TOO_SHORT);
                }
                self.wave(now, ppm, message.timestamp, duration, points, mirrors)
            }
            Chunk::Frame { .. } | Chunk::Piece { .. } if self.mode != mode::DISCRETE => {
                (0, pipeline_event::WRONG_CHUNK)
            }
            Chunk::Frame { .. } | Chunk::Piece { .. } => (0, self.frame(now, message, mirrors)),
        }
    }

    fn frame(&mut self, now: HostTime, message: &Message<'_>, mirrors: &mut Mirrors) -> u16 {
        let whole = match self.reassembly.take(message) {
            Ok(Some(whole)) => whole,
            Ok(None) => return 0,
            Err(()) => return pipeline_event::FRAGMENT_LOST,
        };
        let Chunk::Frame { data_match, once, duration, data, .. } = whole else { return 0 };
        if data_match != self.data_match {
            return pipeline_event::MISMATCH;
        }
        let Some(layout) = &self.layout else { return pipeline_event::BAD_CONFIG };
        let Some(samples) = layout.samples(data) else { return 0 };
        let points: Vec<_> = samples.map(|sample| sample.to_point()).collect();
        let drawable = points.len() >= 2
            && duration >= MIN_DURATION_US / 2
            && points.len() <= duration as usize;
        if !points.is_empty() && !drawable {
            return pipeline_event::TOO_SHORT;
        }
        mirrors.set_frame(now, points, Duration::from_micros(u64::from(duration)), once);
        0
    }

    fn wave(
        &mut self,
        now: HostTime,
        ppm: f64,
        timestamp: u32,
        duration: u32,
        points: Vec<LaserPoint>,
        mirrors: &mut Mirrors,
    ) -> (u16, u16) {
        let fresh = (now + BUFFER).as_nanos() as f64 - f64::from(timestamp) * 1e3;
        let started = self.time.is_some();
        let mut time = *self.time.get_or_insert(TimeLine {
            expected: timestamp,
            expected_us: i64::from(timestamp),
            offset: fresh,
            ends: now + BUFFER,
            gap: None,
        });
        let step = timestamp.wrapping_sub(time.expected) as i32;
        if step < 0 {
            return self.fill_gap(time, timestamp, duration, points, mirrors);
        }
        let stamp_us = time.expected_us + i64::from(step);
        let mut events = 0;
        if step > 0 {
            events = pipeline_event::DISCONTINUITY;
            time.gap = Some((time.expected, timestamp));
        }
        // The device's own clock drifts; it follows the sender's by how chunks arrive.
        let stamp_ns = stamp_us as f64 * 1e3;
        time.offset -= f64::from(duration) * 1e3 * ppm * 1e-6;
        let arrived = (now + BUFFER).as_nanos() as f64 - stamp_ns;
        let late = arrived - time.offset;
        let ran_dry = started && time.ends <= now;
        if ran_dry {
            // It starts anew with a full buffer.
            time.offset = arrived;
            time.gap = None;
        } else {
            time.offset += late * if late < 0.0 { FOLLOW_EARLY } else { FOLLOW_LATE };
        }
        let moment = |ns: f64| HostTime::from_nanos((ns + time.offset) as i64);
        let gapless = step == 0 && !ran_dry;
        let begins = if gapless { time.ends } else { moment(stamp_ns).max(time.ends).max(now) };
        let span = f64::from(duration) * 1e3;
        let ends = moment(stamp_ns + span).max(begins.plus_nanos((span * 0.9) as i64));
        if !gapless {
            // Dark until there: a beam that stands still must not shine.
            mirrors.push(time.ends.max(now), begins, true, std::iter::once(LaserPoint::CENTRE));
        }
        let room = mirrors.push(begins, ends, !gapless || !started, points.into_iter());
        time.expected = timestamp.wrapping_add(duration);
        time.expected_us = stamp_us + i64::from(duration);
        time.ends = ends;
        self.time = Some(time);
        (if room { 0 } else { input_event::OVERRUN }, events)
    }

    /// A message from the past: it fills the hole it left, or comes too late.
    fn fill_gap(
        &mut self,
        mut time: TimeLine,
        timestamp: u32,
        duration: u32,
        points: Vec<LaserPoint>,
        mirrors: &mut Mirrors,
    ) -> (u16, u16) {
        let end = timestamp.wrapping_add(duration);
        let fits = time.gap.is_some_and(|(first, last)| {
            timestamp.wrapping_sub(first) <= last.wrapping_sub(first)
                && end.wrapping_sub(first) <= last.wrapping_sub(first)
        });
        if !fits {
            return (0, pipeline_event::DISCONTINUITY);
        }
        let back = i64::from(time.expected.wrapping_sub(timestamp));
        let stamp_ns = (time.expected_us - back) as f64 * 1e3;
        let moment = |ns: f64| HostTime::from_nanos((ns + time.offset) as i64);
        let ends = moment(stamp_ns + f64::from(duration) * 1e3);
        let in_time = mirrors.push(moment(stamp_ns), ends, true, points.into_iter());
        time.gap = time
            .gap
            .map(|(first, last)| if timestamp == first { (end, last) } else { (first, timestamp) });
        self.time = Some(time);
        (if in_time { input_event::REORDERED } else { input_event::DROPPED }, 0)
    }
}
