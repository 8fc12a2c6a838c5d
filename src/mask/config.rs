//! Every knob of a handle, with its usual value.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Category, ErrorCode, MaskError};
use super::handle::MaskHandle;
use super::rate::Rate;
use super::runtime::Threads;
use crate::format::outlines::{PLANE_HEIGHT, PLANE_WIDTH};
use crate::time::{Clock, SystemClock};

/// What is made of a frame, beside its outlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Bit masks, for [`MaskHandle::get_frame`].
    Masks,
    /// Triangle strips, for [`MaskHandle::get_triangle_strip_vertices`].
    Triangles,
    /// Both.
    Both,
    /// Neither: the outlines alone, for the laser.
    Outlines,
}

impl Output {
    /// True if masks are made.
    #[must_use]
    pub const fn masks(self) -> bool {
        matches!(self, Self::Masks | Self::Both)
    }

    /// True if triangle strips are made.
    #[must_use]
    pub const fn triangles(self) -> bool {
        matches!(self, Self::Triangles | Self::Both)
    }
}

/// The settings of a handle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Threads of an owned runtime; the number of processors by default.
    pub worker_threads: usize,
    /// Reads at once.
    pub io: usize,
    /// Decoders at once, on blocking threads; the number of processors by default.
    pub decode: usize,
    /// Rasterisers at once, on blocking threads.
    pub raster: usize,
    /// Worker threads keep to one processor each (Linux; elsewhere it has no effect).
    pub pin_cores: bool,
    /// What is made of a frame.
    pub output: Output,
    /// Frames kept.
    pub cache_frames: usize,
    /// Frames made ahead.
    pub prefetch_frames: usize,
    /// How long a request for a frame may take.
    pub timebox: Duration,
    /// Width and height of the drawing plane and of the masks kept.
    pub plane: (u32, u32),
    /// Frames per second to begin with.
    pub rate: Rate,
}

impl Default for Settings {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            worker_threads: processors,
            io: 4,
            decode: processors,
            raster: 2,
            pin_cores: false,
            output: Output::Both,
            cache_frames: 512,
            prefetch_frames: 120,
            timebox: Duration::from_millis(12),
            plane: (PLANE_WIDTH, PLANE_HEIGHT),
            rate: Rate::default(),
        }
    }
}

/// Largest side of a drawing plane.
const MAX_SIDE: u32 = 8192;
/// Most threads or tasks of a kind.
const MAX_THREADS: usize = 256;

/// Makes a handle, knob by knob.
///
/// ```
/// use galvo::mask::{Builder, MaskHandle, Output};
///
/// let masks: MaskHandle = Builder::default().output(Output::Masks).cache_frames(64).build()?;
/// assert_eq!(masks.settings().prefetch_frames, 120);
/// # Ok::<(), galvo::mask::MaskError>(())
/// ```
#[derive(Clone)]
pub struct Builder {
    settings: Settings,
    clock: Arc<dyn Clock>,
    lent: Option<tokio::runtime::Handle>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self { settings: Settings::default(), clock: Arc::new(SystemClock), lent: None }
    }
}

macro_rules! knobs {
    ($($(#[$doc:meta])* $name:ident: $kind:ty),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub const fn $name(mut self, $name: $kind) -> Self {
                self.settings.$name = $name;
                self
            }
        )*
    };
}

impl Builder {
    knobs! {
        /// Sets [`Settings::worker_threads`].
        worker_threads: usize,
        /// Sets [`Settings::io`].
        io: usize,
        /// Sets [`Settings::decode`].
        decode: usize,
        /// Sets [`Settings::raster`].
        raster: usize,
        /// Sets [`Settings::pin_cores`].
        pin_cores: bool,
        /// Sets [`Settings::output`].
        output: Output,
        /// Sets [`Settings::cache_frames`].
        cache_frames: usize,
        /// Sets [`Settings::prefetch_frames`].
        prefetch_frames: usize,
        /// Sets [`Settings::timebox`].
        timebox: Duration,
        /// Sets [`Settings::plane`].
        plane: (u32, u32),
        /// Sets [`Settings::rate`].
        rate: Rate,
    }

    /// Works on a runtime of the caller's, which must have time enabled. Without it, a handle that is built
    /// inside a runtime uses that one, and any other starts its own.
    #[must_use]
    pub fn runtime(mut self, handle: tokio::runtime::Handle) -> Self {
        self.lent = Some(handle);
        self
    }

    /// Tells the time by another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The handle, with nothing loaded.
    ///
    /// # Errors
    /// A knob is out of range, or the system gives no threads.
    pub fn build(self) -> Result<MaskHandle, MaskError> {
        let Settings { worker_threads, io, decode, raster, plane, cache_frames, .. } =
            self.settings;
        let refuse =
            |what: &str| Err(MaskError::new(ErrorCode::NotReady, Category::Resource, what));
        if [worker_threads, io, decode, raster].iter().any(|n| !(1..=MAX_THREADS).contains(n)) {
            return refuse("threads and tasks of each kind must be from 1 to 256");
        }
        if ![plane.0, plane.1].iter().all(|side| (1..=MAX_SIDE).contains(side)) {
            return refuse("the sides of the drawing plane must be from 1 to 8192");
        }
        if !(1..=65_536).contains(&cache_frames) {
            return refuse("the cache must hold from 1 to 65536 frames");
        }
        let threads = Threads::new(&self.settings, self.lent)
            .map_err(|error| MaskError::new(ErrorCode::NotReady, Category::Resource, error))?;
        Ok(MaskHandle::new(self.settings, self.clock, threads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AS-44, AS-46, AS-53, AS-62: the usual values.
    #[test]
    fn the_usual_settings_are_those_of_the_specification() {
        let settings = Settings::default();
        let processors = std::thread::available_parallelism().unwrap().get();
        assert_eq!((settings.worker_threads, settings.decode), (processors, processors));
        assert_eq!((settings.io, settings.raster, settings.pin_cores), (4, 2, false));
        assert_eq!((settings.cache_frames, settings.prefetch_frames), (512, 120));
        assert_eq!((settings.timebox, settings.rate.as_fps()), (Duration::from_millis(12), 60.0));
        assert_eq!(settings.plane, (2048, 1024));
    }

    /// AS-47, AS-48: each knob reaches the handle; nonsense is refused with a sentence.
    #[test]
    fn knobs_are_kept_and_nonsense_is_refused() {
        let masks = Builder::default().worker_threads(1).io(2).decode(3).raster(1).pin_cores(true);
        let settings = *masks.build().unwrap().settings();
        assert_eq!((settings.worker_threads, settings.io, settings.decode), (1, 2, 3));
        assert!(settings.pin_cores);
        for wrong in [
            Builder::default().worker_threads(0),
            Builder::default().io(0),
            Builder::default().decode(1000),
            Builder::default().plane((0, 5)),
            Builder::default().cache_frames(0),
        ] {
            let error = wrong.build().unwrap_err();
            assert!(error.message.starts_with("resource: "), "{error}");
        }
    }
}
