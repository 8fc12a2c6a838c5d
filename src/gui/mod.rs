//! The desktop window: shows a [`Snapshot`](crate::show::Snapshot), sends
//! [`Command`](crate::show::Command)s, and touches no device.
//!
//! [`App`] holds the whole interface as a function over `&mut egui::Ui` and a
//! [`Desk`](crate::show::Desk), so it runs the same in a window, in a test and in a picture. One file
//! per panel under `panels`, where each pane stands in `layout`, widgets that know nothing of a show under `widgets`, colours and sizes in
//! `theme`. [`run`] opens the window.
//!
//! Promises: nothing here waits; no dialog ever covers STOP, and Esc stops whatever has the focus.
//! Deliberately absent: show state (only what is on the screen is kept here), a clock (time is egui's
//! input time), and any shortcut that arms or quits.

mod app;
mod beam_window;
mod file_chooser;
mod frame_time;
mod keys;
mod layout;
mod memory;
mod own_tracks;
mod pace;
mod pane;
mod panels;
mod phosphor;
pub mod theme;
mod thumbnails;
mod widgets;
mod window;

pub use app::App;
pub use beam_window::watch_beam;
pub use file_chooser::{AUDIO_EXTENSIONS, FileChooser, Wanted};
pub use memory::default_file;
pub use window::{GuiError, Renderer, WindowOptions, run};
