//! The field of a projector, with handles: the corners of the picture, and the corners of a zone.

use egui::{
    Align2, Color32, CursorIcon, Mesh, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke,
    StrokeKind, Ui, Vec2, WidgetInfo,
};

use crate::gui::theme;
use crate::path::Perspective;
use crate::show::{Installation, ZoneKind, ZoneSpec};

/// A handle is taken from this near, px.
const REACH_PX: f32 = 14.0;
/// Lines of the grid that shows how a picture is laid, each way.
const GRID_LINES: usize = 8;

/// What a hand holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grip {
    /// A corner of the picture.
    Picture(usize),
    /// A corner of the chosen zone.
    Corner(usize),
    /// The chosen zone as a whole.
    Zone,
}

/// The field; keeps what is held and which zone is chosen.
#[derive(Debug, Default)]
pub(super) struct Field {
    held: Option<Grip>,
    /// The zone whose corners have handles.
    pub(super) chosen: Option<usize>,
}

impl Field {
    /// True while a hand drags.
    pub(super) const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Shows the field of `installation` in a square of `side` px, and changes it as it is dragged.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        installation: &mut Installation,
        side: f32,
    ) -> Response {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Field of the projector"));
        let view = View { square: rect.shrink(14.0) };
        let pointer = response.interact_pointer_pos().map(|at| view.in_field(at));
        if response.drag_started()
            && let Some(at) = ui.input(|input| input.pointer.press_origin())
        {
            self.held = self.grip_at(installation, view, at);
        }
        if let (Some(grip), Some(at)) = (self.held, pointer) {
            let by = response.drag_delta() / (view.square.width() / 2.0);
            self.drag(installation, grip, at, [by.x, -by.y]);
        }
        if response.drag_stopped() {
            self.held = None;
        }
        if response.clicked()
            && let Some(at) = response.interact_pointer_pos()
            && self.grip_at(installation, view, at).is_none_or(|grip| grip == Grip::Zone)
        {
            self.chosen = zone_at(installation, view.in_field(at));
        }
        if let Some(at) = response.hover_pos()
            && self.grip_at(installation, view, at).is_some()
        {
            ui.set_cursor_icon(if self.held.is_some() {
                CursorIcon::Grabbing
            } else {
                CursorIcon::Grab
            });
        }
        self.paint(ui.painter(), view, installation);
        response
    }

    /// The handle near a place of the screen; the picture's corners lie above the zones.
    fn grip_at(&self, installation: &Installation, view: View, at: Pos2) -> Option<Grip> {
        let near = |corner: &[f32; 2]| view.on_screen(*corner).distance(at) <= REACH_PX;
        let zone = self.chosen.and_then(|chosen| installation.zones.get(chosen));
        let corner = zone.and_then(|zone| zone.corners.iter().position(near)).map(Grip::Corner);
        let picture = installation.corners.iter().position(near).map(Grip::Picture);
        let inside = zone.filter(|zone| contains(&zone.corners, view.in_field(at)));
        corner.or(picture).or(inside.map(|_| Grip::Zone))
    }

    fn drag(&self, installation: &mut Installation, grip: Grip, at: [f32; 2], by: [f32; 2]) {
        let zone = self.chosen.and_then(|chosen| installation.zones.get_mut(chosen));
        match (grip, zone) {
            (Grip::Picture(corner), _) => {
                let mut corners = installation.corners;
                corners[corner] = at.map(inside_field);
                // A picture that would fold stays where it was.
                if Perspective::onto(&corners).is_ok() {
                    installation.corners = corners;
                }
            }
            (Grip::Corner(corner), Some(zone)) => {
                if let Some(place) = zone.corners.get_mut(corner) {
                    *place = at.map(inside_field);
                }
            }
            (Grip::Zone, Some(zone)) => {
                let moved = zone.corners.iter().map(|c| [c[0] + by[0], c[1] + by[1]]);
                let moved: Vec<[f32; 2]> = moved.collect();
                if moved.iter().flatten().all(|c| c.abs() <= 1.0) {
                    zone.corners = moved;
                }
            }
            (Grip::Corner(_) | Grip::Zone, None) => {}
        }
    }

    fn paint(&self, painter: &Painter, view: View, installation: &Installation) {
        painter.rect_filled(view.square.expand(14.0), theme::CORNER, theme::VOID);
        painter.rect_stroke(view.square, 0, Stroke::new(1.0, theme::LINE), StrokeKind::Outside);
        if installation.zones.iter().any(|zone| zone.kind == ZoneKind::Allowed) {
            // With one allowed zone all the rest is dark.
            painter.rect_filled(view.square, 0, theme::RED.gamma_multiply(0.10));
        }
        for (number, zone) in installation.zones.iter().enumerate() {
            paint_zone(painter, view, zone, number, self.chosen == Some(number));
        }
        paint_picture(painter, view, installation);
    }
}

fn paint_picture(painter: &Painter, view: View, installation: &Installation) {
    let Ok(map) = Perspective::onto(&installation.corners) else { return };
    let place = |x: f32, y: f32| view.on_screen(map.place([x, y]));
    for line in 0..=GRID_LINES {
        let t = line as f32 / GRID_LINES as f32 * 2.0 - 1.0;
        let edge = line == 0 || line == GRID_LINES;
        let ink = if edge { theme::ACCENT } else { theme::ACCENT.gamma_multiply(0.22) };
        let stroke = Stroke::new(if edge { 1.5 } else { 1.0 }, ink);
        painter.line_segment([place(t, -1.0), place(t, 1.0)], stroke);
        painter.line_segment([place(-1.0, t), place(1.0, t)], stroke);
    }
    for (corner, name) in installation.corners.iter().zip(["1", "2", "3", "4"]) {
        handle(painter, view.on_screen(*corner), theme::ACCENT, Some(name));
    }
}

fn paint_zone(painter: &Painter, view: View, zone: &ZoneSpec, number: usize, chosen: bool) {
    let colour = colour_of(zone.kind);
    let corners: Vec<Pos2> = zone.corners.iter().map(|c| view.on_screen(*c)).collect();
    fill(painter, &corners, colour.gamma_multiply(if chosen { 0.30 } else { 0.18 }));
    let stroke = Stroke::new(if chosen { 2.0 } else { 1.0 }, colour);
    painter.add(Shape::closed_line(corners.clone(), stroke));
    let centre = corners.iter().fold(Vec2::ZERO, |sum, at| sum + at.to_vec2());
    let centre = (centre / corners.len().max(1) as f32).to_pos2();
    let font = theme::words(theme::SMALL);
    painter.text(centre, Align2::CENTER_CENTER, format!("{}", number + 1), font, theme::TEXT);
    if chosen {
        for at in corners {
            handle(painter, at, colour, None);
        }
    }
}

/// The colour a kind of zone is drawn in.
pub(in crate::gui::panels) const fn colour_of(kind: ZoneKind) -> Color32 {
    match kind {
        ZoneKind::Blocked => theme::RED_TEXT,
        ZoneKind::Allowed => theme::GREEN,
        ZoneKind::Dimmed => theme::AMBER,
    }
}

fn handle(painter: &Painter, at: Pos2, colour: Color32, name: Option<&str>) {
    painter.circle_filled(at, 7.0, theme::GROUND);
    painter.circle_stroke(at, 7.0, Stroke::new(2.0, colour));
    if let Some(name) = name {
        painter.text(at, Align2::CENTER_CENTER, name, theme::words(10.0), theme::TEXT);
    }
}

/// Fills a polygon, convex or not, by ears.
fn fill(painter: &Painter, corners: &[Pos2], colour: Color32) {
    let mut left: Vec<usize> = (0..corners.len()).collect();
    let mut mesh = Mesh::default();
    for corner in corners {
        mesh.colored_vertex(*corner, colour);
    }
    let turn = |a: Pos2, b: Pos2, c: Pos2| (b - a).x * (c - a).y - (b - a).y * (c - a).x;
    let area: f32 = (0..corners.len())
        .map(|k| {
            let (a, b) = (corners[k], corners[(k + 1) % corners.len()]);
            a.x * b.y - b.x * a.y
        })
        .sum();
    while left.len() > 2 {
        let n = left.len();
        let ear = (0..n).find(|k| {
            let [a, b, c] = [left[(k + n - 1) % n], left[*k], left[(k + 1) % n]];
            let [pa, pb, pc] = [corners[a], corners[b], corners[c]];
            let outward = turn(pa, pb, pc) * area >= 0.0;
            let is_free = left.iter().filter(|i| ![a, b, c].contains(i)).all(|i| {
                let p = corners[*i];
                let signs = [turn(pa, pb, p), turn(pb, pc, p), turn(pc, pa, p)];
                !(signs.iter().all(|s| *s > 0.0) || signs.iter().all(|s| *s < 0.0))
            });
            outward && is_free
        });
        // A polygon that crosses itself has no ear at times: what is left is not filled.
        let Some(k) = ear else { break };
        let [a, b, c] = [left[(k + n - 1) % n], left[k], left[(k + 1) % n]];
        mesh.add_triangle(a as u32, b as u32, c as u32);
        left.remove(k);
    }
    painter.add(mesh);
}

fn zone_at(installation: &Installation, at: [f32; 2]) -> Option<usize> {
    installation.zones.iter().rposition(|zone| contains(&zone.corners, at))
}

fn contains(corners: &[[f32; 2]], at: [f32; 2]) -> bool {
    let mut inside = false;
    for (k, a) in corners.iter().enumerate() {
        let b = corners[(k + 1) % corners.len()];
        if (a[1] > at[1]) != (b[1] > at[1]) {
            inside ^= at[0] < a[0] + (at[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
        }
    }
    inside
}

fn inside_field(place: f32) -> f32 {
    place.clamp(-1.0, 1.0)
}

/// From half-fields to px and back.
#[derive(Clone, Copy, Debug)]
struct View {
    square: Rect,
}

impl View {
    fn on_screen(self, [x, y]: [f32; 2]) -> Pos2 {
        self.square.center() + Vec2::new(x, -y) * (self.square.width() / 2.0)
    }

    fn in_field(self, at: Pos2) -> [f32; 2] {
        let from_centre = (at - self.square.center()) / (self.square.width() / 2.0);
        [from_centre.x, -from_centre.y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corner_is_dragged_within_the_field_and_never_folds_the_picture() {
        let field = Field::default();
        let mut installation = Installation::default();
        field.drag(&mut installation, Grip::Picture(2), [0.5, 7.0], [0.0; 2]);
        assert_eq!(installation.corners[2], [0.5, 1.0]);
        let before = installation.clone();
        field.drag(&mut installation, Grip::Picture(2), [-1.0, -1.0], [0.0; 2]);
        assert_eq!(installation, before);
        assert!(installation.ready().is_ok());
    }

    #[test]
    fn a_zone_is_chosen_moved_and_shaped_and_stays_in_the_field() {
        let mut installation =
            Installation { zones: vec![ZoneSpec::default()], ..Installation::default() };
        assert_eq!(zone_at(&installation, [0.1, 0.1]), Some(0));
        assert_eq!(zone_at(&installation, [0.9, 0.1]), None);
        let field = Field { chosen: Some(0), held: None };
        field.drag(&mut installation, Grip::Zone, [0.0; 2], [0.5, 0.0]);
        assert_eq!(zone_at(&installation, [0.7, 0.1]), Some(0));
        field.drag(&mut installation, Grip::Zone, [0.0; 2], [0.5, 0.0]);
        assert_eq!(zone_at(&installation, [0.7, 0.1]), Some(0), "not out of the field");
        field.drag(&mut installation, Grip::Corner(0), [-3.0, -3.0], [0.0; 2]);
        assert_eq!(installation.zones[0].corners[0], [-1.0, -1.0]);
        assert!(installation.ready().is_ok());
    }

    #[test]
    fn handles_are_found_on_the_screen() {
        let installation =
            Installation { zones: vec![ZoneSpec::default()], ..Installation::default() };
        let view = View { square: Rect::from_min_size(Pos2::ZERO, Vec2::splat(400.0)) };
        let field = Field { chosen: Some(0), held: None };
        let grip = |x: f32, y: f32| field.grip_at(&installation, view, Pos2::new(x, y));
        assert_eq!(grip(3.0, 398.0), Some(Grip::Picture(0)), "bottom left");
        assert_eq!(grip(140.0, 262.0), Some(Grip::Corner(0)));
        assert_eq!(grip(200.0, 200.0), Some(Grip::Zone));
        assert_eq!(grip(60.0, 200.0), None);
    }
}
