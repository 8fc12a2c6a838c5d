//! The rules of `docs/safety.md` on the whole way from producer to mirrors, in virtual time: what counts is what
//! a virtual projector showed, whatever was drawn, set, broken or done. Every driver is under it.

mod before_the_edge;
mod drawing;
mod judge;
mod projectors;
mod random_shows;
mod show;
mod single_rules;
mod sudden_end;

use std::time::Duration;

use galvo::time::HostTime;

const MS: Duration = Duration::from_millis(1);
const T0: HostTime = HostTime::from_nanos(1_000_000_000);
/// The device thread looks at the switch this often.
const LOOK: Duration = Duration::from_millis(2);
