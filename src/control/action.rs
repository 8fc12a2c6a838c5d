//! What a control can do, by name: the words of the maps and the addresses of OSC.

use std::fmt;
use std::str::FromStr;

use crate::analysis::BeatWish;

/// Highest number of a preset or parameter that can be mapped.
pub const MOST_NUMBERED: usize = 512;

/// A preset or parameter, by its place in the list (from 1) or by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Its place, from 1.
    Number(usize),
    /// Its name.
    Name(String),
}

/// When a preset that is chosen begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeAt {
    /// At once.
    Now,
    /// On the next beat.
    Beat,
    /// On the next bar.
    Bar,
}

/// What a control can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sound and light run.
    Play,
    /// Sound stops.
    Pause,
    /// The one or the other.
    PlayPause,
    /// The red button.
    Stop,
    /// Clears a stop; only where arming from outside is allowed.
    ResetStop,
    /// Allows light; only where arming from outside is allowed.
    Arm,
    /// Takes light away.
    Disarm,
    /// No light, on and off with each press.
    Blackout,
    /// No light while it is held.
    BlackoutHeld,
    /// The flash while it is held.
    Flash,
    /// A preset.
    Preset(Choice),
    /// The next preset of the list, or the one before.
    PresetStep(i8),
    /// A preset on the other side of the crossfader.
    PresetB(Choice),
    /// When a preset that is chosen begins.
    Change(ChangeAt),
    /// Presets by chance.
    Shuffle,
    /// The next track of the queue.
    NextTrack,
    /// Takes back the last change of the preset.
    Undo,
    /// Makes it again.
    Redo,
    /// A wish of the beat.
    Beat(BeatWish),
    /// The tempo, beats per minute.
    Bpm,
    /// Brightness of all light.
    Master,
    /// Sound volume.
    Volume,
    /// The crossfader.
    Crossfade,
    /// A parameter of the preset at work.
    Param(Choice),
    /// A place in the music, seconds.
    Seek,
}

/// What a hand does with a control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hand {
    /// A key goes down.
    Press,
    /// A key goes up.
    Release,
    /// A fader stands here, 0..=1 of its way.
    To(f32),
    /// An encoder turns by this part of the way.
    By(f32),
    /// Somebody names a value, in the unit of what is set.
    Value(f64),
}

/// A hand on an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// What is done.
    pub action: Action,
    /// By which movement.
    pub hand: Hand,
}

impl Deed {
    /// A hand on an action.
    #[must_use]
    pub const fn new(action: Action, hand: Hand) -> Self {
        Self { action, hand }
    }
}

/// A text that is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is no action: use one of {}, \"preset N\", \"preset NAME\", \"preset-b N\", \"param N\", \
     \"param NAME\" or \"nudge MS\"",
    word_list()
)]
pub struct UnknownAction {
    /// What was written.
    pub text: String,
}

/// The actions of one name, in the order of the guide.
pub const WORDS: &[(&str, Action)] = &[
    ("play/pause", Action::PlayPause),
    ("play", Action::Play),
    ("pause", Action::Pause),
    ("next track", Action::NextTrack),
    ("seek", Action::Seek),
    ("volume", Action::Volume),
    ("stop", Action::Stop),
    ("blackout", Action::Blackout),
    ("blackout held", Action::BlackoutHeld),
    ("flash", Action::Flash),
    ("master", Action::Master),
    ("disarm", Action::Disarm),
    ("arm", Action::Arm),
    ("reset", Action::ResetStop),
    ("next preset", Action::PresetStep(1)),
    ("previous preset", Action::PresetStep(-1)),
    ("crossfade", Action::Crossfade),
    ("change now", Action::Change(ChangeAt::Now)),
    ("change beat", Action::Change(ChangeAt::Beat)),
    ("change bar", Action::Change(ChangeAt::Bar)),
    ("shuffle", Action::Shuffle),
    ("undo", Action::Undo),
    ("redo", Action::Redo),
    ("tap", Action::Beat(BeatWish::Tap)),
    ("resync", Action::Beat(BeatWish::Resync)),
    ("half", Action::Beat(BeatWish::Half)),
    ("double", Action::Beat(BeatWish::Double)),
    ("lock", Action::Beat(BeatWish::Lock)),
    ("follow", Action::Beat(BeatWish::Follow)),
    ("bpm", Action::Bpm),
];

fn word_list() -> String {
    WORDS.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

impl Choice {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(number) => (1..=MOST_NUMBERED).contains(&number).then_some(Self::Number(number)),
            Err(_) => (!text.is_empty()).then(|| Self::Name(text.to_owned())),
        }
    }

    /// The choice so many places further on; names do not count on.
    #[must_use]
    pub fn plus(&self, steps: usize) -> Option<Self> {
        match self {
            Self::Number(number) => Some(Self::Number(number.checked_add(steps)?)),
            Self::Name(_) => (steps == 0).then(|| self.clone()),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Action {
    /// The action so many places further on, for a row of controls; only what is numbered counts on.
    #[must_use]
    pub fn plus(&self, steps: usize) -> Option<Self> {
        match self {
            Self::Preset(choice) => choice.plus(steps).map(Self::Preset),
            Self::PresetB(choice) => choice.plus(steps).map(Self::PresetB),
            Self::Param(choice) => choice.plus(steps).map(Self::Param),
            _ => (steps == 0).then(|| self.clone()),
        }
    }

    /// True for what a fader or knob sets, false for what a key does.
    #[must_use]
    pub const fn is_level(&self) -> bool {
        matches!(
            self,
            Self::Master | Self::Volume | Self::Crossfade | Self::Param(_) | Self::Seek | Self::Bpm
        )
    }

    /// True for what lasts as long as a key is held.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self, Self::Flash | Self::BlackoutHeld)
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        let text = text.trim();
        if let Some((_, action)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(action.clone());
        }
        let chosen = |word| Choice::parse(text.strip_prefix(word)?.strip_prefix(' ')?);
        let nudge = || {
            let ms: f64 = text.strip_prefix("nudge ")?.trim().parse().ok()?;
            (ms.abs() <= 1000.0).then_some(Self::Beat(BeatWish::NudgeMs(ms)))
        };
        (chosen("preset").map(Self::Preset))
            .or_else(|| chosen("preset-b").map(Self::PresetB))
            .or_else(|| chosen("param").map(Self::Param))
            .or_else(nudge)
            .ok_or_else(|| UnknownAction { text: text.to_owned() })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset(choice) => write!(f, "preset {choice}"),
            Self::PresetB(choice) => write!(f, "preset-b {choice}"),
            Self::Param(choice) => write!(f, "param {choice}"),
            Self::Beat(BeatWish::NudgeMs(ms)) => write!(f, "nudge {ms}"),
            _ => {
                let word = WORDS.iter().find(|(_, action)| action == self);
                f.write_str(word.map_or("?", |(word, _)| word))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_written_as_it_is_read() {
        let more = [
            "preset 3",
            "preset Ember Ring",
            "preset-b 12",
            "param radius",
            "param 8",
            "nudge -7.5",
        ];
        for text in WORDS.iter().map(|(word, _)| *word).chain(more) {
            let action: Action = text.parse().unwrap();
            assert_eq!(action.to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_list_of_what_there_is() {
        for text in [
            "",
            "Blackout",
            "preset",
            "preset ",
            "preset 0",
            "preset 513",
            "param",
            "nudge x",
            "nudge nan",
            "nudge 2000",
        ] {
            let error = text.parse::<Action>().unwrap_err().to_string();
            assert!(error.contains("\"blackout held\""), "{error}");
        }
    }

    #[test]
    fn only_what_is_numbered_counts_on() {
        let action: Action = "preset 3".parse().unwrap();
        assert_eq!(action.plus(4).unwrap().to_string(), "preset 7");
        assert_eq!("flash".parse::<Action>().unwrap().plus(1), None);
        assert_eq!("preset Ember Ring".parse::<Action>().unwrap().plus(1), None);
    }
}
