//! One way to start sound, with or without a sound card, and to keep it going.
//!
//! A supervisor thread opens the device, watches it, and opens it anew when it dies; without a device the
//! software clock plays its part.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use thiserror::Error;

use crate::time::{Clock, SystemClock};

use super::capture::InputCallback;
use super::counters::CallbackCounters;
use super::handover::Handover;
use super::output::OutputCallback;
use super::period::PeriodSink;
use super::software::{SOFTWARE_CLOCK_NOTICE, SoftwareOutput};
use super::watchdog::{Action, Watchdog};

/// How often the supervisor looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Notices kept until somebody reads them.
const MAX_NOTICES: usize = 20;

/// Where sound shall go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AudioChoice {
    /// The system's default device; the software clock if there is none.
    #[default]
    Default,
    /// The device of this name or description.
    Named(String),
    /// Nowhere: the software clock.
    None,
}

/// Why there is no sound.
#[derive(Debug, Error)]
pub enum AudioError {
    /// No device has that name.
    #[error("There is no sound device \"{name}\": {}.", .available.as_deref().map_or_else(
        || "no sound device answers at all; connect one or start the sound server".to_string(),
        |names| format!("choose one of {names}"),
    ))]
    UnknownDevice {
        /// What was asked for.
        name: String,
        /// The names there are, in one line; `None` if there are none.
        available: Option<String>,
    },
    /// No device at all.
    #[error("No sound device answers: connect one or start the sound server.")]
    NoDevice,
    /// The device cannot run at the rate.
    #[error("The sound device {name} does not take {sample_rate} Hz: choose another device.")]
    Rate {
        /// The device.
        name: String,
        /// Frames per second that were asked for.
        sample_rate: u32,
    },
    /// The device does not open.
    #[error(
        "The sound device {name} does not open ({what}): close other programs that use it, or choose another."
    )]
    Refused {
        /// The device.
        name: String,
        /// What the system says.
        what: String,
    },
    /// This program was built without sound cards.
    #[error(
        "This galvo was built without sound cards: build it with the feature `audio`, or use --audio none."
    )]
    NotBuilt,
    /// A thread cannot be started.
    #[error("The sound thread cannot be started ({0}): close other programs and try again.")]
    Thread(#[from] std::io::Error),
}

#[cfg(feature = "audio")]
impl AudioError {
    pub(super) fn unknown_device(name: &str, names: &[String]) -> Self {
        let available = (!names.is_empty()).then(|| names.join(", "));
        Self::UnknownDevice { name: name.to_string(), available }
    }

    pub(super) fn rate(name: &str, sample_rate: u32) -> Self {
        Self::Rate { name: name.to_string(), sample_rate }
    }

    pub(super) fn refused(name: &str, error: &cpal::Error) -> Self {
        Self::Refused { name: name.to_string(), what: error.to_string() }
    }
}

/// Starts the output. With [`AudioChoice::Default`] and no sound card the software clock runs, with a notice.
/// May take seconds.
pub fn start_output(
    choice: AudioChoice,
    callback: OutputCallback,
) -> Result<AudioHandle, AudioError> {
    let sample_rate = callback.sample_rate();
    let counters = callback.counters();
    let handover = Handover::new(callback, Arc::clone(&counters));
    let software = {
        let handover = handover.clone();
        move || SoftwareOutput::start(&handover, sample_rate, Arc::new(SystemClock))
    };
    let mut notice = None;
    let first = match &choice {
        AudioChoice::None => Running::software(software()?),
        AudioChoice::Named(name) => open_output(Some(name), &handover, sample_rate)?,
        AudioChoice::Default => match open_output(None, &handover, sample_rate) {
            Ok(running) => running,
            Err(AudioError::NoDevice | AudioError::NotBuilt) => {
                notice = Some(SOFTWARE_CLOCK_NOTICE.to_string());
                Running::software(software()?)
            }
            Err(error) => {
                notice = Some(format!("{error} {SOFTWARE_CLOCK_NOTICE}"));
                Running::software(software()?)
            }
        },
    };
    let open = Box::new(move || {
        let named = match &choice {
            AudioChoice::Named(name) => open_output(Some(name), &handover, sample_rate).ok(),
            _ => None,
        };
        named.map_or_else(|| open_output(None, &handover, sample_rate), Ok)
    });
    AudioHandle::start(first, open, Some(Box::new(software)), counters, notice)
}

/// Starts listening to the named or the default input. `make_sink` is told the device's rate in frames per
/// second. May take seconds.
pub fn start_input(
    name: Option<&str>,
    make_sink: impl FnOnce(u32) -> Box<dyn PeriodSink>,
) -> Result<AudioHandle, AudioError> {
    let sample_rate = input_rate(name)?;
    let callback = InputCallback::new(sample_rate, make_sink(sample_rate));
    let counters = callback.counters();
    let handover = Handover::new(callback, Arc::clone(&counters));
    let first = open_input(name, &handover, sample_rate)?;
    let name = name.map(ToString::to_string);
    let open = Box::new(move || open_input(name.as_deref(), &handover, sample_rate));
    AudioHandle::start(first, open, None, counters, None)
}

/// What gives the callbacks at present; ends when dropped.
struct Running {
    description: String,
    is_software: bool,
    _source: Box<dyn Send>,
}

impl Running {
    fn software(software: SoftwareOutput) -> Self {
        Self {
            description: "software clock".to_string(),
            is_software: true,
            _source: Box::new(software),
        }
    }

    #[cfg(feature = "audio")]
    fn device(device: super::device::OpenDevice) -> Self {
        Self { description: device.name.clone(), is_software: false, _source: Box::new(device) }
    }
}

#[cfg(feature = "audio")]
fn open_output(
    name: Option<&str>,
    callback: &Handover<OutputCallback>,
    sample_rate: u32,
) -> Result<Running, AudioError> {
    super::device::open_output(name, callback, sample_rate).map(Running::device)
}

#[cfg(feature = "audio")]
fn open_input(
    name: Option<&str>,
    callback: &Handover<InputCallback>,
    sample_rate: u32,
) -> Result<Running, AudioError> {
    super::device::open_input(name, callback, sample_rate).map(Running::device)
}

#[cfg(feature = "audio")]
use super::device::input_rate;

#[cfg(not(feature = "audio"))]
fn open_output(
    _: Option<&str>,
    _: &Handover<OutputCallback>,
    _: u32,
) -> Result<Running, AudioError> {
    Err(AudioError::NotBuilt)
}

#[cfg(not(feature = "audio"))]
fn open_input(_: Option<&str>, _: &Handover<InputCallback>, _: u32) -> Result<Running, AudioError> {
    Err(AudioError::NotBuilt)
}

#[cfg(not(feature = "audio"))]
fn input_rate(_: Option<&str>) -> Result<u32, AudioError> {
    Err(AudioError::NotBuilt)
}

/// What the supervisor tells.
#[derive(Debug, Default)]
struct Status {
    description: String,
    is_software: bool,
    reopened: u64,
    notices: Vec<String>,
}

type Open = Box<dyn FnMut() -> Result<Running, AudioError> + Send>;
type StartSoftware = Box<dyn FnMut() -> std::io::Result<SoftwareOutput> + Send>;

/// Running sound. Dropping it stops the sound; not to be dropped on a real-time thread.
pub struct AudioHandle {
    status: Arc<Mutex<Status>>,
    counters: Arc<CallbackCounters>,
    stop: Option<Sender<()>>,
    supervisor: Option<JoinHandle<()>>,
}

impl AudioHandle {
    fn start(
        running: Running,
        open: Open,
        software: Option<StartSoftware>,
        counters: Arc<CallbackCounters>,
        notice: Option<String>,
    ) -> Result<Self, AudioError> {
        let status = Status {
            description: running.description.clone(),
            is_software: running.is_software,
            reopened: 0,
            notices: notice.into_iter().collect(),
        };
        let status = Arc::new(Mutex::new(status));
        let (stop, stopped) = crossbeam_channel::bounded(1);
        let supervisor = Supervisor {
            watched: !running.is_software,
            running: Some(running),
            open,
            software,
            watchdog: Watchdog::new(SystemClock.now()),
            counters: Arc::clone(&counters),
            status: Arc::clone(&status),
        };
        let thread = std::thread::Builder::new()
            .name("audio-supervisor".into())
            .spawn(move || supervisor.run(&stopped))?;
        Ok(Self { status, counters, stop: Some(stop), supervisor: Some(thread) })
    }

    /// The device at work, as people call it; "software clock" without one.
    #[must_use]
    pub fn description(&self) -> String {
        lock(&self.status).description.clone()
    }

    /// True while the software clock stands in.
    #[must_use]
    pub fn is_software(&self) -> bool {
        lock(&self.status).is_software
    }

    /// Times a dead device was replaced.
    #[must_use]
    pub fn reopened(&self) -> u64 {
        lock(&self.status).reopened
    }

    /// What an operator should read since the last call, oldest first.
    #[must_use]
    pub fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.status).notices)
    }

    /// The figures that the callback keeps.
    #[must_use]
    pub fn counters(&self) -> &Arc<CallbackCounters> {
        &self.counters
    }
}

impl Drop for AudioHandle {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(supervisor) = self.supervisor.take() {
            drop(supervisor.join());
        }
    }
}

impl fmt::Debug for AudioHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioHandle").field("status", &self.status).finish_non_exhaustive()
    }
}

fn lock(status: &Mutex<Status>) -> std::sync::MutexGuard<'_, Status> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps something giving callbacks.
struct Supervisor {
    running: Option<Running>,
    /// False where the software clock was chosen, or there was no device from the start.
    watched: bool,
    open: Open,
    software: Option<StartSoftware>,
    watchdog: Watchdog,
    counters: Arc<CallbackCounters>,
    status: Arc<Mutex<Status>>,
}

impl Supervisor {
    fn run(mut self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            if self.watched {
                self.look();
            }
        }
        self.let_go();
    }

    fn look(&mut self) {
        let lost = self.counters.take_lost();
        let last = self.counters.last_callback();
        if self.watchdog.supervise(SystemClock.now(), last, lost) == Action::Nothing {
            return;
        }
        let was_device = self.running.as_ref().is_some_and(|running| !running.is_software);
        if was_device {
            self.let_go();
            self.notice("The sound device stopped answering; opening the sound anew.".to_string());
        }
        match (self.open)() {
            Ok(device) => {
                // Ends the software clock, if that ran; the new device is in charge already.
                self.let_go();
                self.notice(format!("The sound goes on: {}.", device.description));
                lock(&self.status).reopened += 1;
                self.take_on(device);
                self.watchdog.opened(SystemClock.now());
            }
            Err(error) => {
                self.watchdog.failed(SystemClock.now());
                if self.running.is_none() && was_device {
                    self.notice(error.to_string());
                    self.fall_back();
                }
            }
        }
    }

    fn fall_back(&mut self) {
        let Some(start) = &mut self.software else { return };
        match start() {
            Ok(software) => {
                self.notice(SOFTWARE_CLOCK_NOTICE.to_string());
                self.take_on(Running::software(software));
            }
            Err(error) => self.notice(AudioError::Thread(error).to_string()),
        }
    }

    fn take_on(&mut self, running: Running) {
        let mut status = lock(&self.status);
        status.description.clone_from(&running.description);
        status.is_software = running.is_software;
        drop(status);
        self.running = Some(running);
    }

    /// Ends what runs, on a thread of its own: a stream of a dead server may hang in its end for ever.
    fn let_go(&mut self) {
        let Some(running) = self.running.take() else { return };
        let (done, ended) = crossbeam_channel::bounded(1);
        let thread = std::thread::Builder::new().name("audio-end".into()).spawn(move || {
            drop(running);
            done.send(()).ok();
        });
        if thread.is_ok() {
            ended.recv_timeout(Duration::from_millis(500)).ok();
        }
    }

    fn notice(&self, text: String) {
        let mut status = lock(&self.status);
        if status.notices.len() < MAX_NOTICES {
            status.notices.push(text);
        }
    }
}
