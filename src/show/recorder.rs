//! What a show says and wishes about files made of it: recordings of what the projectors get, and renderings of the
//! track that is played.
//!
//! Files are written by a [`Studio`], which the show is given: [`crate::record`] has it. The show itself writes none.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::snapshot::Severity;
use crate::format::FileKind;
use crate::frame::FrameReceiver;
use crate::pattern::Preset;
use crate::time::{HostTime, MediaTime};

/// Frames of sent points that may wait for a recorder: a third of a second at the usual period.
pub const RECORDER_DEPTH: usize = 64;

/// One wish about files made of the show.
#[derive(Clone, Debug, PartialEq)]
pub enum RecorderWish {
    /// Writes down what projectors get from now on, each in a file of its own.
    Start {
        /// The one to be recorded, by its name; every one if `None`.
        projector: Option<String>,
        /// ILDA or CSV.
        kind: FileKind,
    },
    /// Ends the recording: its files get their names.
    Stop,
    /// Makes a file of the present track and preset, beside the show.
    Render(FileKind),
    /// Breaks the rendering off; nothing is left of it.
    CancelRender,
    /// Files go to this folder from now on.
    Folder(PathBuf),
}

/// The points of one projector, for a recorder.
#[derive(Debug)]
pub struct Recorded {
    /// The projector's name: its URI.
    pub projector: String,
    /// What it gets, after safety.
    pub sent: FrameReceiver,
}

/// What is to be rendered.
#[derive(Clone, Debug)]
pub struct RenderOrder {
    /// The music: a file on this machine.
    pub music: PathBuf,
    /// What draws it.
    pub preset: Arc<Preset>,
    /// What is made of it.
    pub kind: FileKind,
    /// The place that is heard now: a moving picture of a few seconds begins there.
    pub position: MediaTime,
}

/// Makes files of a show, on threads of its own. Nothing here waits for a disk.
pub trait Studio: Debug + Send {
    /// Records these, unless a recording is under way.
    fn record(&mut self, kind: FileKind, projectors: Vec<Recorded>, now: HostTime);
    /// Ends the recording.
    fn stop(&mut self);
    /// Renders, unless a rendering is under way.
    fn render(&mut self, order: RenderOrder, now: HostTime);
    /// Breaks the rendering off.
    fn cancel_render(&mut self);
    /// Files go there from now on.
    fn set_folder(&mut self, folder: PathBuf);
    /// Ends all of it and waits so long for files to get their names. Returns what did not, in words.
    fn close(&mut self, patience: Duration) -> Vec<String>;
    /// How it is, with what is to be told since the last look.
    fn look(&mut self, now: HostTime, tell: &mut dyn FnMut(Severity, String)) -> RecorderView;
}

/// The files that are made of the show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecorderView {
    /// Where files go; `None` if this show makes none.
    pub folder: Option<Arc<PathBuf>>,
    /// What is being recorded.
    pub recording: Option<RecordingView>,
    /// What is being rendered.
    pub rendering: Option<RenderingView>,
    /// What was made since the show began, newest last; at most 20.
    pub made: Arc<[MadeFile]>,
}

/// A recording under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordingView {
    /// What is written.
    pub kind: FileKind,
    /// Projectors that are recorded, each in a file of its own.
    pub projectors: usize,
    /// Since its beginning, seconds.
    pub elapsed_s: f64,
    /// Written, bytes.
    pub bytes: u64,
    /// ILDA frames written; 0 for CSV.
    pub frames: u64,
    /// Points taken.
    pub points: u64,
    /// Runs of points that did not fit: the disk was too slow.
    pub lost: u64,
    /// True from the wish to end it until its files have their names.
    pub ending: bool,
    /// Whole seconds for which the disk has not answered; 0 while it does.
    pub waits_s: u64,
}

/// A rendering under way.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderingView {
    /// The name of the file to be.
    pub name: String,
    /// What is done of it, 0..=1.
    pub share: f32,
    /// How long it will take, seconds; `None` until that can be said.
    pub left_s: Option<f32>,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Length of what is in it, seconds.
    pub seconds: f64,
    /// Why it ended before somebody wished it; a sentence.
    pub ended_early: Option<String>,
}
