//! Media as a decoder wants it: opened once, and read by as many readers as it needs.

use std::fmt;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::PathBuf;

use bytes::Bytes;

use super::file::{MediaError, open_file};
use super::info::MediaInfo;
use super::interrupt::Interrupt;
use super::location::Location;
use super::range_reader::{self, RangeReader};

#[cfg(feature = "http")]
use {
    super::cache::Cache,
    super::error::StreamError,
    super::factory::StreamSource,
    super::http::{Http, HttpEvent, HttpParams, HttpSource},
    super::reader::{SyncReader, SyncReaderParams},
    super::source::Source,
    std::sync::{Arc, Mutex, PoisonError},
    tokio::runtime::{Handle, Runtime},
    tokio::sync::{Notify, broadcast},
};

/// Bytes that are read from a local file at once.
const FILE_BUFFER_BYTES: usize = 128 << 10;

/// What a decoder reads from.
pub trait MediaReader: Read + Seek + Send + Sync {
    /// Length in bytes, where known.
    fn byte_len(&self) -> Option<u64>;
}

/// Opens media, and owns what that takes: a cache, and the runtime of the network once it is needed.
#[derive(Debug, Default)]
pub struct MediaOpener {
    #[cfg(feature = "http")]
    cache: Option<Cache>,
    #[cfg(feature = "http")]
    runtime: Mutex<Option<Arc<Network>>>,
}

impl MediaOpener {
    /// An opener that keeps no downloads.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An opener that keeps downloads in `cache`.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn with_cache(cache: Option<Cache>) -> Self {
        Self { cache, runtime: Mutex::default() }
    }

    /// An opener that keeps downloads in the user's own cache.
    #[must_use]
    pub fn of_the_user() -> Self {
        #[cfg(feature = "http")]
        return Self::with_cache(Cache::of_the_user());
        #[cfg(not(feature = "http"))]
        Self::new()
    }

    /// Opens what lies at `location`. Over the network this waits for the server: not for a thread that must go on.
    pub fn open(&self, location: &Location) -> Result<Media, MediaError> {
        let interrupt = Interrupt::default();
        let named = location.extension().and_then(|ext| MediaInfo::from_extension(&ext));
        let (kind, info) = match location {
            Location::File(path) => {
                open_file(path)?;
                (Kind::File(path.clone()), named)
            }
            Location::Memory { bytes, .. } => (Kind::Memory(bytes.clone()), named),
            #[cfg(feature = "http")]
            Location::Url(url) => {
                let remote = self.open_remote(url)?;
                let info = remote.source.media_info().or(named);
                (Kind::Remote(remote), info)
            }
            #[cfg(not(feature = "http"))]
            Location::Url(url) => return Err(MediaError::NoHttp(url.clone())),
        };
        Ok(Media { location: location.clone(), kind, info, interrupt })
    }

    #[cfg(feature = "http")]
    fn open_remote(&self, url: &str) -> Result<Remote, MediaError> {
        let network = {
            let mut kept = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(network) = &*kept {
                Arc::clone(network)
            } else {
                let runtime = super::runtime::start(2).map_err(MediaError::Threads)?;
                Arc::clone(kept.insert(Arc::new(Network(Some(runtime)))))
            }
        };
        let params = HttpParams { cache: self.cache.clone(), ..HttpParams::default() };
        let opening = StreamSource::<Http>::open(Location::Url(url.to_owned()), params);
        let opened = network.handle().block_on(opening).map_err(|error| match error {
            StreamError::Source(error) => MediaError::Transport(error),
            // Opening seeks nowhere and has no channel.
            other => MediaError::Threads(std::io::Error::other(other)),
        })?;
        let events = opened.events();
        let source = opened.into_inner();
        Ok(Remote { source, events: Mutex::new(events), network })
    }
}

/// The runtime of the network, ended without waiting: it may be let go of anywhere.
#[cfg(feature = "http")]
#[derive(Debug)]
pub(super) struct Network(Option<Runtime>);

#[cfg(feature = "http")]
impl Network {
    pub(super) fn handle(&self) -> &Handle {
        self.0.as_ref().expect("a runtime is taken out only when it is dropped").handle()
    }
}

#[cfg(feature = "http")]
impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Open media.
pub struct Media {
    location: Location,
    kind: Kind,
    info: Option<MediaInfo>,
    interrupt: Interrupt,
}

enum Kind {
    File(PathBuf),
    Memory(Bytes),
    #[cfg(feature = "http")]
    Remote(Remote),
}

#[cfg(feature = "http")]
struct Remote {
    source: Arc<HttpSource>,
    events: Mutex<broadcast::Receiver<HttpEvent>>,
    network: Arc<Network>,
}

impl Media {
    /// Opens a local file, or an address without keeping it.
    pub fn open(location: &Location) -> Result<Self, MediaError> {
        MediaOpener::new().open(location)
    }

    /// Where it lies.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What is known of the format without looking into it.
    #[must_use]
    pub fn info(&self) -> Option<MediaInfo> {
        self.info
    }

    /// Ends reads that wait for the network, of all readers of this medium.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// A reader at the first byte.
    pub fn reader(&self) -> Result<Box<dyn MediaReader>, MediaError> {
        match &self.kind {
            Kind::File(path) => {
                let (file, len) = open_file(path)?;
                let file = BufReader::with_capacity(FILE_BUFFER_BYTES, file);
                Ok(Box::new(WithLength(file, len)))
            }
            Kind::Memory(bytes) => {
                let len = bytes.len() as u64;
                Ok(Box::new(WithLength(Cursor::new(bytes.clone()), len)))
            }
            #[cfg(feature = "http")]
            Kind::Remote(remote) => {
                let params = SyncReaderParams {
                    interrupt: self.interrupt.clone(),
                    runtime: Some(remote.network.handle().clone()),
                    ..SyncReaderParams::default()
                };
                let reader = SyncReader::new(Arc::clone(&remote.source), params);
                Ok(Box::new(reader.map_err(MediaError::Threads)?))
            }
        }
    }

    /// A reader of any range, for several threads at once.
    pub fn range_reader(&self) -> Result<RangeReader, MediaError> {
        Ok(RangeReader::new(match &self.kind {
            Kind::File(path) => {
                let (file, len) = open_file(path)?;
                range_reader::Kind::File { path: path.clone(), file, len }
            }
            Kind::Memory(bytes) => range_reader::Kind::Memory(bytes.clone()),
            #[cfg(feature = "http")]
            Kind::Remote(remote) => range_reader::Kind::Remote {
                source: Arc::clone(&remote.source),
                network: Arc::clone(&remote.network),
                given_up: Notify::new(),
            },
        }))
    }

    /// What the network tells since the last call, one sentence each: what is tried again.
    #[must_use]
    pub fn take_notices(&self) -> Vec<String> {
        match &self.kind {
            Kind::File(_) | Kind::Memory(_) => Vec::new(),
            #[cfg(feature = "http")]
            Kind::Remote(remote) => {
                let mut events = remote.events.lock().unwrap_or_else(PoisonError::into_inner);
                let mut notices = Vec::new();
                loop {
                    match events.try_recv() {
                        Ok(HttpEvent::NoRanges) => notices.push(format!(
                            "{} comes from a server without ranges: a place ahead of what is loaded has to be \
                             waited for.",
                            self.location
                        )),
                        Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                        Err(_) => return notices,
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("location", &self.location).finish_non_exhaustive()
    }
}

/// A reader that knows its length.
struct WithLength<R>(R, u64);

impl<R: Read> Read for WithLength<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R: Seek> Seek for WithLength<R> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

impl<R: Read + Seek + Send + Sync> MediaReader for WithLength<R> {
    fn byte_len(&self) -> Option<u64> {
        Some(self.1)
    }
}

#[cfg(feature = "http")]
impl MediaReader for SyncReader<HttpSource> {
    fn byte_len(&self) -> Option<u64> {
        self.len()
    }
}
