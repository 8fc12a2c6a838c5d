//! MIDI clock, in and out: 24 clocks a quarter note.
//!
//! In: a line is laid through the last clocks, so that the jitter of a port does not reach the tempo; what the show's beat
//! lacks to it becomes [`BeatWish`]es. Out: the clocks that the show's beat is due, no more and no fewer. Pure: time is an
//! argument.

use std::time::Duration;

use crate::analysis::BeatWish;
use crate::analysis::features::Beat;
use crate::time::HostTime;
use crate::wire::midi::Message;

/// Clocks that the line is laid through: four beats.
const WINDOW: usize = 96;
/// Clocks from which on the line is believed.
const ENOUGH: usize = 24;
/// A clock that comes later than this after the last begins anew: 20 beats a minute have one each 125 ms.
const LONGEST_GAP: Duration = Duration::from_millis(300);
/// The clock is gone after this long.
const GONE: Duration = Duration::from_secs(2);
/// Corrections are this far apart at least.
const CORRECT_EVERY: Duration = Duration::from_millis(500);
/// The beat makes up for a correction with this share of its tempo, or faster.
const FOLLOWS_WITH: f64 = 0.3;
/// A tempo this near is left alone, as a share of it.
const SAME_TEMPO: f64 = 0.001;
/// A phase this near is left alone, ms.
const SAME_PHASE_MS: f64 = 3.0;
/// Clocks of a bar of four.
const BAR: u32 = 4 * Message::CLOCKS_PER_BEAT;

/// Where the clock that comes in is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    /// Beats per minute.
    pub bpm: f64,
    /// Position within the beat, 0..1.
    pub phase: f64,
}

/// Follows a MIDI clock.
#[derive(Clone, Debug)]
pub struct ClockIn {
    times: [HostTime; WINDOW],
    held: usize,
    /// Clocks since the start, or since the first that was heard.
    count: u32,
    last: Option<HostTime>,
    /// The music has begun, and its first bar has not been shown yet.
    bar_due: bool,
    /// A bar begins with the clock that came last.
    bar_now: bool,
    /// When the beat has followed the last correction.
    settled: Option<HostTime>,
    /// The show's beat is held by this clock.
    holds: bool,
}

impl Default for ClockIn {
    fn default() -> Self {
        Self {
            times: [HostTime::ZERO; WINDOW],
            held: 0,
            count: 0,
            last: None,
            bar_due: false,
            bar_now: false,
            settled: None,
            holds: false,
        }
    }
}

impl ClockIn {
    /// Takes a message of the port that the clock comes from.
    pub fn hear(&mut self, message: Message, now: HostTime) {
        match message {
            Message::Clock => self.clock(now),
            Message::Start => {
                // The next clock is the first of the music.
                self.count = u32::MAX;
                self.bar_due = true;
            }
            _ => {}
        }
    }

    fn clock(&mut self, now: HostTime) {
        if self.last.is_some_and(|last| now.since(last) > LONGEST_GAP) {
            self.held = 0;
        }
        self.last = Some(now);
        self.count = self.count.wrapping_add(1);
        self.bar_now = self.count.is_multiple_of(BAR);
        if self.held == WINDOW {
            self.times.rotate_left(1);
            self.held -= 1;
        }
        self.times[self.held] = now;
        self.held += 1;
    }

    /// Where the clock is at `now`; `None` without one.
    #[must_use]
    pub fn pulse(&self, now: HostTime) -> Option<Pulse> {
        let last = self.last?;
        if self.held < ENOUGH || now.since(last) > GONE {
            return None;
        }
        // Least squares of time over number; the last clock is number 0.
        let count = self.held as f64;
        let number = |k: usize| k as f64 - (count - 1.0);
        let mean_n = (1.0 - count) / 2.0;
        let seconds = |k: usize| self.times[k].secs_since(last);
        let mean_t = (0..self.held).map(seconds).sum::<f64>() / count;
        let (mut covariance, mut variance) = (0.0, 0.0);
        for k in 0..self.held {
            covariance += (number(k) - mean_n) * (seconds(k) - mean_t);
            variance += (number(k) - mean_n).powi(2);
        }
        let period_s = covariance / variance;
        if period_s <= 0.0 {
            return None;
        }
        let last_s = mean_t - mean_n * period_s;
        let since = (now.secs_since(last) - last_s) / period_s;
        let per_beat = f64::from(Message::CLOCKS_PER_BEAT);
        let bpm = 60.0 / (period_s * per_beat);
        let within = f64::from(self.count % Message::CLOCKS_PER_BEAT);
        Some(Pulse { bpm, phase: ((within + since) / per_beat).rem_euclid(1.0) })
    }

    /// What the show's beat lacks to the clock, where `shown` is the beat that is heard at `now`. To be asked after every
    /// clock and now and then; most of the time it lacks nothing.
    pub fn wish(&mut self, shown: &Beat, now: HostTime) -> Option<BeatWish> {
        let Some(pulse) = self.pulse(now) else {
            // A clock that is gone gives the beat back to the ear.
            let gone = self.last.is_none_or(|last| now.since(last) > GONE);
            return (gone && std::mem::take(&mut self.holds)).then_some(BeatWish::Follow);
        };
        if self.holds && self.bar_due && std::mem::take(&mut self.bar_now) {
            self.bar_due = false;
            // It may be as far off as half a beat, and half a bar.
            self.settled = Some(settles(now, 2.0, pulse.bpm));
            return Some(BeatWish::Resync);
        }
        if self.settled.is_some_and(|when| now < when) {
            return None;
        }
        let off = (f64::from(shown.bpm) - pulse.bpm).abs() > SAME_TEMPO * pulse.bpm;
        if !self.holds || off {
            self.holds = true;
            self.settled = Some(settles(now, 0.0, pulse.bpm));
            return Some(BeatWish::SetBpm(pulse.bpm));
        }
        let ahead = (pulse.phase - f64::from(shown.phase) + 0.5).rem_euclid(1.0) - 0.5;
        let ahead_ms = ahead * 60_000.0 / pulse.bpm;
        if ahead_ms.abs() < SAME_PHASE_MS {
            return None;
        }
        self.settled = Some(settles(now, ahead.abs(), pulse.bpm));
        // The clock is ahead: the beat is shown earlier.
        Some(BeatWish::NudgeMs(-ahead_ms))
    }
}

/// When a beat that is `off` by so many beats has caught up.
fn settles(now: HostTime, off: f64, bpm: f64) -> HostTime {
    now.plus_secs_f64(CORRECT_EVERY.as_secs_f64() + off / FOLLOWS_WITH * 60.0 / bpm)
}

/// Makes a MIDI clock of the show's beat.
#[derive(Clone, Debug, Default)]
pub struct ClockOut {
    /// The clock of the beat that was sent last, 0..24.
    last: Option<u32>,
    plays: bool,
}

impl ClockOut {
    /// Sends what is due where `beat` is the beat that is heard now; `playing` while the music runs.
    pub fn step(&mut self, beat: &Beat, playing: bool, send: &mut dyn FnMut(Message)) {
        if !playing || beat.bpm <= 0.0 {
            if std::mem::take(&mut self.plays) {
                send(Message::Stop);
            }
            self.last = None;
            return;
        }
        let clocks = Message::CLOCKS_PER_BEAT;
        let due = ((f64::from(beat.phase) * f64::from(clocks)) as u32).min(clocks - 1);
        let Some(last) = self.last.replace(due) else { return };
        let steps = (due + clocks - last) % clocks;
        // Half a beat or more is no lateness: the beat was moved.
        if steps > clocks / 2 {
            return;
        }
        for step in 1..=steps {
            let clock = (last + step) % clocks;
            // A bar begins with a beat: followers begin with it.
            let bar = clock == 0 && f64::from(beat.bar_phase) * f64::from(beat.beats_per_bar) < 0.5;
            if bar && !std::mem::replace(&mut self.plays, true) {
                send(Message::Start);
            }
            send(Message::Clock);
        }
    }

    /// How long until the next clock is due.
    #[must_use]
    pub fn next_in(beat: &Beat) -> Duration {
        let clocks = f64::from(Message::CLOCKS_PER_BEAT);
        let into = f64::from(beat.phase) * clocks;
        let left = (into.floor() + 1.0 - into) / clocks;
        Duration::from_secs_f64((left * 60.0 / f64::from(beat.bpm).max(20.0)).clamp(0.0005, 0.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> HostTime {
        HostTime::from_secs_f64(1000.0 + seconds)
    }

    /// Clocks of a tempo, each late by up to 4 ms, for `seconds`, from the start on.
    fn clocks(clock: &mut ClockIn, bpm: f64, seconds: f64) {
        clock.hear(Message::Start, at(0.0));
        let mut random = 1_u64;
        for k in 0.. {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let late = (random >> 40) as f64 / (1 << 24) as f64 * 0.004;
            let when = f64::from(k) * 60.0 / bpm / 24.0;
            if when > seconds {
                return;
            }
            clock.hear(Message::Clock, at(when + late));
        }
    }

    #[test]
    fn the_jitter_of_a_port_does_not_reach_the_tempo() {
        for bpm in [60.0, 127.3, 174.0, 220.0] {
            let mut clock = ClockIn::default();
            clocks(&mut clock, bpm, 5.0);
            let pulse = clock.pulse(at(5.0)).unwrap();
            assert!((pulse.bpm - bpm).abs() < 0.003 * bpm, "{bpm} {pulse:?}");
            let beats: f64 = 5.0 * bpm / 60.0;
            let apart = (pulse.phase - beats.fract() + 0.5).rem_euclid(1.0) - 0.5;
            // The mean lateness of 2 ms cannot be known.
            assert!((apart * 60.0 / bpm).abs() < 0.004, "{bpm} {apart}");
        }
    }

    #[test]
    fn without_a_clock_there_is_no_pulse_and_the_ear_gets_the_beat_back_once() {
        let mut clock = ClockIn::default();
        assert_eq!(clock.pulse(at(0.0)), None);
        assert_eq!(clock.wish(&Beat::UNKNOWN, at(0.0)), None);
        clocks(&mut clock, 120.0, 2.0);
        assert!(matches!(clock.wish(&Beat::UNKNOWN, at(2.0)), Some(BeatWish::SetBpm(_))));
        assert_eq!(clock.pulse(at(4.5)), None);
        assert_eq!(clock.wish(&Beat::UNKNOWN, at(4.5)), Some(BeatWish::Follow));
        assert_eq!(clock.wish(&Beat::UNKNOWN, at(4.6)), None);
    }

    #[test]
    fn the_shows_beat_is_led_to_the_clocks_tempo_phase_and_bar() {
        let bpm = 126.0;
        let mut clock = ClockIn::default();
        // A beat that obeys at once, 0.3 beats off, and two beats into its bar when the first bar begins.
        let (mut shown_bpm, mut offset, mut bar_offset) = (120.0, 0.3, 2.0);
        clock.hear(Message::Start, at(0.0));
        let mut resyncs = Vec::new();
        for k in 0..2400 {
            let t = f64::from(k) * 60.0 / bpm / 24.0;
            clock.hear(Message::Clock, at(t));
            let beats = t * shown_bpm / 60.0 + offset;
            let shown = Beat {
                bpm: shown_bpm as f32,
                phase: beats.rem_euclid(1.0) as f32,
                ..Beat::UNKNOWN
            };
            match clock.wish(&shown, at(t)) {
                Some(BeatWish::SetBpm(new)) => {
                    offset += t * (shown_bpm - new) / 60.0;
                    shown_bpm = new;
                }
                Some(BeatWish::NudgeMs(ms)) => offset -= ms / 1000.0 * shown_bpm / 60.0,
                Some(BeatWish::Resync) => {
                    resyncs.push(k);
                    bar_offset = 0.0;
                }
                other => assert_eq!(other, None),
            }
        }
        let end = 2399.0 * 60.0 / bpm / 24.0;
        let apart = end * (shown_bpm - bpm) / 60.0 + offset;
        let apart = (apart + 0.5).rem_euclid(1.0) - 0.5;
        assert!((shown_bpm - bpm).abs() < 0.15 && apart.abs() < 0.01, "{shown_bpm} {apart}");
        assert_eq!((resyncs.len(), resyncs[0] % 96, bar_offset), (1, 0, 0.0));
    }

    #[test]
    fn a_clock_is_sent_for_each_twenty_fourth_of_a_beat_and_begins_on_a_bar() {
        let mut out = ClockOut::default();
        let mut sent = Vec::new();
        // 120 beats a minute, looked at every 7 ms: less often than 24 times a beat at this tempo would need by a hair.
        let mut beats = 0.0;
        while beats < 16.0 {
            let beat = Beat {
                bpm: 120.0,
                phase: (beats % 1.0) as f32,
                bar_phase: ((beats / 4.0) % 1.0) as f32,
                ..Beat::UNKNOWN
            };
            out.step(&beat, true, &mut |message| sent.push((beats, message)));
            beats += 0.007 * 2.0;
        }
        out.step(&Beat::UNKNOWN, false, &mut |message| sent.push((beats, message)));
        let starts: Vec<f64> =
            sent.iter().filter(|(_, m)| *m == Message::Start).map(|(at, _)| *at).collect();
        assert_eq!(starts.len(), 1);
        assert!((4.0..4.02).contains(&starts[0]), "{starts:?}");
        let clocks = sent.iter().filter(|(_, m)| *m == Message::Clock).count();
        assert!(clocks.abs_diff(16 * 24) <= 1, "{clocks}");
        assert_eq!(sent.last().unwrap().1, Message::Stop);
    }

    #[test]
    fn a_beat_that_was_moved_sends_no_flood() {
        let mut out = ClockOut::default();
        let mut sent = 0;
        let beat = |phase| Beat { bpm: 120.0, phase, ..Beat::UNKNOWN };
        for phase in [0.5, 0.54, 0.2, 0.21, 0.25] {
            out.step(&beat(phase), true, &mut |_| sent += 1);
        }
        assert!(sent <= 3, "{sent}");
        assert!(ClockOut::next_in(&beat(0.51)) < Duration::from_millis(22));
    }
}
