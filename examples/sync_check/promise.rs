//! Plays clicks through galvo's own output, and notes when it promises each to be heard.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use galvo::audio::{
    AudioChoice, AudioHandle, NoTap, OutputCallback, Period, PeriodSink, Player, start_output,
};
use galvo::time::HostTime;

use super::clicks::{Finder, SAMPLE_RATE};

/// A running playback.
#[derive(Debug)]
pub(crate) struct Mouth {
    player: Player,
    handle: AudioHandle,
    promises: Receiver<f64>,
}

struct PromiseSink {
    finder: Finder,
    promises: Sender<f64>,
}

impl PeriodSink for PromiseSink {
    fn period(&mut self, period: &Period, pcm: &[f32]) {
        let start = period.heard_at.secs_since(HostTime::ZERO);
        let promises = &self.promises;
        // Whoever waited may have gone.
        self.finder.find(start, 1.0 / period.measured_rate, pcm, |at| {
            let _ = promises.send(at);
        });
    }
}

impl Mouth {
    /// Plays `file` on the default output.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Self> {
        let (promises, promised) = channel();
        let sink = PromiseSink { finder: Finder::new(), promises };
        let (mut player, output) = Player::open(file, SAMPLE_RATE, Box::new(NoTap))?;
        let handle =
            start_output(AudioChoice::Default, OutputCallback::new(output, Box::new(sink)))?;
        player.play();
        Ok(Self { player, handle, promises: promised })
    }

    /// The device at work.
    pub(crate) fn name(&self) -> String {
        self.handle.description()
    }

    /// True if there is a real device.
    pub(crate) fn is_audible(&self) -> bool {
        !self.handle.is_software()
    }

    /// True once all was played.
    pub(crate) fn is_over(&self) -> bool {
        self.player.ended()
    }

    /// All promises made so far and not taken yet, host seconds.
    pub(crate) fn take(&self) -> Vec<f64> {
        self.promises.try_iter().collect()
    }
}
