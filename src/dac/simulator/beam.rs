//! Hands what the virtual mirrors show to somebody who watches, without slowing the simulator.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::playback::Recorder;
use crate::point::LaserPoint;
use crate::time::HostTime;

/// Points kept for a watcher that does not look; older ones go first.
const KEPT: usize = 1 << 14;

/// An eye on the mirrors. Clones share what is seen.
#[derive(Clone, Debug, Default)]
pub struct BeamView(Arc<Mutex<VecDeque<(HostTime, LaserPoint)>>>);

impl BeamView {
    /// Appends what was shown since the last call, oldest first.
    pub fn take(&self, into: &mut Vec<(HostTime, LaserPoint)>) {
        into.extend(self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
    }
}

impl Recorder for BeamView {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == KEPT {
            seen.pop_front();
        }
        seen.push_back((at, *point));
    }
}

/// Several watch the same mirrors.
impl Recorder for Vec<Box<dyn Recorder>> {
    fn shown(&mut self, at: HostTime, index: u64, point: &LaserPoint) {
        self.iter_mut().for_each(|recorder| recorder.shown(at, index, point));
    }

    fn begun(&mut self, at: HostTime) {
        self.iter_mut().for_each(|recorder| recorder.begun(at));
    }

    fn seen_until(&mut self, now: HostTime) {
        self.iter_mut().for_each(|recorder| recorder.seen_until(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_look_misses_the_oldest_and_the_memory_is_bounded() {
        let view = BeamView::default();
        let mut recorder: Vec<Box<dyn Recorder>> =
            vec![Box::new(view.clone()), Box::new(BeamView::default())];
        for n in 0..KEPT + 10 {
            recorder.shown(HostTime::from_nanos(n as i64), n as u64, &LaserPoint::CENTRE);
        }
        let mut seen = Vec::new();
        view.take(&mut seen);
        assert_eq!((seen.len(), seen[0].0), (KEPT, HostTime::from_nanos(10)));
        view.take(&mut seen);
        assert_eq!(seen.len(), KEPT);
    }
}
