//! Placeholder
use crate::media::MediaError;
use std::path::Path;
/// Why
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// media
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The decoder thread cannot be started.
    #[error("The decoder thread cannot be started ({0}): close other programs and try again.")]
    Thread(std::io::Error),
}
/// What is known of a track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackInfo {
    /// Frames per second of the file.
    pub sample_rate: u32,
    /// Channels in the file.
    pub channels: u16,
    /// Length in frames at `sample_rate`, if known.
    pub frames: Option<u64>,
    /// Title
    pub title: Option<String>,
    /// Artist
    pub artist: Option<String>,
    /// codec
    pub codec: String,
}
/// Decoder
#[derive(Debug)]
pub struct Decoder {
    info: TrackInfo,
}
impl Decoder {
    /// Opens
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        crate::media::open_file(path)?;
        Ok(Self { info: TrackInfo::default() })
    }
    /// Info
    pub fn info(&self) -> &TrackInfo {
        &self.info
    }
    /// Next
    #[allow(clippy::should_implement_trait, reason = "lends")]
    pub fn next(&mut self) -> Result<Option<&[f32]>, DecodeError> {
        Ok(None)
    }
    /// Seek
    pub fn seek(&mut self, _frame: u64) -> Result<(), DecodeError> {
        Ok(())
    }
    /// Position
    pub fn position(&self) -> u64 {
        0
    }
    /// Damaged
    pub fn damaged_packets(&self) -> u64 {
        0
    }
}
