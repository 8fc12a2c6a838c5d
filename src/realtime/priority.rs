//! Asks the system to run a thread before ordinary ones.
//!
//! A wish: without the right to it (on Linux `RLIMIT_RTPRIO`, or root) the thread goes on as it was.

use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// How much a thread minds being late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Stands in for hardware, which is never late: a simulated projector.
    Hardware,
    /// Feeds a device: the callback, a projector.
    Device,
    /// Works ahead of those: the decoder. Before ordinary threads, and never before a sound server.
    Ahead,
    /// Shows the others' work, and gives way to them all: the window, and what draws for it.
    /// Threads that it starts inherit that.
    Watching,
    /// Long work that nobody waits for: after everything else.
    Behind,
}

/// Asks for the calling thread; false if the system grants nothing. A system call: once per thread.
pub fn request(urgency: Urgency) -> bool {
    let granted = match urgency {
        Urgency::Hardware => realtime(30),
        Urgency::Device => realtime(20),
        Urgency::Ahead => false,
        Urgency::Watching => return ordinary(25),
        Urgency::Behind => return ordinary(10),
    };
    granted || ordinary(75)
}

/// Real-time policy, first in, first out; `level` is 1..=99.
#[cfg(unix)]
fn realtime(level: u8) -> bool {
    use thread_priority::unix::{
        RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };

    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let wanted = ThreadPriority::Crossplatform(value(level));
    set_thread_priority_and_policy(thread_native_id(), wanted, policy).is_ok()
}

/// The highest class below the system's own.
#[cfg(not(unix))]
fn realtime(_level: u8) -> bool {
    set_current_thread_priority(ThreadPriority::Max).is_ok()
}

/// Ordinary policy; 50 is where every thread begins.
fn ordinary(level: u8) -> bool {
    set_current_thread_priority(ThreadPriority::Crossplatform(value(level))).is_ok()
}

fn value(level: u8) -> ThreadPriorityValue {
    ThreadPriorityValue::try_from(level).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_granted_or_refused_and_the_thread_goes_on() {
        use Urgency::{Ahead, Behind, Device, Hardware, Watching};
        for urgency in [Behind, Watching, Ahead, Device, Hardware] {
            let thread = std::thread::spawn(move || request(urgency));
            assert!(thread.join().is_ok(), "{urgency:?}");
        }
    }
}
