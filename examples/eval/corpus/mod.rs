//! Pieces of which every beat and onset is known, made from numbers. Two generators that share no voice and
//! no rhythm: what was tuned on one is judged on the other.

pub(crate) mod band;
pub(crate) mod ensemble;
pub(crate) mod not_music;
pub(crate) mod sound;

/// What a piece is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Dance music on a fixed grid.
    Grid,
    /// The first generator: songs.
    Main,
    /// The second generator.
    HeldOut,
    /// No beat in it.
    NotMusic,
}

impl Group {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Main => "main",
            Self::HeldOut => "held-out",
            Self::NotMusic => "not music",
        }
    }
}

/// Sound with its truth. Times in seconds.
#[derive(Debug)]
pub(crate) struct Piece {
    /// What is special about it.
    pub(crate) name: &'static str,
    /// Its group.
    pub(crate) group: Group,
    /// Interleaved stereo at [`sound::RATE`].
    pub(crate) stereo: Vec<f32>,
    /// Every beat.
    pub(crate) beats: Vec<f64>,
    /// The first beat of every bar.
    pub(crate) downbeats: Vec<f64>,
    /// Every attack, those closer than 25 ms to another counted once.
    pub(crate) onsets: Vec<f64>,
    /// Where the drop is, if there is one.
    pub(crate) drop: Option<f64>,
    /// Where the tempo steps, if it does.
    pub(crate) step: Option<f64>,
}

/// All pieces, in the order of the table.
pub(crate) fn all() -> Vec<Piece> {
    let mut pieces = band::pieces();
    pieces.extend(ensemble::pieces());
    pieces.extend(not_music::pieces());
    pieces
}
