//! How much a device has to be ahead: a measure of its line, for every device with a queue of its own.
//!
//! It follows the slowest answer of late, grows with each time the device ran dry, and comes down again slowly. A stop needs
//! nothing of it: it is the device's own. What a hand has set holds as it is.

use std::time::Duration;

use crate::dac::backend::AnswerTime;
use crate::time::HostTime;

/// Beside waiting for an answer: a tick of the stream, a step of the device thread, and as much again.
const ROOM: Duration = Duration::from_millis(20);
/// More buffer for each time the device ran dry.
const AFTER_UNDERFLOW: Duration = Duration::from_millis(15);
/// What was grown comes down by a millisecond in so much time.
const A_MILLISECOND_LESS_IN: u32 = 1_000;
/// No buffer grows beyond this.
const MOST: Duration = Duration::from_millis(400);

/// The measure of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct BufferPolicy {
    /// The slowest answer of late: it comes down slowly.
    slowest: Duration,
    one_at_a_time: bool,
    /// What the driver said last: the same answer counts once.
    told: Option<AnswerTime>,
    /// What times of running dry have added.
    grown: Duration,
    at: HostTime,
}

impl BufferPolicy {
    /// Nothing known yet.
    pub(super) const fn new(now: HostTime) -> Self {
        Self {
            slowest: Duration::ZERO,
            one_at_a_time: false,
            told: None,
            grown: Duration::ZERO,
            at: now,
        }
    }

    /// Time goes on; the driver says how long answers take, if its device answers.
    pub(super) fn look(&mut self, now: HostTime, answers: Option<AnswerTime>) {
        let not_looked = now.since(self.at);
        let less = not_looked / A_MILLISECOND_LESS_IN;
        self.at = self.at.max(now);
        self.grown = self.grown.saturating_sub(less);
        let Some(AnswerTime { last, one_at_a_time, .. }) = answers else { return };
        self.one_at_a_time = one_at_a_time;
        self.slowest = self.slowest.saturating_sub(less);
        if self.told != answers {
            self.told = answers;
            // A host that stood still has read the answer late: that is not the line's.
            self.slowest = self.slowest.max(last.saturating_sub(not_looked));
        }
    }

    /// The device ran dry.
    pub(super) fn ran_dry(&mut self) {
        self.grown = (self.grown + AFTER_UNDERFLOW).min(MOST);
    }

    /// True if a command costs so much time that it should carry all it can.
    pub(super) const fn wants_large_commands(&self) -> bool {
        self.one_at_a_time
    }

    /// Time of points to keep ahead, `least` on a line without fault; beyond `most` the device could not hold them.
    pub(super) fn needed(&self, least: Duration, most: Duration) -> Duration {
        // Who waits for each answer before it sends again has two of them to bridge.
        let answers = if self.one_at_a_time { 2 * self.slowest } else { self.slowest };
        (least.max(answers + ROOM) + self.grown).min(most.min(MOST)).max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = Duration::from_millis(40);

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn answers(last: u64, one_at_a_time: bool) -> AnswerTime {
        AnswerTime { usual: ms(last), last: ms(last), one_at_a_time }
    }

    #[test]
    fn a_line_without_fault_needs_no_more_than_the_least() {
        let mut policy = BufferPolicy::new(HostTime::ZERO);
        policy.look(HostTime::ZERO + ms(1), Some(answers(2, false)));
        assert_eq!(policy.needed(LEAST, MOST), LEAST);
        policy.look(HostTime::ZERO + ms(2), None);
        assert_eq!(policy.needed(LEAST, MOST), LEAST);
    }

    #[test]
    fn a_host_that_stood_still_is_not_taken_for_a_slow_line() {
        let mut policy = BufferPolicy::new(HostTime::ZERO);
        policy.look(HostTime::ZERO + ms(200), Some(answers(200, false)));
        policy.look(HostTime::ZERO + ms(202), Some(answers(200, false)));
        assert_eq!(policy.needed(LEAST, MOST), LEAST);
    }

    #[test]
    fn a_slow_answer_is_bridged_and_a_slow_device_twice() {
        let mut policy = BufferPolicy::new(HostTime::ZERO);
        policy.look(HostTime::ZERO, Some(answers(35, false)));
        assert_eq!(policy.needed(LEAST, MOST), ms(55));
        policy.look(HostTime::ZERO, Some(answers(35, true)));
        assert_eq!(policy.needed(LEAST, MOST), ms(90), "two answers and room");
    }

    #[test]
    fn what_an_underflow_adds_goes_away_slowly() {
        let mut policy = BufferPolicy::new(HostTime::ZERO);
        policy.ran_dry();
        policy.ran_dry();
        assert_eq!(policy.needed(LEAST, MOST), ms(70));
        policy.look(HostTime::ZERO + ms(10_000), None);
        assert_eq!(policy.needed(LEAST, MOST), ms(60));
        policy.look(HostTime::ZERO + ms(60_000), None);
        assert_eq!(policy.needed(LEAST, MOST), LEAST);
    }

    #[test]
    fn it_is_bounded_however_often_the_device_runs_dry() {
        let mut policy = BufferPolicy::new(HostTime::ZERO);
        (0..1000).for_each(|_| policy.ran_dry());
        assert_eq!(policy.needed(LEAST, MOST), MOST);
        assert_eq!(policy.needed(ms(500), MOST), ms(500));
        assert_eq!(policy.needed(LEAST, ms(51)), ms(51));
    }
}
