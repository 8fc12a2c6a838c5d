//! What calls back for frames: a sound card, or a clock that plays its part.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::callback::XyCallback;
use crate::audio::{AudioError, CallbackCounters, Due, SoftwareClock};
use crate::time::Clock;

/// Frames in one period of the software clock.
const PERIOD_FRAMES: usize = 256;
/// The rate of a card that is none, frames per second.
const DEFAULT_RATE: u32 = 48_000;

/// A card that calls back. Dropping it stops the calls.
pub struct OpenCard {
    /// What a device said of itself while it ran: it may be lost.
    pub counters: Option<Arc<CallbackCounters>>,
    /// Keeps it running.
    pub running: Box<dyn Send>,
}

impl std::fmt::Debug for OpenCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenCard").finish_non_exhaustive()
    }
}

/// Opens cards.
pub trait Card: Send {
    /// Opens the card with at least `channels` channels, at `rate` frames per second if that is given; `make`
    /// gets the rate and makes the callback.
    fn open(
        &mut self,
        channels: usize,
        rate: Option<u32>,
        make: &mut dyn FnMut(u32) -> XyCallback,
    ) -> Result<OpenCard, AudioError>;
}

/// A sound card through cpal.
#[cfg(feature = "audio")]
#[derive(Clone, Debug)]
pub struct SoundCard {
    /// Its name, from `galvo devices`.
    pub name: String,
}

#[cfg(feature = "audio")]
impl Card for SoundCard {
    fn open(
        &mut self,
        channels: usize,
        rate: Option<u32>,
        make: &mut dyn FnMut(u32) -> XyCallback,
    ) -> Result<OpenCard, AudioError> {
        let name = (self.name != "default").then_some(self.name.as_str());
        let counters = Arc::new(CallbackCounters::new());
        let running = crate::audio::open_raw_output(name, channels, rate, &counters, |rate| {
            let mut callback = make(rate);
            move |out: &mut [f32], channels, now, latency| {
                callback.run(out, channels, now, latency);
            }
        })?;
        Ok(OpenCard { counters: Some(counters), running: Box::new(running) })
    }
}

/// Gets each period's samples, interleaved.
pub type Listener = Arc<dyn Fn(&[f32]) + Send + Sync>;

/// A thread in place of a sound card: nothing is heard, but time passes.
pub struct SoftwareCard {
    clock: Arc<dyn Clock>,
    /// Gets every frame, as it is laid on the channels.
    listener: Option<Listener>,
}

impl std::fmt::Debug for SoftwareCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareCard").finish_non_exhaustive()
    }
}

impl SoftwareCard {
    /// A card that nobody hears.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, listener: None }
    }

    /// `listener` gets each period's samples, interleaved.
    #[must_use]
    pub fn heard_by(mut self, listener: Listener) -> Self {
        self.listener = Some(listener);
        self
    }
}

impl Card for SoftwareCard {
    fn open(
        &mut self,
        channels: usize,
        rate: Option<u32>,
        make: &mut dyn FnMut(u32) -> XyCallback,
    ) -> Result<OpenCard, AudioError> {
        let rate = rate.unwrap_or(DEFAULT_RATE);
        let mut callback = make(rate);
        let channels = channels.max(1);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let (clock, listener) = (Arc::clone(&self.clock), self.listener.clone());
        let run = move || {
            let mut plan = SoftwareClock::starting_at(clock.now(), rate);
            let mut samples = vec![0.0; PERIOD_FRAMES * channels];
            while !stopping.load(Ordering::Acquire) {
                match plan.due(clock.now()) {
                    Due::At(when) => clock.sleep_until(when),
                    Due::Period(due) | Due::Relocked(due) => {
                        callback.run(&mut samples, channels, due, Duration::ZERO);
                        if let Some(listener) = &listener {
                            listener(&samples);
                        }
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("audio-xy-clock".into()).spawn(run)?;
        let running = Ticking { stop, thread: Some(thread) };
        Ok(OpenCard { counters: None, running: Box::new(running) })
    }
}

struct Ticking {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
