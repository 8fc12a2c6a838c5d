//! Bytes of music: from disk, memory or the network, read by decoders as if they were there already.
//!
//! A [`Source`] gives bytes at any place and may have to wait for them; a [`SourceFactory`] opens one. A
//! [`SyncReader`] reads ahead of a decoder on a small asynchronous runtime that nothing else uses. [`MediaOpener`]
//! puts it together: a [`Location`] in, [`Media`] with readers out; a [`RangeReader`] reads ranges for who needs no order. See `docs/media.md`.

#[cfg(feature = "http")]
mod cache;
mod error;
mod factory;
pub mod file;
#[cfg(feature = "http")]
mod http;
mod info;
mod interrupt;
mod location;
mod memory;
mod open;
mod playlist;
mod positioned;
mod prefetch;
mod range_reader;
#[cfg(feature = "http")]
mod ranges;
mod reader;
mod runtime;
mod seek_word;
mod source;
#[cfg(feature = "http")]
mod storage;

#[cfg(feature = "http")]
pub use cache::Cache;
pub use error::{StreamError, StreamResult, TransportError};
pub use factory::{OpenError, OpenedSource, SourceFactory, StreamSource};
pub use file::{FileSource, LocalFile, MediaError, open_file};
#[cfg(feature = "http")]
pub use http::{Http, HttpEvent, HttpParams, HttpSource};
pub use info::{Codec, Container, MediaInfo};
pub use interrupt::{Interrupt, Superseded};
pub use location::Location;
pub use memory::{Memory, MemorySource};
pub use open::{Media, MediaOpener, MediaReader};
pub use playlist::{PlaylistError, PlaylistTrack, is_playlist, read_playlist, write_playlist};
pub use prefetch::{
    PrefetchConsumer, PrefetchSource, PrefetchWorker, PrefetchedItem, StreamControl, StreamMsg,
};
pub use range_reader::RangeReader;
pub use reader::{ReadOutcome, SyncReader, SyncReaderParams};
pub use source::{Source, WaitOutcome};
#[cfg(feature = "http")]
pub use storage::{Reader, Writer};
