//! From a click to light on virtual mirrors, live and from a file: the whole way through input callback, analyser,
//! engine, stream, device thread and simulator, in virtual time. The same run gives the same figures on any machine.
//!
//! The sound card hands over 256 frames at 48 kHz, which it says to be 2 ms old at their end, up to 1 ms late; the
//! projector runs at 30 kpps with a clock of its own. Clicks are of one sample's attack, at all phases of every grid.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use galvo::analysis::{Analyser, Features};
use galvo::audio::{InputCallback, Period, PeriodSink};
use galvo::dac::simulator::{InProcess, Shown, SimOptions};
use galvo::pattern::{Instrument, Preset};
use galvo::realtime::{RingSender, ring};
use galvo::show::director::rings;
use galvo::show::engine::{Analysed, Engine, Listening};
use galvo::show::handle::LOOKAHEAD;
use galvo::show::projector::{Projector, SetUp};
use galvo::time::{Clock, HostTime, ManualClock, MediaTime};

const RATE: u32 = 48_000;
const PERIOD: usize = 256;
const PPS: u32 = 30_000;
const SECONDS: usize = 240;
/// Clicks before this are for the clocks to lock, seconds.
const SETTLING_S: f64 = 5.0;
/// From the end of a buffer at the microphone until its callback, at least.
const CAPTURE: Duration = Duration::from_millis(2);
/// From the callback until its first frame leaves the loudspeaker.
const PLAYBACK: Duration = Duration::from_millis(12);
/// Callbacks come up to this much late, and say so.
const JITTER_NS: u64 = 1_000_000;
/// How far the decoder thread is ahead of the sound, ns.
const AHEAD_NS: i64 = 1_000_000_000;
/// A flash this long after its click, or before it, is another's.
const REACH_S: f64 = 0.2;
const START: HostTime = HostTime::from_nanos(1_000_000_000_000);

const FLASH: &str = include_str!("../tests/data/flash-on-onset.toml");

/// When each click begins, seconds: about every half second, and never at the same phase.
fn click_times() -> Vec<f64> {
    (0..2 * SECONDS - 2)
        .map(|k| 0.5 + 0.5 * k as f64 + (k as f64 * 0.618_034).fract() * 0.1)
        .map(|seconds| (seconds * f64::from(RATE)).floor() / f64::from(RATE))
        .collect()
}

fn sound(clicks: &[f64]) -> Vec<f32> {
    let mut sound = vec![0.0; 2 * SECONDS * RATE as usize];
    for click in clicks {
        let first = (click * f64::from(RATE)).round() as usize;
        for age in 0..480 {
            let sample = 0.9 * (age as f32 * 0.9).cos() * (-(age as f32) / 100.0).exp();
            sound[2 * (first + age)..][..2].fill(sample);
        }
    }
    sound
}

/// Notes at which callback each onset is first known, and passes everything on.
struct Noting {
    engine: Engine,
    ear: Analyser,
    onsets: u64,
    told: Arc<Mutex<Vec<HostTime>>>,
}

impl PeriodSink for Noting {
    fn period(&mut self, period: &Period, pcm: &[f32]) {
        let mut count = self.onsets;
        self.ear.push(period.media, pcm, &mut |features| count = u64::from(features.onset.count));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (self.onsets..count).for_each(|_| told.push(period.now));
        self.onsets = count;
        self.engine.period(period, pcm);
    }
}

/// The song, analysed as the decoder thread does, and how much of it the callback was given.
struct Fed {
    song: Vec<Features>,
    given: usize,
    ring: RingSender<Analysed>,
}

impl Fed {
    fn feed(&mut self, media: MediaTime) {
        while let Some(features) = self.song.get(self.given).copied()
            && features.at <= media.plus_nanos(AHEAD_NS)
            && self.ring.push(Analysed::Moment(0, features)).is_ok()
        {
            self.given += 1;
        }
    }
}

/// What the sound card calls.
enum Card {
    Live(Box<InputCallback>),
    File(Box<Noting>, Fed),
}

impl Card {
    /// The callback of period `n`, and when it is due.
    fn call(&mut self, n: usize, now: HostTime, sound: &[f32]) {
        let first = n * PERIOD;
        let pcm = &sound[2 * first..2 * (first + PERIOD)];
        let at = first as f64 / f64::from(RATE);
        match self {
            Self::Live(input) => input.run(pcm, 2, now, now.since(START.plus_secs_f64(at))),
            Self::File(sink, fed) => {
                let media = MediaTime::from_frames(first as i64, RATE);
                fed.feed(media);
                let period = Period {
                    now,
                    heard_at: heard(at, false),
                    frames: PERIOD,
                    sample_rate: RATE,
                    measured_rate: f64::from(RATE),
                    media,
                    epoch: 0,
                    playing: true,
                    relocked: false,
                };
                sink.period(&period, pcm);
            }
        }
    }
}

/// What one run showed.
struct Run {
    shown: Vec<Shown>,
    /// The callback that knew of each onset.
    told: Vec<HostTime>,
}

/// When what is `seconds` into the sound is at the microphone, or leaves the loudspeaker.
fn heard(seconds: f64, live: bool) -> HostTime {
    START.plus_secs_f64(seconds).plus_nanos(if live { 0 } else { PLAYBACK.as_nanos() as i64 })
}

fn run(sound: &[f32], live: bool, ppm: f64) -> Run {
    let clock = ManualClock::starting_at(START);
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let preset = Preset::parse(FLASH).expect("the preset is sound");
    let instrument = Box::new(Instrument::new(&preset).expect("the preset is sound"));
    let device = InProcess::new("sim:0", SimOptions { ppm, ..SimOptions::default() });
    let device = device.expect("nothing is recorded");
    let eye = device.tap();
    let lookahead = if live { Duration::ZERO } else { LOOKAHEAD };
    let set_up = SetUp { number: 0, pps: PPS, lookahead, master: 1.0 };
    let opened = Projector::open(Box::new(device), set_up, instrument, &shared);
    let opened = opened.expect("the set-up is sound");
    let (mut worker, arm) = (opened.worker, opened.slot.arm.clone());
    let (ends, _director) = rings();
    let told = Arc::new(Mutex::new(Vec::new()));
    let noting = |listening| Noting {
        engine: Engine::new(shared, listening, vec![opened.slot], ends, 0),
        ear: Analyser::new(RATE),
        onsets: 0,
        told: Arc::clone(&told),
    };
    let mut card = if live {
        let listening = Listening::Now(Box::new(Analyser::new(RATE)));
        Card::Live(Box::new(InputCallback::new(RATE, Box::new(noting(listening)))))
    } else {
        let (ring, ahead) = ring(400);
        let mut song = Vec::new();
        Analyser::new(RATE).push(MediaTime::ZERO, sound, &mut |features| song.push(*features));
        Card::File(Box::new(noting(Listening::Ahead(ahead))), Fed { song, given: 0, ring })
    };

    let (mut shown, mut random, mut worker_due) = (Vec::new(), 1_u64, START);
    for n in 0..sound.len() / 2 / PERIOD {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let late = Duration::from_nanos((random >> 33) % JITTER_NS);
        let buffers = if live { n + 1 } else { n };
        let due = START.plus_secs_f64((buffers * PERIOD) as f64 / f64::from(RATE));
        let due =
            due.plus_nanos((late + if live { CAPTURE } else { Duration::ZERO }).as_nanos() as i64);
        while worker_due < due {
            clock.sleep_until(worker_due);
            let now = clock.now();
            worker_due = worker.step(now).max(now.plus_nanos(1));
        }
        clock.sleep_until(due);
        card.call(n, due, sound);
        if n == 40 {
            arm.arm(due).expect("a new switch is not stopped");
        }
        shown.extend(eye.take().into_iter().filter(|shown| !shown.point.is_blank()));
    }
    let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
    Run { shown, told }
}

/// How long after the click its onset was known, and its light was on the mirrors at half of its peak; ms, sorted.
fn delays(run: &Run, clicks: &[f64], live: bool) -> (Vec<f64>, Vec<f64>) {
    let drive = |shown: &Shown| f32::from(shown.point.r.max(shown.point.g).max(shown.point.b));
    let (mut known, mut lit) = (Vec::new(), Vec::new());
    for click in clicks.iter().filter(|click| **click > SETTLING_S) {
        let at = heard(*click, live);
        if let Some(told) = run.told.iter().find(|told| **told >= at) {
            known.push(told.secs_since(at) * 1e3);
        }
        let from = run.shown.partition_point(|shown| shown.at < at.plus_secs_f64(-REACH_S));
        let to = run.shown.partition_point(|shown| shown.at < at.plus_secs_f64(REACH_S));
        let near = &run.shown[from..to];
        let peak = near.iter().map(drive).fold(0.0, f32::max);
        if let Some(risen) = near.iter().find(|shown| drive(shown) >= 0.5 * peak) {
            lit.push(risen.at.secs_since(at) * 1e3);
        }
    }
    known.sort_by(f64::total_cmp);
    lit.sort_by(f64::total_cmp);
    (known, lit)
}

fn print(what: &str, sorted: &[f64], clicks: usize) {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    println!(
        "| {what} | {:+.1} | {:+.1} | {:+.1} | {:+.1} | {:+.1} | {} of {clicks} |",
        at(0.0),
        at(0.05),
        at(0.5),
        at(0.95),
        at(1.0),
        sorted.len()
    );
}

fn main() {
    let clicks = click_times();
    let sound = sound(&clicks);
    let counted = clicks.iter().filter(|click| **click > SETTLING_S).count();
    println!("| ms after the click is heard | min | p5 | p50 | p95 | max | clicks |");
    println!("|---|---|---|---|---|---|---|");
    for ppm in [0.0, 200.0, -200.0] {
        let live = run(&sound, true, ppm);
        let (known, lit) = delays(&live, &clicks, true);
        if ppm == 0.0 {
            print("live: the onset is known", &known, counted);
        }
        print(&format!("live: light, projector's clock off by {ppm:+} ppm"), &lit, counted);
    }
    for ppm in [0.0, 200.0, -200.0] {
        let (_, lit) = delays(&run(&sound, false, ppm), &clicks, false);
        print(&format!("file: light, projector's clock off by {ppm:+} ppm"), &lit, counted);
    }
}
