//! One file per panel. A panel reads a [`Snapshot`](crate::show::Snapshot), pushes wishes, and keeps
//! only what is on the screen.

pub(super) mod closing;
pub(super) mod key_sheet;
pub(super) mod notices;
pub(super) mod parameters;
pub(super) mod presets;
pub(super) mod preview;
pub(super) mod projectors;
pub(super) mod safety;
pub(super) mod spectrum;
pub(super) mod status;
pub(super) mod tempo;
pub(super) mod title_bar;
pub(super) mod transport;
