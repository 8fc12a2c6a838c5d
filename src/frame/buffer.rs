//! Byte buffers lent from a pool, which become [`Bytes`] without a copy and come back when the last of them is
//! gone.
//!
//! The pool keeps a second handle to each allocation. A buffer that was frozen is lent again as soon as no
//! `Bytes` of it is left; nothing is boxed and nothing has to be told.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use crossbeam_queue::ArrayQueue;

struct Inner {
    /// One handle per buffer that is not being written: free, or frozen and perhaps still read.
    idle: ArrayQueue<BytesMut>,
    capacity: usize,
    heap_fallbacks: AtomicU64,
}

/// A fixed set of byte buffers. Clones are handles to the same pool.
#[derive(Clone)]
pub struct BufferPool(Arc<Inner>);

impl BufferPool {
    /// `buffers` buffers (at least one) of `capacity` bytes each (at least one).
    #[must_use]
    pub fn new(buffers: usize, capacity: usize) -> Self {
        let (buffers, capacity) = (buffers.max(1), capacity.max(1));
        let idle = ArrayQueue::new(buffers);
        for _ in 0..buffers {
            let refused = idle.push(counted(capacity));
            debug_assert!(refused.is_ok());
        }
        Self(Arc::new(Inner { idle, capacity, heap_fallbacks: AtomicU64::new(0) }))
    }

    /// Borrows an empty buffer that nobody reads any more; `None` if there is none. Looks at each buffer once; no
    /// heap, no lock.
    #[must_use]
    pub fn try_acquire(&self) -> Option<PooledBuffer> {
        for _ in 0..self.0.idle.capacity() {
            let mut bytes = self.0.idle.pop()?;
            bytes.clear();
            if bytes.try_reclaim(self.0.capacity) {
                return Some(PooledBuffer {
                    bytes,
                    home: Some(Arc::clone(&self.0)),
                    capacity: self.0.capacity,
                });
            }
            let returned = self.0.idle.push(bytes);
            debug_assert!(returned.is_ok());
        }
        None
    }

    /// Borrows an empty buffer; if all are in use, takes one from the heap and counts it. Not for real-time threads.
    #[must_use]
    pub fn acquire(&self) -> PooledBuffer {
        self.try_acquire().unwrap_or_else(|| {
            self.0.heap_fallbacks.fetch_add(1, Ordering::Relaxed);
            PooledBuffer { bytes: counted(self.0.capacity), home: None, capacity: self.0.capacity }
        })
    }

    /// Times [`acquire`](Self::acquire) had to use the heap.
    #[must_use]
    pub fn heap_fallbacks(&self) -> u64 {
        self.0.heap_fallbacks.load(Ordering::Relaxed)
    }
}

/// A buffer whose allocation already carries its reference count, so that freezing does not have to add one.
fn counted(capacity: usize) -> BytesMut {
    let mut bytes = BytesMut::with_capacity(capacity);
    drop(bytes.split_to(0));
    bytes
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferPool")
            .field("buffers", &self.0.idle.capacity())
            .field("capacity", &self.0.capacity)
            .finish_non_exhaustive()
    }
}

/// A borrowed buffer: derefs to the bytes written so far. Returns itself when dropped or frozen and read.
pub struct PooledBuffer {
    bytes: BytesMut,
    home: Option<Arc<Inner>>,
    capacity: usize,
}

impl PooledBuffer {
    /// Appends as many of `bytes` as fit, from the front; returns how many that were.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.free());
        self.bytes.extend_from_slice(&bytes[..len]);
        len
    }

    /// Forgets what was written.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Bytes that still fit.
    #[must_use]
    pub fn free(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    /// Bytes that fit in all.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// What was written, as bytes to share: no copy, no heap. The buffer is lent again when the last clone of them
    /// is gone.
    #[must_use]
    pub fn freeze(mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

impl Deref for PooledBuffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for PooledBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            let returned = home.idle.push(std::mem::take(&mut self.bytes));
            debug_assert!(returned.is_ok(), "a buffer came back twice");
        }
    }
}

impl fmt::Debug for PooledBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledBuffer")
            .field("len", &self.bytes.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::no_alloc::watch;

    /// DP-10: the frozen bytes lie where they were written.
    #[test]
    fn freezing_copies_nothing() {
        let pool = BufferPool::new(1, 64);
        let mut buffer = pool.try_acquire().unwrap();
        assert_eq!(buffer.write(b"light"), 5);
        buffer[0] = b'n';
        let address = buffer.as_ptr();
        let frozen = buffer.freeze();
        assert_eq!((frozen.as_ptr(), &frozen[..]), (address, &b"night"[..]));
    }

    /// DP-10: a buffer is whole again after each reuse, and is not lent while someone reads it.
    #[test]
    fn a_frozen_buffer_comes_back_whole_when_its_last_reader_is_gone() {
        let pool = BufferPool::new(1, 8);
        let mut address = None;
        for round in 0..100_u8 {
            let mut buffer = pool.try_acquire().unwrap();
            assert_eq!((buffer.len(), buffer.free()), (0, 8));
            assert_eq!(buffer.write(&[round; 12]), 8);
            assert_eq!(*address.get_or_insert(buffer.as_ptr()), buffer.as_ptr());
            let frozen = buffer.freeze();
            let reader = frozen.slice(2..4);
            drop(frozen);
            assert!(pool.try_acquire().is_none(), "still read");
            assert_eq!(&reader[..], &[round; 2]);
            std::thread::spawn(move || drop(reader)).join().unwrap();
        }
    }

    /// DP-01, DP-10: writing, freezing, sharing and dropping use no heap.
    #[test]
    fn a_cycle_does_not_touch_the_heap() {
        let pool = BufferPool::new(3, 1024);
        let ((), touched) = watch(|| {
            for round in 0..10_000_u32 {
                let mut buffer = pool.try_acquire().unwrap();
                buffer.write(&[round as u8; 700]);
                let frozen = buffer.freeze();
                let twin = frozen.clone();
                drop((frozen, twin));
                drop(pool.try_acquire().unwrap());
            }
        });
        assert_eq!(touched, 0);
    }

    /// DP-32: with all buffers in use the heap steps in, counted, and nothing is lost.
    #[test]
    fn an_empty_pool_falls_back_to_the_heap() {
        let pool = BufferPool::new(1, 8);
        let held = pool.acquire();
        let mut extra = pool.acquire();
        extra.write(b"extra");
        assert_eq!((pool.heap_fallbacks(), &extra.freeze()[..]), (1, &b"extra"[..]));
        drop(held);
        assert!(pool.try_acquire().is_some());
    }

    #[test]
    fn bytes_outlive_their_pool() {
        let pool = BufferPool::new(2, 8);
        let mut buffer = pool.try_acquire().unwrap();
        buffer.write(b"kept");
        let frozen = buffer.freeze();
        drop(pool);
        assert_eq!(&frozen[..], b"kept");
    }
}
