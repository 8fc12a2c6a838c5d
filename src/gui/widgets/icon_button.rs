//! Small buttons with a drawn sign: independent of what a font holds.

use egui::{
    Color32, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo,
};

use crate::gui::theme;

/// The signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gui) enum Icon {
    /// A triangle.
    Play,
    /// Two bars.
    Pause,
    /// An arrow back.
    Undo,
    /// An arrow forth.
    Redo,
    /// A cross.
    Close,
    /// A triangle against a bar.
    Next,
    /// A plus.
    Plus,
    /// A minus.
    Minus,
}

/// A square button of `side` px with the accessible name `name`.
pub(in crate::gui) fn icon_button(
    ui: &mut Ui,
    icon: Icon,
    name: &str,
    enabled: bool,
    side: f32,
) -> Response {
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), sense);
    let name = name.to_owned();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
    let (ground, ink) = match (enabled, response.hovered()) {
        (false, _) => (theme::PANEL, theme::LINE),
        (true, false) => (theme::RAISED, theme::TEXT),
        (true, true) => (theme::RAISED_HOVER, Color32::WHITE),
    };
    let painter = ui.painter();
    painter.rect_filled(rect, theme::CORNER, ground);
    if response.has_focus() {
        let stroke = Stroke::new(1.0, theme::ACCENT);
        painter.rect_stroke(rect, theme::CORNER, stroke, egui::StrokeKind::Inside);
    }
    draw(painter, icon, rect.shrink(side * 0.31), ink);
    response
}

fn draw(painter: &Painter, icon: Icon, rect: Rect, ink: Color32) {
    let at = |x: f32, y: f32| rect.min + rect.size() * Vec2::new(x, y);
    let stroke = Stroke::new((rect.width() * 0.16).max(1.5), ink);
    match icon {
        Icon::Play => {
            let corners = vec![at(0.12, 0.0), at(1.0, 0.5), at(0.12, 1.0)];
            painter.add(Shape::convex_polygon(corners, ink, Stroke::NONE));
        }
        Icon::Pause => {
            for x in [0.08, 0.62] {
                painter.rect_filled(Rect::from_min_max(at(x, 0.0), at(x + 0.3, 1.0)), 1, ink);
            }
        }
        Icon::Close => {
            painter.line_segment([at(0.1, 0.1), at(0.9, 0.9)], stroke);
            painter.line_segment([at(0.9, 0.1), at(0.1, 0.9)], stroke);
        }
        Icon::Next => {
            let corners = vec![at(0.02, 0.04), at(0.74, 0.5), at(0.02, 0.96)];
            painter.add(Shape::convex_polygon(corners, ink, Stroke::NONE));
            painter.rect_filled(Rect::from_min_max(at(0.76, 0.04), at(0.98, 0.96)), 1, ink);
        }
        Icon::Plus => {
            painter.line_segment([at(0.0, 0.5), at(1.0, 0.5)], stroke);
            painter.line_segment([at(0.5, 0.0), at(0.5, 1.0)], stroke);
        }
        Icon::Minus => {
            painter.line_segment([at(0.0, 0.5), at(1.0, 0.5)], stroke);
        }
        Icon::Undo => arrow(painter, stroke, at),
        Icon::Redo => arrow(painter, stroke, |x, y| at(1.0 - x, y)),
    }
}

/// A hooked arrow to the left.
fn arrow(painter: &Painter, stroke: Stroke, at: impl Fn(f32, f32) -> Pos2) {
    let bow = (0..=10).map(|k| {
        let angle = std::f32::consts::PI * (k as f32 / 10.0 - 0.5);
        at(0.62 + 0.34 * angle.cos(), 0.62 + 0.34 * angle.sin())
    });
    let mut way = vec![at(0.04, 0.28)];
    way.extend(bow);
    way.push(at(0.2, 0.96));
    painter.line(way, stroke);
    painter.line(vec![at(0.32, 0.0), at(0.04, 0.28), at(0.32, 0.56)], stroke);
}
