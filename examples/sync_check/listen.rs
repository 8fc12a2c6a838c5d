//! Hears clicks through galvo's own capture, in host time.

use std::sync::mpsc::{Receiver, Sender, channel};

use galvo::audio::{AudioError, AudioHandle, Period, PeriodSink, start_input};
use galvo::time::HostTime;

use super::clicks::Finder;

/// A running capture.
#[derive(Debug)]
pub(crate) struct Ear {
    handle: AudioHandle,
    clicks: Receiver<f64>,
}

struct ClickSink {
    finder: Finder,
    clicks: Sender<f64>,
}

impl PeriodSink for ClickSink {
    fn period(&mut self, period: &Period, pcm: &[f32]) {
        let start = period.heard_at.secs_since(HostTime::ZERO);
        let clicks = &self.clicks;
        // Whoever listened may have gone.
        self.finder.find(start, 1.0 / period.measured_rate, pcm, |at| {
            let _ = clicks.send(at);
        });
    }
}

impl Ear {
    /// Listens to `input`.
    pub(crate) fn open(input: &str) -> Result<Self, AudioError> {
        let (clicks, heard) = channel();
        let sink = ClickSink { finder: Finder::new(), clicks };
        let handle = start_input(Some(input), move |_rate| Box::new(sink))?;
        Ok(Self { handle, clicks: heard })
    }

    /// What it listens to.
    pub(crate) fn name(&self) -> String {
        self.handle.description()
    }

    /// All clicks heard so far and not taken yet, host seconds.
    pub(crate) fn take(&self) -> Vec<f64> {
        self.clicks.try_iter().collect()
    }
}
