//! One audio callback of the whole engine: features, patterns, layout, gate and queue, for 1, 4 and 16
//! projectors at 30 kpps and periods of 256 frames at 48 kHz.
//!
//! Time is virtual, so that a show of minutes takes seconds; what is measured is real. The wall column holds
//! whatever else ran on the machine; the CPU column is this thread's own time, without what pushed it aside.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::vec_box, reason = "the engine swaps instruments without moving them")]

use std::sync::Arc;
use std::time::Duration;

use galvo::analysis::{Analyser, Features};
use galvo::audio::{Period, PeriodSink};
use galvo::dac::{Capabilities, Delivery, LinkReport};
use galvo::frame::{self, FrameReceiver, TapPoint, TapRegistry};
use galvo::pattern::bundled::BUNDLED;
use galvo::pattern::{Instrument, Preset};
use galvo::realtime::{
    CountingAllocator, Histogram, LatestReader, RetireBin, RingSender, latest, no_alloc, retire,
    ring,
};
use galvo::safety::{Arm, Gate};
use galvo::show::engine::{
    Analysed, Engine, EngineCommand, EngineEnds, EngineView, Listening, Retired, Slot,
};
use galvo::show::renderer::Renderer;
use galvo::stream::{DeviceEnd, Stream, StreamConfig, link};
use galvo::time::{Clock, HostTime, ManualClock, MediaTime, StreamInstant, SystemClock};
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const RATE: u32 = 48_000;
const FRAMES: usize = 256;
const PERIOD_NS: i64 = 1_000_000_000 * FRAMES as i64 / RATE as i64;
const PPS: u32 = 30_000;
const SONG_S: usize = 30;
/// How far the decoder thread is ahead of the sound.
const AHEAD_NS: i64 = 1_000_000_000;
/// Between the callback and the sound of its period.
const LATENCY_NS: i64 = 20_000_000;
const PERIODS: usize = 40_000;
const PERIODS_PER_PRESET: usize = 6_000;
/// Before the measurement: the streams fill and the clocks lock.
const WARM_UP: usize = 400;

/// Kick, hat and chord at 125 beats per minute, analysed as the decoder thread does.
fn song() -> Vec<Features> {
    let mut state = 1_u32;
    let pcm: Vec<f32> = (0..SONG_S * RATE as usize)
        .flat_map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = state as f32 / (1_u32 << 31) as f32 - 1.0;
            let t = n as f32 / RATE as f32;
            let in_beat = t % 0.48;
            let kick = (std::f32::consts::TAU * 55.0 * in_beat).sin() * (-in_beat / 0.1).exp();
            let hat = noise * (-(t % 0.24) / 0.03).exp();
            let chord: f32 =
                [220.0, 277.0, 330.0].iter().map(|f| (std::f32::consts::TAU * f * t).sin()).sum();
            [0.5 * kick + 0.1 * hat + 0.1 * chord, 0.5 * kick - 0.1 * hat + 0.1 * chord]
        })
        .collect();
    let mut song = Vec::new();
    Analyser::new(RATE).push(MediaTime::ZERO, &pcm, &mut |features| song.push(*features));
    song
}

/// A device that plays at the exact rate and costs the callback nothing.
struct Device {
    end: DeviceEnd,
    _taps: TapRegistry,
    sent: FrameReceiver,
    began: Option<HostTime>,
    accepted: u64,
    underflows: u64,
}

impl Device {
    fn serve(&mut self, now: HostTime) {
        while self.sent.try_recv().is_some() {}
        let played = self.began.map_or(0, |began| (now.secs_since(began) * f64::from(PPS)) as u64);
        if played > self.accepted {
            self.underflows += 1;
            self.began = None;
        }
        let played = played.min(self.accepted);
        while self.accepted - played < 1_400
            && let Some(chunk) = self.end.receiver.next(400)
        {
            self.accepted = chunk.start().0 + chunk.len() as u64;
            self.end.receiver.commit();
        }
        if self.began.is_none() && self.accepted > 0 {
            self.began = Some(now.plus_secs_f64(-(played as f64) / f64::from(PPS)));
        }
        self.end.reports.send(LinkReport {
            at: now,
            accepted: StreamInstant(self.accepted),
            playing: self.began.map(|_| StreamInstant(played)),
            playing_pps: self.began.map(|_| PPS),
            device_queued: Some(self.accepted - played),
            discontinuity: self.underflows as u32,
            gaps: 0,
            connected: true,
        });
    }
}

/// An engine with its devices, and the ends of its rings that the show thread would hold.
struct Show {
    engine: Engine,
    devices: Vec<Device>,
    song: Vec<Features>,
    fed: usize,
    features: RingSender<Analysed>,
    view: LatestReader<EngineView>,
    now: HostTime,
    media: MediaTime,
    _commands: RingSender<EngineCommand>,
    _retired: RetireBin<Retired>,
}

impl Show {
    fn new(preset: &Preset, projectors: usize, song: &[Features]) -> Self {
        let now = HostTime::from_nanos(1_000_000_000);
        let (features, heard) = ring(400);
        let (commands_in, commands) = ring(16);
        let (retired, retired_out) = retire(16);
        let (view_in, view) = latest(EngineView::default());
        let (slots, devices) =
            (0..projectors).map(|number| open(preset, number as u32, now)).unzip();
        let ends = EngineEnds {
            commands,
            retired,
            view: view_in,
            callback_ns: Arc::new(Histogram::new()),
        };
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::starting_at(now));
        Self {
            engine: Engine::new(clock, Listening::Ahead(heard), slots, ends, 0),
            devices,
            song: song.to_vec(),
            fed: 0,
            features,
            view,
            now,
            media: MediaTime::ZERO,
            _commands: commands_in,
            _retired: retired_out,
        }
    }

    /// What the decoder thread does: the song in a loop, a second ahead.
    fn feed(&mut self) {
        let turn_ns = SONG_S as i64 * 1_000_000_000;
        loop {
            let shift = (self.fed / self.song.len()) as i64 * turn_ns;
            let mut features = self.song[self.fed % self.song.len()];
            features.at = features.at.plus_nanos(shift);
            features.onset.last = features.onset.last.plus_nanos(shift);
            if features.at > self.media.plus_nanos(AHEAD_NS)
                || self.features.push(Analysed::Moment(0, features)).is_err()
            {
                return;
            }
            self.fed += 1;
        }
    }

    /// One period; wall and CPU time of the callback, ns, and how often it used the heap.
    fn period(&mut self, pcm: &[f32]) -> (u64, u64, u64) {
        self.feed();
        let period = Period {
            now: self.now,
            heard_at: self.now.plus_nanos(LATENCY_NS),
            frames: FRAMES,
            sample_rate: RATE,
            measured_rate: f64::from(RATE),
            media: self.media,
            epoch: 0,
            playing: true,
            relocked: false,
        };
        let cpu = cpu_ns();
        let began = SystemClock::read();
        let ((), touched) = no_alloc::watch(|| self.engine.period(&period, pcm));
        let wall = SystemClock::read().nanos_since(began).max(0) as u64;
        let cpu = cpu_ns() - cpu;
        self.view.read();
        for device in &mut self.devices {
            device.serve(self.now);
        }
        self.now = self.now.plus_nanos(PERIOD_NS);
        self.media = self.media.plus_nanos(PERIOD_NS);
        (wall, cpu, touched)
    }
}

fn open(preset: &Preset, number: u32, now: HostTime) -> (Slot, Device) {
    let capabilities = Capabilities {
        delivery: Delivery::Fifo,
        max_points_per_chunk: 400,
        capacity_points: Some(1_799),
        min_pps: 1,
        max_pps: 100_000,
        reports_queue: true,
        suggested_buffer: Duration::from_millis(40),
        least_points: 0,
        start_moves_relay: false,
    };
    let config = StreamConfig::new(PPS);
    let arm = Arm::new();
    arm.arm(now).expect("a new switch is not stopped");
    let (parts, end) = link(&config, &capabilities, Gate::new(arm.clone()), arm.clone());
    let mut stream = Stream::new(config, &capabilities, parts).expect("the configuration is sound");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::starting_at(now));
    let (taps_in, taps) = frame::producer(frame::DEFAULT_SLOTS, clock);
    let sent = taps.ring_tap(TapPoint::Sent, 64, 1).expect("the first tap");
    stream.set_taps(taps_in, 0);
    let instrument = Box::new(Instrument::new(preset).expect("bundled presets are sound"));
    // As `show::projector` spreads them.
    let lag = (number as f32 * 0.618_034).fract();
    let slot = Slot { number, stream, renderer: Renderer::new(instrument).lagging(lag), arm };
    (slot, Device { end, _taps: taps, sent, began: None, accepted: 0, underflows: 0 })
}

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

struct Measured {
    wall: Vec<u64>,
    cpu: Vec<u64>,
    touched: u64,
    underflows: u64,
}

fn measure(preset: &Preset, projectors: usize, periods: usize, song: &[Features]) -> Measured {
    let mut show = Show::new(preset, projectors, song);
    let pcm = vec![0.0; 2 * FRAMES];
    for _ in 0..WARM_UP {
        show.period(&pcm);
    }
    let before: u64 = show.devices.iter().map(|device| device.underflows).sum();
    let (mut wall, mut cpu) = (Vec::with_capacity(periods), Vec::with_capacity(periods));
    let mut touched = 0;
    for _ in 0..periods {
        let (took, own, uses) = show.period(&pcm);
        wall.push(took);
        cpu.push(own);
        touched += uses;
    }
    wall.sort_unstable();
    cpu.sort_unstable();
    let underflows = show.devices.iter().map(|device| device.underflows).sum::<u64>() - before;
    Measured { wall, cpu, touched, underflows }
}

fn at(sorted: &[u64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize] as f64 * 1e-3
}

fn row(name: &str, measured: &Measured) {
    let Measured { wall, cpu, touched, underflows } = measured;
    let share = at(cpu, 0.999) * 1e5 / PERIOD_NS as f64;
    println!(
        "| {name} | {:.1} / {:.1} / {:.1} / {:.1} | {:.1} / {:.1} / {:.1} / {:.1} | {share:.1} % | {touched} | {underflows} |",
        at(wall, 0.5),
        at(wall, 0.99),
        at(wall, 0.999),
        at(wall, 1.0),
        at(cpu, 0.5),
        at(cpu, 0.99),
        at(cpu, 0.999),
        at(cpu, 1.0),
    );
}

fn head(what: &str) {
    println!(
        "| {what} | wall p50 / p99 / p99.9 / max µs | CPU p50 / p99 / p99.9 / max µs | CPU p99.9 of the period | heap uses | underflows |"
    );
    println!("|---|---|---|---|---|---|");
}

fn main() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("callback of 256 frames at 48 kHz, 30 kpps a projector; load average {}", load.trim());
    let song = song();
    let preset = |name: &str| {
        let text = BUNDLED.iter().map(|(_, text)| Preset::parse(text));
        text.flatten().find(|preset| preset.name == name)
    };
    let wanted = std::env::args().nth(1).filter(|word| !word.starts_with('-'));
    if let Some(name) = wanted {
        let preset = preset(&name).expect("a bundled preset");
        head("projectors");
        row("1", &measure(&preset, 1, PERIODS, &song));
        return;
    }
    let mut heaviest: Option<(f64, Preset)> = None;
    head("preset, one projector");
    for (_, text) in BUNDLED {
        let preset = Preset::parse(text).expect("bundled presets are sound");
        let measured = measure(&preset, 1, PERIODS_PER_PRESET, &song);
        row(&preset.name, &measured);
        let cost = at(&measured.cpu, 0.999);
        if heaviest.as_ref().is_none_or(|(most, _)| cost > *most) {
            heaviest = Some((cost, preset));
        }
    }
    let (_, preset) = heaviest.expect("there are bundled presets");
    println!();
    head(&format!("projectors, all with “{}”, the heaviest", preset.name));
    for projectors in [1, 4, 16] {
        row(&projectors.to_string(), &measure(&preset, projectors, PERIODS, &song));
    }
}
