//! From strokes to points: order, spacing, corners, blanked travel, colour delay, and the model of the
//! mirrors.
//!
//! [`Layout`] turns a [`crate::pattern::Figure`] into the points of one frame. It plans a motion in
//! continuous time whose speed and acceleration stay within the [`GalvoProfile`], and samples it at the
//! point rate: whatever the figure and the rate, no step is larger than the mirrors bear. [`Mounting`] lays a
//! finished run of points the way a projector hangs.

pub mod colour_delay;
pub mod edge;
pub mod galvo;
pub mod layout;
pub mod mounting;
pub mod order;
pub mod perspective;
pub mod played;
pub mod points;
pub mod profile;
pub mod quality;
pub mod rest;
pub mod route;
pub mod speed;
pub mod trace;
pub mod travel;

pub use colour_delay::{ColourDelay, ColourDelayUndone};
pub use galvo::Mirror;
pub use layout::{Laid, Layout, LayoutSettings};
pub use mounting::{ColourOrder, Fitting, Mounting, MountingError};
pub use perspective::{Perspective, PerspectiveError};
pub use points::PathPoints;
pub use profile::{GalvoProfile, PointLimits};
