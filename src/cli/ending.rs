//! The system's wish that the program ends: Ctrl-C, a polite kill, a terminal that is closed, a logout.
//!
//! The first one darkens from the thread that hears it, whatever the others do; then the command ends in its order. A
//! second one ends the program at once.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;

use crate::time::{Clock, HostTime, SystemClock};

/// Exit status of a program that was ended before its work began, or in its midst by a second wish.
pub(super) const CUT_SHORT: u8 = 130;
/// Wishes this close to each other are one: a closed terminal is told by the system and by its shell, and a logout
/// sends two signals.
const ONE_WISH: Duration = Duration::from_millis(500);
/// No wish was heard.
const NEVER: i64 = i64::MIN;

/// It was ended before its work began: there is nothing to report.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("ended before the show began, as asked")]
pub(super) struct EndedEarly;

/// Whether the end is wished for. Clones are the same.
#[derive(Clone)]
pub(super) struct Ending(Arc<State>);

struct State {
    asked: Arc<AtomicBool>,
    asked_at_ns: AtomicI64,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// What is to be done about a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// The work is to end in its order.
    First,
    /// The same wish, told twice.
    Echo,
    /// Somebody is tired of waiting.
    Again,
}

impl Ending {
    fn unheard() -> Self {
        let act = Mutex::new(None);
        Self(Arc::new(State { asked: Arc::default(), asked_at_ns: AtomicI64::new(NEVER), act }))
    }

    /// Hears such wishes from now on; once in a program.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let ending = Self::unheard();
        let heard = ending.clone();
        ctrlc::set_handler(move || {
            if heard.hear(SystemClock.now()) == Heard::Again {
                std::process::exit(i32::from(CUT_SHORT));
            }
        })
        .context("Ctrl-C cannot be caught on this system")?;
        Ok(ending)
    }

    /// True once the end is wished for.
    pub(super) fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// A flag that is true then.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.asked)
    }

    /// Does `act` at the first wish, on the thread that hears it; at once if it was heard already.
    pub(super) fn at_first(&self, act: impl FnOnce() + Send + 'static) {
        let mut kept = self.act();
        if self.is_asked() {
            drop(kept);
            act();
        } else {
            *kept = Some(Box::new(act));
        }
    }

    fn hear(&self, now: HostTime) -> Heard {
        let first = self.0.asked_at_ns.compare_exchange(
            NEVER,
            now.as_nanos(),
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        if let Err(before) = first {
            let is_echo = now.since(HostTime::from_nanos(before)) < ONE_WISH;
            return if is_echo { Heard::Echo } else { Heard::Again };
        }
        self.0.asked.store(true, Ordering::SeqCst);
        let act = self.act().take();
        if let Some(act) = act {
            act();
        }
        Heard::First
    }

    fn act(&self) -> std::sync::MutexGuard<'_, Option<Box<dyn FnOnce() + Send>>> {
        self.0.act.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn the_first_wish_darkens_at_once_and_a_second_ends_at_once() {
        let (dark, ending) = (Arc::new(AtomicBool::new(false)), Ending::unheard());
        let darken = Arc::clone(&dark);
        ending.at_first(move || darken.store(true, Ordering::SeqCst));
        assert!(!ending.is_asked() && !dark.load(Ordering::SeqCst));
        assert_eq!(ending.hear(at(0)), Heard::First);
        assert!(ending.is_asked() && dark.load(Ordering::SeqCst));
        assert_eq!(ending.hear(at(500)), Heard::Again);
    }

    #[test]
    fn a_closed_terminal_that_is_told_twice_is_one_wish() {
        let ending = Ending::unheard();
        assert_eq!(ending.hear(at(-7_000)), Heard::First);
        assert_eq!(ending.hear(at(-7_000)), Heard::Echo);
        assert_eq!(ending.hear(at(-6_501)), Heard::Echo);
        assert_eq!(ending.hear(at(-6_500)), Heard::Again);
    }

    #[test]
    fn a_wish_that_came_before_there_was_light_is_not_lost() {
        let (dark, ending) = (Arc::new(AtomicBool::new(false)), Ending::unheard());
        ending.hear(at(0));
        let darken = Arc::clone(&dark);
        ending.at_first(move || darken.store(true, Ordering::SeqCst));
        assert!(dark.load(Ordering::SeqCst));
    }
}
