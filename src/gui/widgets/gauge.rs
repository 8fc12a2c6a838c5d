//! Bars and lamps.

use egui::{Color32, Painter, Pos2, Rect, Vec2};

use crate::gui::theme;

/// A horizontal bar filled to `fraction` (clamped to 0..=1), with a mark at another fraction.
pub(in crate::gui) fn bar(
    painter: &Painter,
    rect: Rect,
    fraction: f32,
    colour: Color32,
    mark: Option<f32>,
) {
    painter.rect_filled(rect, 2, theme::RAISED);
    let inside = |fraction: f32| rect.width() * fraction.clamp(0.0, 1.0);
    let filled = Rect::from_min_size(rect.min, Vec2::new(inside(fraction), rect.height()));
    painter.rect_filled(filled, 2, colour);
    if let Some(mark) = mark {
        let at = Rect::from_center_size(
            Pos2::new(rect.left() + inside(mark), rect.center().y),
            Vec2::new(2.0, rect.height() + 4.0),
        );
        painter.rect_filled(at, 0, theme::TEXT_QUIET);
    }
}

/// A lamp that is off at 0 and full at 1, with a soft halo.
pub(in crate::gui) fn lamp(
    painter: &Painter,
    centre: Pos2,
    radius: f32,
    colour: Color32,
    level: f32,
) {
    let level = level.clamp(0.0, 1.0);
    let halo = Color32::from_rgb_additive(
        (f32::from(colour.r()) * 0.22 * level) as u8,
        (f32::from(colour.g()) * 0.22 * level) as u8,
        (f32::from(colour.b()) * 0.22 * level) as u8,
    );
    painter.circle_filled(centre, radius * 1.6, halo);
    painter.circle_filled(centre, radius, theme::mix(theme::RAISED, colour, level));
}

/// A status light: a plain filled dot.
pub(in crate::gui) fn beacon(painter: &Painter, centre: Pos2, colour: Color32) {
    painter.circle_filled(centre, 5.0, colour);
    painter.circle_stroke(centre, 8.0, egui::Stroke::new(1.0, colour.gamma_multiply(0.35)));
}
