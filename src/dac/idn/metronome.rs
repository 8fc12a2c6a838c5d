//! When each packet leaves: absolute deadlines, fractions carried, catch-up bounded.
//!
//! A device plays by time stamps, so the stream's clock is the host's: packet *n* is due when the packets
//! before it have been shown, never earlier. What is late by up to 30 ms is sent at once, its time stamp
//! unchanged: the device's own buffer covers it. What is later begins a new time line, in the dark: the device may
//! have run dry, and nobody knows where its mirrors are.

use std::collections::VecDeque;
use std::time::Duration;

use crate::dac::settling::Settling;
use crate::point::LaserPoint;
use crate::time::HostTime;
use crate::wire::idn::MIN_SAMPLES;

/// Points a packet holds at most: its configuration included, it stays within one Ethernet frame.
pub(super) const MAX_PACKET_POINTS: usize = 141;
/// Points that may be offered at once: more than any period of a sound card asks for.
pub(super) const MAX_CHUNK_POINTS: usize = 4096;
/// Time of points in a packet.
const PACKET_TIME: Duration = Duration::from_millis(4);
/// How late a packet may be and still belong to its time line.
const CATCH_UP_US: i64 = 30_000;
/// Points that do not make a packet are sent all the same after this time.
const TAIL_PATIENCE_US: i64 = 10_000;
/// The buffer of a device that does not state its latency: what OpenIDN ships with.
pub(super) const PRESUMED_LATENCY: Duration = Duration::from_millis(40);
/// A longer way is not believed: what comes so late, a device's buffer no longer covers.
const MAX_WAY: Duration = Duration::from_millis(30);
/// No device buffers longer than this.
const MAX_LATENCY: Duration = Duration::from_millis(500);

/// A packet on its way or in the device.
#[derive(Clone, Copy, Debug)]
struct Sent {
    due_us: i64,
    duration_us: i64,
    /// Points of the stream in it.
    points: usize,
    /// Samples in it: the points, and what it was padded with.
    samples: usize,
    pps: u32,
}

/// What to send now.
#[derive(Debug, PartialEq)]
pub(super) struct Packet<'a> {
    /// The time stamp, microseconds of the host's clock.
    pub(super) timestamp: u32,
    pub(super) duration_us: u32,
    pub(super) points: &'a [LaserPoint],
    /// It begins a time line.
    pub(super) restarts: bool,
}

/// What has not been shown, at a moment when a point begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) at: HostTime,
    pub(super) points: u32,
    /// `None` while nothing is on the mirrors.
    pub(super) playing_pps: Option<u32>,
    pub(super) played: u64,
}

/// The points between stream and network.
#[derive(Debug)]
pub(super) struct Metronome {
    staged: VecDeque<LaserPoint>,
    /// Runs of one rate among the staged points.
    runs: VecDeque<(usize, u32)>,
    staged_since_us: i64,
    packet: Vec<LaserPoint>,
    /// When the next packet is due; `None` while there is no time line.
    next_us: Option<i64>,
    /// Time stamps never go back behind this.
    floor_us: i64,
    /// What was cut from the last duration, in millionths of a point.
    carry: u64,
    sent: VecDeque<Sent>,
    /// From a time stamp to light: the way there, and the device's own buffer.
    latency: Duration,
    device_latency: Duration,
    way: Duration,
    played: u64,
    underflows: u32,
    ran_dry: bool,
    settling: Settling,
}

fn micros(now: HostTime) -> i64 {
    now.as_nanos().div_euclid(1000)
}

/// Points of a packet at this rate.
fn packet_points(pps: u32) -> usize {
    let wanted = u128::from(pps) * PACKET_TIME.as_micros() / 1_000_000;
    (wanted as usize).clamp(MIN_SAMPLES, MAX_PACKET_POINTS)
}

impl Metronome {
    pub(super) fn new() -> Self {
        Self {
            staged: VecDeque::with_capacity(MAX_CHUNK_POINTS + MAX_PACKET_POINTS),
            runs: VecDeque::with_capacity(64),
            staged_since_us: 0,
            packet: Vec::with_capacity(MAX_PACKET_POINTS),
            next_us: None,
            floor_us: i64::MIN,
            carry: 0,
            sent: VecDeque::with_capacity(512),
            latency: PRESUMED_LATENCY,
            device_latency: PRESUMED_LATENCY,
            way: Duration::ZERO,
            played: 0,
            underflows: 0,
            ran_dry: false,
            settling: Settling::default(),
        }
    }

    /// How the beginning of a time line is kept dark.
    pub(super) const fn settling_mut(&mut self) -> &mut Settling {
        &mut self.settling
    }

    /// How late a packet may be and still find the device with points to show, microseconds.
    fn catch_up_us(&self) -> i64 {
        let covered = self.device_latency * 3 / 4;
        CATCH_UP_US.min(i64::try_from(covered.as_micros()).unwrap_or(CATCH_UP_US))
    }

    /// Takes points, all or none: there is room while less than a packet waits.
    pub(super) fn offer(&mut self, now: HostTime, points: &[LaserPoint], pps: u32) -> bool {
        let pps = pps.max(1);
        if self.staged.len() >= packet_points(pps) {
            return false;
        }
        if points.is_empty() {
            return true;
        }
        if self.staged.is_empty() {
            self.staged_since_us = micros(now);
        }
        self.staged.extend(points);
        match self.runs.back_mut() {
            Some((count, rate)) if *rate == pps => *count += points.len(),
            _ => self.runs.push_back((points.len(), pps)),
        }
        true
    }

    /// How many of the staged points go into one packet, and at which rate; `None` if more are wanted. A
    /// few points left of an old rate go with the first of the new one, at the slower of both.
    fn cut(&self, in_need: bool) -> Option<(usize, u32)> {
        let &(first, pps) = self.runs.front()?;
        let size = packet_points(pps);
        let Some(&(second, second_pps)) = self.runs.get(1) else {
            return (first >= size || in_need).then(|| (first.min(size), pps));
        };
        if first >= size + MIN_SAMPLES {
            return Some((size, pps));
        }
        match first {
            0..MIN_SAMPLES if first + second < MIN_SAMPLES && !in_need => None,
            0..MIN_SAMPLES => Some(((first + second).min(MIN_SAMPLES), pps.min(second_pps))),
            _ if first <= MAX_PACKET_POINTS => Some((first, pps)),
            _ => Some((first / 2, pps)),
        }
    }

    /// The packet that is due now, if there is one.
    pub(super) fn next_packet(&mut self, now: HostTime) -> Option<Packet<'_>> {
        let now_us = micros(now);
        self.forget_shown(now);
        let waited = now_us.saturating_sub(self.staged_since_us) >= TAIL_PATIENCE_US;
        let in_need = match self.next_us {
            Some(next) => now_us.saturating_sub(next) >= TAIL_PATIENCE_US,
            None => true,
        } && waited;
        let (points, pps) = self.cut(in_need)?;
        let mut restarts = false;
        let due_us = match self.next_us {
            Some(next) if next > now_us => return None,
            Some(next) if now_us - next <= self.catch_up_us() => next,
            late_or_none => {
                if late_or_none.is_some() || std::mem::take(&mut self.ran_dry) {
                    self.underflows = self.underflows.wrapping_add(1);
                }
                restarts = true;
                self.carry = 0;
                now_us.max(self.floor_us)
            }
        };
        self.packet.clear();
        self.packet.extend(self.staged.drain(..points));
        // These points were taken over before anybody could know of the break.
        if restarts {
            self.settling.begin();
        }
        let dark = self.settling.dark(points, pps);
        self.packet[..dark].iter_mut().for_each(|point| *point = point.blanked());
        self.settling.passed(points, pps);
        if points < MIN_SAMPLES {
            // The mirrors are told to hold at its end: what follows sets out from there.
            self.settling.begin();
        }
        let rest = self.packet.last().copied().unwrap_or_default().blanked();
        self.packet.resize(points.max(MIN_SAMPLES), rest);
        self.forget_runs(points);
        self.staged_since_us = now_us;
        let samples = self.packet.len();
        let scaled = samples as u64 * 1_000_000 + self.carry;
        let duration_us = (scaled / u64::from(pps)) as i64;
        self.carry = scaled % u64::from(pps);
        self.sent.push_back(Sent { due_us, duration_us, points, samples, pps });
        self.next_us = Some(due_us + duration_us);
        self.floor_us = due_us + duration_us;
        let (timestamp, duration_us) = (due_us as u32, duration_us as u32);
        Some(Packet { timestamp, duration_us, points: &self.packet, restarts })
    }

    fn forget_runs(&mut self, mut points: usize) {
        while let Some((count, _)) = self.runs.front_mut() {
            let taken = points.min(*count);
            *count -= taken;
            points -= taken;
            if *count > 0 {
                break;
            }
            self.runs.pop_front();
        }
    }

    /// Drops what has been shown, and the time line once everything has.
    fn forget_shown(&mut self, now: HostTime) {
        let shown_us = micros(now - self.latency);
        while let Some(front) = self.sent.front()
            && front.due_us + front.duration_us <= shown_us
        {
            self.played += front.points as u64;
            self.sent.pop_front();
        }
        if self.sent.is_empty() && self.next_us.is_some_and(|next| next <= shown_us) {
            self.next_us = None;
            self.ran_dry = true;
        }
    }

    /// What neither the network nor the device has shown.
    pub(super) fn held(&mut self, now: HostTime) -> Held {
        self.forget_shown(now);
        let waiting: usize = self.sent.iter().map(|sent| sent.points).sum();
        let all = self.staged.len() + waiting;
        let whole = Held { at: now, points: all as u32, playing_pps: None, played: self.played };
        let Some(front) = self.sent.front() else { return whole };
        let begins = HostTime::from_nanos(front.due_us * 1000) + self.latency;
        let elapsed = now.nanos_since(begins);
        if elapsed < 0 {
            return whole;
        }
        // The number of the point on the mirrors, and the moment it began: exact at that moment.
        let duration = front.duration_us.max(1) * 1000;
        let index = (elapsed as i128 * front.samples as i128 / i128::from(duration)) as usize;
        let index = index.min(front.points);
        let since = index as i128 * i128::from(duration) / front.samples as i128;
        Held {
            at: begins.plus_nanos(since as i64),
            points: (all - index) as u32,
            playing_pps: Some(front.pps),
            played: self.played + index as u64,
        }
    }

    /// The device has told how long it takes from a time stamp to light.
    pub(super) fn learn_latency(&mut self, told: Duration) {
        let told = told.min(MAX_LATENCY);
        let step = (told.as_secs_f64() - self.device_latency.as_secs_f64()) / 8.0;
        let learnt = (self.device_latency.as_secs_f64() + step).max(0.0);
        self.device_latency = Duration::from_secs_f64(learnt);
        self.latency = self.device_latency + self.way;
    }

    /// A packet takes so long to the device: a device that counts from its arrival shows it as much later.
    pub(super) fn learn_way(&mut self, way: Duration) {
        self.way = way.min(MAX_WAY);
        self.latency = self.device_latency + self.way;
    }

    /// Drops everything: what the device holds is dropped by its own stop.
    pub(super) fn clear(&mut self) {
        self.staged.clear();
        self.runs.clear();
        self.sent.clear();
        self.next_us = None;
        self.ran_dry = false;
    }

    pub(super) const fn underflows(&self) -> u32 {
        self.underflows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: HostTime = HostTime::from_nanos(5_000_000_000);

    fn at(us: i64) -> HostTime {
        START.plus_nanos(us * 1000)
    }

    /// Feeds without end and looks every `step_us`: time stamps, durations and counts.
    fn run(pps: u32, step_us: i64, until_us: i64) -> (Metronome, Vec<(i64, u32, u32, usize)>) {
        let mut metronome = Metronome::new();
        let mut sent = Vec::new();
        for us in (0..until_us).step_by(step_us as usize) {
            while metronome.offer(at(us), &[LaserPoint::CENTRE; 97], pps) {}
            while let Some(packet) = metronome.next_packet(at(us)) {
                sent.push((us, packet.timestamp, packet.duration_us, packet.points.len()));
                while metronome.offer(at(us), &[LaserPoint::CENTRE; 97], pps) {}
            }
        }
        (metronome, sent)
    }

    #[test]
    fn time_stamps_join_without_gap_and_nothing_leaves_before_its_time() {
        for pps in [1_000, 7_777, 30_000, 44_100, 100_000] {
            let (_, sent) = run(pps, 2_000, 1_000_000);
            for pair in sent.windows(2) {
                assert_eq!(pair[0].1.wrapping_add(pair[0].2), pair[1].1, "at {pps}");
            }
            let first = micros(START) as u32;
            for (us, timestamp, ..) in &sent {
                assert!(timestamp.wrapping_sub(first) as i64 <= *us, "at {pps}");
            }
            let points: usize = sent.iter().map(|(.., count)| count).sum();
            let micros: u64 = sent.iter().map(|(_, _, duration, _)| u64::from(*duration)).sum();
            // Not a point is lost to rounding in a second of packets.
            let exact = points as f64 * 1e6 / f64::from(pps);
            assert!((micros as f64 - exact).abs() <= 1.0, "{micros} µs for {exact} at {pps}");
            assert!(sent.iter().all(|(.., n)| (MIN_SAMPLES..=MAX_PACKET_POINTS).contains(n)));
        }
    }

    #[test]
    fn what_is_held_is_exact_at_the_moment_it_is_dated() {
        let (mut metronome, _) = run(30_000, 2_000, 200_001);
        let held = metronome.held(at(200_123));
        let since = held.at.nanos_since(START) - PRESUMED_LATENCY.as_nanos() as i64;
        let by_time = since as f64 * 30_000.0 / 1e9;
        assert!((held.played as f64 - by_time).abs() < 0.01, "{} by {by_time}", held.played);
        assert_eq!(held.playing_pps, Some(30_000));
        // 40 ms in the device, and less than three packets before it.
        assert!((1200..1600).contains(&held.points), "{held:?}");
    }

    #[test]
    fn a_short_pause_is_caught_up_and_a_long_one_begins_anew() {
        let (mut metronome, _) = run(30_000, 2_000, 100_000);
        while metronome.offer(at(120_000), &[LaserPoint::CENTRE; 141], 30_000) {}
        assert!(!metronome.next_packet(at(120_000)).unwrap().restarts);
        assert_eq!(metronome.underflows(), 0);
        while metronome.offer(at(160_000), &[LaserPoint::CENTRE; 141], 30_000) {}
        let packet = metronome.next_packet(at(160_000)).unwrap();
        assert!(packet.restarts);
        assert_eq!(packet.timestamp, micros(at(160_000)) as u32);
        assert_eq!(metronome.underflows(), 1);
    }

    #[test]
    fn a_time_line_begins_dark_until_the_mirrors_have_settled() {
        let lit = LaserPoint { r: 9, ..LaserPoint::blank(0.5, 0.5) };
        let mut metronome = Metronome::new();
        metronome.settling_mut().settles_within(0.005);
        let mut dark = |ms: i64| {
            while metronome.offer(at(ms * 1000), &[lit; 60], 30_000) {}
            let packet = metronome.next_packet(at(ms * 1000)).unwrap();
            let dark = packet.points.iter().take_while(|point| point.is_blank()).count();
            (packet.restarts, dark)
        };
        assert_eq!([dark(0), dark(4), dark(8)], [(true, 120), (false, 30), (false, 0)]);
        // A stall of the host: taken over before it, dark after it.
        assert_eq!([dark(50), dark(54), dark(58)], [(true, 120), (false, 30), (false, 0)]);
    }

    #[test]
    fn a_device_with_a_small_buffer_is_not_believed_to_bear_a_long_pause() {
        let (mut metronome, _) = run(30_000, 2_000, 100_000);
        (0..200).for_each(|_| metronome.learn_latency(Duration::from_millis(10)));
        while metronome.offer(at(109_000), &[LaserPoint::CENTRE; 141], 30_000) {}
        assert!(metronome.next_packet(at(109_000)).unwrap().restarts);
    }

    #[test]
    fn a_flow_that_has_run_dry_counts_when_it_goes_on_but_not_when_it_ends() {
        let (mut metronome, _) = run(30_000, 2_000, 100_000);
        // What was left, and the tail behind it.
        while metronome.next_packet(at(300_000)).is_some() {}
        while metronome.next_packet(at(320_000)).is_some() {}
        assert_eq!(metronome.held(at(900_000)).points, 0);
        assert_eq!(metronome.held(at(900_000)).playing_pps, None);
        let before = metronome.underflows();
        assert!(metronome.offer(at(900_000), &[LaserPoint::CENTRE; 141], 30_000));
        assert!(metronome.next_packet(at(900_000)).unwrap().restarts);
        assert_eq!(metronome.underflows(), before + 1);
        metronome.clear();
        assert!(metronome.offer(at(1_900_000), &[LaserPoint::CENTRE; 141], 30_000));
        assert!(metronome.next_packet(at(1_900_000)).is_some());
        assert_eq!(metronome.underflows(), before + 1, "a stop is no underflow");
    }

    #[test]
    fn a_tail_leaves_after_ten_milliseconds_padded_in_the_dark() {
        let mut metronome = Metronome::new();
        let lit = LaserPoint { r: 9, ..LaserPoint::blank(0.5, 0.5) };
        assert!(metronome.offer(at(0), &[lit; 7], 30_000));
        assert_eq!(metronome.next_packet(at(9_000)), None);
        let packet = metronome.next_packet(at(10_000)).unwrap();
        assert_eq!(packet.points.len(), MIN_SAMPLES);
        assert!(packet.points[7..].iter().all(|p| p.is_blank() && p.x == 0.5));
        let held = metronome.held(at(10_000));
        assert_eq!(held.points, 7, "padding is nobody's point");
        assert_eq!(metronome.held(at(100_000)).played, 7);
    }

    /// Points meant for a slow rate are never shown faster.
    #[test]
    fn at_a_change_of_rate_no_packet_is_too_short_or_too_fast() {
        for (old, new) in [(20_000, 45_000), (45_000, 20_000)] {
            for tail in [1, 19, 20, 80, 100, 140] {
                let mut metronome = Metronome::new();
                assert!(metronome.offer(at(0), &vec![LaserPoint::CENTRE; 60], old));
                if tail > 1 {
                    assert!(metronome.offer(at(0), &vec![LaserPoint::CENTRE; tail], old));
                }
                let mut total = metronome.staged.len();
                let mut seen = 0;
                for us in (0..40_000).step_by(500) {
                    if metronome.offer(at(us), &[LaserPoint::CENTRE; 100], new) {
                        total += 100;
                    }
                    while let Some(packet) = metronome.next_packet(at(us)) {
                        seen += packet.points.len();
                        assert!(packet.points.len() >= MIN_SAMPLES);
                        let pps = packet.points.len() as f64 * 1e6 / f64::from(packet.duration_us);
                        assert!(pps < f64::from(old.max(new)) * 1.002, "{pps}");
                    }
                }
                assert_eq!(seen + metronome.staged.len(), total);
            }
        }
    }
}
