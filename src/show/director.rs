//! The show thread's value: obeys commands, watches everything, and makes the snapshot. Never needed by the
//! light: if it stands still the light goes on, if it ends everything goes dark.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::bench::{Outcome, PresetBench};
use super::command::Command;
use super::deck::{Change, Transition};
use super::engine::{EngineCommand, EngineEnds, EngineView};
use super::hands::HandsEnd;
use super::hearing::KnownTrack;
use super::installation::Installation;
use super::live::{Live, Pressed};
use super::masks::MaskThread;
use super::mountings::Mountings;
use super::notices::Notices;
use super::playlist::{Opened, Playlist};
use super::projector::{Projector, sync_figures};
use super::report::{CallbackTimes, Report, TripEntry};
use super::shuffle::Shuffle;
use super::snapshot::{
    AudioView, LiveView, PresetEntry, PresetView, SafetyView, Severity, Snapshot, SyncView,
    Transport,
};
use super::whole_track::{Listened, WholeTrack};
use crate::analysis::{Features, Track};
use crate::audio::{AudioHandle, Decoder, Player, TrackCache};
use crate::media::Location;
use crate::path::Mounting;
use crate::pattern::{Gauges, Instrument, Preset, PresetError};
use crate::realtime::{
    Histogram, LatestReader, RetireBin, RingSender, latest, no_alloc, retire, ring,
};
use crate::safety::{TripReason, arm::Refused};
use crate::time::{HostTime, MediaTime};

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
    pub retired: RetireBin<Vec<Option<Box<Instrument>>>>,
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
    /// The projectors, in the order of the engine's slots.
    pub projectors: Vec<Projector>,
    /// The presets, and the one at work.
    pub presets: PresetBench,
    /// How the projectors hang.
    pub mountings: Mountings,
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
    notices: Notices,
    trips: Vec<TripEntry>,
    presets: Arc<[PresetEntry]>,
    preset: Arc<PresetView>,
    /// What the music makes of the preset's values.
    gauges: Gauges,
    moved_values: Vec<f32>,
    /// Something was done with presets since the last look.
    presets_changed: bool,
    /// Changes of presets sent to the engine, and which preset the last of them lets leave.
    changes: u64,
    leaving: String,
    playlist: Playlist,
    title: String,
    path: Option<std::path::PathBuf>,
    /// The number of the track that title and path belong to.
    titled: Option<u64>,
    started: HostTime,
    played_s: f64,
    last_media: Option<(u64, MediaTime)>,
    /// Projectors to be armed when they are ready for the first time.
    to_arm: Vec<bool>,
    /// How evenly the sound runs, watched while one of them waits.
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
    /// What the operator holds beside the preset.
    live: Live,
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
        let to_arm = vec![false; cast.projectors.len()];
        let mut director = Self {
            cast,
            masks: None,
            notices: Notices::default(),
            trips: Vec::new(),
            presets,
            preset,
            gauges,
            moved_values: Vec::new(),
            presets_changed: false,
            changes: 0,
            leaving: String::new(),
            playlist: Playlist::default(),
            title: String::new(),
            path: path.map(Path::to_owned),
            titled: None,
            started: now,
            played_s: 0.0,
            last_media: None,
            to_arm,
            whole_files: false,
            track_cache: None,
            listening: None,
            tracks: Vec::new(),
            track: None,
            live: Live::default(),
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
        self.playlist = playlist;
        self
    }

    /// Has these hands from outside.
    pub fn attend(&mut self, hands: HandsEnd) {
        self.hands = Some(hands);
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
        self.to_arm.fill(true);
    }

    /// Obeys one command.
    pub fn obey(&mut self, command: Command, now: HostTime) {
        match command {
            Command::Play => self.with_player("play", Player::play),
            Command::Pause => self.with_player("pause", Player::pause),
            Command::Seek(to) => self.with_player("seek", |player| player.seek(to)),
            Command::SetVolume(volume) => {
                self.with_player("set the volume of", |player| player.set_volume(volume));
            }
            Command::Open(path) => self.open(path.into()),
            Command::Queue(path) => self.with_playlist_do("queue", |list| list.add(path.into())),
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
            Command::Disarm => self.disarm(now, TripReason::Operator),
            Command::Stop => {
                self.to_arm.fill(false);
                self.cast.projectors.iter().for_each(|p| p.switch().stop(now, TripReason::Stop));
            }
            Command::ResetStop => {
                // After a stop only an explicit act allows light, whatever was wished before it.
                self.to_arm.fill(false);
                for projector in &self.cast.projectors {
                    projector.switch().reset_stop();
                    projector.control().reset_device_estop();
                }
            }
            Command::SetMaster(master) => {
                self.cast.master = if master.is_finite() { master.clamp(0.0, 1.0) } else { 0.0 };
                let master = self.cast.master;
                self.cast.projectors.iter().for_each(|p| p.control().set_master(master));
            }
            Command::SetBlackout(on) => {
                self.live.blackout = on;
                self.cast.projectors.iter().for_each(|p| p.switch().set_blackout(on));
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
            Command::SetMounting { projector, mounting } => self.set_mounting(&projector, mounting),
            Command::Install { projector, installation } => {
                self.install(&projector, installation, now);
            }
            Command::SetAllowed { projector, allowed } => {
                self.set_allowed(&projector, allowed, now);
            }
            Command::SetTestPicture { projector, picture } => {
                self.set_test_picture(&projector, picture);
            }
            Command::Quit => {
                self.disarm(now, TripReason::Operator);
                self.over = true;
            }
        }
    }

    /// The surface is gone without a word: dark, and the end.
    pub fn surface_gone(&mut self, now: HostTime) {
        self.disarm(now, TripReason::SurfaceGone);
        self.over = true;
    }

    /// The surface is there and does not look at the show any more: dark, and the show goes on.
    pub fn surface_silent(&mut self, now: HostTime) {
        self.disarm(now, TripReason::SurfaceSilent);
    }

    /// True once the show is to end.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Looks at everything once and publishes the picture.
    pub fn step(&mut self, now: HostTime) {
        self.cast.ends.retired.empty();
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
        }
        self.follow_playlist();
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
        let view = *self.cast.ends.view.read();
        self.follow_track();
        self.reload_presets(now);
        if self.cast.shuffle && view.playing && self.shuffle.hear(&view.features) {
            self.play_another(now);
        }
        self.count_media(&view);
        self.look_at_presets();
        let heard = if view.playing { view.features } else { Features::silence(view.media) };
        self.gauges.read(&heard, view.media, &mut self.moved_values);
        let snapshot = self.snapshot(&view, now);
        self.published.store(Arc::new(snapshot));
    }

    /// Ends everything, dark, and says what was measured.
    #[must_use]
    pub fn finish(mut self, now: HostTime) -> Report {
        self.disarm(now, TripReason::Operator);
        self.write_set_ups(now, Duration::ZERO);
        self.read_trips();
        let report = self.report(now);
        // The devices go dark and close before their streams end with the sound.
        self.cast.projectors.iter_mut().for_each(Projector::close);
        report
    }

    fn with_player(&mut self, what: &str, act: impl FnOnce(&mut Player)) {
        match &mut self.cast.sound {
            Sound::Playback { player, .. } => act(player),
            Sound::Live { .. } => {
                let text = format!("live input: there is nothing to {what}");
                self.notices.add(Severity::Info, text);
            }
        }
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

    fn set_preset_b(&mut self, name: Option<String>) {
        let made = match &name {
            None => Some(self.cast.projectors.iter().map(|_| None).collect()),
            Some(name) => match self.cast.presets.library().get(name) {
                Ok(preset) => self.instruments(&preset),
                Err(error) => return self.notices.add(Severity::Error, error.to_string()),
            },
        };
        if let Some(instruments) = made {
            self.tell_engine(EngineCommand::Beside(instruments));
            self.live.preset_b = name;
        }
    }

    /// An instrument of `preset` for each projector but those that show a test picture.
    fn instruments(&mut self, preset: &Preset) -> Option<Vec<Option<Box<Instrument>>>> {
        let of = |projector: &Projector| match projector.test_picture() {
            Some(_) => Ok(None),
            None => Instrument::new(preset).map(|instrument| Some(Box::new(instrument))),
        };
        let made: Result<Vec<_>, _> = self.cast.projectors.iter().map(of).collect();
        made.map_err(|error| self.notices.add(Severity::Error, error.to_string())).ok()
    }

    fn tell_engine(&mut self, command: EngineCommand) {
        if self.cast.ends.commands.push(command).is_err() {
            let text = "the sound callback does not take commands: is the sound device alive?";
            self.notices.add(Severity::Warning, text);
        }
    }

    fn with_playlist_do(&mut self, what: &str, act: impl FnOnce(&mut Playlist)) {
        match &self.cast.sound {
            Sound::Playback { .. } => act(&mut self.playlist),
            Sound::Live { .. } => {
                let text = format!("live input: there is nothing to {what}");
                self.notices.add(Severity::Info, text);
            }
        }
    }

    /// A local file at once, an address as soon as its server has answered.
    fn open(&mut self, location: Location) {
        if matches!(self.cast.sound, Sound::Live { .. }) {
            self.notices.add(Severity::Info, "live input: a file cannot be opened beside it");
            return;
        }
        let opened = self.playlist.open_now(location);
        self.take_opened(opened);
    }

    /// What was opened, if anything was, is played now, or after the last track.
    fn take_opened(&mut self, opened: Option<Opened>) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        match opened {
            None => {}
            Some(Opened::ToPlay(decoder)) => {
                player.load_decoder(*decoder);
                player.play();
            }
            Some(Opened::ToQueue(decoder)) => queue_or_play(player, *decoder),
            Some(Opened::Failed(error)) => self.notices.add(Severity::Error, error.to_string()),
        }
        self.follow_track();
    }

    fn next_track(&mut self) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        if !player.next_track() {
            self.notices.add(Severity::Info, "this is the last track");
        }
    }

    /// Opens what comes next in time, and goes on where the sound has ended before it was open.
    fn follow_playlist(&mut self) {
        let Sound::Playback { player, .. } = &mut self.cast.sound else { return };
        for text in player.take_notices() {
            self.notices.add(Severity::Warning, text);
        }
        if player.ended() && player.queued() > 0 {
            player.next_track();
        }
        let opened = self.playlist.poll(player.queued() == 0);
        self.take_opened(opened);
    }

    /// Title and path are those of the track that is heard.
    fn follow_track(&mut self) {
        let Sound::Playback { player, .. } = &self.cast.sound else { return };
        let number = player.info().map(|_| player.track_number());
        if number != self.titled {
            self.titled = number;
            self.path = player.location().map(|location| location.to_string().into());
            self.told_damage = false;
            if let (Some(masks), Some(number)) = (&self.masks, number) {
                masks.song_opened(number, player.location());
            }
            self.listen_to_whole();
            self.take_title();
        }
    }

    /// Begins to listen to the whole of the file that is heard. What comes over the net is heard as it plays: it
    /// would have to be fetched twice.
    fn listen_to_whole(&mut self) {
        self.listening = None;
        if self.track.take().is_some() {
            self.tell_engine(EngineCommand::Track(None));
        }
        let Sound::Playback { player, .. } = &self.cast.sound else { return };
        if let (true, Some(Location::File(path))) = (self.whole_files, player.location()) {
            self.listening = WholeTrack::begin(path, self.track_cache.clone());
        }
    }

    /// Hands a track that has become known to the engine, and frees those it has let go of.
    fn take_track(&mut self) {
        self.tracks.retain(|track| Arc::strong_count(track) > 1);
        let Some(listening) = &self.listening else { return };
        match (listening.look(), self.titled) {
            (Listened::NotYet, _) => {}
            (Listened::Whole(track), Some(number)) => {
                self.listening = None;
                let track: Arc<Track> = Arc::from(track);
                self.tracks.push(Arc::clone(&track));
                self.track = Some(Arc::clone(&track));
                self.tell_engine(EngineCommand::Track(Some(KnownTrack { number, track })));
            }
            _ => self.listening = None,
        }
    }

    fn take_title(&mut self) {
        self.title = match &self.cast.sound {
            Sound::Live { .. } => "live input".to_owned(),
            Sound::Playback { player, .. } => {
                let tagged = player.info().and_then(|info| {
                    let title = info.tags.title.clone()?;
                    Some(match &info.tags.artist {
                        Some(artist) => format!("{artist} – {title}"),
                        None => title,
                    })
                });
                let named = || player.location().map(Location::short_name);
                tagged.or_else(named).unwrap_or_default()
            }
        };
    }

    fn obey_about_presets(&mut self, wish: &Command, now: HostTime) {
        let leaving = self.cast.presets.preset().name.clone();
        match self.cast.presets.obey(wish, now) {
            Ok(Outcome::Nothing) => {}
            Ok(Outcome::Param { index, value }) => {
                self.tell_engine(EngineCommand::SetParam { index, value });
            }
            Ok(Outcome::Edited) => self.play_edited(),
            Ok(Outcome::Taken) => {
                self.leaving = leaving;
                self.play_preset(self.cast.transition);
            }
            Ok(Outcome::Told(text)) => {
                self.notices.add(Severity::Info, text);
                // Taking back what was done with a file may have changed the preset at work.
                self.play_edited();
            }
            Err(error) => self.notices.add(Severity::Error, error.to_string()),
        }
        self.presets_changed = true;
    }

    /// What the surfaces see of the presets, after something was done with them: once a look, however fast a hand is.
    fn look_at_presets(&mut self) {
        if !std::mem::take(&mut self.presets_changed) {
            return;
        }
        let preset = self.cast.presets.preset();
        if self.preset.preset.as_ref() != Some(preset) {
            self.gauges = Gauges::new(preset);
        }
        self.preset = Arc::new(self.cast.presets.view());
        let presets = self.cast.presets.entries();
        if *self.presets != *presets {
            self.presets = presets.into();
        }
    }

    fn set_mounting(&mut self, name: &str, mounting: Mounting) {
        let Some(projector) = self.cast.projectors.iter().find(|p| p.name() == name) else {
            return;
        };
        let mounting = match mounting.check() {
            Ok(mounting) => mounting,
            Err(error) => return self.notices.add(Severity::Error, error.to_string()),
        };
        projector.control().set_mounting(&mounting);
        if let Err(error) = self.cast.mountings.set(name, projector.id(), mounting) {
            let text = format!("how {name} hangs is not remembered: {error}");
            self.notices.add(Severity::Warning, text);
        }
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        self.cast.projectors.iter().position(|projector| projector.name() == name)
    }

    fn install(&mut self, name: &str, installation: Installation, now: HostTime) {
        let Some(slot) = self.place_of(name) else { return };
        let id = self.cast.projectors[slot].id().map(str::to_owned);
        if !self.put_up(slot, installation.clone()) {
            return;
        }
        self.cast.mountings.install(name, id.as_deref(), installation);
        self.installed_at = Some(now);
    }

    /// Writes down the set-ups once no hand has moved one for a moment.
    fn write_set_ups(&mut self, now: HostTime, rest: Duration) {
        if self.installed_at.is_none_or(|at| now.since(at) < rest) {
            return;
        }
        self.installed_at = None;
        if let Err(error) = self.cast.mountings.save() {
            let text = format!("the set-up of the projectors is not remembered: {error}");
            self.notices.add(Severity::Warning, text);
        }
    }

    /// Lets every remembered set-up act.
    fn put_up_all(&mut self) {
        for slot in 0..self.cast.projectors.len() {
            let projector = &self.cast.projectors[slot];
            let remembered = self.cast.mountings.installation_of(projector.name(), projector.id());
            if !remembered.is_plain() {
                self.put_up(slot, remembered);
            }
        }
    }

    /// Lets a set-up act; false, with a notice, if it makes no sense.
    fn put_up(&mut self, slot: usize, installation: Installation) -> bool {
        match installation.ready() {
            Ok(ready) => {
                // Zones first: what the picture's new place lights is judged by them.
                self.cast.projectors[slot].install(installation, &ready);
                let (perspective, profile) = (ready.perspective, ready.gate.profile);
                self.tell_engine(EngineCommand::Install { slot, perspective, profile });
                true
            }
            Err(error) => {
                let text = format!("{}: {error}", self.cast.projectors[slot].name());
                self.notices.add(Severity::Error, text);
                false
            }
        }
    }

    fn set_allowed(&mut self, name: &str, allowed: bool, now: HostTime) {
        let Some(slot) = self.place_of(name) else { return };
        // Without light anywhere there is nothing to join: then the show has to be armed.
        let is_lit = self.cast.projectors.iter().any(|p| p.switch().is_armed());
        self.cast.projectors[slot].set_allowed(allowed, now);
        if !allowed {
            self.to_arm[slot] = false;
        } else if is_lit && let Err(refused) = self.cast.projectors[slot].arm(now) {
            self.notices.add(Severity::Warning, refused.to_string());
        }
    }

    fn set_test_picture(&mut self, name: &str, picture: Option<u8>) {
        let Some(slot) = self.place_of(name) else { return };
        let preset = match picture {
            None => Ok(Arc::clone(self.cast.presets.preset())),
            Some(number) => test_picture(number).map(Arc::new),
        };
        let made = preset.and_then(|preset| Ok(Box::new(Instrument::new(&preset)?)));
        match made {
            Ok(instrument) => {
                self.cast.projectors[slot].set_test_picture(picture);
                let mut instruments: Vec<_> = self.cast.projectors.iter().map(|_| None).collect();
                instruments[slot] = Some(instrument);
                self.tell_engine(EngineCommand::Following { slot, follows: picture.is_none() });
                let transition = Transition::CUT;
                self.changes += 1;
                self.tell_engine(EngineCommand::Instruments { instruments, transition });
            }
            Err(error) => self.notices.add(Severity::Error, error.to_string()),
        }
    }

    /// Lets the preset at work follow what plays.
    fn play_preset(&mut self, transition: Transition) {
        let preset = Arc::clone(self.cast.presets.preset());
        if let Some(instruments) = self.instruments(&preset) {
            self.changes += 1;
            self.tell_engine(EngineCommand::Instruments { instruments, transition });
        }
    }

    /// Gives the engine the preset as it is edited now.
    fn play_edited(&mut self) {
        let preset = Arc::clone(self.cast.presets.preset());
        if let Some(instruments) = self.instruments(&preset) {
            self.tell_engine(EngineCommand::Edited(instruments));
        }
    }

    /// Looks whether a preset's file was changed.
    fn reload_presets(&mut self, now: HostTime) {
        if now.since(self.looked_at_files) < LOOK_AT_FILES_EVERY {
            return;
        }
        self.looked_at_files = now;
        let Some(outcome) = self.cast.presets.reload() else { return };
        self.tell_broken();
        if let Outcome::Told(text) = outcome {
            self.notices.add(Severity::Info, text);
            self.play_edited();
        }
        self.presets_changed = true;
    }

    /// Says of every broken preset what is wrong with it, once.
    fn tell_broken(&mut self) {
        let broken = self.cast.presets.library().broken().iter().map(ToString::to_string).collect();
        let told = std::mem::replace(&mut self.told_broken, broken);
        for text in self.told_broken.iter().filter(|text| !told.contains(text)) {
            self.notices.add(Severity::Warning, text.clone());
        }
    }

    /// Another preset, by chance; no test pattern.
    fn play_another(&mut self, now: HostTime) {
        let names = self.cast.presets.library().names_for_shows();
        let present = names.iter().position(|name| *name == self.cast.presets.preset().name);
        if let Some(next) = self.shuffle.choose(names.len(), present) {
            self.obey_about_presets(&Command::SelectPreset(names[next].clone()), now);
        }
    }

    /// A damaged file plays as far as it can: it is said once for each file.
    fn tell_damage(&mut self) {
        let Sound::Playback { player, .. } = &self.cast.sound else { return };
        if player.damaged_packets() == 0 || self.told_damage {
            return;
        }
        self.told_damage = true;
        let name = self.path.as_deref().map_or_else(String::new, |path| path.display().to_string());
        let text =
            format!("{name} is damaged, and parts of it do not play: copy or convert it again");
        self.notices.add(Severity::Warning, text);
    }

    fn arm_those_ready(&mut self, now: HostTime) {
        if !self.to_arm.contains(&true) {
            return;
        }
        let last = self.cast.sound.handle().counters().last_callback();
        if !self.steadiness.is_reached(now, last) {
            return;
        }
        for (projector, wanted) in self.cast.projectors.iter().zip(&mut self.to_arm) {
            if *wanted && projector.is_ready() {
                *wanted = false;
                if let Err(refused) = projector.arm(now) {
                    self.notices.add(Severity::Warning, refused.to_string());
                }
            }
        }
    }

    fn arm(&mut self, now: HostTime) {
        let refused = self.cast.projectors.iter().find_map(|p| p.arm(now).err());
        if let Some(refused @ Refused::Stopped) = refused {
            self.notices.add(Severity::Warning, refused.to_string());
        }
    }

    fn disarm(&mut self, now: HostTime, reason: TripReason) {
        self.to_arm.fill(false);
        self.cast.projectors.iter().for_each(|p| p.switch().disarm(now, reason));
    }

    fn read_trips(&mut self) {
        for projector in &self.cast.projectors {
            while let Some(trip) = projector.switch().next_trip() {
                let entry = TripEntry {
                    at_s: trip.at.secs_since(self.started).max(0.0),
                    projector: projector.name().to_owned(),
                    reason: trip.reason.to_string(),
                };
                let severity = match trip.reason {
                    TripReason::Operator => Severity::Info,
                    _ => Severity::Warning,
                };
                let text = format!("{} – {}", entry.projector, entry.reason);
                self.notices.add(severity, text);
                if self.trips.len() == TRIPS_KEPT {
                    self.trips.remove(0);
                }
                self.trips.push(entry);
            }
        }
    }

    /// Adds up how much media was played; a seek adds nothing.
    fn count_media(&mut self, view: &EngineView) {
        if let Some((periods, media)) = self.last_media {
            let step = view.media.secs_since(media);
            if view.playing && periods != view.periods && (0.0..0.5).contains(&step) {
                self.played_s += step;
            }
        }
        self.last_media = Some((view.periods, view.media));
    }

    fn transport(&self, view: &EngineView, now: HostTime) -> Transport {
        // The callback's frame is heard in a moment: what is heard now is that much earlier.
        let ahead = if view.playing { now.secs_since(view.heard_at) } else { 0.0 };
        let position = view.media.plus_secs_f64(ahead.clamp(-1.0, 1.0)).max(MediaTime::ZERO);
        let base = Transport {
            title: self.title.clone(),
            path: self.path.clone(),
            position,
            playing: view.playing,
            opening: self.playlist.opening(),
            ..Transport::default()
        };
        match &self.cast.sound {
            Sound::Live { .. } => Transport { live: true, volume: 1.0, ..base },
            Sound::Playback { player, .. } => Transport {
                position: player.track_time(position).max(MediaTime::ZERO),
                album: player.info().and_then(|info| info.tags.album.clone()),
                cover: player.info().and_then(|info| info.tags.cover.clone()),
                queued: player.queued() + self.playlist.waiting(),
                next: player
                    .queued_locations()
                    .chain(self.playlist.locations())
                    .take(NEXT_TOLD)
                    .map(Location::short_name)
                    .collect(),
                loop_region: player.loop_region(),
                duration: player.duration(),
                playing: player.playing(),
                ended: player.ended(),
                volume: player.volume(),
                ..base
            },
        }
    }

    fn snapshot(&self, view: &EngineView, now: HostTime) -> Snapshot {
        let transport = self.transport(view, now);
        let time_is_up = self.cast.duration_s.is_some_and(|s| now.secs_since(self.started) >= s);
        let played_out = transport.ended && transport.queued == 0 && transport.opening.is_none();
        let finished = self.over || time_is_up || played_out;
        let sync = self.cast.projectors.first().map(Projector::sync);
        let sync = sync.as_ref().map(sync_figures).unwrap_or_default();
        let callback = self.cast.ends.callback_ns.snapshot();
        let handle = self.cast.sound.handle();
        // What was sent and not taken in yet has not begun.
        let change = if view.changes < self.changes { Change::Cued } else { view.change };
        Snapshot {
            features: view.features,
            heard_at: view.heard_at,
            beat_source: view.beat_source,
            track: self.track.clone(),
            listening: self.listening.is_some(),
            transport,
            presets: Arc::clone(&self.presets),
            preset: Arc::clone(&self.preset),
            moved_values: self.moved_values.clone(),
            change,
            leaving: self.leaving.clone(),
            undo_act: self.cast.presets.undo_act().to_owned(),
            transition: self.cast.transition,
            controllers: self.hands.as_ref().map(HandsEnd::view).unwrap_or_default(),
            live: LiveView {
                blackout: self.live.blackout,
                flash: self.live.flash.is_on(),
                preset_b: self.live.preset_b.clone(),
                crossfade: self.live.crossfade,
                waiting: change == Change::Cued,
            },
            shuffle: self.cast.shuffle,
            projectors: self.cast.projectors.iter().map(Projector::view).collect(),
            safety: SafetyView {
                armed: self.cast.projectors.iter().any(|p| p.switch().is_armed()),
                stopped: self.cast.projectors.iter().any(|p| p.switch().is_stopped()),
                master: self.cast.master,
                trips: self.trips.iter().map(trip_line).collect(),
            },
            sync: SyncView {
                offset_p50_ms: sync.offset_p50.map(|ms| ms as f32),
                jitter_p95_ms: sync.jitter_p95.map(|ms| ms as f32),
                user_offset_ms: self.cast.offset_ms,
                sound_latency_ms: (view.heard_at.secs_since(view.now) * 1e3) as f32,
            },
            audio: AudioView {
                device: handle.description(),
                software_clock: handle.is_software(),
                xruns: handle.counters().xruns(),
                period_us: period_us(view) as f32,
                callback_p99_us: callback.p99 as f32 * 1e-3,
                decoder_underruns: self.decoder_underruns(),
            },
            notices: self.notices.kept().to_vec(),
            notices_made: self.notices.made(),
            finished,
        }
    }

    fn decoder_underruns(&self) -> u64 {
        match &self.cast.sound {
            Sound::Playback { player, .. } => player.decoder_underruns(),
            Sound::Live { .. } => 0,
        }
    }

    fn report(&mut self, now: HostTime) -> Report {
        let view = *self.cast.ends.view.read();
        let per_stream: Vec<_> = self.cast.projectors.iter().map(Projector::report).collect();
        let first = per_stream.first();
        let callback = self.cast.ends.callback_ns.snapshot();
        let us = |nanos: u64| nanos as f64 * 1e-3;
        Report {
            duration_s: now.secs_since(self.started),
            media_s: self.played_s,
            points: per_stream.iter().map(|s| s.points).sum(),
            underruns: per_stream.iter().map(|s| s.underruns).sum(),
            device_underflows: per_stream.iter().map(|s| s.device_underflows).sum(),
            reconnects: per_stream.iter().map(|s| s.reconnects).sum(),
            xruns: self.cast.sound.handle().counters().xruns(),
            decoder_underruns: self.decoder_underruns(),
            audio_device: self.cast.sound.handle().description(),
            callback_us: CallbackTimes {
                p50: us(callback.p50),
                p99: us(callback.p99),
                p999: us(callback.p999),
                max: us(callback.max),
                period: period_us(&view),
            },
            sync_ms: first.map(|s| s.sync_ms).unwrap_or_default(),
            drift_ppm: first.and_then(|s| s.drift_ppm),
            allocations_in_callback: no_alloc::realtime_allocations(),
            trips: self.trips.clone(),
            per_stream,
        }
    }
}

/// A track that was opened after the one before had ended is played at once.
fn queue_or_play(player: &mut Player, decoder: Decoder) {
    player.queue(decoder);
    if player.ended() {
        player.next_track();
    }
}

/// One of the still pictures to set a projector up by.
fn test_picture(number: u8) -> Result<Preset, PresetError> {
    Preset::parse(&format!(
        "version = 1\nname = \"Test picture\"\ngenerator = \"test_pattern\"\n[params]\npicture = {}\n",
        number.min(5)
    ))
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

/// The mean period: a sound server asks for its 20 ms in one piece and a remainder.
fn period_us(view: &EngineView) -> f64 {
    let frames = view.frames as f64 / view.periods.max(1) as f64;
    frames * 1e6 / f64::from(view.sample_rate.max(1))
}

fn trip_line(trip: &TripEntry) -> String {
    format!("{:.1} s  {} – {}", trip.at_s, trip.projector, trip.reason)
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
