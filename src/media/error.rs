//! Why bytes do not come, by what can be done about it.

use thiserror::Error;

use super::interrupt::Superseded;

/// A failure of a stream: of its source, or of how it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StreamError<E> {
    /// The source fails; what it says.
    #[error(transparent)]
    Source(E),
    /// The place lies before the start or past the end.
    #[error("The place to go to lies outside the stream: stay within its length.")]
    InvalidSeek,
    /// A place counted from the end, in a stream that does not tell its length.
    #[error("The stream does not tell its length: count from the start.")]
    UnknownLength,
    /// The other end is gone.
    #[error("The stream was closed: open it again.")]
    ChannelClosed,
}

/// A result of a stream whose source fails with `E`.
pub type StreamResult<T, E> = Result<T, StreamError<E>>;

/// Why a transport does not give its bytes. The same failure has the same name whatever the transport.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransportError {
    /// The address is none.
    #[error("{url} is no address that galvo can play ({why}): it begins with http:// or https://.")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing is there (404, 410).
    #[error("There is nothing at {0}: check the address.")]
    NotFound(String),
    /// The server does not give it out (401, 403 and other refusals).
    #[error(
        "The server refuses {url} ({status}): ask for access, or save the file and play it from disk."
    )]
    Refused {
        /// The address.
        url: String,
        /// The status code.
        status: u16,
    },
    /// No connection, or it broke too often.
    #[error("{url} cannot be reached ({why}): check the address and the network, then try again.")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system says.
        why: String,
    },
    /// It answers, then stops.
    #[error("{url} has sent nothing for {seconds} s: check the network, then try again.")]
    Silent {
        /// The address.
        url: String,
        /// For how long.
        seconds: u64,
    },
    /// The server has a fault (5xx).
    #[error(
        "The server of {url} has a fault ({status}): try again later, or save the file and play it from disk."
    )]
    Server {
        /// The address.
        url: String,
        /// The status code.
        status: u16,
    },
    /// Another file is there now.
    #[error("{0} was changed on its server while it was read: open it again.")]
    Changed(String),
    /// The answer makes no sense.
    #[error(
        "The server of {url} answers against the rules ({what}): save the file and play it from disk."
    )]
    Protocol {
        /// The address.
        url: String,
        /// Which rule.
        what: &'static str,
    },
    /// It holds no bytes.
    #[error("{0} is empty: check the address.")]
    Empty(String),
    /// It is longer than any file that is believed.
    #[error(
        "{0} does not end within 4 GB: it is no file of music; record a part of it and play that."
    )]
    TooLong(String),
    /// Nobody wants the bytes any more.
    #[error(transparent)]
    Superseded(#[from] Superseded),
    /// The disk does not take or give the bytes.
    #[error(
        "{name} cannot be kept on or read from the disk ({why}): make room there and check it."
    )]
    Disk {
        /// The file or address.
        name: String,
        /// What the system says.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_s_own_words_pass_through() {
        let missing = TransportError::NotFound("http://x/a.mp3".into());
        let said = missing.to_string();
        assert_eq!(StreamError::Source(missing).to_string(), said);
        assert!(said.contains("http://x/a.mp3: check the address"));
    }
}
