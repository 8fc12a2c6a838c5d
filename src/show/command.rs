//! Everything a surface may wish for. A surface touches no device: it sends these.

use std::path::PathBuf;

use super::deck::Transition;
use super::edit::PresetEdit;
use super::installation::Installation;
use super::queue::QueueEdit;
use super::recorder::RecorderWish;
use crate::analysis::BeatWish;
use crate::control::ControllersWish;
use crate::path::Mounting;
use crate::time::MediaTime;

/// One wish of an operator.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Sound and light run.
    Play,
    /// Sound stops, media time stands still, the light goes to its idle picture.
    Pause,
    /// Jumps to a place in the music; light of the old place never appears after it.
    Seek(MediaTime),
    /// Opens another file or address and plays it, or all that a playlist file names; what was queued is forgotten.
    Open(PathBuf),
    /// Plays another file or address after the last one, without a gap, or all that a playlist file names.
    Queue(PathBuf),
    /// Changes the queue.
    QueueEdit(QueueEdit),
    /// Goes to the start of the next track of the queue.
    NextTrack,
    /// Plays a part of the track round and round, from its first time to its second; `None` plays on.
    SetLoop(Option<(MediaTime, MediaTime)>),
    /// Sound volume, 0..=1. Does not touch the analysis.
    SetVolume(f32),
    /// Takes the preset of this name.
    SelectPreset(String),
    /// How presets follow each other from now on.
    SetTransition(Transition),
    /// Another preset, by chance, whenever the music begins a new section.
    SetShuffle(bool),
    /// Lays the preset of this name on the other side of the crossfader, or none.
    SetPresetB(Option<String>),
    /// From the preset at work (0) to the one on the other side (1): in between, the one grows into the other.
    SetCrossfade(f32),
    /// Sets one parameter of the present preset, in its own unit; clamped to its range.
    SetParam {
        /// The parameter's name.
        name: String,
        /// The value, in the parameter's unit.
        value: f32,
    },
    /// Changes the present preset.
    EditPreset(PresetEdit),
    /// Shows the other of the two sides that are compared; at first that is the preset as it is stored.
    Compare,
    /// Makes the other side the same as the one that is shown.
    CopyToOtherSide,
    /// Goes back to the preset as it is stored.
    RevertPreset,
    /// Makes a preset with the defaults of a generator, stores it in the user's folder and takes it.
    NewPreset {
        /// Its name; no other preset has it.
        name: String,
        /// The generator's id.
        generator: String,
    },
    /// Stores a copy of a preset in the user's folder; if it is the one at work, the copy is at work from now on.
    DuplicatePreset {
        /// The preset to copy, with its unsaved changes.
        of: String,
        /// The copy's name; no other preset has it.
        name: String,
    },
    /// Gives a preset of the user another name.
    RenamePreset {
        /// Its name.
        from: String,
        /// Its new name; no other preset has it.
        to: String,
    },
    /// Deletes the file of a preset of the user. Undo brings it back.
    DeletePreset(String),
    /// Takes back the last change of the preset, or what was last done with files of presets.
    Undo,
    /// Makes the change again that was taken back.
    Redo,
    /// Writes the present preset to the user's folder under its own name. A bundled preset is never
    /// overwritten: the user's copy of the same name shadows it.
    SavePreset,
    /// Writes the present preset to the user's folder under a new name.
    SavePresetAs(String),
    /// Allows light on every projector. An explicit act, never remembered.
    Arm,
    /// Dark, on every projector.
    Disarm,
    /// The red button: disarms, stops the devices at once, and latches until the operator resets.
    Stop,
    /// Clears a latched stop. Leaves everything disarmed.
    ResetStop,
    /// Brightness of all light, 0..=1.
    SetMaster(f32),
    /// No light while it is on, from at once; armed stays armed. For an emergency there is [`Stop`](Self::Stop).
    SetBlackout(bool),
    /// The flash, while it is held: all that is drawn in full white, at the master's brightness and within every
    /// limit of the gate. At most three a second, and none longer than four seconds.
    SetFlash(bool),
    /// Moves the light against the sound, in ms: positive is later.
    SetOffsetMs(f64),
    /// Takes the beat in hand: tap, nudge, half, double, resync, lock, a tempo, or follow again.
    Beat(BeatWish),
    /// Concerns the controllers: look for them, listen, learn.
    Controllers(ControllersWish),
    /// How a projector hangs: acts at once, and is remembered.
    SetMounting {
        /// The projector's name: its URI.
        projector: String,
        /// How it hangs.
        mounting: Mounting,
    },
    /// How a projector is set up in its room: where its picture lies, its zones, its mirrors. Acts at once, and is
    /// remembered.
    Install {
        /// The projector's name: its URI.
        projector: String,
        /// Its set-up.
        installation: Installation,
    },
    /// A projector's own switch. Off is dark on it at once; on allows it light with the others, and gives it light at
    /// once if another one has it. Never remembered.
    SetAllowed {
        /// The projector's name: its URI.
        projector: String,
        /// Whether it may be armed.
        allowed: bool,
    },
    /// Shows one of the six test pictures on one projector instead of the show; `None` gives it back.
    SetTestPicture {
        /// The projector's name: its URI.
        projector: String,
        /// The picture, as the generator `test_pattern` numbers them.
        picture: Option<u8>,
    },
    /// Concerns the files made of the show: recordings and renderings.
    Recorder(RecorderWish),
    /// Listens to the whole of the present file, or breaks that off: what is heard as it plays is enough to go on.
    ListenToTrack(bool),
    /// Looks around for projectors, anew. What is found appears one by one.
    FindProjectors,
    /// Looks no longer; what was found stays.
    StopFinding,
    /// Adds a projector to the show, dark. While the show is armed it comes in switched off: see
    /// [`SetAllowed`](Self::SetAllowed).
    AddProjector {
        /// How it is named: a URI, as `galvo devices` says.
        uri: String,
    },
    /// Removes a projector from the show: dark at once, then its device is closed.
    RemoveProjector {
        /// The projector's name: its URI.
        projector: String,
    },
    /// Ends the show: dark, devices closed.
    Quit,
}
