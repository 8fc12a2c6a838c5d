//! Models of galvo's hand-overs between threads, run through every order of execution that the
//! memory model allows (loom: bounded, exhaustive).
//!
//! | model | mirrors | orders |
//! |---|---|---|
//! | [`share`] | `frame::pool`: `Loaned::share`, `Shared::clone`, `Shared::drop` | holders: store `Relaxed`, `fetch_add` `Relaxed`, `fetch_sub` `AcqRel` |
//! | [`queue`] | `safety::queue`: `SafeSender::push`, `SafeReceiver::take` | points: index stored `Release`, loaded `Acquire`; then heads likewise |
//! | [`switches`] | `safety::switches`: `Switches::stop`, `join`, `set_blackout` | latch and switches: read-modify-write `SeqCst`; list: stored `Release`, loaded `Acquire`; fences `SeqCst` between |
//!
//! What the originals take from `crossbeam_queue::ArrayQueue` and `ringbuf` stands here as the least those promise: a
//! push happens before the pop that sees it. Each model also runs with its order broken, and loom finds that.

pub mod queue;
pub mod share;
pub mod switches;
