//! The asynchronous runtime of the media: nothing outside `media` runs on it.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime of `threads` threads.
pub(super) fn start(threads: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(threads).thread_name("media").enable_all().build()
}
