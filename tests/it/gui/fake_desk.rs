//! A desk that works without a show: it obeys commands, moves its own time by one sixtieth of a second
//! per snapshot, draws a figure, and remembers what it was told.

use std::cell::{RefCell, RefMut};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use galvo::analysis::Features;
use galvo::dac::DacUri;
use galvo::frame::TapPoint;
use galvo::pattern::Gauges;
use galvo::point::{Colour, LaserPoint};
use galvo::show::disk::{JobQueue, PresetJob};
use galvo::show::recorder::{RecorderView, RecordingView, RenderingView};
use galvo::show::snapshot::{
    AudioView, Desk, Listening, LiveView, Notice, ParamView, PresetEntry, PresetView,
    ProjectorState, ProjectorView, RefusedView, SafetyView, Severity, Snapshot, SyncView,
    Transport,
};
use galvo::show::{Command, Library, PresetBench, RecorderWish, Transition};
use galvo::time::{HostTime, MediaTime};

use super::slow_disk::SlowDisk;

const PPS: u32 = 30_000;
const FRAMES_PER_SECOND: f64 = 60.0;

/// What the show is and what it was told.
pub(crate) struct State {
    /// What the next snapshot shows.
    pub(crate) seen: Snapshot,
    /// Every command, in order.
    pub(crate) sent: Vec<Command>,
    /// Frames since the start.
    pub(crate) frame: u64,
    /// The projector that is watched, and where.
    pub(crate) watched: (u32, TapPoint),
    /// Real presets, where a test needs them.
    bench: Option<(PresetBench, JobQueue<PresetJob>)>,
}

impl State {
    /// Lets the presets obey as they do in a show, and shows what became of them.
    fn obey_about_presets(&mut self, command: &Command) {
        let Some((bench, disk)) = &mut self.bench else { return };
        let now = HostTime::from_nanos(self.frame as i64 * 16_666_667);
        if let Err(error) = bench.obey(command, now) {
            let notice = Notice { severity: Severity::Error, text: error.to_string() };
            self.seen.notices.push(notice);
        }
        bench.ask(disk, now);
        for done in disk.done(now) {
            bench.hear(done);
        }
        self.seen.presets = bench.entries().into();
        self.seen.preset = Arc::new(bench.view());
        self.seen.undo_act = bench.undo_act().to_owned();
    }
}

/// A handle on the fake; clones are the same desk.
#[derive(Clone)]
pub(crate) struct FakeDesk(Rc<RefCell<State>>);

impl FakeDesk {
    /// A rich show, paused and disarmed, one projector, at 1:12.
    pub(crate) fn new() -> Self {
        let (seen, sent) = (rich(), Vec::new());
        Self(Rc::new(RefCell::new(State {
            seen,
            sent,
            frame: 0,
            watched: (0, TapPoint::Sent),
            bench: None,
        })))
    }

    /// The same over the real presets, with the user's own in `folder`; the one of this name is at work.
    pub(crate) fn with_presets(self, folder: &Path, name: &str) -> Self {
        let library = Library::open(Some(folder.to_owned()));
        let preset = library.get(name).unwrap();
        let mut state = self.state();
        state.bench = Some((PresetBench::new(library, preset), SlowDisk::default().presets()));
        state.obey_about_presets(&Command::CopyToOtherSide);
        drop(state);
        self
    }

    /// The state, to look at or to change.
    pub(crate) fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }
}

impl Desk for FakeDesk {
    fn snapshot(&mut self) -> Arc<Snapshot> {
        let mut state = self.state();
        state.frame += 1;
        let seconds = state.frame as f64 / FRAMES_PER_SECOND;
        if state.seen.transport.playing {
            let transport = &mut state.seen.transport;
            transport.position = transport.position.plus_secs_f64(1.0 / FRAMES_PER_SECOND);
            listen(&mut state.seen.features, seconds);
        }
        if state.bench.is_some()
            && let Some(preset) = state.seen.preset.preset.clone()
        {
            let State { seen, .. } = &mut *state;
            let at = MediaTime::from_secs_f64(seconds);
            Gauges::new(&preset).read(&seen.features, at, &mut seen.moved_values);
        }
        Arc::new(state.seen.clone())
    }

    fn send(&mut self, command: Command) {
        let mut state = self.state();
        obey(&mut state.seen, &command);
        state.obey_about_presets(&command);
        state.sent.push(command);
    }

    fn watch(&mut self, projector: u32, tap_point: TapPoint) {
        self.state().watched = (projector, tap_point);
    }

    fn watched_points(&mut self, out: &mut Vec<LaserPoint>) {
        let state = self.state();
        let safety = &state.seen.safety;
        let count = (f64::from(PPS) / FRAMES_PER_SECOND) as usize;
        let turn = state.frame as f32 / FRAMES_PER_SECOND as f32;
        for k in 0..count {
            let point = figure(k as f32 / count as f32, turn);
            out.push(match (state.watched.1, safety.armed) {
                (TapPoint::Sent, true) => point.scaled(safety.master),
                (TapPoint::Sent, false) => point.blanked(),
                _ => point,
            });
        }
    }
}

/// A turning knot, and a ring of separate strokes around it.
fn figure(along: f32, turn: f32) -> LaserPoint {
    let tau = std::f32::consts::TAU;
    if along < 0.72 {
        // The first points of each part are the dark way to it.
        let t = (along - 0.01).max(0.0) / 0.71 * tau;
        let (x, y) = ((3.0 * t + turn * 0.7).sin(), (2.0 * t).sin());
        let hue = 0.5 + 0.22 * (t + turn).sin();
        let point = LaserPoint::lit(0.62 * x, 0.62 * y, Colour::hsv(hue, 0.9, 1.0));
        if along < 0.01 { point.blanked() } else { point }
    } else {
        let t = (along - 0.72) / 0.28;
        let place = t * 24.0;
        let angle = (t - turn * 0.05) * tau;
        let (x, y) = (0.9 * angle.cos(), 0.9 * angle.sin());
        if place.fract() < 0.35 {
            LaserPoint::blank(x, y)
        } else {
            LaserPoint::lit(x, y, Colour::hsv(0.88, 0.8, 0.9))
        }
    }
}

fn listen(features: &mut Features, seconds: f64) {
    let beats = seconds * 128.0 / 60.0;
    let kick = (-(beats.fract() as f32) * 4.0).exp();
    for (k, band) in features.spectrum.iter_mut().enumerate() {
        let k = k as f32;
        let slope = (1.0 - k / 46.0).powf(1.3);
        let ripple = 0.5 + 0.5 * (k * 1.7 + seconds as f32 * 3.0).sin();
        let low = if k < 7.0 { kick } else { 0.0 };
        *band = (slope * (0.32 + 0.42 * ripple) + 0.45 * low).min(1.0);
    }
    features.bands.bass = 0.35 + 0.6 * kick;
    features.bands.mid = 0.55;
    features.bands.treble = 0.38;
    features.beat.bpm = 128.0;
    features.beat.confidence = 0.91;
    features.beat.phase = beats.fract() as f32;
    features.beat.bar_phase = (beats / 4.0).fract() as f32;
    features.onset.envelope = kick;
    features.at = MediaTime::from_secs_f64(seconds);
    features.beat.count = beats as u32;
    features.onset.count = beats as u32 + 1;
    features.onset.strength = 0.9;
    features.level = 0.4 + 0.5 * kick;
    features.loudness.momentary_lufs = -16.0 + 4.0 * kick;
    features.loudness.short_term_lufs = -14.2;
    features.silent = false;
}

fn obey(seen: &mut Snapshot, command: &Command) {
    let preset = Arc::make_mut(&mut seen.preset);
    match command {
        Command::Play => seen.transport.playing = true,
        Command::Pause => seen.transport.playing = false,
        Command::Seek(to) => seen.transport.position = *to,
        Command::Queue(_) => seen.transport.queued += 1,
        Command::NextTrack => seen.transport.queued = seen.transport.queued.saturating_sub(1),
        Command::SetLoop(part) => seen.transport.loop_region = *part,
        Command::Open(path) => {
            seen.transport.title = path.display().to_string();
            seen.transport.path = Some(path.clone());
        }
        Command::SetVolume(volume) => seen.transport.volume = *volume,
        Command::SelectPreset(name) => {
            preset.name.clone_from(name);
            preset.stored_name.clone_from(name);
        }
        Command::SetTransition(transition) => seen.transition = *transition,
        Command::SetShuffle(on) => seen.shuffle = *on,
        Command::SetParam { name, value } => {
            for param in &mut preset.params {
                if param.name == *name {
                    param.value = value.clamp(param.min, param.max);
                }
            }
            (preset.changed, preset.can_undo) = (true, true);
        }
        Command::SetPresetB(name) => seen.live.preset_b.clone_from(name),
        Command::SetCrossfade(fade) => seen.live.crossfade = *fade,
        Command::SetBlackout(on) => seen.live.blackout = *on,
        Command::SetFlash(on) => seen.live.flash = *on,
        Command::EditPreset(_) | Command::Compare | Command::RevertPreset => {
            (preset.changed, preset.can_undo) = (true, true);
        }
        Command::Undo => (preset.can_undo, preset.can_redo) = (false, true),
        Command::Redo => (preset.can_undo, preset.can_redo) = (true, false),
        Command::SavePreset => preset.changed = false,
        Command::SavePresetAs(name) => {
            preset.name.clone_from(name);
            preset.changed = false;
        }
        Command::Arm => seen.safety.armed = !seen.safety.stopped,
        Command::Disarm | Command::Quit => seen.safety.armed = false,
        Command::Stop => (seen.safety.armed, seen.safety.stopped) = (false, true),
        Command::ResetStop => seen.safety.stopped = false,
        Command::SetMaster(level) => seen.safety.master = *level,
        Command::SetOffsetMs(ms) => seen.sync.user_offset_ms = *ms,
        Command::Recorder(wish) => make_files(&mut seen.recorder, wish),
        Command::ListenToTrack(listen) => {
            seen.listening = if *listen {
                Listening::AtWork { heard_s: 0.0, length_s: None }
            } else {
                Listening::Offered
            };
        }
        // What becomes of the beat is decided where it is heard; the controllers and the queue are not the desk's,
        // and files of presets are a bench's.
        Command::Beat(_)
        | Command::Controllers(_)
        | Command::CopyToOtherSide
        | Command::QueueEdit(_)
        | Command::NewPreset { .. }
        | Command::DuplicatePreset { .. }
        | Command::RenamePreset { .. }
        | Command::DeletePreset(_) => {}
        Command::SetMounting { projector, mounting } => {
            let named = seen.projectors.iter_mut().find(|one| one.name == *projector);
            if let Some(one) = named {
                one.mounting = *mounting;
            }
        }
        Command::Install { projector, installation } => {
            named(seen, projector, |one| one.installation = Arc::new(installation.clone()));
        }
        Command::SetAllowed { projector, allowed } => {
            named(seen, projector, |one| one.allowed = *allowed);
        }
        Command::SetTestPicture { projector, picture } => {
            named(seen, projector, |one| one.test_picture = *picture);
        }
        Command::FindProjectors => (seen.rig.finding, seen.rig.looked) = (Some(0.0), true),
        Command::StopFinding => seen.rig.finding = None,
        Command::AddProjector { uri } => {
            let refused = DacUri::parse(uri).err();
            let number = seen.projectors.iter().map(|one| one.number + 1).max().unwrap_or(0);
            if refused.is_none() {
                let (name, allowed) = (uri.clone(), !seen.safety.armed);
                let added = ProjectorView { number, name, allowed, ..ProjectorView::default() };
                seen.projectors.push(added);
            }
            seen.rig.refused =
                refused.map(|why| RefusedView { uri: uri.clone(), why: why.to_string() });
        }
        Command::RemoveProjector { projector } => {
            seen.projectors.retain(|one| one.name != *projector);
        }
    }
    for projector in &mut seen.projectors {
        projector.armed = seen.safety.armed && projector.allowed;
        projector.state = ProjectorState::Ready;
    }
}

fn make_files(recorder: &mut RecorderView, wish: &RecorderWish) {
    match wish {
        RecorderWish::Start { kind, .. } => {
            recorder.recording = Some(RecordingView {
                kind: *kind,
                projectors: 1,
                elapsed_s: 0.0,
                bytes: 0,
                frames: 0,
                points: 0,
                lost: 0,
                waits_s: 0,
                ending: false,
            });
        }
        RecorderWish::Stop => recorder.recording = None,
        RecorderWish::Render(kind) => {
            let name = format!("night-drive - Lissajous.{}", kind.ending());
            recorder.rendering = Some(RenderingView { name, share: 0.0, left_s: None });
        }
        RecorderWish::CancelRender => recorder.rendering = None,
        RecorderWish::Folder(folder) => recorder.folder = Some(Arc::new(folder.clone())),
    }
}

fn named(seen: &mut Snapshot, name: &str, change: impl FnOnce(&mut ProjectorView)) {
    if let Some(one) = seen.projectors.iter_mut().find(|one| one.name == name) {
        change(one);
    }
}

fn rich() -> Snapshot {
    Snapshot {
        beat_source: galvo::analysis::BeatSource::Heard,
        track: None,
        features: Features::default(),
        transport: Transport {
            title: "Night Drive – The Example Band".into(),
            path: Some(PathBuf::from("/music/night-drive.flac")),
            duration: Some(MediaTime::from_secs_f64(245.0)),
            position: MediaTime::from_secs_f64(72.0),
            volume: 0.8,
            ..Transport::default()
        },
        presets: presets(),
        preset: Arc::new(preset()),
        transition: Transition::QUICK,
        live: LiveView::default(),
        heard_at: HostTime::ZERO,
        controllers: Arc::default(),
        shuffle: false,
        projectors: vec![ProjectorView {
            name: "etherdream://192.168.1.40".into(),
            state: ProjectorState::Ready,
            allowed: true,
            pps: PPS,
            buffered_ms: 38.0,
            target_ms: 40.0,
            offset_ms: Some(1.2),
            ..ProjectorView::default()
        }],
        safety: SafetyView { master: 0.2, ..SafetyView::default() },
        sync: SyncView {
            offset_p50_ms: Some(1.2),
            jitter_p95_ms: Some(0.8),
            user_offset_ms: 0.0,
            sound_latency_ms: 21.3,
        },
        audio: AudioView {
            device: "Built-in Audio Analog Stereo".into(),
            period_us: 5_333.0,
            callback_p99_us: 640.0,
            ..AudioView::default()
        },
        recorder: RecorderView {
            folder: Some(Arc::new(PathBuf::from("/home/dj/Videos/galvo"))),
            ..RecorderView::default()
        },
        ..Snapshot::default()
    }
}

fn presets() -> Arc<[PresetEntry]> {
    [
        ("Beam fan", "Beams that open with the bass", true),
        ("Constellation", "Stars that answer to onsets", true),
        ("Knot in blue", "Lissajous, slow, for quiet parts", false),
        ("Lissajous", "Knots of two sines, phase by treble", true),
        ("Liquid sky", "A sheet of light with waves", true),
        ("Opening", "White ring, first song", false),
        ("Polygon bounce", "Corners that jump on the beat", true),
        ("Scope", "The waveform as a line", true),
        ("Scope circle", "The waveform around a ring", true),
        ("Spirograph", "Wheels within wheels", true),
        ("Tunnel", "Rings that run toward the eye", true),
        ("Vector bars", "The spectrum as columns", true),
    ]
    .map(|(name, description, bundled)| PresetEntry {
        name: name.into(),
        description: description.into(),
        bundled,
        ..PresetEntry::default()
    })
    .into()
}

fn preset() -> PresetView {
    let param = |name: &str, unit: &str, range: [f32; 4], moved_by: &str, help: &str| ParamView {
        name: name.into(),
        unit: unit.into(),
        help: help.into(),
        min: range[0],
        max: range[1],
        default: range[2],
        value: range[3],
        moved_by: moved_by.into(),
        is_movable: true,
        is_set: true,
        ..ParamView::default()
    };
    PresetView {
        name: "Lissajous".into(),
        stored_name: "Lissajous".into(),
        generator: "lissajous".into(),
        params: vec![
            param("size", "", [0.0, 1.0, 0.7, 0.62], "bass +0.30", "Radius of the figure"),
            param("ratio_x", "", [1.0, 9.0, 3.0, 3.0], "", "Swings to the side per turn"),
            param("ratio_y", "", [1.0, 9.0, 2.0, 2.0], "", "Swings upward per turn"),
            param("turn", "turns/bar", [-2.0, 2.0, 0.25, 0.35], "", "How fast the figure turns"),
            param("hue", "°", [0.0, 360.0, 180.0, 204.0], "treble +40", "Where the colours start"),
            param("hue_spread", "°", [0.0, 360.0, 60.0, 60.0], "", "How far the colours go"),
            param("flash", "", [0.0, 1.0, 0.0, 0.15], "onset +0.50", "Light added at an onset"),
        ],
        ..PresetView::default()
    }
}
