//! The show thread's value: obeys commands, watches everything, and makes the snapshot. Never needed by the
//! light: if it stands still the light goes on, if it ends everything goes dark.

mod budget;
mod disk;
mod music;
mod presets;
mod projectors;
mod queue;
mod recorder;
mod rig;
mod told;

pub use rig::Stage;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::at_once;
use super::bench::PresetBench;
use super::command::Command;
use super::deck::Transition;
use super::disk::Disk;
use super::engine::{EngineCommand, EngineEnds, EngineView, Retired};
use super::hands::HandsEnd;
use super::live::{Live, Pressed};
use super::machine::{MachineView, MachineWatch};
use super::masks::MaskThread;
use super::mountings::Mountings;
use super::notices::Notices;
use super::playlist::Playlist;
use super::projector::Projector;
use super::queue::QueueView;
use super::recorder::{RecorderView, Studio};
use super::report::{Report, TripEntry};
use super::shuffle::Shuffle;
use super::snapshot::{PresetEntry, PresetView, Severity, Snapshot};
use super::whole_track::WholeTrack;
use crate::analysis::{Features, Track};
use crate::audio::{AudioHandle, Player, TrackCache};
use crate::pattern::Gauges;
use crate::realtime::{Histogram, LatestReader, RetireBin, RingSender, latest, retire, ring};
use crate::safety::{Switches, TripReason};
use crate::time::{HostTime, MediaTime};
use rig::RigState;

/// Commands that may wait for the callback.
const COMMANDS_DEPTH: usize = 256;
/// Callbacks this close to each other are even: well within the dead-man's patience.
const STEADY_GAP: Duration = Duration::from_millis(80);
/// How long they must come evenly before a waiting wish to arm is granted.
const STEADY_FOR: Duration = Duration::from_millis(300);
/// How often the files of presets are looked at.
const LOOK_AT_FILES_EVERY: Duration = Duration::from_millis(500);
/// Where the choices of a shuffle begin: the same show is shuffled the same way.
const SHUFFLE_SEED: u64 = 0x5eed;
/// How long a set-up of a projector rests before it is written down.
const SET_UP_RESTS: Duration = Duration::from_millis(500);
/// Trips kept for the surfaces.
const TRIPS_KEPT: usize = 50;
/// Tracks of the queue that are told by name.
const NEXT_TOLD: usize = 20;

/// Where the sound comes from or goes to, from outside.
#[derive(Debug)]
pub enum Sound {
    /// A file, or nothing yet.
    Playback {
        /// Steers what is played.
        player: Player,
        /// The device.
        handle: AudioHandle,
    },
    /// What is heard now.
    Live {
        /// The device.
        handle: AudioHandle,
    },
}

impl Sound {
    fn handle(&self) -> &AudioHandle {
        match self {
            Self::Playback { handle, .. } | Self::Live { handle } => handle,
        }
    }
}

/// The ends of the rings that lead to and from the engine.
#[derive(Debug)]
pub struct DirectorEnds {
    /// Wishes to the engine.
    pub commands: RingSender<EngineCommand>,
    /// What the engine lets go of.
    pub retired: RetireBin<Retired>,
    /// The picture of the engine.
    pub view: LatestReader<EngineView>,
    /// How long each period took, ns.
    pub callback_ns: Arc<Histogram>,
}

/// The rings between a director and its engine.
#[must_use]
pub fn rings() -> (EngineEnds, DirectorEnds) {
    let (commands_in, commands) = ring(COMMANDS_DEPTH);
    let (retired, retired_out) = retire(COMMANDS_DEPTH);
    let (view, view_out) = latest(EngineView::default());
    let callback_ns = Arc::new(Histogram::new());
    let engine = EngineEnds { commands, retired, view, callback_ns: Arc::clone(&callback_ns) };
    let director =
        DirectorEnds { commands: commands_in, retired: retired_out, view: view_out, callback_ns };
    (engine, director)
}

/// What a director begins with.
#[derive(Debug)]
pub struct Cast {
    /// The sound.
    pub sound: Sound,
    /// The projectors, in the order of their numbers.
    pub projectors: Vec<Projector>,
    /// The presets, and the one at work.
    pub presets: PresetBench,
    /// How the projectors hang.
    pub mountings: Mountings,
    /// Who works with files.
    pub disk: Disk,
    /// The rings.
    pub ends: DirectorEnds,
    /// Brightness of all light, 0..=1.
    pub master: f32,
    /// The user's offset, ms.
    pub offset_ms: f64,
    /// End of the show, seconds after its start.
    pub duration_s: Option<f64>,
    /// How presets follow each other.
    pub transition: Transition,
    /// Another preset whenever the music begins a new section.
    pub shuffle: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Director {
    cast: Cast,
    masks: Option<MaskThread>,
    /// Projectors that come and go.
    rig: RigState,
    notices: Notices,
    trips: Vec<TripEntry>,
    presets: Arc<[PresetEntry]>,
    preset: Arc<PresetView>,
    /// What the music makes of the preset's values.
    gauges: Gauges,
    moved_values: Vec<f32>,
    /// Something was done with presets since the last look.
    presets_changed: bool,
    /// What a picture might cost when instruments were fitted last.
    fitted_to: u64,
    /// Changes of presets sent to the engine, and which preset the last of them lets leave.
    changes: u64,
    leaving: String,
    playlist: Playlist,
    queue: Arc<QueueView>,
    title: String,
    path: Option<std::path::PathBuf>,
    /// The number of the track that title and path belong to.
    titled: Option<u64>,
    started: HostTime,
    played_s: f64,
    last_media: Option<(u64, MediaTime)>,
    /// The switches of the projectors: hands work them directly, too.
    switches: Switches,
    /// How evenly the sound runs, watched while a projector waits to be armed.
    steadiness: Steadiness,
    /// Files are listened to as a whole; what was heard is kept here.
    whole_files: bool,
    track_cache: Option<TrackCache>,
    /// The present file, while it is listened to.
    listening: Option<WholeTrack>,
    /// Tracks that the engine may hold: they are freed here.
    tracks: Vec<Arc<Track>>,
    /// The track of the present file.
    track: Option<Arc<Track>>,
    /// It was broken off, and is not begun again by itself.
    listening_refused: bool,
    /// What the operator holds beside the preset.
    live: Live,
    /// Who makes files of the show, and how they are.
    studio: Option<Box<dyn Studio>>,
    recorder: RecorderView,
    /// What the program costs.
    machine: MachineWatch,
    cost: MachineView,
    /// The hands from outside.
    hands: Option<HandsEnd>,
    /// Listens for new sections while presets are shuffled.
    shuffle: Shuffle,
    /// When the files of presets were last looked at.
    looked_at_files: HostTime,
    /// When a projector was set up last, if that is not written down yet.
    installed_at: Option<HostTime>,
    /// What was told of broken presets.
    told_broken: Vec<String>,
    /// The damage of the present file was told.
    told_damage: bool,
    over: bool,
    published: Arc<ArcSwap<Snapshot>>,
}

impl Director {
    /// A director of `cast` from `now` on.
    #[must_use]
    pub fn new(cast: Cast, path: Option<&Path>, now: HostTime) -> Self {
        let preset = Arc::new(cast.presets.view());
        let presets = cast.presets.entries().into();
        let gauges = Gauges::new(cast.presets.preset());
        let rig = RigState::beside(&cast.projectors);
        let mut director = Self {
            cast,
            masks: None,
            rig,
            notices: Notices::default(),
            trips: Vec::new(),
            presets,
            preset,
            gauges,
            moved_values: Vec::new(),
            presets_changed: true,
            fitted_to: 0,
            changes: 0,
            leaving: String::new(),
            playlist: Playlist::default(),
            queue: Arc::default(),
            title: String::new(),
            path: path.map(Path::to_owned),
            titled: None,
            started: now,
            played_s: 0.0,
            last_media: None,
            switches: Switches::default(),
            whole_files: false,
            track_cache: None,
            listening: None,
            tracks: Vec::new(),
            track: None,
            listening_refused: false,
            live: Live::default(),
            studio: None,
            recorder: RecorderView::default(),
            machine: MachineWatch::default(),
            cost: MachineView::default(),
            hands: None,
            shuffle: Shuffle::new(SHUFFLE_SEED),
            looked_at_files: now,
            installed_at: None,
            told_broken: Vec::new(),
            told_damage: false,
            steadiness: Steadiness::default(),
            over: false,
            published: Arc::default(),
        };
        for projector in &director.cast.projectors {
            let (number, name) = (projector.number(), projector.name());
            director.switches.join(number, name, projector.switch(), now);
        }
        director.fitted_to = director.picture_budget();
        director.take_title();
        director.put_up_all();
        director.tell_broken();
        director
    }

    /// With the thread that feeds the light with mask streams.
    #[must_use]
    pub fn with_masks(mut self, masks: MaskThread) -> Self {
        self.masks = Some(masks);
        self
    }

    /// Plays what is on `playlist` after what is open.
    #[must_use]
    pub fn with_playlist(mut self, playlist: Playlist) -> Self {
        for why in playlist.missed() {
            self.notices.add(Severity::Warning, why);
        }
        self.playlist = playlist;
        self
    }

    /// Has these hands from outside.
    pub fn attend(&mut self, hands: HandsEnd) {
        self.hands = Some(hands);
    }

    /// The switches of its projectors, for those whose hands darken without waiting for the show thread.
    #[must_use]
    pub fn switches(&self) -> Switches {
        self.switches.clone()
    }

    /// Where the snapshots appear.
    #[must_use]
    pub fn published(&self) -> Arc<ArcSwap<Snapshot>> {
        Arc::clone(&self.published)
    }

    /// From now on files are listened to as a whole, beside the show; what is heard is kept in `cache`.
    pub fn listen_to_whole_files(&mut self, cache: Option<TrackCache>) {
        self.whole_files = true;
        self.track_cache = cache;
    }

    /// Arms each projector once, as soon as it is ready for the first time and the sound runs evenly: the wish
    /// survives a projector that is reached late, and none is armed again after a loss. The first callbacks of a
    /// sound device may lie further apart than the dead-man bears, and it would take the light away for good.
    /// Any disarm or stop takes the wish back.
    pub fn arm_when_ready(&mut self) {
        self.cast.projectors.iter().for_each(|p| p.switch().wait_for_light());
    }

    /// Tells an operator something that was found out before the show began.
    pub fn tell(&mut self, severity: Severity, text: impl Into<String>) {
        self.notices.add(severity, text);
    }

    /// Obeys one command of a hand on this thread.
    pub fn obey(&mut self, command: Command, now: HostTime) {
        at_once::act(&command, &self.switches, now);
        self.take(command, now);
    }

    /// Takes a command on which its hand has acted already: see [`at_once`]. What darkens did so then; what gives light
    /// gives it now, if nothing has darkened since.
    pub fn take(&mut self, command: Command, now: HostTime) {
        self.switches.show_is_alive(now);
        match command {
            Command::Play => self.with_player("play", Player::play),
            Command::Pause => self.with_player("pause", Player::pause),
            Command::Seek(to) => self.with_player("seek", |player| player.seek(to)),
            Command::SetVolume(volume) => {
                self.with_player("set the volume of", |player| player.set_volume(volume));
            }
            Command::Open(path) => self.open(path.into(), now),
            Command::Queue(path) => self.queue(path.into(), now),
            Command::QueueEdit(edit) => self.edit_queue(&edit, now),
            Command::NextTrack => self.next_track(),
            Command::SetLoop(part) => self.with_player("loop", |player| player.set_loop(part)),
            Command::SetTransition(transition) => {
                let beats = transition.beats;
                let beats =
                    if beats.is_finite() { beats.clamp(0.0, Transition::MAX_BEATS) } else { 0.0 };
                self.cast.transition = Transition { beats, ..transition };
            }
            Command::SetShuffle(on) => {
                self.cast.shuffle = on;
                self.shuffle = Shuffle::new(SHUFFLE_SEED);
            }
            wish @ (Command::SelectPreset(_)
            | Command::SetParam { .. }
            | Command::EditPreset(_)
            | Command::Compare
            | Command::CopyToOtherSide
            | Command::RevertPreset
            | Command::NewPreset { .. }
            | Command::DuplicatePreset { .. }
            | Command::RenamePreset { .. }
            | Command::DeletePreset(_)
            | Command::Undo
            | Command::Redo
            | Command::SavePreset
            | Command::SavePresetAs(_)) => self.obey_about_presets(&wish, now),
            Command::Arm => self.arm(now),
            Command::ResetStop => self.reset_stop(),
            // Done by the hand: what came of it is seen at the next look.
            Command::Disarm | Command::Stop | Command::SetBlackout(_) => {}
            Command::SetMaster(master) => {
                self.cast.master = if master.is_finite() { master.clamp(0.0, 1.0) } else { 0.0 };
                let master = self.cast.master;
                self.cast.projectors.iter().for_each(|p| p.control().set_master(master));
            }
            Command::SetFlash(on) => self.set_flash(on, now),
            Command::SetPresetB(name) => self.set_preset_b(name),
            Command::SetCrossfade(fade) => {
                self.live.crossfade = if fade.is_finite() { fade.clamp(0.0, 1.0) } else { 0.0 };
                self.tell_engine(EngineCommand::Crossfade(self.live.crossfade));
            }
            Command::SetOffsetMs(ms) => {
                if ms.is_finite() {
                    self.cast.offset_ms = ms.clamp(-1000.0, 1000.0);
                    let nanos = (self.cast.offset_ms * 1e6) as i64;
                    self.tell_engine(EngineCommand::LightOffset(nanos));
                }
            }
            Command::Beat(wish) => self.tell_engine(EngineCommand::Beat(wish, now)),
            Command::Controllers(wish) => {
                if let Some(hands) = &self.hands {
                    hands.wish(wish);
                }
            }
            Command::SetMounting { projector, mounting } => {
                self.set_mounting(&projector, mounting, now);
            }
            Command::Install { projector, installation } => {
                self.install(&projector, installation, now);
            }
            Command::SetAllowed { projector, allowed } => {
                if allowed {
                    self.let_in(&projector, now);
                }
            }
            Command::SetTestPicture { projector, picture } => {
                self.set_test_picture(&projector, picture);
            }
            Command::Recorder(wish) => self.obey_about_files(wish, now),
            Command::ListenToTrack(listen) => self.listen_to_track(listen),
            Command::FindProjectors => self.find_projectors(),
            Command::StopFinding => self.stop_finding(),
            Command::AddProjector { uri } => self.add_projector(&uri),
            Command::RemoveProjector { projector } => self.remove_projector(&projector, now),
            Command::Quit => self.over = true,
        }
    }

    /// The surface is gone without a word: dark, and the end.
    pub fn surface_gone(&mut self, now: HostTime) {
        self.switches.disarm(now, TripReason::SurfaceGone);
        self.over = true;
    }

    /// The surface is there and does not look at the show any more: dark, and the show goes on.
    pub fn surface_silent(&mut self, now: HostTime) {
        self.switches.disarm(now, TripReason::SurfaceSilent);
    }

    /// True once the show is to end.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Looks at everything once and publishes the picture.
    pub fn step(&mut self, now: HostTime) {
        self.switches.show_is_alive(now);
        self.take_back();
        self.take_in_projectors(now);
        self.let_projectors_go(now);
        self.arm_those_ready(now);
        self.write_set_ups(now, SET_UP_RESTS);
        if self.live.flash.has_run_out(now) {
            self.tell_engine(EngineCommand::Flash(false));
        }
        self.take_track();
        self.read_trips();
        for projector in &mut self.cast.projectors {
            if let Some(fault) = projector.new_fault() {
                self.notices.add(Severity::Warning, fault);
            }
            if let Some(advice) = projector.new_advice() {
                self.notices.add(Severity::Warning, advice);
            }
        }
        self.look_at_disk(now);
        self.follow_playlist(now);
        self.tell_damage();
        for text in self.hands.iter().flat_map(HandsEnd::notices) {
            self.notices.add(Severity::Info, text);
        }
        for text in self.cast.sound.handle().take_notices() {
            self.notices.add(Severity::Warning, text);
        }
        for text in self.masks.iter().flat_map(MaskThread::take_notices) {
            self.notices.add(Severity::Warning, text);
        }
        self.look_at_files(now);
        self.cost =
            self.machine.look(now, || self.cast.projectors.iter().map(Projector::tap_lost).sum());
        let view = *self.cast.ends.view.read();
        self.follow_track();
        self.follow_preset_files(now);
        if self.cast.shuffle && view.playing && self.shuffle.hear(&view.features) {
            self.play_another(now);
        }
        self.count_media(&view);
        self.look_at_presets();
        self.look_at_rig();
        let heard = if view.playing { view.features } else { Features::silence(view.media) };
        self.gauges.read(&heard, view.media, &mut self.moved_values);
        let snapshot = self.snapshot(&view, now);
        self.published.store(Arc::new(snapshot));
    }

    /// Ends everything, dark, and says what was measured.
    #[must_use]
    pub fn finish(mut self, now: HostTime) -> Report {
        self.switches.disarm(now, TripReason::Operator);
        self.write_set_ups(now, Duration::ZERO);
        self.read_trips();
        let mut report = self.report(now);
        // The devices go dark and close before their streams end with the sound.
        self.cast.projectors.iter_mut().for_each(Projector::close);
        let unrecorded = self.close_files();
        self.close_those_leaving();
        report.not_written = self.close_disk(unrecorded);
        report
    }

    fn set_flash(&mut self, on: bool, now: HostTime) {
        if !on {
            if self.live.flash.release() {
                self.tell_engine(EngineCommand::Flash(false));
            }
            return;
        }
        match self.live.flash.press(now) {
            Pressed::On => self.tell_engine(EngineCommand::Flash(true)),
            Pressed::StillOn => {}
            Pressed::TooOften => {
                let text = "no more than three flashes a second: more can trigger seizures";
                self.notices.add(Severity::Info, text);
            }
        }
    }

    fn tell_engine(&mut self, command: EngineCommand) {
        if self.cast.ends.commands.push(command).is_err() {
            let text = "the sound callback does not take commands: is the sound device alive?";
            self.notices.add(Severity::Warning, text);
        }
    }
}

/// Whether the sound callback comes evenly.
#[derive(Clone, Copy, Debug, Default)]
struct Steadiness {
    last_callback: Option<HostTime>,
    since: Option<HostTime>,
}

impl Steadiness {
    /// Takes in a look at the last callback; true once no gap was long for a while.
    fn is_reached(&mut self, now: HostTime, last_callback: Option<HostTime>) -> bool {
        let before = std::mem::replace(&mut self.last_callback, last_callback);
        let (Some(last), Some(before)) = (last_callback, before) else { return false };
        let gap = last.since(before).max(now.since(last));
        if gap > STEADY_GAP {
            self.since = None;
            return false;
        }
        now.since(*self.since.get_or_insert(now)) >= STEADY_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_in_fits_is_waited_for() {
        let at = |ms: i64| HostTime::from_nanos(ms * 1_000_000);
        let mut steadiness = Steadiness::default();
        // Two callbacks, a pause of 130 ms as a sound server makes it, then one every 20 ms.
        let callbacks = |now: i64| match now {
            ..40 => None,
            40..170 => Some(at(40)),
            _ => Some(at(170 + (now - 170) / 20 * 20)),
        };
        let reached = (0..).step_by(16).find(|&now| steadiness.is_reached(at(now), callbacks(now)));
        assert!((470..530).contains(&reached.unwrap()), "{reached:?}");
    }
}
