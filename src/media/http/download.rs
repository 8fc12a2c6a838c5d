//! Fetches a file into its storage: four ranges at once, what is wanted first, until all is there; from a server
//! without ranges, from the start on.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{AbortHandle, JoinSet};

use super::HttpEvent;
use super::answer::{Answer, Head, judge};
use super::client::{Client, Failed, Response};
use crate::media::cache::{Cache, Label, Part};
use crate::media::error::TransportError;
use crate::media::storage::{Storage, Writer};

/// Bytes of one request.
pub(super) const RANGE_BYTES: u64 = 1 << 20;
/// Requests under way at once, at most.
pub(super) const RANGES_AT_ONCE: usize = 4;
/// More than any file of music.
pub(super) const MAX_BYTES: u64 = 4 << 30;

/// A file being fetched.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) client: Client,
    pub(super) storage: Arc<Storage>,
    /// The head of the first answer: every later one must be of the same file.
    pub(super) head: Head,
    /// Requests under way at once, as the reader wishes.
    pub(super) ranges_at_once: Arc<AtomicUsize>,
    /// Where the whole file goes in the end.
    pub(super) cache: Option<Cache>,
    pub(super) part: Part,
}

/// How a range ended.
enum RangeEnd {
    Done,
    /// The server gave the whole file: it has stopped, or never began, to serve ranges.
    Whole(Response),
    Failed(TransportError),
}

struct UnderWay {
    range: Range<u64>,
    abort: AbortHandle,
}

impl Download {
    /// Fetches by ranges, the first of which is answered by `first`. Ends when all is there.
    pub(super) async fn by_ranges(self, first: Response, first_range: Range<u64>) {
        let mut jobs = JoinSet::new();
        let mut under_way = Vec::new();
        let this = Arc::new(self);
        this.start(&mut jobs, &mut under_way, first_range, Some(first));
        loop {
            let (wanted, missing) = this.storage.wanted();
            let taken: Vec<_> = under_way.iter().map(|job: &UnderWay| job.range.clone()).collect();
            let is_coming = taken.iter().any(|range| range.contains(&wanted));
            let most = this.ranges_at_once.load(Ordering::Relaxed).clamp(1, RANGES_AT_ONCE);
            if missing && !is_coming && taken.len() >= most {
                // Somebody waits for a place that nobody fetches: the newest of the others makes room. What it
                // brought stays.
                let job = under_way.remove(taken.len() - 1);
                job.abort.abort();
                continue;
            }
            if taken.len() < most {
                let gap = |from| this.storage.gap_from(from, &taken, RANGE_BYTES);
                if let Some(range) = gap(wanted).or_else(|| gap(0)) {
                    this.start(&mut jobs, &mut under_way, range, None);
                    continue;
                }
            }
            if taken.is_empty() && this.storage.is_complete() {
                this.keep();
                return;
            }
            let ended = tokio::select! {
                Some(ended) = jobs.join_next() => ended,
                () = this.storage.demand.notified() => continue,
            };
            // What was aborted is counted out already.
            let Ok((range, end)) = ended else { continue };
            under_way.retain(|job| job.range != range);
            match end {
                RangeEnd::Done => {}
                RangeEnd::Whole(response) => {
                    jobs.abort_all();
                    this.whole_from_start(Some(response)).await;
                    return;
                }
                RangeEnd::Failed(error) => {
                    jobs.abort_all();
                    while jobs.join_next().await.is_some() {}
                    under_way.clear();
                    this.storage.fail(error);
                    this.storage.demand.notified().await;
                }
            }
        }
    }

    fn start(
        self: &Arc<Self>,
        jobs: &mut JoinSet<(Range<u64>, RangeEnd)>,
        under_way: &mut Vec<UnderWay>,
        range: Range<u64>,
        answered: Option<Response>,
    ) {
        let (this, job) = (Arc::clone(self), range.clone());
        let abort = jobs.spawn(async move {
            let end = this.fetch(&job, answered).await;
            (job, end)
        });
        under_way.push(UnderWay { range, abort });
    }

    /// Fetches one range, with retries; each begins where the one before broke off.
    async fn fetch(&self, range: &Range<u64>, mut answered: Option<Response>) -> RangeEnd {
        let mut writer = Writer::new(Arc::clone(&self.storage), range.start);
        let mut tries = 0;
        loop {
            let begun_at = writer.position();
            let failed = match self.try_range(&mut writer, range.end, answered.take()).await {
                Ok(None) => return RangeEnd::Done,
                Ok(Some(whole)) => return RangeEnd::Whole(whole),
                Err(failed) => failed,
            };
            if writer.position() > begun_at {
                tries = 0;
            }
            if let Err(error) = self.client.wait_before_retry(&mut tries, failed).await {
                return RangeEnd::Failed(error);
            }
        }
    }

    /// One try of a range. Gives the answer back if it is the whole file.
    async fn try_range(
        &self,
        writer: &mut Writer,
        end: u64,
        answered: Option<Response>,
    ) -> Result<Option<Response>, Failed> {
        let asked = writer.position()..end;
        let mut response = match answered {
            Some(response) => response,
            None => self.client.ask(Some(&asked), self.head.etag.as_deref()).await?,
        };
        let changed = || Client::lasting(TransportError::Changed(self.client.url.clone()));
        match judge(&response.head, &asked) {
            Answer::Part { total, .. }
                if self.storage.len() == Some(total) && self.is_same(&response.head) => {}
            Answer::Whole { len } if self.is_same(&response.head) && len == self.storage.len() => {
                return Ok(Some(response));
            }
            Answer::Part { .. } | Answer::PastEnd { .. } | Answer::Whole { .. } => {
                return Err(changed());
            }
            Answer::Fault => return Err(self.client.fault(response.head.status)),
            Answer::Refusal => {
                return Err(Client::lasting(self.client.refusal(response.head.status)));
            }
            Answer::WrongRange | Answer::NotModified => {
                // A server that confuses its ranges may still give the whole.
                let whole = self.client.ask(None, None).await?;
                let answer = judge(&whole.head, &(0..u64::MAX));
                let is_whole = matches!(answer, Answer::Whole { .. });
                return if is_whole { Ok(Some(whole)) } else { Err(self.wrong_range()) };
            }
        }
        while writer.position() < end {
            let Some(bytes) = response.next(&self.client).await? else {
                return Err(self.client.cut_short());
            };
            let room = usize::try_from(end - writer.position()).unwrap_or(usize::MAX);
            let bytes = &bytes[..bytes.len().min(room)];
            writer.write(bytes).await.map_err(Client::lasting)?;
        }
        Ok(None)
    }

    fn wrong_range(&self) -> Failed {
        let what = "it sends other bytes than it was asked for";
        Client::lasting(TransportError::Protocol { url: self.client.url.clone(), what })
    }

    fn is_same(&self, head: &Head) -> bool {
        let agrees = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        agrees(&head.etag, &self.head.etag) && agrees(&head.last_modified, &self.head.last_modified)
    }

    /// Fetches from the first byte on, from a server that knows no ranges. Ends when all is there.
    pub(super) async fn whole_from_start(&self, mut answered: Option<Response>) {
        self.client.events.send(HttpEvent::NoRanges).ok();
        let mut tries = 0;
        loop {
            let before = self.storage.end_from(0);
            let failed = match self.try_whole(answered.take()).await {
                Ok(()) => break,
                Err(failed) => failed,
            };
            if self.storage.end_from(0) > before {
                tries = 0;
            }
            if let Err(error) = self.client.wait_before_retry(&mut tries, failed).await {
                self.storage.fail(error);
                self.storage.demand.notified().await;
                tries = 0;
            }
        }
        self.keep();
    }

    async fn try_whole(&self, answered: Option<Response>) -> Result<(), Failed> {
        let mut response = match answered {
            Some(response) => response,
            None => self.client.ask(None, None).await?,
        };
        let told = match judge(&response.head, &(0..u64::MAX)) {
            Answer::Whole { len } => len,
            Answer::Fault => return Err(self.client.fault(response.head.status)),
            Answer::Refusal => {
                return Err(Client::lasting(self.client.refusal(response.head.status)));
            }
            _ => return Err(self.wrong_range()),
        };
        let changed = || Client::lasting(TransportError::Changed(self.client.url.clone()));
        let known = self.storage.len();
        if !self.is_same(&response.head) || (known.is_some() && told.is_some() && known != told) {
            return Err(changed());
        }
        let mut writer = Writer::new(Arc::clone(&self.storage), 0);
        while let Some(bytes) = response.next(&self.client).await? {
            let room = known.or(told).unwrap_or(MAX_BYTES) - writer.position();
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            writer.write(&bytes[..bytes.len().min(room)]).await.map_err(Client::lasting)?;
            if writer.position() >= MAX_BYTES {
                let error = TransportError::TooLong(self.client.url.clone());
                return Err(Client::lasting(error));
            }
        }
        match known.or(told) {
            Some(len) if writer.position() < len => return Err(self.client.cut_short()),
            Some(_) => {}
            None => self.storage.set_len(writer.position()),
        }
        Ok(())
    }

    /// Keeps the whole file for the next time.
    fn keep(&self) {
        self.client.events.send(HttpEvent::Complete).ok();
        let Some(cache) = self.cache.clone() else { return };
        let label = Label {
            url: self.client.url.clone(),
            etag: self.head.etag.clone(),
            last_modified: self.head.last_modified.clone(),
            content_type: self.head.content_type.clone(),
            len: self.storage.len().unwrap_or(0),
            ..Label::default()
        };
        if let Err(error) = cache.keep(&self.part, label) {
            tracing::warn!("{} is not kept in the cache: {error}", self.client.url);
            return;
        }
        self.client.events.send(HttpEvent::Kept).ok();
    }
}
