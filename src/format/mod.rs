//! Files of drawings: bytes ↔ values, in both directions. No file is opened here.

pub mod asvp;
pub mod asvr;
pub mod file_kind;
pub mod ilda;
pub mod m3u;
pub mod mask_stream;
pub mod outlines;

pub use file_kind::FileKind;
