//! The panes of the desk: what can be moved, stacked, hidden and shown again.
//!
//! A new one is a variant here with its words, and an arm in [`Panels::show`](super::panels::Panels::show). Where
//! no layout places it, it waits in the View menu.

/// One pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pane {
    Preview,
    Presets,
    Parameters,
    Text,
    Transport,
    Sound,
    Tempo,
    Projectors,
    SetUp,
    Safety,
    Live,
    Controllers,
    Sync,
    Queue,
    Health,
    Recorder,
    Log,
}

impl Pane {
    /// All of them, in the order of the View menu.
    pub(super) const ALL: &[Self] = &[
        Self::Preview,
        Self::Presets,
        Self::Parameters,
        Self::Text,
        Self::Transport,
        Self::Queue,
        Self::Sound,
        Self::Tempo,
        Self::Projectors,
        Self::SetUp,
        Self::Safety,
        Self::Live,
        Self::Controllers,
        Self::Sync,
        Self::Health,
        Self::Recorder,
        Self::Log,
    ];

    /// Its title, and one line about it.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Preview => ("Preview", "What a projector draws, as the audience sees it"),
            Self::Presets => ("Presets", "The drawings to choose from"),
            Self::Parameters => ("Parameters", "The preset at work: what can be set, and saving"),
            Self::Text => ("Text", "The preset at work as text, and its formula"),
            Self::Transport => ("Transport", "Play, seek, loop, what comes next, volume"),
            Self::Queue => ("Queue", "What follows the track that is heard: add, move, remove"),
            Self::Sound => {
                ("Sound", "The sound heard now: spectrum, loudness, onsets of the last seconds")
            }
            Self::Tempo => ("Tempo", "The beat: its tempo and bar, and hands on it"),
            Self::Projectors => {
                ("Projectors", "How every projector is; finding, adding and removing them")
            }
            Self::Live => ("Live", "Blackout, flash, launches on the beat, and the crossfader"),
            Self::Controllers => {
                ("Controllers", "MIDI, OSC and Art-Net: what arrives, and teaching a control")
            }
            Self::SetUp => ("Set-up", "A projector in its room: corners, zones, mirrors, mounting"),
            Self::Sync => ("Sync", "How well light meets sound, and the shift of the light"),
            Self::Health => ("Health", "Whether the machine keeps up"),
            Self::Recorder => {
                ("Recorder", "Files of the show: recording the light, rendering the track")
            }
            Self::Log => ("Log", "Everything that was told since the desk opened"),
            Self::Safety => ("Safety", "Light or no light: arming, master, what went dark and why"),
        }
    }

    /// Its title: in the layout file too, in small letters.
    pub(super) const fn title(self) -> &'static str {
        self.words().0
    }

    /// The pane of this title, however it is spelt.
    pub(super) fn named(title: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|pane| pane.title().eq_ignore_ascii_case(title))
    }

    /// False for the one that can be moved and never closed.
    pub(super) const fn may_be_hidden(self) -> bool {
        !matches!(self, Self::Safety)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pane_is_found_by_its_own_title() {
        for pane in Pane::ALL {
            assert_eq!(Pane::named(&pane.title().to_lowercase()), Some(*pane));
        }
        assert_eq!(Pane::named("pane of tomorrow"), None);
    }
}
