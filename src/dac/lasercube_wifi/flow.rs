//! How many points the device holds: its own acknowledgements are the authority, and between them time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::HostTime;
use crate::wire::lasercube_wifi::Acknowledge;

/// Datagrams remembered until they are acknowledged: message numbers wrap after this many.
const REMEMBERED: usize = 255;
/// An acknowledgement of a datagram older than this says nothing any more.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(1);
/// Points that stay free in the device: about two datagrams.
const MARGIN_POINTS: u32 = 280;
/// With less than this surely in the device, it may have run dry by the time the next points come.
const NEARLY_DRY: Duration = Duration::from_millis(3);
/// An acknowledgement that is so much later than a round trip may never come.
const OVERDUE_AFTER: Duration = Duration::from_millis(20);

/// A datagram of points that was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    message: u8,
    points: u32,
    at: HostTime,
}

/// The points on their way to the device and in it.
#[derive(Debug)]
pub(super) struct Flow {
    buffer_points: u32,
    sent: VecDeque<Sent>,
    next_message: u8,
    /// Points the device held at `told_at`, by its own word.
    told: u32,
    told_at: HostTime,
    heard_at: HostTime,
    /// Points were acknowledged since the last start.
    acknowledges: bool,
    /// Points sent after those that the device's word includes.
    unacknowledged: u32,
    /// The shortest round trip of late: what is longer was spent waiting somewhere.
    round_trip: Duration,
    /// When points began to leave, and their rate.
    drains: Option<(HostTime, u32)>,
    /// The device has held a reserve since it last began.
    had_reserve: bool,
    underflows: u32,
    gaps: u32,
    /// A datagram that was taken for lost has been acknowledged: the next word tells that it came.
    came_late: bool,
    lost_datagrams: u64,
}

impl Flow {
    /// Nothing sent to a device that holds `buffer_points`.
    pub(super) fn new(now: HostTime, buffer_points: u16) -> Self {
        Self {
            buffer_points: u32::from(buffer_points),
            sent: VecDeque::with_capacity(REMEMBERED + 1),
            next_message: 0,
            told: 0,
            told_at: now,
            heard_at: now,
            acknowledges: false,
            unacknowledged: 0,
            round_trip: ACKNOWLEDGED_WITHIN,
            drains: None,
            had_reserve: false,
            underflows: 0,
            gaps: 0,
            came_late: false,
            lost_datagrams: 0,
        }
    }

    /// The device is empty and holds its points until told to play.
    pub(super) fn restart(&mut self, now: HostTime) {
        self.sent.clear();
        (self.told, self.unacknowledged) = (0, 0);
        (self.told_at, self.heard_at) = (now, now);
        self.acknowledges = false;
        self.drains = None;
        self.had_reserve = false;
    }

    /// Points leave from now on at this rate.
    pub(super) fn plays_at(&mut self, now: HostTime, pps: u32) {
        // What has left at the old rate is settled first.
        if self.drains.is_some() && now > self.told_at {
            let left = self.estimate(now).round() as u32;
            self.told = left.saturating_sub(self.unacknowledged);
            self.unacknowledged = left - self.told;
            self.told_at = now;
        }
        self.drains = Some((now, pps));
    }

    /// Points in the device or on their way to it.
    pub(super) fn estimate(&self, now: HostTime) -> f64 {
        let gone = self.drains.map_or(0.0, |(since, pps)| {
            now.since(self.told_at.max(since)).as_secs_f64() * f64::from(pps)
        });
        (f64::from(self.told + self.unacknowledged) - gone).max(0.0)
    }

    /// True if the device plays and may have shown all it had: what comes next may meet mirrors that stand still. Points
    /// whose acknowledgement is overdue may be lost and do not count; before the first one there is only the estimate.
    pub(super) fn may_be_dry(&self, now: HostTime) -> bool {
        let Some((since, pps)) = self.drains else { return false };
        let nearly_dry = NEARLY_DRY.as_secs_f64() * f64::from(pps);
        if !self.acknowledges {
            return self.estimate(now) < nearly_dry;
        }
        let gone = now.since(self.told_at.max(since)).as_secs_f64() * f64::from(pps);
        let fresh = |sent: &&Sent| now.since(sent.at) <= self.round_trip + OVERDUE_AFTER;
        let coming: u32 = self.sent.iter().filter(fresh).map(|sent| sent.points).sum();
        f64::from(self.told + coming) - gone < nearly_dry
    }

    /// True if `points` more leave the device the margin it needs.
    pub(super) fn has_room(&self, now: HostTime, points: usize) -> bool {
        let margin = MARGIN_POINTS.min(self.buffer_points / 4);
        self.estimate(now) + points as f64 <= f64::from(self.buffer_points - margin)
    }

    /// The number of the next datagram.
    pub(super) const fn next_message(&self) -> u8 {
        self.next_message
    }

    /// A datagram has been sent.
    pub(super) fn sent(&mut self, now: HostTime, points: usize) {
        let points = points as u32;
        self.sent.push_back(Sent { message: self.next_message, points, at: now });
        self.next_message = self.next_message.wrapping_add(1);
        self.unacknowledged += points;
        while self.sent.len() > REMEMBERED {
            self.sent.pop_front();
            // It counts as arrived until the device says otherwise.
        }
    }

    /// The device has acknowledged a datagram. False if that says nothing of the present.
    pub(super) fn acknowledged(&mut self, now: HostTime, seen: Acknowledge) -> bool {
        let found = match seen.message {
            Some(message) => self.sent.iter().rposition(|sent| sent.message == message),
            // Without a number: the newest that can have been there and back.
            None => self.sent.iter().rposition(|sent| now.since(sent.at) >= self.round_trip),
        };
        let Some(index) = found else {
            self.came_late |= seen.message.is_some();
            return false;
        };
        let sent = self.sent[index];
        let took = now.since(sent.at);
        if took > ACKNOWLEDGED_WITHIN {
            return false;
        }
        if seen.message.is_some() {
            self.lost_datagrams += index as u64;
            let stepped = std::mem::take(&mut self.came_late) || index > 0;
            self.gaps = self.gaps.wrapping_add(u32::from(stepped));
            self.measured(took);
        }
        self.sent.drain(..=index);
        self.take(seen.free_points, sent.at + self.round_trip / 2, now);
        self.acknowledges = true;
        if self.drains.is_some() {
            if self.told <= sent.points && self.had_reserve {
                // It was empty when these came.
                self.underflows += 1;
                self.had_reserve = false;
            } else if self.told > 2 * sent.points {
                self.had_reserve = true;
            }
        }
        true
    }

    /// The device has told its free points in its info block, asked for at `asked`: good enough while it
    /// acknowledges nothing.
    pub(super) fn informed(&mut self, now: HostTime, asked: HostTime, free_points: u16) {
        let included = self.sent.iter().take_while(|sent| sent.at <= asked).count();
        self.sent.drain(..included);
        self.take(free_points, asked + self.round_trip / 2, now);
    }

    fn take(&mut self, free_points: u16, at: HostTime, now: HostTime) {
        self.told = self.buffer_points.saturating_sub(u32::from(free_points));
        self.unacknowledged = self.sent.iter().map(|sent| sent.points).sum();
        self.told_at = at.min(now);
        self.heard_at = now;
    }

    /// A round trip was measured.
    pub(super) fn measured(&mut self, took: Duration) {
        let aged = self.round_trip + self.round_trip / 64 + Duration::from_micros(1);
        self.round_trip = took.min(aged);
    }

    /// Points sent and not shown at [`told_at`](Self::told_at).
    pub(super) const fn queued(&self) -> u32 {
        self.told + self.unacknowledged
    }

    /// When the device's last word was true.
    pub(super) const fn told_at(&self) -> HostTime {
        self.told_at
    }

    /// When the device's last word came in.
    pub(super) const fn heard_at(&self) -> HostTime {
        self.heard_at
    }

    pub(super) const fn round_trip(&self) -> Duration {
        self.round_trip
    }

    pub(super) const fn underflows(&self) -> u32 {
        self.underflows
    }

    /// Times an acknowledgement was missing or late: it was, or its points were.
    pub(super) const fn gaps(&self) -> u32 {
        self.gaps
    }

    /// Datagrams of points that the device has not acknowledged.
    pub(super) const fn lost_datagrams(&self) -> u64 {
        self.lost_datagrams
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn ack(message: u8, free_points: u16) -> Acknowledge {
        Acknowledge { message: Some(message), free_points }
    }

    #[test]
    fn an_acknowledgement_replaces_the_estimate_and_what_followed_is_added() {
        let mut now = HostTime::ZERO;
        let mut flow = Flow::new(now, 6000);
        for _ in 0..3 {
            flow.sent(now, 140);
            now += MS;
        }
        assert_eq!(flow.queued(), 420);
        // The second of three, the first one being lost: 140 in the device, 140 on their way.
        assert!(flow.acknowledged(now, ack(1, 5860)));
        assert_eq!((flow.queued(), flow.lost_datagrams(), flow.gaps()), (280, 1, 1));
        // An older word than the last changes nothing.
        assert!(!flow.acknowledged(now, ack(0, 6000)));
        assert_eq!(flow.queued(), 280);
    }

    #[test]
    fn points_without_an_acknowledgement_do_not_keep_a_device_from_being_dry_for_long() {
        let mut flow = Flow::new(HostTime::ZERO, 6000);
        flow.plays_at(HostTime::ZERO, 30_000);
        flow.sent(HostTime::ZERO, 900);
        flow.sent(HostTime::ZERO, 900);
        assert!(!flow.may_be_dry(HostTime::ZERO + MS * 50), "only the estimate is there");
        assert!(flow.acknowledged(HostTime::ZERO + MS, ack(0, 5100)));
        assert!(!flow.may_be_dry(HostTime::ZERO + MS * 26));
        assert!(flow.may_be_dry(HostTime::ZERO + MS * 28), "900 points last 30 ms");
        // On a slow line what is on its way counts: nothing of it can have been acknowledged.
        let mut flow = Flow::new(HostTime::ZERO, 6000);
        flow.plays_at(HostTime::ZERO, 30_000);
        let at = |n: u32| HostTime::ZERO + MS * (10 * n);
        for n in 0..50 {
            flow.sent(at(n), 300);
            if let Some(heard) = n.checked_sub(10) {
                assert!(flow.acknowledged(at(n), ack(heard as u8, 6000 - 450)));
                assert!(!flow.may_be_dry(at(n)), "100 ms there and back, at {n}");
            }
        }
    }

    #[test]
    fn points_leave_only_once_it_plays_and_with_their_fractions() {
        let mut flow = Flow::new(HostTime::ZERO, 6000);
        flow.sent(HostTime::ZERO, 1000);
        assert_eq!(flow.estimate(HostTime::ZERO + MS * 10), 1000.0);
        flow.plays_at(HostTime::ZERO + MS * 10, 30_000);
        assert!((flow.estimate(HostTime::ZERO + MS * 15) - 850.0).abs() < 1e-6);
        flow.plays_at(HostTime::ZERO + MS * 15, 10_000);
        assert!((flow.estimate(HostTime::ZERO + MS * 20) - 800.0).abs() < 1e-6);
    }

    #[test]
    fn two_datagrams_of_room_are_always_left() {
        let mut flow = Flow::new(HostTime::ZERO, 6000);
        while flow.has_room(HostTime::ZERO, 140) {
            flow.sent(HostTime::ZERO, 140);
        }
        assert_eq!(flow.queued(), 5600);
        assert!(flow.has_room(HostTime::ZERO, 120) && !flow.has_room(HostTime::ZERO, 121));
    }

    #[test]
    fn acknowledgements_later_than_a_second_say_nothing() {
        let mut flow = Flow::new(HostTime::ZERO, 6000);
        flow.sent(HostTime::ZERO, 140);
        assert!(!flow.acknowledged(HostTime::ZERO + MS * 1001, ack(0, 0)));
        assert_eq!(flow.queued(), 140);
    }

    #[test]
    fn numbers_wrap_and_memory_stays_bounded_when_nothing_is_acknowledged() {
        let mut flow = Flow::new(HostTime::ZERO, 60_000);
        for _ in 0..1000 {
            flow.sent(HostTime::ZERO, 10);
        }
        assert_eq!((flow.sent.len(), flow.next_message()), (REMEMBERED, 232));
        assert!(flow.acknowledged(HostTime::ZERO + MS, ack(231, 50_000)));
        assert_eq!(flow.queued(), 10_000);
    }

    #[test]
    fn the_short_form_is_taken_for_the_newest_that_can_be_meant() {
        let mut now = HostTime::ZERO;
        let mut flow = Flow::new(now, 6000);
        flow.measured(MS * 5);
        for _ in 0..10 {
            flow.sent(now, 100);
            now += MS;
        }
        // Five of the ten were sent 5 ms ago or earlier.
        assert!(flow.acknowledged(now - MS, Acknowledge { message: None, free_points: 5500 }));
        assert_eq!(flow.queued(), 500 + 500);
    }

    #[test]
    fn an_underflow_is_told_by_the_points_that_met_an_empty_device() {
        let mut now = HostTime::ZERO;
        let mut flow = Flow::new(now, 6000);
        flow.plays_at(now, 30_000);
        let mut step = |flow: &mut Flow, held: u16| {
            let message = flow.next_message();
            flow.sent(now, 140);
            now += MS;
            assert!(flow.acknowledged(now, ack(message, 6000 - held)));
        };
        // A start is no underflow.
        step(&mut flow, 140);
        step(&mut flow, 900);
        assert_eq!(flow.underflows(), 0);
        step(&mut flow, 139);
        step(&mut flow, 130);
        assert_eq!(flow.underflows(), 1);
    }
}
