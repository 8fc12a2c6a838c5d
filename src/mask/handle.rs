//! The handle: load a stream, ask for frames, read what went wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use std::time::Duration;

use super::bitmask::Bitmap;
use super::config::{Output, Settings};
use super::error::{Category, ErrorCode, FrameError, MaskError};
use super::pictures::Pictures;
use super::rate::Rate;
use super::runtime::Threads;
use super::source::{MemorySource, RangeSource, ReaderSource, UrlSource, read_range};
use super::worker::{Counters, Frame, State, Worker};
use crate::format::asvr::{Key, KeyedName, Passphrase};
use crate::format::mask_stream::{self, MaskStream};
use crate::media::Media;
use crate::time::Clock;

/// Largest side of a picture that is made.
const MAX_PICTURE_SIDE: u32 = 16_384;
/// Shortest time between two looks of the prefetch.
const LEAST_TICK: Duration = Duration::from_millis(2);
/// Longest time between two looks of the prefetch.
const MOST_TICK: Duration = Duration::from_millis(50);

/// What opens a keyed stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamKey {
    /// The user's passphrase.
    pub passphrase: Passphrase,
    /// What names the stream.
    pub name: KeyedName,
}

/// A stream to load: where its bytes are, and its key if it is keyed.
#[derive(Clone, Debug)]
pub struct MaskSource {
    source: Arc<dyn RangeSource>,
    key: Option<StreamKey>,
}

impl MaskSource {
    /// From anything that reads ranges.
    pub fn new(source: impl RangeSource + 'static) -> Self {
        Self { source: Arc::new(source), key: None }
    }

    /// From a local file.
    ///
    /// # Errors
    /// The file cannot be opened; the message names the cure.
    pub fn file(path: &std::path::Path) -> Result<Self, MaskError> {
        ReaderSource::open(path)
            .map(Self::new)
            .map_err(|error| MaskError::new(ErrorCode::Transport, Category::Io, error))
    }

    /// From an address, over HTTP or HTTPS: opened when it is loaded, four ranges at once, and not kept.
    #[must_use]
    pub fn url(url: &str) -> Self {
        Self::new(UrlSource::new(url))
    }

    /// From open media, wherever they lie.
    ///
    /// # Errors
    /// A local file is gone; the message names the cure.
    pub fn media(media: &Media) -> Result<Self, MaskError> {
        Ok(Self::new(media.range_reader()?))
    }

    /// From anything that reads and seeks, and its length in bytes.
    pub fn reader(reader: impl std::io::Read + std::io::Seek + Send + 'static, bytes: u64) -> Self {
        Self::new(ReaderSource::new(reader, bytes))
    }

    /// From the caller's bytes, which are shared and not copied.
    pub fn memory(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::new(MemorySource::new(bytes))
    }

    /// With the key of a keyed stream; a plain stream opens all the same.
    #[must_use]
    pub fn with_key(mut self, key: StreamKey) -> Self {
        self.key = Some(key);
        self
    }
}

/// What is known of a loaded stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Its form: `ASVP` (plain) or `ASVR` (keyed).
    pub form: &'static str,
    /// Frames.
    pub frames: u64,
    /// Bytes of the source.
    pub bytes: u64,
    /// Width of the drawing plane and of a mask, pixels; also the bytes from one row to the next.
    pub width: u32,
    /// Height of the drawing plane and of a mask, pixels.
    pub height: u32,
    /// Frames per second, as set: the file does not say.
    pub rate: Rate,
    /// Length at that rate, seconds.
    pub duration_s: f64,
    /// What is odd about the stream, yet no error.
    pub warnings: Vec<String>,
}

/// Frames of a mask stream, on time. Clones share one stream, one cache and one last error.
///
/// ```no_run
/// use galvo::mask::{Builder, MaskSource};
///
/// let masks = Builder::default().build()?;
/// masks.load_source(&MaskSource::file("song.asvp".as_ref())?)?;
/// match masks.get_frame(0, 1024, 512) {
///     Some(picture) => assert_eq!(picture.pixels().len(), 1024 * 512),
///     None => eprintln!("{}", masks.last_error()),
/// }
/// # Ok::<(), galvo::mask::MaskError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaskHandle(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Arc<dyn Clock>,
    loaded: RwLock<Option<Arc<Worker>>>,
    last_error: Mutex<MaskError>,
    pictures: Mutex<Pictures>,
    /// Counts loads, so that a picture of another stream is never taken for one of this.
    loads: AtomicU64,
    threads: Threads,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaskHandle").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let loaded = self.loaded.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = loaded.take() {
            worker.close();
        }
    }
}

impl MaskHandle {
    pub(super) fn new(settings: Settings, clock: Arc<dyn Clock>, threads: Threads) -> Self {
        Self(Arc::new(Inner {
            settings,
            clock,
            loaded: RwLock::new(None),
            last_error: Mutex::new(MaskError::default()),
            pictures: Mutex::new(Pictures::default()),
            loads: AtomicU64::new(0),
            threads,
        }))
    }

    /// The settings it was built with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// True if the runtime is the handle's own.
    #[must_use]
    pub fn owns_its_runtime(&self) -> bool {
        self.0.threads.is_owned()
    }

    /// Loads a stream in place of any other, and starts. Waits for its header and table, and for the key of a
    /// keyed one; the frames are read when they are wanted.
    ///
    /// # Errors
    /// Reading fails, or the bytes are no mask stream. What was loaded before stays.
    pub fn load_source(&self, source: &MaskSource) -> Result<(), MaskError> {
        let (done, opened) = mpsc::channel();
        let MaskSource { source, key } = source.clone();
        let bytes = Arc::clone(&source);
        self.0.threads.handle().spawn_blocking(move || {
            let key = key.map(|key| Key::derive(&key.passphrase, &key.name));
            let read = &mut |range| read_range(bytes.as_ref(), range);
            // Nobody listens only if the caller is gone.
            drop(done.send(mask_stream::open::<FrameError>(read, key)));
        });
        let stream = opened
            .recv()
            .map_err(|_| MaskError::not_ready("the threads have ended: build the handle anew"))
            .and_then(|opened| opened.map_err(|error| MaskError::of_load(&error)))
            .map_err(|error| self.note(error))?;
        for warning in stream.warnings() {
            tracing::warn!("mask stream: {warning}");
        }
        self.load_stream(stream, source);
        Ok(())
    }

    /// Loads a stream that is open already, of whatever form, in place of any other, and starts.
    pub fn load_stream(&self, stream: Box<dyn MaskStream>, source: Arc<dyn RangeSource>) {
        let Inner { settings, clock, threads, .. } = &*self.0;
        let worker =
            Worker::new(stream, source, *settings, Arc::clone(clock), threads.handle().clone());
        self.put(Some(worker));
        self.start();
    }

    /// Lets go of the stream and its frames.
    pub fn close(&self) {
        self.put(None);
    }

    fn put(&self, worker: Option<Arc<Worker>>) {
        let mut loaded = self.0.loaded.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *loaded, worker);
        self.0.loads.fetch_add(1, Ordering::Relaxed);
        drop(loaded);
        lock(&self.0.pictures).clear();
        if let Some(old) = old {
            old.close();
        }
    }

    fn worker(&self) -> Result<Arc<Worker>, MaskError> {
        let loaded = self.0.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.clone().ok_or_else(|| MaskError::not_ready("no mask stream is loaded"))
    }

    /// Lets the playhead run and frames be made ahead of it. Loading a stream starts it.
    pub fn start(&self) {
        let Ok(worker) = self.worker() else { return };
        let mut state = worker.lock();
        if state.scheduler.is_running() {
            return;
        }
        state.scheduler.start(worker.clock().now());
        state.starts += 1;
        let start = state.starts;
        worker.dispatch_locked(state);
        let watched = Arc::downgrade(&worker);
        self.0.threads.handle().spawn(async move {
            while let Some(worker) = watched.upgrade() {
                if !worker.is_open() {
                    break;
                }
                let (running, rate) = {
                    let state = worker.lock();
                    let own = state.starts == start;
                    (own && state.scheduler.is_running(), state.scheduler.rate())
                };
                if !running {
                    break;
                }
                worker.dispatch();
                drop(worker);
                let tick = Duration::from_secs_f64(1.0 / rate.as_fps());
                tokio::time::sleep(tick.clamp(LEAST_TICK, MOST_TICK)).await;
            }
        });
    }

    /// The playhead stands, nothing more is made, and every request answers `NotReady` until the next start.
    pub fn stop(&self) {
        if let Ok(worker) = self.worker() {
            worker.lock().scheduler.stop(worker.clock().now());
        }
    }

    /// Sets the frames per second of the playhead.
    pub fn set_rate(&self, rate: Rate) {
        if let Ok(worker) = self.worker() {
            worker.lock().scheduler.set_rate(rate, worker.clock().now());
        }
    }

    /// The frames per second: as set, or as the handle was built.
    #[must_use]
    pub fn get_rate(&self) -> Rate {
        self.worker().map_or(self.0.settings.rate, |worker| worker.lock().scheduler.rate())
    }

    /// Puts the playhead on a frame: frames from there on are made ahead.
    pub fn seek(&self, index: u64) {
        if let Ok(worker) = self.worker() {
            let mut state = worker.lock();
            state.scheduler.put_playhead(index, worker.clock().now());
            worker.dispatch_locked(state);
        }
    }

    /// The frame that is due now by the handle's own clock.
    #[must_use]
    pub fn playhead(&self) -> u64 {
        self.worker().map_or(0, |worker| worker.lock().scheduler.playhead(worker.clock().now()))
    }

    /// The picture of a frame: from the cache, else made at once if that takes no longer than the timebox
    /// (12 ms). `None` otherwise, and [`MaskHandle::last_error`] says why. Not for a thread that must not wait.
    pub fn get_frame(&self, index: u64, width: u32, height: u32) -> Option<Arc<Bitmap>> {
        let picture = self
            .frame_within(index, self.0.settings.timebox)
            .and_then(|frame| self.picture(index, &frame, width, height));
        picture.map_err(|error| self.note(error)).ok()
    }

    /// The picture of a frame if it is there now. Never waits: not for the frame, and not for another thread.
    /// A frame that is not there is asked for.
    pub fn try_get(&self, index: u64, width: u32, height: u32) -> Option<Arc<Bitmap>> {
        let frame = self.try_frame(index)?;
        self.picture(index, &frame, width, height).map_err(|error| self.note(error)).ok()
    }

    /// The picture of the frame that is due now, or of the last one that is ready before it: a late frame is
    /// shown again, an early one is skipped, two are never mixed. With the index of what is shown.
    pub fn current(&self, width: u32, height: u32) -> Option<(u64, Arc<Bitmap>)> {
        let worker = self.worker().map_err(|error| self.note(error)).ok()?;
        let due = worker.lock().scheduler.playhead(worker.clock().now());
        let oldest = due.saturating_sub(self.0.settings.cache_frames as u64);
        let ready = {
            let mut state = worker.lock();
            let State { cache, .. } = &mut *state;
            (oldest..=due).rev().find_map(|index| Some((index, Arc::clone(cache.get(index)?))))
        };
        let Some((index, frame)) = ready else {
            self.note(MaskError::new(
                ErrorCode::Timeout,
                Category::Scheduling,
                format_args!("frame {due} and those before it are not there yet: ask again"),
            ));
            return None;
        };
        let picture = self.picture(index, &frame, width, height);
        Some((index, picture.map_err(|error| self.note(error)).ok()?))
    }

    /// The triangle strip of a frame, x, y, x, y … in units of the drawing plane: see
    /// [`super::strips::triangle_strip`].
    ///
    /// # Errors
    /// As [`MaskHandle::get_frame`], and if the outlines have too much detail.
    pub fn get_triangle_strip_vertices(&self, index: u64) -> Result<Vec<f32>, MaskError> {
        let strip =
            self.frame_within(index, self.0.settings.timebox).and_then(|frame| {
                match &frame.strip {
                    Some(Ok(strip)) => Ok(strip.clone()),
                    Some(Err(error)) => Err(MaskError::of_frame(index, &(*error).into())),
                    None => Err(MaskError::not_ready(
                        "triangles are not made: build the handle with Output::Triangles or Both",
                    )),
                }
            });
        strip.map_err(|error| self.note(error))
    }

    /// A frame as it is kept, within a time.
    ///
    /// # Errors
    /// As [`MaskHandle::get_frame`]; the last error is set.
    pub fn frame(&self, index: u64, timebox: Duration) -> Result<Arc<Frame>, MaskError> {
        self.frame_within(index, timebox).map_err(|error| self.note(error))
    }

    /// A frame as it is kept, if it is there now. Never waits; a frame that is not there is asked for.
    pub fn try_frame(&self, index: u64) -> Option<Arc<Frame>> {
        let worker = self.0.loaded.try_read().ok()?.clone()?;
        let mut state = worker.try_lock()?;
        if !state.scheduler.is_running() || index >= worker.stream.frames() as u64 {
            return None;
        }
        let now = worker.clock().now();
        if let Some(frame) = state.cache.get(index).cloned() {
            state.counters.hits += 1;
            state.scheduler.put_playhead(index, now);
            return Some(frame);
        }
        state.counters.misses += 1;
        // The next look of the prefetch, a frame from now at most, begins with what was asked for.
        state.scheduler.ask(index, now);
        None
    }

    fn frame_within(&self, index: u64, timebox: Duration) -> Result<Arc<Frame>, MaskError> {
        let worker = self.worker()?;
        let frames = worker.stream.frames();
        if index >= frames as u64 {
            return Err(MaskError::not_ready(format_args!(
                "there is no frame {index}: the stream has {frames}"
            )));
        }
        let mut state = worker.lock();
        let begin = worker.clock().now();
        if !state.scheduler.is_running() {
            return Err(MaskError::not_ready("the handle is stopped: start it"));
        }
        if let Some(frame) = state.cache.get(index).cloned() {
            state.counters.hits += 1;
            state.scheduler.put_playhead(index, begin);
            return Ok(frame);
        }
        state.counters.misses += 1;
        state.scheduler.ask(index, begin);
        state.waited_for.push(index);
        worker.dispatch_locked(state);
        state = worker.lock();
        let mut waited = false;
        let mut late = false;
        loop {
            let gone = worker.clock().now().since(begin);
            let outcome = if let Some(frame) = state.cache.get(index).cloned() {
                Some(Ok(frame))
            } else if !state.scheduler.is_running() {
                Some(Err(MaskError::not_ready("the handle was stopped")))
            } else if let Some(error) = state.scheduler.failure(index)
                && !state.scheduler.is_in_work(index)
            {
                Some(Err(MaskError::of_frame(index, error)))
            } else if late || gone >= timebox {
                state.counters.timeouts += 1;
                Some(Err(MaskError::new(
                    ErrorCode::Timeout,
                    Category::Scheduling,
                    format_args!(
                        "frame {index} was not there within {} ms: ask again",
                        timebox.as_millis()
                    ),
                )))
            } else {
                None
            };
            if let Some(outcome) = outcome {
                if let Some(at) = state.waited_for.iter().position(|frame| *frame == index) {
                    state.waited_for.swap_remove(at);
                }
                state.counters.stalls += u64::from(waited);
                state.counters.stalled_ns += gone.as_nanos() as u64;
                return outcome;
            }
            waited = true;
            (state, late) = worker.wait(state, timebox.saturating_sub(gone));
        }
    }

    /// The picture of a frame at a size; the same again is not scaled again.
    fn picture(
        &self,
        index: u64,
        frame: &Frame,
        width: u32,
        height: u32,
    ) -> Result<Arc<Bitmap>, MaskError> {
        let Some(mask) = &frame.mask else {
            let what = "masks are not made: build the handle with Output::Masks or Both";
            return Err(MaskError::not_ready(what));
        };
        if width.max(height) > MAX_PICTURE_SIDE {
            return Err(MaskError::new(
                ErrorCode::Decode,
                Category::Rasterise,
                format_args!(
                    "a picture of {width}×{height} is too large: {MAX_PICTURE_SIDE} is the most"
                ),
            ));
        }
        let key = (self.0.loads.load(Ordering::Relaxed), index, width, height);
        let mut work = match lock(&self.0.pictures).begin(key) {
            Ok(known) => return Ok(known),
            Err(work) => work,
        };
        work.scale(mask);
        Ok(lock(&self.0.pictures).keep(work))
    }

    /// What was last in the way, for this handle and its clones only. A success leaves it as it is.
    #[must_use]
    pub fn last_error(&self) -> MaskError {
        lock(&self.0.last_error).clone()
    }

    /// Sets the last error to `None`.
    pub fn clear_error(&self) {
        *lock(&self.0.last_error) = MaskError::default();
    }

    /// Keeps an error as the last one.
    fn note(&self, error: MaskError) -> MaskError {
        tracing::debug!("{error}");
        lock(&self.0.last_error).clone_from(&error);
        error
    }

    /// What is known of the stream; `None` if none is loaded.
    #[must_use]
    pub fn get_metadata(&self) -> Option<Metadata> {
        let worker = self.worker().ok()?;
        let rate = worker.lock().scheduler.rate();
        let frames = worker.stream.frames() as u64;
        let (width, height) = self.0.settings.plane;
        Some(Metadata {
            form: worker.stream.form(),
            frames,
            bytes: worker.source.len().unwrap_or(0),
            width,
            height,
            rate,
            duration_s: frames as f64 / rate.as_fps(),
            warnings: worker.stream.warnings().to_vec(),
        })
    }

    /// What was counted since the stream was loaded.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.worker().map_or_else(|_| Counters::default(), |worker| worker.lock().counters)
    }

    /// What of a frame is made beside its outlines.
    #[must_use]
    pub fn output(&self) -> Output {
        self.0.settings.output
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
