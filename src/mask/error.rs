//! What went wrong, as a code for programs and a sentence for people.

use std::fmt;

use super::strips::TooDetailed;
use crate::format::asvp::FormatError;
use crate::media::MediaError;

/// What a caller can do about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorCode {
    /// Nothing went wrong since the handle was made or cleared.
    #[default]
    None,
    /// Nothing is loaded, it is stopped, or the stream has no such frame.
    NotReady,
    /// The frame was not there in time. Ask again.
    Timeout,
    /// The bytes are wrong, or the key is.
    Decode,
    /// The bytes cannot be had.
    Transport,
}

/// The part of the work in which it went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Category {
    /// Reading bytes.
    #[default]
    Io,
    /// Header, key and table.
    Format,
    /// A frame's bytes.
    Decode,
    /// Masks and triangles.
    Rasterise,
    /// Asking for frames.
    Scheduling,
    /// Threads and memory.
    Resource,
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io => "I/O",
            Self::Format => "format",
            Self::Decode => "decode",
            Self::Rasterise => "rasterise",
            Self::Scheduling => "scheduling",
            Self::Resource => "resource",
        })
    }
}

/// An error of a handle: what to do, where, and a sentence that begins with where.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MaskError {
    /// What a caller can do.
    pub code: ErrorCode,
    /// Where it went wrong.
    pub category: Category,
    /// The category and what happened.
    pub message: String,
}

impl MaskError {
    pub(super) fn new(code: ErrorCode, category: Category, what: impl fmt::Display) -> Self {
        Self { code, category, message: format!("{category}: {what}") }
    }

    pub(super) fn not_ready(what: impl fmt::Display) -> Self {
        Self::new(ErrorCode::NotReady, Category::Scheduling, what)
    }

    pub(super) fn of_frame(frame: u64, error: &FrameError) -> Self {
        let (code, category) = match error {
            FrameError::Transport(_) => (ErrorCode::Transport, Category::Io),
            FrameError::Format(error) if error.is_short() => (ErrorCode::Transport, Category::Io),
            FrameError::Format(_) => (ErrorCode::Decode, Category::Decode),
            FrameError::Triangles(_) => (ErrorCode::Decode, Category::Rasterise),
        };
        Self::new(code, category, format_args!("frame {frame}: {error}"))
    }

    pub(super) fn of_load(error: &FrameError) -> Self {
        let transport = error.is_transport();
        let (code, category) = if transport {
            (ErrorCode::Transport, Category::Io)
        } else {
            (ErrorCode::Decode, Category::Format)
        };
        Self::new(code, category, error)
    }
}

impl From<MediaError> for MaskError {
    fn from(error: MediaError) -> Self {
        Self::new(ErrorCode::Transport, Category::Io, error)
    }
}

/// Why a frame, or the table of frames, cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes cannot be read.
    #[error("{0}")]
    Transport(String),
    /// The bytes are wrong.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// There are too many triangles.
    #[error(transparent)]
    Triangles(#[from] TooDetailed),
}

impl FrameError {
    /// True if the bytes are not there, false if they are wrong.
    #[must_use]
    pub const fn is_transport(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Format(error) => error.is_short(),
            Self::Triangles(_) => false,
        }
    }
}
