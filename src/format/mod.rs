//! Files of drawings, and what kind of sound a file is: bytes ↔ values. No file is opened here.

pub mod asvp;
pub mod asvr;
pub mod file_kind;
pub mod ilda;
pub mod m3u;
pub mod mask_stream;
pub mod mpeg_frames;
pub mod outlines;
pub mod sound_file;

pub use file_kind::FileKind;
pub use sound_file::SoundFile;
