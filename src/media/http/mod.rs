//! Files on web servers: fetched in ranges of 1 MiB, four at once, from where they are read; kept whole on the disk.
//!
//! A file plays as soon as its first bytes are there, a seek fetches its target first, and the rest follows, so that
//! a network that fails later is not noticed. A server without ranges is read from the start on. What fails is tried
//! again three times, after 250, 500 and 1000 ms; ten seconds of silence are a failure. No limit is put on how long a
//! slow server takes as long as it sends.

mod answer;
mod client;
mod download;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::broadcast;

use self::answer::{Answer, judge};
use self::client::Client;
use self::download::{Download, MAX_BYTES, RANGE_BYTES, RANGES_AT_ONCE};
use super::cache::{Cache, Label, Part};
use super::error::{StreamError, StreamResult, TransportError};
use super::factory::{OpenError, OpenedSource, SourceFactory};
use super::info::MediaInfo;
use super::location::Location;
use super::source::{Source, WaitOutcome};
use super::storage::{Reader, Storage, UnderWay};

/// A kept file is asked after for so long; a server that does not answer by then does not hold it back.
const ASK_AFTER: Duration = Duration::from_secs(2);
/// Events kept for who listens late.
const EVENTS_KEPT: usize = 64;

/// What a download tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpEvent {
    /// A request failed and is made again.
    Retrying {
        /// Which try comes: the first retry is 1.
        attempt: u32,
        /// What failed.
        why: String,
    },
    /// The server gives no ranges: places ahead of the download have to be waited for.
    NoRanges,
    /// Every byte is there.
    Complete,
    /// The file is kept for the next time.
    Kept,
}

/// How to open a file on a web server.
#[derive(Clone, Debug)]
pub struct HttpParams {
    /// Where whole files are kept; nowhere if `None`.
    pub cache: Option<Cache>,
    /// A server that sends nothing for so long has failed.
    pub silence: Duration,
    /// Requests under way at once, from 1 to 4; may be changed later: [`HttpSource::set_ranges_at_once`].
    pub ranges_at_once: usize,
}

impl Default for HttpParams {
    fn default() -> Self {
        Self { cache: None, silence: client::SILENCE, ranges_at_once: RANGES_AT_ONCE }
    }
}

/// Opens [`Location::Url`]: progressive download.
#[derive(Clone, Copy, Debug)]
pub struct Http;

/// A file on a web server. Dropping it and its readers ends the download.
#[derive(Debug)]
pub struct HttpSource {
    storage: Arc<Storage>,
    info: Option<MediaInfo>,
    download: Option<Arc<UnderWay>>,
    ranges_at_once: Arc<AtomicUsize>,
}

impl SourceFactory for Http {
    type Params = HttpParams;
    type Event = HttpEvent;
    type SourceImpl = HttpSource;

    async fn open(
        location: Location,
        params: HttpParams,
    ) -> Result<OpenedSource<HttpSource, HttpEvent>, OpenError<Self>> {
        let (events_tx, _) = broadcast::channel(EVENTS_KEPT);
        let url = location.to_string();
        let source =
            open(&url, &location, params, events_tx.clone()).await.map_err(StreamError::Source)?;
        Ok(OpenedSource { source: Arc::new(source), events_tx })
    }
}

async fn open(
    url: &str,
    location: &Location,
    params: HttpParams,
    events: broadcast::Sender<HttpEvent>,
) -> Result<HttpSource, TransportError> {
    let client = Client::new(url, params.silence, events)?;
    let named = location.extension().and_then(|ext| MediaInfo::from_extension(&ext));
    let info =
        |content_type: Option<&str>| content_type.and_then(MediaInfo::from_content_type).or(named);
    let ranges_at_once = Arc::new(AtomicUsize::new(params.ranges_at_once));
    if let Some(cache) = &params.cache
        && let Some((file, label)) = cache.find(url)
    {
        if is_current(&client, &label).await {
            let storage = Arc::new(Storage::whole(url, file, label.len));
            let info = info(label.content_type.as_deref());
            return Ok(HttpSource { storage, info, download: None, ranges_at_once });
        }
        cache.forget(url);
    }

    let first_range = 0..RANGE_BYTES;
    let (mut response, mut answer) = client.ask_with_retries(Some(&first_range)).await?;
    if matches!(answer, Answer::WrongRange | Answer::PastEnd { total: None } | Answer::NotModified)
    {
        (response, answer) = client.ask_with_retries(None).await?;
    }
    let len = match answer {
        Answer::Part { total, .. } => Some(total),
        Answer::Whole { len } => len,
        Answer::PastEnd { .. } => Some(0),
        _ => {
            let what = "it sends other bytes than it was asked for";
            return Err(TransportError::Protocol { url: url.to_owned(), what });
        }
    };
    match len {
        Some(0) => return Err(TransportError::Empty(url.to_owned())),
        Some(len) if len > MAX_BYTES => return Err(TransportError::TooLong(url.to_owned())),
        _ => {}
    }

    let on_disk =
        |e: std::io::Error| TransportError::Disk { name: url.to_owned(), why: e.to_string() };
    // A cache that takes nothing is no reason not to play.
    let part = match params.cache.as_ref().map(Cache::begin) {
        Some(Ok(part)) => part,
        _ => Part::in_temporary_folder().map_err(on_disk)?,
    };
    let storage = Arc::new(Storage::new(url, part.file().map_err(on_disk)?));
    if let Some(len) = len {
        storage.set_len(len);
    }
    let head = response.head.clone();
    let info = info(head.content_type.as_deref());
    let download = Download {
        client,
        storage: Arc::clone(&storage),
        head,
        ranges_at_once: Arc::clone(&ranges_at_once),
        cache: params.cache,
        part,
    };
    let download = tokio::spawn(async move {
        match answer {
            Answer::Part { end, .. } => download.by_ranges(response, 0..end).await,
            _ => download.whole_from_start(Some(response)).await,
        }
    });
    let download = Some(Arc::new(UnderWay(download)));
    Ok(HttpSource { storage, info, download, ranges_at_once })
}

/// True if the server still has the file of `label`, or cannot be asked.
async fn is_current(client: &Client, label: &Label) -> bool {
    let asking = client.ask_if_modified(label.etag.as_deref(), label.last_modified.as_deref());
    let Ok(Ok(response)) = tokio::time::timeout(ASK_AFTER, asking).await else { return true };
    let head = &response.head;
    let agrees = |told: &Option<String>, kept: &Option<String>| {
        told.is_none() || kept.is_none() || told == kept
    };
    match judge(head, &(0..u64::MAX)) {
        Answer::Whole { len } => {
            agrees(&head.etag, &label.etag)
                && agrees(&head.last_modified, &label.last_modified)
                && len.is_none_or(|len| len == label.len)
        }
        // It is gone, and was never to be kept; all else says nothing of the file.
        Answer::Refusal => !matches!(head.status, 404 | 410),
        _ => true,
    }
}

impl HttpSource {
    /// Reads in order from `offset` on, waiting for what is still on its way.
    #[must_use]
    pub fn reader(&self, offset: u64) -> Reader {
        Reader::new(Arc::clone(&self.storage), offset, self.download.clone())
    }

    /// Back-pressure: from now on so many requests are under way at once, from 1 to 4. Those that are stay.
    pub fn set_ranges_at_once(&self, ranges: usize) {
        self.ranges_at_once.store(ranges, Ordering::Relaxed);
        self.storage.demand.notify_one();
    }

    /// True if it is read from the cache.
    #[must_use]
    pub fn is_from_cache(&self) -> bool {
        self.download.is_none()
    }

    /// True once every byte is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.storage.is_complete()
    }
}

impl Source for HttpSource {
    type Error = TransportError;

    async fn wait_range(&self, range: Range<u64>) -> StreamResult<WaitOutcome, TransportError> {
        let there = self.storage.wait_for(range).await.map_err(StreamError::Source)?;
        Ok(if there { WaitOutcome::Ready } else { WaitOutcome::Eof })
    }

    async fn read_at(&self, offset: u64, buf: &mut [u8]) -> StreamResult<usize, TransportError> {
        self.storage.read(offset, buf).map_err(StreamError::Source)
    }

    fn len(&self) -> Option<u64> {
        self.storage.len()
    }

    fn media_info(&self) -> Option<MediaInfo> {
        self.info
    }
}
