//! A whole show in virtual time, as a value: the real engine, player, device workers and director, with a
//! virtual sound card and virtual mirrors. No thread, no socket, no waiting; the same scenario gives the same
//! light.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::audio::{AudioHandle, Decoder, Feeder, OutputCallback, Player};
use galvo::dac::simulator::in_process::Tap;
use galvo::dac::simulator::{InProcess, Shown, SimOptions};
use galvo::dac::{DacError, DacUri, FoundDevice, Worker};
use galvo::mask::{LightFeeder, LightSettings, MaskHandle, light_window};
use galvo::media::{Location, Media};
use galvo::path::colour_delay::points_of;
use galvo::pattern::{Instrument, Preset};
use galvo::point::LaserPoint;
use galvo::realtime::no_alloc;
use galvo::show::ahead::AheadOfSound;
use galvo::show::at_once;
use galvo::show::director::{Cast, Director, Sound, Stage, rings};
use galvo::show::engine::{Engine, Listening};
use galvo::show::handle::LOOKAHEAD;
use galvo::show::projector::{Projector, SetUp};
use galvo::show::rig::{Reached, Rig};
use galvo::show::rig_file::RigFile;
use galvo::show::{
    Command, Installation, Library, Mountings, PresetBench, Report, Snapshot, Transition,
};
use galvo::time::{Clock, HostTime, ManualClock, MediaTime};

use super::slow_disk::SlowDisk;

pub(super) const RATE: u32 = 48_000;
pub(super) const PPS: u32 = 30_000;
const PERIOD: usize = 256;
/// From the callback until its first frame is heard.
const LATENCY: Duration = Duration::from_millis(12);
/// Callbacks come up to this much late, and say so.
const JITTER: Duration = Duration::from_millis(1);
const LOOK_EVERY: Duration = Duration::from_millis(16);
const FEED_EVERY: Duration = Duration::from_millis(10);
const START: HostTime = HostTime::from_nanos(1_000_000_000_000);

/// What a show begins with. `Scenario::of(file).preset(…).begin()`.
pub(super) struct Scenario {
    file: PathBuf,
    preset: Arc<Preset>,
    projectors: Vec<SimOptions>,
    start: MediaTime,
    offset_ms: f64,
    sound_ppm: f64,
    plugged: bool,
    masks: Option<MaskHandle>,
    preset_folder: PathBuf,
    mountings: Option<PathBuf>,
    rig_file: Option<PathBuf>,
}

impl Scenario {
    /// A show of `file`, which may be an address, on one projector with a perfect clock, disarmed.
    pub(super) fn of(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            preset: bundled("Ember Ring"),
            projectors: vec![SimOptions::default()],
            start: MediaTime::ZERO,
            offset_ms: 0.0,
            sound_ppm: 0.0,
            plugged: true,
            masks: None,
            preset_folder: PathBuf::from("no such folder"),
            mountings: None,
            rig_file: None,
        }
    }

    /// The projectors of the show are remembered in this file.
    pub(super) fn rig_file(self, file: &Path) -> Self {
        Self { rig_file: Some(file.to_owned()), ..self }
    }

    /// The user's presets lie in this folder.
    pub(super) fn preset_folder(self, folder: &Path) -> Self {
        Self { preset_folder: folder.to_owned(), ..self }
    }

    /// How the projectors hang and are set up is remembered in this file.
    pub(super) fn mountings(self, file: &Path) -> Self {
        Self { mountings: Some(file.to_owned()), ..self }
    }

    pub(super) fn preset(self, preset: Arc<Preset>) -> Self {
        Self { preset, ..self }
    }

    /// One projector per clock, each off by so many millionths.
    pub(super) fn projectors(self, ppm: &[f64]) -> Self {
        let sim = |ppm: &f64| SimOptions { ppm: *ppm, ..SimOptions::default() };
        Self { projectors: ppm.iter().map(sim).collect(), ..self }
    }

    pub(super) fn starting_at(self, seconds: f64) -> Self {
        Self { start: MediaTime::from_secs_f64(seconds), ..self }
    }

    pub(super) fn offset_ms(self, offset_ms: f64) -> Self {
        Self { offset_ms, ..self }
    }

    /// The sound card's clock is off by so many millionths.
    pub(super) fn sound_ppm(self, sound_ppm: f64) -> Self {
        Self { sound_ppm, ..self }
    }

    /// With a mask stream beside the song.
    pub(super) fn masks(self, masks: MaskHandle) -> Self {
        Self { masks: Some(masks), ..self }
    }

    /// Every projector is unreachable until somebody plugs it in.
    pub(super) fn unplugged(self) -> Self {
        Self { plugged: false, ..self }
    }

    /// The curtain rises: the music plays, nothing is armed.
    pub(super) fn begin(self) -> Performance {
        let clock = ManualClock::starting_at(START);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let (tap, heard) = AheadOfSound::new(RATE);
        let (mut player, feeder, output) = Player::with_feeder(RATE, Box::new(tap));
        let media = Media::open(&Location::from(self.file.as_path())).unwrap();
        player.load_decoder(Decoder::open_media(media).unwrap());
        player.seek(self.start);
        let (mut projectors, mut slots, mut devices) = (Vec::new(), Vec::new(), Vec::new());
        for (number, options) in (0..).zip(self.projectors) {
            let device = InProcess::new(&format!("sim:{number}"), options).unwrap();
            let eye = device.tap();
            eye.set_plugged(self.plugged);
            let instrument = Box::new(Instrument::new(&self.preset).unwrap());
            let set_up = SetUp { number, pps: PPS, lookahead: LOOKAHEAD, master: 1.0 };
            let opened = Projector::open(Box::new(device), set_up, instrument, &shared).unwrap();
            projectors.push(opened.projector);
            slots.push(opened.slot);
            devices.push(Device { worker: opened.worker, due: START, eye, shown: Vec::new() });
        }
        let (engine_ends, ends) = rings();
        let offset_ns = (self.offset_ms * 1e6) as i64;
        let engine = Engine::new(
            Arc::clone(&shared),
            Listening::Ahead(heard),
            slots,
            engine_ends,
            offset_ns,
        );
        let (mut mask_feeder, window) = light_window(LightSettings::default());
        mask_feeder.set_stream(None, self.masks);
        let callback = OutputCallback::new(output, Box::new(engine.with_masks(window)));
        let handle = AudioHandle::without_device(callback.counters());
        let disk = SlowDisk::default();
        let cast = Cast {
            sound: Sound::Playback { player, handle },
            projectors,
            presets: PresetBench::new(Library::open(Some(self.preset_folder)), self.preset),
            mountings: match self.mountings {
                Some(file) => Mountings::open(Some(file)).unwrap(),
                None => Mountings::default(),
            },
            disk: disk.work(Arc::clone(&shared)),
            ends,
            master: 1.0,
            offset_ms: self.offset_ms,
            duration_s: None,
            transition: Transition::CUT,
            shuffle: false,
        };
        let around = Around::default();
        let stage = Stage {
            rig: Box::new(around.clone()),
            clock: shared,
            pps: PPS,
            lookahead: LOOKAHEAD,
            taps: crossbeam_channel::unbounded().0,
            file: self.rig_file.map(RigFile::new),
        };
        let mut director = Director::new(cast, Some(&self.file), START).on_stage(stage);
        director.obey(Command::Play, START);
        Performance {
            clock,
            director,
            callback,
            feeder,
            mask_feeder,
            devices,
            around,
            disk,
            sound_ppm: self.sound_ppm,
            periods: 0,
            random: 1,
            look_due: START,
            feed_due: START,
            late: Vec::new(),
            heard: Vec::new(),
        }
    }
}

/// What is around a show in virtual time: simulators, there at once. Their workers are stepped by the performance.
#[derive(Clone, Default)]
pub(super) struct Around(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    reached: Vec<Reached>,
    eyes: Vec<(String, Tap)>,
    begun: Vec<Device>,
    now: HostTime,
    finding: Option<f32>,
    found: Option<Arc<Vec<FoundDevice>>>,
}

impl Around {
    /// A look is so far, and has found this.
    pub(super) fn find(&self, finding: Option<f32>, found: Vec<FoundDevice>) {
        let mut world = self.0.lock().unwrap();
        world.finding = finding;
        world.found = Some(Arc::new(found));
    }
}

impl Rig for Around {
    fn find(&mut self) -> io::Result<()> {
        Around::find(self, Some(0.0), Vec::new());
        Ok(())
    }

    fn stop_finding(&mut self) {
        self.0.lock().unwrap().finding = None;
    }

    fn finding(&self) -> Option<f32> {
        self.0.lock().unwrap().finding
    }

    fn found(&self) -> Option<Arc<Vec<FoundDevice>>> {
        self.0.lock().unwrap().found.clone()
    }

    fn reach(&mut self, uri: &str) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        let made = match DacUri::parse(uri).unwrap() {
            DacUri::Sim(options) => {
                let device = InProcess::new(uri, options).unwrap();
                world.eyes.push((uri.to_owned(), device.tap()));
                Ok((Box::new(device) as _, Some(format!("virtual:{uri}"))))
            }
            // One card under all of its names.
            DacUri::AudioXy { .. } => {
                let device = InProcess::new(uri, SimOptions::default()).unwrap();
                world.eyes.push((uri.to_owned(), device.tap()));
                Ok((Box::new(device) as _, Some("audio-xy:card".to_owned())))
            }
            _ => Err(DacError::BadAddress(format!("{uri} is held by another program: close it"))),
        };
        world.reached.push(Reached { uri: uri.to_owned(), made });
        Ok(())
    }

    fn reached(&mut self) -> Option<Reached> {
        self.0.lock().unwrap().reached.pop()
    }

    fn run(&mut self, projector: &mut Projector, worker: Worker) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        let place = world.eyes.iter().position(|(uri, _)| *uri == projector.name()).unwrap();
        let (_, eye) = world.eyes.swap_remove(place);
        let device = Device { worker, due: world.now, eye, shown: Vec::new() };
        world.begun.push(device);
        Ok(())
    }
}

struct Device {
    worker: Worker,
    due: HostTime,
    eye: Tap,
    shown: Vec<Shown>,
}

/// A show under way.
pub(super) struct Performance {
    clock: ManualClock,
    pub(super) director: Director,
    callback: OutputCallback,
    feeder: Feeder,
    mask_feeder: LightFeeder,
    devices: Vec<Device>,
    pub(super) around: Around,
    pub(super) disk: SlowDisk,
    sound_ppm: f64,
    periods: u64,
    random: u64,
    look_due: HostTime,
    feed_due: HostTime,
    /// What waits for a show thread that is busy.
    late: Vec<Command>,
    /// What came out of the loudspeaker, mono, from the first period on.
    heard: Vec<f32>,
}

impl Performance {
    pub(super) fn now(&self) -> HostTime {
        self.clock.now()
    }

    pub(super) fn tell(&mut self, command: Command) {
        self.director.obey(command, self.clock.now());
    }

    /// The show thread is busy from now on: it takes no command and looks at nothing.
    pub(super) fn show_thread_is_busy(&mut self) {
        self.look_due = self.clock.now().plus_secs_f64(3600.0);
    }

    /// A hand acts while the show thread is busy, as a surface or a remote does.
    pub(super) fn hand(&mut self, command: Command) {
        at_once::act(&command, &self.director.switches(), self.clock.now());
        self.late.push(command);
    }

    /// The show thread is free again, and takes what has waited for it.
    pub(super) fn show_thread_is_free(&mut self) {
        let now = self.clock.now();
        for command in std::mem::take(&mut self.late) {
            self.director.take(command, now);
        }
        self.look_due = now;
    }

    /// Arms, with the device connected.
    pub(super) fn armed(mut self) -> Self {
        self.run(0.05);
        self.tell(Command::Arm);
        self
    }

    pub(super) fn snapshot(&mut self) -> Arc<Snapshot> {
        self.director.step(self.clock.now());
        self.director.published().load_full()
    }

    /// The picture of the mirrors of one projector, from the beginning.
    pub(super) fn shown(&self, projector: usize) -> &[Shown] {
        &self.devices[projector].shown
    }

    /// What the mirrors showed from `from` until `to`.
    pub(super) fn shown_between(&self, projector: usize, from: HostTime, to: HostTime) -> &[Shown] {
        &self.shown(projector)[self.places_between(projector, from, to)]
    }

    fn places_between(&self, projector: usize, from: HostTime, to: HostTime) -> Range<usize> {
        let shown = self.shown(projector);
        let first = shown.partition_point(|s| s.at < from);
        first..shown.partition_point(|s| s.at < to).max(first)
    }

    /// The same with each colour at the position that it was made for: they are sent as much later as mirrors lag.
    pub(super) fn drawn_between(
        &self,
        projector: usize,
        from: HostTime,
        to: HostTime,
    ) -> Vec<Shown> {
        let shown = self.shown(projector);
        let places = self.places_between(projector, from, to);
        let later = shown.iter().skip(places.start + colours_wait());
        let coloured = places.zip(later);
        let drawn = coloured.map(|(k, later)| {
            let LaserPoint { x, y, .. } = shown[k].point;
            Shown { point: LaserPoint { x, y, ..later.point }, ..shown[k] }
        });
        drawn.collect()
    }

    pub(super) fn eye(&self, projector: usize) -> &Tap {
        &self.devices[projector].eye
    }

    /// The thread of a projector is stuck in its driver from now on.
    pub(super) fn hang(&mut self, projector: usize) {
        self.devices[projector].due = self.clock.now().plus_secs_f64(3600.0);
    }

    /// What was heard: mono samples, and when the first of them left the loudspeaker.
    pub(super) fn heard(&self) -> &[f32] {
        &self.heard
    }

    /// When sample `index` of [`Self::heard`] left the loudspeaker, by the card's true clock.
    pub(super) fn heard_at(&self, index: usize) -> HostTime {
        let rate = f64::from(RATE) * (1.0 + self.sound_ppm * 1e-6);
        START.plus_secs_f64(index as f64 / rate).plus_nanos(LATENCY.as_nanos() as i64)
    }

    /// The sample that is heard at `when`.
    pub(super) fn heard_index(&self, when: HostTime) -> usize {
        let rate = f64::from(RATE) * (1.0 + self.sound_ppm * 1e-6);
        let seconds = when.secs_since(START) - LATENCY.as_secs_f64();
        (seconds * rate).max(0.0) as usize
    }

    /// Goes on for so many seconds. Fails on the first touch of the heap inside a sound callback.
    pub(super) fn run(&mut self, seconds: f64) {
        let until = self.clock.now().plus_secs_f64(seconds);
        loop {
            let period_due = self.period_due();
            let devices_due = self.devices.iter().map(|d| d.due).min().unwrap_or(until);
            let due = period_due.min(devices_due).min(self.look_due).min(self.feed_due);
            if due > until {
                self.clock.sleep_until(until);
                break;
            }
            self.clock.sleep_until(due);
            let now = self.clock.now();
            if self.feed_due <= now {
                self.feeder.work();
                // The masks are made by real threads; virtual time waits for them.
                self.mask_feeder.step(Duration::from_secs(30));
                self.feed_due = now + FEED_EVERY;
            }
            if period_due <= now {
                self.period(now);
            }
            for device in &mut self.devices {
                if device.due <= now {
                    device.due = device.worker.step(now).max(now.plus_nanos(1));
                }
            }
            if self.look_due <= now {
                self.around.0.lock().unwrap().now = now;
                self.director.step(now);
                self.devices.append(&mut self.around.0.lock().unwrap().begun);
                self.look_due = now + LOOK_EVERY;
                self.collect();
            }
        }
        self.collect();
    }

    /// Ends the show, and lets the devices see it.
    pub(super) fn finish(self) -> Report {
        let now = self.clock.now();
        self.director.finish(now)
    }

    fn collect(&mut self) {
        for device in &mut self.devices {
            device.shown.extend(device.eye.take());
        }
    }

    fn ideal_period(&self) -> HostTime {
        let rate = f64::from(RATE) * (1.0 + self.sound_ppm * 1e-6);
        START.plus_secs_f64((self.periods * PERIOD as u64) as f64 / rate)
    }

    fn period_due(&self) -> HostTime {
        self.ideal_period().plus_nanos(self.late_ns())
    }

    fn late_ns(&self) -> i64 {
        (self.random >> 33) as i64 % JITTER.as_nanos() as i64
    }

    fn period(&mut self, now: HostTime) {
        let late = u64::try_from(now.nanos_since(self.ideal_period())).unwrap_or(0);
        let latency = LATENCY.saturating_sub(Duration::from_nanos(late));
        let mut out = [0.0; 2 * PERIOD];
        let callback = &mut self.callback;
        let ((), touched) = no_alloc::watch(|| callback.run(&mut out, 2, now, latency));
        assert_eq!(touched, 0, "the heap was touched in period {}", self.periods);
        self.heard.extend(out.as_chunks::<2>().0.iter().map(|[l, r]| 0.5 * (l + r)));
        self.periods += 1;
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
}

/// A preset that came with galvo.
pub(super) fn bundled(name: &str) -> Arc<Preset> {
    Library::open(Some(PathBuf::from("no such folder"))).get(name).unwrap()
}

/// The drive of the brightest colour, 0..=1.
pub(super) fn brightness(shown: &Shown) -> f32 {
    let point = &shown.point;
    f32::from(point.r.max(point.g).max(point.b)) / 65_535.0
}

pub(super) fn is_lit(shown: &Shown) -> bool {
    !shown.point.is_blank()
}

/// The demo track.
pub(super) fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.ogg")
}

/// A mono WAV of so many seconds, made sample by sample.
pub(super) fn wav(folder: &Path, seconds: f64, sample: impl Fn(usize) -> f32) -> PathBuf {
    let path = folder.join("sound.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&path, spec).unwrap();
    for index in 0..(seconds * f64::from(RATE)) as usize {
        file.write_sample((sample(index) * 32_000.0) as i16).unwrap();
    }
    file.finalize().unwrap();
    path
}

/// Points by which colours come later than their positions, as a projector is set up without a word.
pub(super) fn colours_wait() -> usize {
    let delay = Installation::default().ready().unwrap().colour_delay;
    points_of(delay.as_secs_f32() * 1e6, PPS)
}
