//! A device that was stopped and is not started again before light is wanted.
//!
//! Points that come meanwhile are let go at their own rate, as if they were shown: the stream keeps its pace, and what
//! is made for the moment of the arming is fresh.

use super::Worker;
use crate::dac::{DeviceReport, LinkStats};
use crate::safety::SafeReceiver;
use crate::time::{HostTime, StreamInstant};

/// Points of this rest that were let go, as a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// Up to here points have been let go.
    until: HostTime,
    /// Somebody else has stopped the device.
    pub(super) by_others: bool,
}

impl Rest {
    pub(super) const fn since(now: HostTime, by_others: bool) -> Self {
        Self { until: now, by_others }
    }

    /// Lets go of what would have been shown by `now`; returns the end of it, if there was any.
    fn let_go(
        &mut self,
        now: HostTime,
        receiver: &mut SafeReceiver,
        stats: &LinkStats,
    ) -> Option<StreamInstant> {
        let mut end = None;
        while let Some(chunk) = receiver.next(usize::MAX) {
            let (start, len, pps) = (chunk.start(), chunk.len() as u64, chunk.pps());
            let shown = self.until.plus_nanos((len * 1_000_000_000 / u64::from(pps.max(1))) as i64);
            if shown > now {
                return end;
            }
            self.until = shown;
            receiver.discard();
            stats.dropped(len);
            end = Some(StreamInstant(start.0 + len));
        }
        // Nothing came: what comes next is not late.
        self.until = now;
        end
    }
}

impl Worker {
    /// After a stop: a device whose start moves a relay is left stopped until light is wanted.
    pub(super) fn rest_if_wise(&mut self, now: HostTime) {
        if let Some(link) = &mut self.link
            && link.capabilities.start_moves_relay
        {
            link.rest = Some(Rest::since(now, false));
        }
    }

    /// True while the device rests; ends the rest once light is wanted.
    pub(super) fn is_resting(&mut self, now: HostTime) -> bool {
        let Some(link) = &mut self.link else { return false };
        let Some(rest) = &mut link.rest else { return false };
        if self.parts.arm.allows(self.parts.arm.generation()) {
            link.rest = None;
            self.tell_condition();
            return false;
        }
        if let Some(end) = rest.let_go(now, &mut self.parts.receiver, &self.parts.stats) {
            self.accepted = end;
            let queued_points = link.capabilities.reports_queue.then_some(0);
            self.report(now, Some(DeviceReport { at: now, queued_points, ..Default::default() }));
        }
        true
    }
}
