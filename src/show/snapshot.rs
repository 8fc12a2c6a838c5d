//! A picture of the whole show at one moment: all that a surface may see.

use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::{BeatSource, Features, Track};
use crate::audio::CoverArt;
use crate::control::ControllersView;
use crate::frame::TapPoint;
use crate::path::Mounting;
use crate::pattern::{Owner, Preset};
use crate::point::LaserPoint;
use crate::safety::TripReason;
use crate::time::{HostTime, MediaTime};

use super::command::Command;
use super::deck::{Change, Transition};
use super::disk::DiskWait;
use super::editor::Side;
use super::installation::Installation;
use super::machine::MachineView;
use super::queue::QueueView;
use super::recorder::RecorderView;

/// The state of the show, made about 60 times a second by the show thread.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The sound at the moment that is heard now.
    pub features: Features,
    /// When that moment is heard exactly.
    pub heard_at: HostTime,
    /// Where the beat in them comes from.
    pub beat_source: BeatSource,
    /// The whole of the file that is played, once it is known: beats, bars and parts with their times.
    pub track: Option<Arc<Track>>,
    /// Whether the whole of the file that is played is listened to, beside its playing.
    pub listening: Listening,
    /// What is played, and where.
    pub transport: Transport,
    /// What follows it.
    pub queue: Arc<QueueView>,
    /// The presets to choose from.
    pub presets: Arc<[PresetEntry]>,
    /// The preset at work.
    pub preset: Arc<PresetView>,
    /// What the music makes of its values now: of `params`, then of each of the `groups`, one after the other.
    pub moved_values: Vec<f32>,
    /// How far the change to it is.
    pub change: Change,
    /// The preset that is on the mirrors while a change is cued.
    pub leaving: String,
    /// What was done with files of presets and can be taken back by Undo next, in a few words; empty if nothing.
    pub undo_act: String,
    /// How presets follow each other.
    pub transition: Transition,
    /// What an operator holds beside the preset.
    pub live: LiveView,
    /// True while presets are shuffled by section.
    pub shuffle: bool,
    /// The hands from outside: MIDI, OSC, Art-Net.
    pub controllers: Arc<ControllersView>,
    /// Every projector of the show, in the order in which they came.
    pub projectors: Vec<ProjectorView>,
    /// Projectors that are looked for, found and added.
    pub rig: RigView,
    /// Whether light is allowed, and why not.
    pub safety: SafetyView,
    /// How well light meets sound.
    pub sync: SyncView,
    /// The sound device and its callback.
    pub audio: AudioView,
    /// The files that are made of the show.
    pub recorder: RecorderView,
    /// Files that are waited for longer than is usual; everything else goes on.
    pub disk_waits: Vec<DiskWait>,
    /// What the program costs the machine.
    pub machine: MachineView,
    /// What an operator should read, newest last; at most 50.
    pub notices: Vec<Notice>,
    /// Notices made since the start, so that a surface knows which of them are new.
    pub notices_made: u64,
    /// True once the show is over: the end of the music or of the time asked for was reached.
    pub finished: bool,
}

/// Whether the whole of the file that is played is listened to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Listening {
    /// It is known, or there is no file that could be.
    #[default]
    No,
    /// It can be asked for: it was broken off.
    Offered,
    /// It is listened to.
    AtWork {
        /// Heard so far, seconds.
        heard_s: f64,
        /// Length of the file, where that is known, seconds.
        length_s: Option<f64>,
    },
}

impl Listening {
    /// What is done of it, 0..=1, where that is known.
    #[must_use]
    pub fn share(self) -> Option<f32> {
        match self {
            Self::AtWork { heard_s, length_s: Some(length_s) } if length_s > 0.0 => {
                Some((heard_s / length_s).clamp(0.0, 1.0) as f32)
            }
            _ => None,
        }
    }
}

/// What is played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transport {
    /// Title from the tags, or the file name; empty with nothing open.
    pub title: String,
    /// Album from the tags.
    pub album: Option<String>,
    /// The picture that came with the music.
    pub cover: Option<Arc<CoverArt>>,
    /// The file or address, if there is one.
    pub path: Option<PathBuf>,
    /// What is being opened just now.
    pub opening: Option<String>,
    /// Tracks that follow this one, without those that cannot be opened.
    pub queued: usize,
    /// The names of the first of them, at most twenty.
    pub next: Vec<String>,
    /// The part that is played round and round.
    pub loop_region: Option<(MediaTime, MediaTime)>,
    /// True for live input: no seek, no end.
    pub live: bool,
    /// Length, where known.
    pub duration: Option<MediaTime>,
    /// Place in the track heard now.
    pub position: MediaTime,
    /// True while media time runs.
    pub playing: bool,
    /// True once the end was reached.
    pub ended: bool,
    /// Sound volume, 0..=1.
    pub volume: f32,
}

/// What an operator holds beside the preset at work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveView {
    /// True while there is no light by the operator's wish, armed or not.
    pub blackout: bool,
    /// True while the flash is on.
    pub flash: bool,
    /// The preset on the other side of the crossfader.
    pub preset_b: Option<String>,
    /// From the preset at work (0) to the one on the other side (1).
    pub crossfade: f32,
}

/// A preset that can be chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PresetEntry {
    /// Its name: the key.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// True for one that came with galvo, false for the user's own.
    pub bundled: bool,
    /// The preset as it was last taken: with the changes that are not saved yet. None where its file was never right.
    pub preset: Option<Arc<Preset>>,
    /// True if it has changes that are not saved.
    pub changed: bool,
    /// True while its file is being written.
    pub saving: bool,
    /// What is wrong with its file, if something is; the last good one stays in use.
    pub broken: Option<String>,
}

/// The preset at work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PresetView {
    /// Its name.
    pub name: String,
    /// Its generator, as in the catalog.
    pub generator: String,
    /// The parameters of its first drawing, in display order.
    pub params: Vec<ParamView>,
    /// Its other values: colours and effects of the first drawing, the layers with theirs, the look.
    pub groups: Vec<GroupView>,
    /// The whole of it, as edited.
    pub preset: Option<Arc<Preset>>,
    /// The same as TOML, in the words of the text it was read from.
    pub text: Arc<str>,
    /// The name it is stored under.
    pub stored_name: String,
    /// The side that is shown, of the two that are compared.
    pub side: Side,
    /// True if the other side is different.
    pub sides_differ: bool,
    /// True if it differs from what is stored.
    pub changed: bool,
    /// True while it is being saved: until that is done it is changed.
    pub saving: bool,
    /// True if there is a change to take back.
    pub can_undo: bool,
    /// True if there is a change to make again.
    pub can_redo: bool,
    /// What of it is drawn coarser on as many projectors as there are, in words: see [`crate::pattern::cost`].
    pub coarser: Option<String>,
}

/// The values of one part of a preset.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// Which part.
    pub owner: Owner,
    /// The values, in display order.
    pub params: Vec<ParamView>,
}

/// One parameter as a control shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParamView {
    /// Its name: the key.
    pub name: String,
    /// Its unit, empty for plain numbers.
    pub unit: String,
    /// One line about it.
    pub help: String,
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// The generator's default.
    pub default: f32,
    /// The value set.
    pub value: f32,
    /// What moves it, as text ("bass +0.30"), empty if nothing.
    pub moved_by: String,
    /// The lowest and the highest value that the music can move it to; `None` if nothing moves it.
    pub reach: Option<[f32; 2]>,
    /// True if rows may move it.
    pub is_movable: bool,
    /// True if it can be set; false for a value that is only moved.
    pub is_set: bool,
}

/// How a projector is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProjectorState {
    /// Not reached yet, or searching again.
    #[default]
    Connecting,
    /// Connected, taking points.
    Ready,
    /// Connected; it warms up or cools down and takes no points meanwhile.
    NotReady,
    /// Lost; reconnecting. It returns dark and disarmed.
    Lost,
    /// In emergency stop.
    EmergencyStop,
    /// Removed from the show: dark, and about to let go.
    Closing,
}

/// One projector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProjectorView {
    /// Its number: it stays the same while others come and go, and no other one of this show ever gets it.
    pub number: u32,
    /// The name the user gave: the URI.
    pub name: String,
    /// Its state.
    pub state: ProjectorState,
    /// True if light is allowed on it.
    pub armed: bool,
    /// Its own switch: false if the operator took it out of the show.
    pub allowed: bool,
    /// How it hangs.
    pub mounting: Mounting,
    /// How it is set up in its room.
    pub installation: Arc<Installation>,
    /// The test picture it shows instead of the show.
    pub test_picture: Option<u8>,
    /// Rate, points per second.
    pub pps: u32,
    /// Time of points ahead of the mirrors, ms.
    pub buffered_ms: f32,
    /// What the stream aims at, ms.
    pub target_ms: f32,
    /// Times the producer was late and the underrun policy stepped in.
    pub underruns: u64,
    /// Times the device ran empty.
    pub device_underflows: u64,
    /// Times the connection was made again.
    pub reconnects: u64,
    /// Median of light minus sound, ms; `None` until measured.
    pub offset_ms: Option<f32>,
    /// What the device says of its own health: battery, temperature.
    pub condition: Option<String>,
    /// The last fault, with its cure.
    pub fault: Option<String>,
}

/// Projectors that are looked for, found and added while the show runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RigView {
    /// How far a look around is, 0..=1; `None` while nobody looks.
    pub finding: Option<f32>,
    /// True once somebody has looked: then nothing in `found` means that nothing is there.
    pub looked: bool,
    /// What the last look has found so far.
    pub found: Arc<[FoundView]>,
    /// The names of those that are being opened, to be added.
    pub opening: Vec<String>,
    /// The last projector that could not be added, until another one is tried.
    pub refused: Option<RefusedView>,
}

/// A projector that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundView {
    /// How to name it; `None` if it cannot be driven.
    pub uri: Option<String>,
    /// What people call it, with its serial number where it has told one.
    pub label: String,
    /// What is wrong with it, with the cure.
    pub trouble: Option<String>,
    /// True if it is in the show already.
    pub in_show: bool,
}

/// Why a projector was not added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedView {
    /// How it was named.
    pub uri: String,
    /// One sentence with the cure.
    pub why: String,
}

/// Whether light is allowed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SafetyView {
    /// True while armed.
    pub armed: bool,
    /// True while a stop is latched.
    pub stopped: bool,
    /// Brightness of all light, 0..=1.
    pub master: f32,
    /// Trips, newest last: what went dark and why; at most 50.
    pub trips: Vec<String>,
    /// Why light was taken away last, if it ever was.
    pub last_trip: Option<TripReason>,
}

/// How well light meets sound, over the last seconds, first projector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SyncView {
    /// Median of light minus sound, ms; `None` until measured.
    pub offset_p50_ms: Option<f32>,
    /// 95th percentile of the distance from the median, ms.
    pub jitter_p95_ms: Option<f32>,
    /// The user's offset, ms, positive = light later.
    pub user_offset_ms: f64,
    /// Time from the callback until its sound is heard, ms.
    pub sound_latency_ms: f32,
}

/// The sound device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioView {
    /// Its name; "software clock" where there is none.
    pub device: String,
    /// True when the software clock stands in for a sound card.
    pub software_clock: bool,
    /// Interruptions of the sound.
    pub xruns: u64,
    /// Length of a period, µs.
    pub period_us: f32,
    /// 99th percentile of the callback's time, µs.
    pub callback_p99_us: f32,
    /// Periods in which the decoder was late: silence was played.
    pub decoder_underruns: u64,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something does not work as wished; the show goes on.
    Warning,
    /// Something failed.
    Error,
}

/// One thing an operator should read.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// One sentence: what, why, what to do.
    pub text: String,
}

/// What a surface holds: a picture of the state, and a list of wishes. The show has one, tests have a fake.
pub trait Desk {
    /// The latest picture.
    fn snapshot(&mut self) -> Arc<Snapshot>;
    /// Sends a wish. Never waits.
    fn send(&mut self, command: Command);
    /// Chooses whose points are looked at, by the projector's [number](ProjectorView::number), and where on their way:
    /// as they are made ([`TapPoint::Path`], lit even while the projector is dark) or as they are sent
    /// ([`TapPoint::Sent`], after the gate). None are before the first call.
    fn watch(&mut self, projector: u32, tap_point: TapPoint);
    /// Appends the points that came by since the last call, oldest first, as the audience would see them: what the
    /// mounting does to sent ones is undone; at most the last quarter second of them.
    fn watched_points(&mut self, out: &mut Vec<LaserPoint>);
}
