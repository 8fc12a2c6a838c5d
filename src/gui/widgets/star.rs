//! A star that is set or not.

use egui::{
    Id, Mesh, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo,
};

use crate::gui::theme;

/// The hollow of a star beside its points.
const HOLLOW: f32 = 0.42;

/// A star at `rect` that can be pressed, with the accessible name `name`. One that is not set is drawn only if it is
/// `shown`, under the pointer or in focus.
pub(in crate::gui) fn star_button(
    ui: &Ui,
    rect: Rect,
    id: Id,
    name: &str,
    set: bool,
    shown: bool,
) -> Response {
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, set, name));
    let lit = response.hovered() || response.has_focus();
    if set || shown || lit {
        let ink = match (set, lit) {
            (true, _) => theme::ACCENT,
            (false, true) => theme::TEXT,
            (false, false) => theme::TEXT_QUIET,
        };
        star(ui.painter(), rect.center(), 0.36 * rect.width(), ink, set);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.0, theme::ACCENT);
        ui.painter().rect_stroke(rect, 4, stroke, egui::StrokeKind::Inside);
    }
    response
}

/// A star of this radius, filled or as an outline.
fn star(painter: &Painter, centre: Pos2, radius: f32, ink: egui::Color32, filled: bool) {
    let corner = |k: u32| {
        let angle = std::f32::consts::PI * (0.2 * k as f32 - 0.5);
        let reach = if k.is_multiple_of(2) { radius } else { HOLLOW * radius };
        centre + reach * Vec2::angled(angle)
    };
    if filled {
        let mut mesh = Mesh::default();
        mesh.colored_vertex(centre, ink);
        (0..10).for_each(|k| mesh.colored_vertex(corner(k), ink));
        (0..10).for_each(|k| mesh.add_triangle(0, 1 + k, 1 + (k + 1) % 10));
        painter.add(mesh);
    }
    // The outline of a filled one smooths its edge.
    painter.add(Shape::closed_line((0..10).map(corner).collect(), Stroke::new(1.0, ink)));
}
