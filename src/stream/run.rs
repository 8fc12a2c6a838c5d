//! A stream with its own clock: a loop over tick and submit.

use super::core::{RunExit, Stream};
use super::fill::Producer;
use crate::time::Clock;

/// Runs `stream` until it ends, asking `producer` for points. Dark on every way out, panics included.
pub fn run_fill<P: Producer + ?Sized>(
    stream: &mut Stream,
    clock: &dyn Clock,
    producer: &mut P,
) -> RunExit {
    let mut next_tick = clock.now();
    loop {
        stream.fill_from(clock.now(), producer);
        if let Some(exit) = stream.exit() {
            return exit;
        }
        next_tick += stream.config().tick_interval;
        clock.sleep_until(next_tick);
    }
}
