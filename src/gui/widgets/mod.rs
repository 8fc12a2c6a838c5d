//! Controls and gauges that know nothing of a show.

mod block_button;
mod code_editor;
mod gauge;
mod icon_button;
mod level_slider;
mod light_sign;
mod seek_bar;
mod star;
mod surface;

pub(super) use block_button::BlockButton;
pub(super) use code_editor::{Edited, TextPlace, code_editor};
pub(super) use gauge::{bar, beacon, lamp};
pub(super) use icon_button::{Icon, icon_button};
pub(super) use level_slider::level_slider;
pub(super) use light_sign::{light_colour, light_sign};
pub(super) use seek_bar::{Done, SeekBar, Stretch};
pub(super) use star::star_button;
pub(super) use surface::{dialog, heading, read_out};
