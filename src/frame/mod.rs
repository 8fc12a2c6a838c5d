//! Frames lent from a pool that never allocates, and taps that look at them without slowing anyone.
