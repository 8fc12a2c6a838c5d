//! Frames lent from a pool that never allocates, and taps that look at them without slowing anyone.
//!
//! A stream owns the [`FrameProducer`]: it copies each run of points once into a slot of a [`Pool`] and hands the
//! same memory to the primary output and to every tap. Whoever wants to look asks the [`TapRegistry`], from any
//! thread, at any time. What an observer does, or fails to do, never reaches the producer: a tap that is full
//! loses frames and counts them. The light itself does not pass here and does not depend on the pool.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use galvo::frame::{self, FrameMeta, TapPoint};
//! use galvo::point::LaserPoint;
//! use galvo::time::SystemClock;
//!
//! let clock = Arc::new(SystemClock);
//! let (mut producer, taps) = frame::producer(frame::DEFAULT_SLOTS, clock.clone());
//! let mut recorder = taps.ring_tap(TapPoint::Sent, 64, 1)?;
//!
//! // The stream, once a chunk:
//! producer.publish(&[LaserPoint::CENTRE; 300], FrameMeta::at(TapPoint::Sent));
//! drop(producer);
//!
//! // The recorder, on a thread of its own; dropping a frame returns its slot:
//! let mut points = 0;
//! while let Some(frame) = recorder.recv(&*clock) {
//!     points += frame.points().len();
//! }
//! assert_eq!(points, 300);
//! # Ok::<(), galvo::frame::TapError>(())
//! ```

mod buffer;
mod data;
mod observer;
mod pool;
mod producer;
mod registry;
mod tap;

pub use buffer::{BufferPool, PooledBuffer};
pub use data::{FRAME_CAPACITY, FrameData, FrameMeta, FrameView, TapPoint};
pub use observer::{FrameObserver, ObserverHandle};
pub use pool::{Loaned, Pool, PoolStats, Shared};
pub use producer::{DEFAULT_SLOTS, FrameProducer, PrimaryError, ProducerStats, producer};
pub use registry::{TapError, TapRegistry};
pub use tap::{FrameReceiver, FrameSender, PreviewReceiver, TapReport, TapStats, frame_channel};
