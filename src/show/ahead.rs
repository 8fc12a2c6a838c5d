//! Listening ahead of the sound: the analyser on the decoder thread, about a second before the light needs it.

use super::engine::Analysed;
use crate::analysis::Analyser;
use crate::audio::{PcmTap, Stretch};
use crate::realtime::{RingReceiver, RingSender, ring};
use crate::time::MediaTime;

/// Analysed moments between decoder thread and callback: 4 s.
const ANALYSED_DEPTH: usize = 400;

/// Runs the analyser over what the decoder gives. What the callback has no room for is dropped.
#[derive(Debug)]
pub struct AheadOfSound {
    analyser: Analyser,
    ring: RingSender<Analysed>,
    epoch: u32,
}

impl AheadOfSound {
    /// For sound of `sample_rate` frames per second; the other end is for the engine.
    #[must_use]
    pub fn new(sample_rate: u32) -> (Self, RingReceiver<Analysed>) {
        let (ring, heard) = ring(ANALYSED_DEPTH);
        (Self { analyser: Analyser::new(sample_rate), ring, epoch: 0 }, heard)
    }
}

impl PcmTap for AheadOfSound {
    fn pcm(&mut self, epoch: u32, media: MediaTime, stereo: &[f32]) {
        if epoch != self.epoch {
            self.flush(epoch);
            self.analyser.reset(media);
        }
        let ring = &mut self.ring;
        self.analyser.push(media, stereo, &mut |features| {
            ring.push_or_drop(Analysed::Moment(epoch, *features));
        });
    }

    fn flush(&mut self, epoch: u32) {
        self.epoch = epoch;
    }

    fn stretch(&mut self, stretch: Stretch) {
        self.ring.push_or_drop(Analysed::Stretch(stretch));
    }
}
