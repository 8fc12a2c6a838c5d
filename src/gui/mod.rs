//! The desktop window: shows a [`Snapshot`](crate::show::Snapshot), sends
//! [`Command`](crate::show::Command)s, and touches no device.
