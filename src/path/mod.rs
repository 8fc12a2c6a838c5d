//! From strokes to points: spacing, corners, blanked travel, colour delay, and the model of the mirrors.
