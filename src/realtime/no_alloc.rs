//! A guard that counts what the real-time side takes from or gives back to the heap.
//!
//! Declare [`CountingAllocator`] as the `#[global_allocator]` (tests, benches, debug builds of the program),
//! and run real-time work inside [`watch`]. Outside of a watch the guard costs a thread-local read per
//! allocation. The count is per thread: what other threads do meanwhile does not matter.
//!
//! ```
//! use galvo::realtime::no_alloc;
//!
//! #[global_allocator]
//! static ALLOCATOR: no_alloc::CountingAllocator = no_alloc::CountingAllocator;
//!
//! let (sum, touched) = no_alloc::watch(|| (1..=4).sum::<u32>());
//! assert_eq!((sum, touched), (10, 0));
//! ```
#![allow(
    unsafe_code,
    reason = "implementing GlobalAlloc is unsafe by its nature; this forwards to System"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

thread_local! {
    // Constant initialisers and no destructors: reading these never allocates and never fails.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static TOUCHED: Cell<u64> = const { Cell::new(0) };
}

static INSTALLED: AtomicBool = AtomicBool::new(false);
static ABORT_ON_FIRST: AtomicBool = AtomicBool::new(false);
static IN_REAL_TIME: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, with a count of what happens inside a [`watch`].
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

// SAFETY: every call is forwarded unchanged to `System`, which keeps the contract of `GlobalAlloc`. The
// counting touches only atomics and thread-local cells: it neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as for `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note();
        // SAFETY: `ptr` came from this allocator, hence from `System`, with this layout.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        note();
        // SAFETY: `ptr` came from this allocator, hence from `System`, with this layout.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// Counts one touch of the heap, if this thread is inside a watch.
fn note() {
    if !INSTALLED.load(Ordering::Relaxed) {
        INSTALLED.store(true, Ordering::Relaxed);
    }
    if DEPTH.get() == 0 {
        return;
    }
    TOUCHED.set(TOUCHED.get() + 1);
    IN_REAL_TIME.fetch_add(1, Ordering::Relaxed);
    if ABORT_ON_FIRST.load(Ordering::Relaxed) {
        abort_with_backtrace();
    }
}

#[cold]
#[allow(clippy::print_stderr, reason = "the process ends here: nothing else is left to tell it to")]
fn abort_with_backtrace() -> ! {
    // The report itself allocates.
    DEPTH.set(0);
    let backtrace = std::backtrace::Backtrace::force_capture();
    eprintln!("heap used inside a real-time scope:\n{backtrace}");
    std::process::abort();
}

/// Ends a watch, also when the work unwinds.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Runs real-time work; returns its result and how often this thread used the heap meanwhile (allocations,
/// reallocations and frees). Always 0 where [`CountingAllocator`] is not the global allocator.
///
/// Watches nest: an outer one counts what happens in an inner one too.
pub fn watch<R>(work: impl FnOnce() -> R) -> (R, u64) {
    let before = TOUCHED.get();
    DEPTH.set(DEPTH.get() + 1);
    let leave = Leave;
    let result = work();
    drop(leave);
    (result, TOUCHED.get() - before)
}

/// How often any thread used the heap inside a [`watch`] since the process began; `None` where
/// [`CountingAllocator`] is not the global allocator, so that nobody takes "not counted" for "none".
#[must_use]
pub fn realtime_allocations() -> Option<u64> {
    INSTALLED.load(Ordering::Relaxed).then(|| IN_REAL_TIME.load(Ordering::Relaxed))
}

/// From now on the first use of the heap inside a [`watch`] prints a backtrace and aborts the process: for
/// tests, which then fail at the line at fault.
pub fn abort_on_first() {
    ABORT_ON_FIRST.store(true, Ordering::Relaxed);
}

/// The library's own tests run under the guard, so that any of them may watch.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn taking_and_giving_back_inside_a_watch_count_once_each() {
        let outside = black_box(Box::new(1));
        let (inside, touched) = watch(|| black_box(Box::new(2)));
        assert_eq!(touched, 1);
        drop(outside);
        let ((), touched) = watch(|| drop(inside));
        assert_eq!(touched, 1);
        let (grown, touched) = watch(|| {
            let mut bytes = black_box(vec![0_u8; 8]);
            bytes.reserve_exact(64);
            bytes
        });
        assert_eq!((touched, grown.len()), (2, 8));
    }

    #[test]
    fn an_outer_watch_counts_the_inner_one_too() {
        let (inner, outer) = watch(|| {
            note();
            watch(note).1
        });
        assert_eq!((inner, outer), (1, 2));
    }

    #[test]
    fn a_watch_ends_when_its_work_panics() {
        let caught = std::panic::catch_unwind(|| watch(|| std::panic::resume_unwind(Box::new(1))));
        assert!(caught.is_err());
        assert_eq!(DEPTH.get(), 0);
    }

    #[test]
    fn other_threads_do_not_count() {
        static STEP: AtomicU32 = AtomicU32::new(0);
        let await_step = |step| {
            while STEP.load(Ordering::SeqCst) != step {
                std::hint::spin_loop();
            }
        };
        let other = std::thread::spawn(move || {
            await_step(1);
            black_box(Box::new(1));
            STEP.store(2, Ordering::SeqCst);
        });
        let ((), touched) = watch(|| {
            STEP.store(1, Ordering::SeqCst);
            await_step(2);
        });
        assert_eq!(touched, 0);
        other.join().unwrap();
    }

    #[test]
    fn the_process_wide_count_grows() {
        let before = IN_REAL_TIME.load(Ordering::Relaxed);
        watch(note);
        assert!(realtime_allocations().unwrap() > before);
    }
}
