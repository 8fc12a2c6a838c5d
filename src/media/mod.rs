//! Bytes of music: where they come from.
