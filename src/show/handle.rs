//! Starting a show, and what a surface holds of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, unbounded};

use super::ShowError;
use super::ahead::AheadOfSound;
use super::at_once;
use super::bench::PresetBench;
use super::command::Command;
use super::config::{ShowConfig, Source};
use super::director::{Cast, Director, Sound, Stage, rings};
use super::disk::Disk;
use super::engine::{Analysed, Engine, Listening, Slot};
use super::hands::{self, HandsThread};
use super::library::{self, Library, default_user_dir};
use super::light::darkened_by;
use super::masks::{self, MaskThread};
use super::mountings::Mountings;
use super::opening::{OpenedRig, open_rig};
use super::playlist::{Playlist, open_decoder};
use super::recorder::Studio;
use super::remote::Remote;
use super::report::Report;
use super::rig::SystemRig;
use super::rig_file::RigFile;
use super::snapshot::{Desk, Severity, Snapshot};
use super::thread::{self, Queues};
use crate::analysis::Analyser;
use crate::audio::{
    Decoder, OutputCallback, PcmTap, Player, PlayerOutput, TrackCache, start_input, start_output,
};
use crate::control::system_ports;
use crate::frame::{FrameReceiver, TapPoint, TapRegistry};
use crate::mask::{LightFeeder, LightWindow, light_window};
use crate::media::{MediaOpener, PlaylistTrack, is_playlist, read_playlist};
use crate::path::ColourDelayUndone;
use crate::pattern::Preset;
use crate::point::LaserPoint;
use crate::realtime::RingReceiver;
use crate::safety::{Arm, Switches, TripReason};
use crate::time::{Clock, MediaTime, SystemClock};

/// Rate at which files are played, frames per second; the sound server converts where a card differs.
const PLAYBACK_RATE: u32 = 48_000;
/// Points kept ahead of the mirrors when a file is played: what is to come is known, so it costs nothing, and no
/// pause of the sound callback that the dead-man bears empties a projector.
pub const LOOKAHEAD: Duration = Arm::DEAD_MAN;
/// Frames that may wait for a preview, and points it is handed at once: a quarter second at 100 kpps.
const WATCHED_FRAMES: usize = 64;
const WATCHED_KEPT: usize = 25_000;

/// A running show, held by a surface. Dropping it ends the show, dark.
#[derive(Debug)]
pub struct ShowHandle {
    commands: Option<Sender<Command>>,
    switches: Switches,
    looked_at_ns: Arc<AtomicI64>,
    published: Arc<ArcSwap<Snapshot>>,
    /// Where the points of each projector are looked at, by its number.
    taps: Vec<(u32, TapRegistry)>,
    /// The same of projectors that are added.
    more_taps: Receiver<(u32, TapRegistry)>,
    watching: Option<Watching>,
    thread: Option<JoinHandle<Report>>,
    hands: Option<HandsThread>,
}

/// The one place that is looked at: nowhere else are points copied for it.
#[derive(Debug)]
struct Watching {
    projector: u32,
    tap_point: TapPoint,
    frames: FrameReceiver,
    /// Who looks sees each colour where it was drawn.
    undone: ColourDelayUndone,
}

impl ShowHandle {
    /// The hands from outside.
    #[must_use]
    pub const fn hands(&self) -> Option<&HandsThread> {
        self.hands.as_ref()
    }

    /// Takes the light away when it is called, on any thread, whatever the surface does meanwhile.
    pub fn darkener(&self) -> impl Fn() + Send + use<> {
        let switches = self.switches.clone();
        move || switches.disarm(SystemClock.now(), TripReason::Operator)
    }

    /// The switches of the show, for who has to darken it from another thread.
    #[must_use]
    pub const fn switches(&self) -> &Switches {
        &self.switches
    }

    /// Takes in the projectors that were added, and lets go of those that are gone: numbers grow and are never used
    /// again.
    fn follow_projectors(&mut self) {
        self.taps.extend(self.more_taps.try_iter());
        let seen = self.published.load();
        let newest = seen.projectors.iter().map(|projector| projector.number).max();
        self.taps.retain(|(number, _)| {
            let is_there = seen.projectors.iter().any(|projector| projector.number == *number);
            is_there || newest.is_none_or(|newest| *number > newest)
        });
        if let Some(watching) = &self.watching
            && !self.taps.iter().any(|(number, _)| *number == watching.projector)
        {
            self.watching = None;
        }
    }

    /// Ends the show and says what was measured. `None` if the show thread died.
    pub fn finish(mut self) -> Option<Report> {
        self.send(Command::Quit);
        self.thread.take()?.join().ok()
    }
}

impl Drop for ShowHandle {
    fn drop(&mut self) {
        // Dark before anything is waited for.
        self.switches.disarm(SystemClock.now(), TripReason::SurfaceGone);
        // No hand from outside acts on a show that ends.
        self.hands = None;
        // A closed channel tells the show thread that nobody watches any more.
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Desk for ShowHandle {
    fn snapshot(&mut self) -> Arc<Snapshot> {
        self.looked_at_ns.store(SystemClock.now().as_nanos(), Ordering::Relaxed);
        darkened_by(&self.switches, self.published.load_full())
    }

    fn send(&mut self, command: Command) {
        // The show thread may be busy: what darkens does not wait for it.
        at_once::act(&command, &self.switches, SystemClock.now());
        if let Some(commands) = &self.commands {
            // The channel is closed only after the show has ended: then there is nobody to obey.
            drop(commands.send(command));
        }
    }

    fn watch(&mut self, projector: u32, tap_point: TapPoint) {
        self.follow_projectors();
        let is_there = |watching: &Watching| {
            watching.projector == projector && watching.tap_point == tap_point
        };
        if self.watching.as_ref().is_some_and(is_there) {
            return;
        }
        // The tap before is let go of first: its slots are free then.
        self.watching = None;
        let taps = self.taps.iter().find(|(number, _)| *number == projector);
        let frames = taps.and_then(|(_, taps)| taps.ring_tap(tap_point, WATCHED_FRAMES, 1).ok());
        let undone = ColourDelayUndone::default();
        self.watching = frames.map(|frames| Watching { projector, tap_point, frames, undone });
    }

    fn watched_points(&mut self, out: &mut Vec<LaserPoint>) {
        let Some(Watching { projector, tap_point, frames, undone }) = &mut self.watching else {
            return;
        };
        let first = out.len();
        while let Some(frame) = frames.try_recv() {
            let from = out.len();
            out.extend_from_slice(frame.points());
            let delay = frame.meta().colour_delay_points as usize;
            undone.apply(&mut out[from..], delay);
        }
        let seen = self.published.load();
        let watched = seen.projectors.iter().find(|one| one.number == *projector);
        if let (TapPoint::Sent, Some(projector)) = (tap_point, watched) {
            projector.mounting.fitting().undo(&mut out[first..]);
        }
        let surplus = (out.len() - first).saturating_sub(WATCHED_KEPT);
        out.drain(first..first + surplus);
    }
}

/// Starts a show of which `studio`, if there is one, makes files. May take seconds: it opens the sound device.
pub fn start(
    config: &ShowConfig,
    studio: Option<Box<dyn Studio>>,
) -> Result<ShowHandle, ShowError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut library = Library::open(config.preset_folder.clone().or_else(default_user_dir));
    let preset = choose_preset(&mut library, config.preset.as_deref())?;
    // A file that cannot be played is found out before a device is touched.
    let opener = Arc::new(MediaOpener::of_the_user());
    let (first, playlist) = gather(&config.source, &opener)?;
    let path = first.as_ref().map(|first| PathBuf::from(first.location().to_string()));
    let playback = open_playback(&config.source, first)?;
    let (feeder, window) = open_masks(config)?;

    let mut mountings = Mountings::open(config.mountings.clone())?;
    let lookahead = match config.source {
        Source::Playback { .. } => LOOKAHEAD,
        Source::Live { .. } => Duration::ZERO,
    };
    let OpenedRig { projectors, slots, taps, told } =
        open_rig(config, &preset, &mut mountings, lookahead, &clock)?;

    let (engine_ends, ends) = rings();
    let make_engine = {
        let clock = Arc::clone(&clock);
        let offset_ns = (config.offset_ms * 1e6) as i64;
        move |listening, slots: Vec<Slot>| {
            let engine = Engine::new(clock, listening, slots, engine_ends, offset_ns);
            Box::new(engine.with_masks(window))
        }
    };
    let sound = match (playback, &config.source) {
        (Some((player, output, heard)), Source::Playback { audio, .. }) => {
            let engine = make_engine(Listening::Ahead(heard), slots);
            let handle = start_output(audio.clone(), OutputCallback::new(output, engine))?;
            Sound::Playback { player, handle }
        }
        (_, Source::Live { input }) => {
            let handle = start_input(input.as_deref(), move |rate| {
                make_engine(Listening::Now(Box::new(Analyser::new(rate))), slots)
            })?;
            Sound::Live { handle }
        }
        (None, Source::Playback { .. }) => return Err(ShowError::NoProjector),
    };

    let cast = Cast {
        sound,
        projectors,
        presets: PresetBench::new(library, preset),
        mountings,
        disk: Disk::with_threads(Arc::clone(&clock)),
        ends,
        master: config.master,
        offset_ms: config.offset_ms,
        duration_s: config.duration_s,
        transition: config.transition,
        shuffle: config.shuffle,
    };
    let masks = MaskThread::start(feeder, config.mask.clone()).map_err(ShowError::Thread)?;
    let (tell_taps, more_taps) = unbounded();
    let stage = Stage {
        rig: Box::new(SystemRig::new(Arc::clone(&clock))),
        clock: Arc::clone(&clock),
        pps: config.pps,
        lookahead,
        taps: tell_taps,
        file: config.rig.clone().map(RigFile::new),
    };
    let mut director = Director::new(cast, path.as_deref(), clock.now())
        .with_masks(masks)
        .with_playlist(playlist)
        .on_stage(stage)
        .keeping_ahead(config.buffer());
    for text in told {
        director.tell(Severity::Warning, text);
    }
    if let Some(studio) = studio {
        director.give_studio(studio);
    }
    if matches!(config.source, Source::Playback { .. }) {
        director.listen_to_whole_files(TrackCache::of_user());
    }
    if config.arm {
        director.arm_when_ready();
    }
    if config.autoplay && path.is_some() {
        director.obey(Command::Play, clock.now());
    }
    director.step(clock.now());
    let published = director.published();
    let (commands, surface) = unbounded();
    let switches = director.switches();
    let (remote, outside) =
        Remote::new(Arc::clone(&published), switches.clone(), config.control.may_arm);
    let (hands, hands_end) =
        hands::start(&config.control, system_ports(), remote, Arc::clone(&clock))?;
    director.attend(hands_end);
    // A surface may take its time to open; from its first look on it must go on looking.
    let looked_at_ns = Arc::new(AtomicI64::new(i64::MAX));
    let looked_at = Arc::clone(&looked_at_ns);
    let thread = std::thread::Builder::new()
        .name("show".into())
        .spawn(move || {
            let queues = Queues { surface, outside };
            thread::run(director, queues, &looked_at, clock.as_ref())
        })
        .map_err(ShowError::Thread)?;
    Ok(ShowHandle {
        commands: Some(commands),
        switches,
        looked_at_ns,
        published,
        taps,
        more_taps,
        watching: None,
        thread: Some(thread),
        hands: Some(hands),
    })
}

/// The hand-over of silhouettes, with the stream that was named: one that cannot be used is found out early.
fn open_masks(config: &ShowConfig) -> Result<(LightFeeder, LightWindow), ShowError> {
    let (mut feeder, window) = light_window(config.mask.light);
    if let Some(file) = &config.mask.file {
        feeder.set_stream(None, Some(masks::load(file, &config.mask).map_err(ShowError::Mask)?));
    }
    Ok((feeder, window))
}

type Playback = (Player, PlayerOutput, RingReceiver<Analysed>);

/// The music to begin with, open, and what follows it. Of a playlist, what cannot be opened is passed over; what was
/// named by itself has to be there.
fn gather(
    source: &Source,
    opener: &Arc<MediaOpener>,
) -> Result<(Option<Decoder>, Playlist), ShowError> {
    let mut playlist = Playlist::new(Arc::clone(opener));
    let Source::Playback { music, .. } = source else { return Ok((None, playlist)) };
    let mut tracks: Vec<(PlaylistTrack, bool)> = Vec::new();
    for location in music {
        match location.path().filter(|_| is_playlist(location)) {
            Some(path) => tracks.extend(read_playlist(path)?.into_iter().map(|t| (t, true))),
            None => tracks.push((location.clone().into(), false)),
        }
    }
    let mut tracks = tracks.into_iter();
    let mut first_error = None;
    let first = loop {
        let Some((track, is_listed)) = tracks.next() else { break None };
        match open_decoder(opener, &track.location) {
            Ok(decoder) => break Some(decoder),
            Err(error) if is_listed => {
                playlist.add([track])?;
                playlist.missed_last(error.to_string());
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(error.into()),
        }
    };
    playlist.add(tracks.map(|(track, _)| track))?;
    match (first, first_error) {
        (None, Some(error)) => Err(error.into()),
        (first, _) => Ok((first, playlist)),
    }
}

fn open_playback(source: &Source, first: Option<Decoder>) -> Result<Option<Playback>, ShowError> {
    let Source::Playback { start_s, .. } = source else { return Ok(None) };
    let (tap, heard) = AheadOfSound::new(PLAYBACK_RATE);
    let tap: Box<dyn PcmTap> = Box::new(tap);
    let (mut player, output) = Player::new(PLAYBACK_RATE, tap).map_err(ShowError::Thread)?;
    if let Some(decoder) = first {
        player.load_decoder(decoder);
    }
    if *start_s > 0.0 {
        player.seek(MediaTime::from_secs_f64(*start_s));
    }
    Ok(Some((player, output, heard)))
}

/// A preset by name, else by path, else the first of the library.
fn choose_preset(library: &mut Library, wanted: Option<&str>) -> Result<Arc<Preset>, ShowError> {
    let Some(wanted) = wanted else {
        return library.first().ok_or(ShowError::NoPreset);
    };
    let path = PathBuf::from(wanted);
    let is_path = path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("toml"))
        || Path::new(wanted).components().count() > 1;
    if is_path {
        let preset = Arc::new(library::load(&path)?);
        library.watch(path);
        return Ok(preset);
    }
    Ok(library.get(wanted)?)
}
