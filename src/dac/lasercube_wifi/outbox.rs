//! Datagrams that are to be sent, in one piece of memory that is reused.

use std::collections::VecDeque;

use crate::wire::lasercube_wifi::Command;

/// Which of the device's ports a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Command,
    Data,
}

/// Datagrams in the order they are to be sent.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    heads: VecDeque<(Port, usize)>,
    sent_bytes: usize,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(64 * 1024),
            heads: VecDeque::with_capacity(256),
            sent_bytes: 0,
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        self.add(Port::Command, |bytes| command.emit(bytes));
    }

    /// Adds a datagram that `write` appends.
    pub(super) fn add(&mut self, port: Port, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.heads.push_back((port, self.bytes.len() - start));
    }

    /// The next one to send.
    pub(super) fn front(&self) -> Option<(Port, &[u8])> {
        let (port, len) = *self.heads.front()?;
        Some((port, &self.bytes[self.sent_bytes..self.sent_bytes + len]))
    }

    /// The front one has left.
    pub(super) fn sent(&mut self) {
        if let Some((_, len)) = self.heads.pop_front() {
            self.sent_bytes += len;
        }
        if self.heads.is_empty() {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.heads.clear();
        self.sent_bytes = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }
}
