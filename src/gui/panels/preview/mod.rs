//! A projector's light as the audience sees it: as sent or as drawn, by the points or by the mirrors that follow them.

mod heat;

use egui::{
    Align2, Color32, ComboBox, Context, Pos2, Rect, RichText, Shape, Stroke, StrokeKind, Ui,
    UiBuilder, Vec2, ViewportBuilder, ViewportClass, ViewportId,
};

use self::heat::Heat;
use super::set_up::zone_colour;
use crate::frame::TapPoint;
use crate::gui::keys::{self, WindowKey};
use crate::gui::phosphor::Phosphor;
use crate::gui::theme;
use crate::gui::widgets::light_colour;
use crate::path::{ColourDelay, GalvoProfile, Mirror, Perspective};
use crate::point::LaserPoint;
use crate::show::light::dark_because;
use crate::show::snapshot::ProjectorView;
use crate::show::{Command, LightState, Snapshot};

/// Exposures above this are told to the operator.
const EXPOSURE_WORTH_TELLING: f32 = 1.15;

/// Colours of the modelled mirrors can wait for so many points.
const MOST_DELAY: usize = 256;

/// The preview and its switches.
#[derive(Debug)]
pub(in crate::gui) struct Preview {
    phosphor: Phosphor,
    heat: Heat,
    mirror: Mirror,
    /// What the mirrors are taken to be.
    profile: GalvoProfile,
    /// As long as the projector's: what is taken in has each colour where it was drawn.
    delay: ColourDelay,
    followed: Vec<LaserPoint>,
    /// The number of the projector that is watched.
    watched: u32,
    drawn: bool,
    ghost: bool,
    travel: bool,
    mirrors: bool,
    zones: bool,
    dwell: bool,
    own_window: bool,
}

impl Preview {
    pub(in crate::gui) fn new() -> Self {
        Self {
            phosphor: Phosphor::new(),
            heat: Heat::default(),
            mirror: Mirror::new(GalvoProfile::default()),
            profile: GalvoProfile::default(),
            delay: ColourDelay::with_capacity(MOST_DELAY),
            followed: Vec::new(),
            watched: 0,
            drawn: false,
            ghost: true,
            travel: false,
            mirrors: false,
            zones: false,
            dwell: false,
            own_window: false,
        }
    }

    /// The number of the projector that is watched, and where its points are looked at.
    pub(in crate::gui) const fn watched(&self) -> (u32, TapPoint) {
        (self.watched, if self.drawn { TapPoint::Path } else { TapPoint::Sent })
    }

    /// Takes the points that came by since the last frame.
    pub(in crate::gui) fn take(&mut self, fresh: &[LaserPoint], seen: &Snapshot, now: f64) {
        if self.projector(seen).is_none()
            && let Some(first) = seen.projectors.first()
        {
            self.watched = first.number;
        }
        if self.dwell {
            self.heat.take(fresh, now);
        }
        if !self.mirrors {
            return self.phosphor.take(fresh, now);
        }
        let projector = self.projector(seen);
        let profile = projector
            .and_then(|projector| GalvoProfile::named(&projector.installation.mirrors))
            .unwrap_or_default();
        if profile != self.profile {
            (self.profile, self.mirror) = (profile, Mirror::new(profile));
        }
        let pps = projector.map_or(30_000, |projector| projector.pps.max(1_000));
        let delay = projector.and_then(|projector| projector.installation.colour_delay());
        let delay = delay.unwrap_or_else(|| profile.lag());
        self.delay.set(delay.as_secs_f32() * 1e6, pps);
        self.followed.clear();
        for point in fresh {
            let [x, y] = self.mirror.step([point.x, point.y], 1.0 / pps as f32);
            self.followed.push(LaserPoint { x, y, ..*point });
        }
        self.delay.apply(&mut self.followed);
        self.phosphor.take(&self.followed, now);
    }

    /// The projector that is watched.
    fn projector<'a>(&self, seen: &'a Snapshot) -> Option<&'a ProjectorView> {
        seen.projectors.iter().find(|projector| projector.number == self.watched)
    }

    /// Draws only this part of the points: see [`FrameTime`](crate::gui::frame_time::FrameTime).
    pub(in crate::gui) fn set_detail(&mut self, detail: f32) {
        self.phosphor.set_detail(detail);
    }

    /// True while light is shown.
    pub(in crate::gui) fn is_lit(&self) -> bool {
        self.phosphor.is_lit()
    }

    /// Shows the preview in all the room there is, with its switches.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, now: f64) {
        let room = ui.available_rect_before_wrap();
        self.paint(ui, room, seen, now);
        self.switches(ui, room, seen);
        ui.advance_cursor_after_rect(room);
    }

    /// Shows the window of its own, if it is wanted. STOP and the other keys count there too; returns one that
    /// concerns the window at hand.
    pub(in crate::gui) fn show_own_window(
        &mut self,
        ctx: &Context,
        seen: &Snapshot,
        now: f64,
        wishes: &mut Vec<Command>,
    ) -> Option<WindowKey> {
        if !self.own_window {
            return None;
        }
        let builder = ViewportBuilder::default()
            .with_title("galvo – preview")
            .with_app_id("galvo")
            .with_inner_size([720.0, 720.0]);
        let id = ViewportId::from_hash_of("preview");
        ctx.show_viewport_immediate(id, builder, |ui, class| {
            let room = match class {
                // Where there is only one window it is a window within it.
                ViewportClass::EmbeddedWindow => {
                    ui.allocate_exact_size(Vec2::splat(360.0), egui::Sense::hover()).0
                }
                _ => ui.max_rect(),
            };
            self.paint(ui, room, seen, now);
            if ui.input(|input| input.viewport().close_requested()) {
                self.own_window = false;
            }
            match class {
                ViewportClass::EmbeddedWindow => None,
                _ => match keys::read(ui.ctx(), seen, wishes) {
                    Some(WindowKey::FullScreen) => {
                        keys::full_screen(ui.ctx());
                        None
                    }
                    key => key,
                },
            }
        })
    }

    fn paint(&self, ui: &Ui, room: Rect, seen: &Snapshot, now: f64) {
        ui.painter().rect_filled(room, theme::CORNER, theme::VOID);
        let side = room.shrink(14.0).size().min_elem();
        let field = Rect::from_center_size(room.center(), Vec2::splat(side.max(32.0)));
        let painter = ui.painter().with_clip_rect(room);
        painter.rect_stroke(field, 2, Stroke::new(1.0, theme::LINE), StrokeKind::Outside);
        cross(&painter, field);
        if self.dwell {
            painter.add(self.heat.mesh(field));
        }

        let shines = self.projector(seen).is_some_and(|one| dark_because(seen, one).is_none());
        if (shines && self.travel) || (!shines && self.ghost) {
            let level = if shines { 0.05 } else { 0.11 };
            painter.add(self.phosphor.dark_path(field, now, level));
        }
        painter.add(self.phosphor.light(field, now));
        if self.zones
            && let Some(projector) = self.projector(seen)
        {
            overlay(&painter, field, projector);
        }

        let state = LightState::of(seen);
        if state != LightState::Disarmed {
            let stroke = Stroke::new(1.5, light_colour(state).gamma_multiply(0.8));
            painter.rect_stroke(room, theme::CORNER, stroke, StrokeKind::Inside);
        }
        self.legend(ui, room, seen);
    }

    fn legend(&self, ui: &Ui, room: Rect, seen: &Snapshot) {
        let top = room.center_top() + Vec2::new(0.0, 14.0);
        match self.projector(seen).map(|projector| dark_because(seen, projector)) {
            None => {
                let text = "No projector in this show: find or add one in Projectors";
                chip(ui, top, text, theme::TEXT_QUIET);
            }
            Some(Some(why)) => {
                let shown = if self.drawn {
                    "; this is what is drawn"
                } else if self.ghost && self.phosphor.is_moving() {
                    "; this is the way of its mirrors"
                } else {
                    ""
                };
                let colour = light_colour(LightState::of(seen));
                output_dark(ui, top, room.width(), &format!("{why}{shown}"), colour);
            }
            Some(None) if self.drawn => {
                let text = "AS DRAWN: before master, mounting and the safety gate";
                chip(ui, top, text, theme::TEXT_QUIET);
            }
            Some(None) => {}
        }
        let exposure = self.phosphor.exposure();
        if self.phosphor.is_lit() && exposure > EXPOSURE_WORTH_TELLING {
            let text = format!("shown ×{exposure:.1} brighter than sent");
            let at = room.left_top() + Vec2::new(12.0, 12.0);
            let small = theme::words(theme::SMALL);
            ui.painter().text(at, Align2::LEFT_TOP, text, small, theme::TEXT_FAINT);
        }
    }

    /// A column at the right edge: beside the field, not over it.
    fn switches(&mut self, ui: &mut Ui, room: Rect, seen: &Snapshot) {
        let strip = Rect::from_min_max(
            Pos2::new(room.right() - 96.0, room.top() + 8.0),
            room.max - Vec2::splat(8.0),
        );
        let layout = egui::Layout::bottom_up(egui::Align::Max);
        ui.scope_builder(UiBuilder::new().max_rect(strip).layout(layout), |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.spacing_mut().button_padding = Vec2::new(8.0, 3.0);
            ui.spacing_mut().interact_size.y = 22.0;
            let mut switch = |on: &mut bool, name: &str, help: &str| {
                let name = RichText::new(name).size(theme::SMALL);
                ui.toggle_value(on, name).on_hover_text(help);
            };
            let help = "Shows what is drawn, in full light, before master, mounting and the safety gate: while the \
                        projector is dark too";
            switch(&mut self.drawn, "Drawn", help);
            let help = "While the output is dark, shows the way of the mirrors without light";
            switch(&mut self.ghost, "Ghost", help);
            let help = "While there is light, shows the dark moves between lit strokes";
            switch(&mut self.travel, "Travel", help);
            let help = "Shows where the mirrors are, by a model of them, and not where the points say; colours come as \
                        late as they are sent";
            switch(&mut self.mirrors, "Mirrors", help);
            let help = "Shows the zones and the corners of the picture";
            switch(&mut self.zones, "Zones", help);
            let help = "Shows where light dwelt in the last second: red is most";
            switch(&mut self.dwell, "Dwell", help);
            let help = "Shows the preview in a window of its own, for a second screen; its keys are the same";
            switch(&mut self.own_window, "Window", help);
            if seen.projectors.len() > 1 {
                let place = seen.projectors.iter().position(|p| p.number == self.watched);
                let choice = ComboBox::from_id_salt("watched projector")
                    .width(88.0)
                    .selected_text(format!("No. {}", place.unwrap_or_default() + 1))
                    .show_ui(ui, |ui| {
                        for (place, projector) in seen.projectors.iter().enumerate() {
                            let text = format!("{} {}", place + 1, projector.name);
                            ui.selectable_value(&mut self.watched, projector.number, text);
                        }
                    });
                let named = choice.response.accessible_name("Watched projector");
                named.on_hover_text("The projector whose light is shown");
            }
        });
    }
}

/// The zones and the picture's corners as the audience sees them: what the mounting does is undone.
fn overlay(painter: &egui::Painter, field: Rect, projector: &ProjectorView) {
    let fitting = projector.mounting.fitting();
    let place = |[x, y]: [f32; 2]| field.center() + Vec2::new(x, -y) * (field.width() / 2.0);
    let seen = |at: &[f32; 2]| {
        let mut point = [LaserPoint::blank(at[0], at[1])];
        fitting.undo(&mut point);
        place([point[0].x, point[0].y])
    };
    for zone in &projector.installation.zones {
        let corners: Vec<Pos2> = zone.corners.iter().map(seen).collect();
        let stroke = Stroke::new(1.5, zone_colour(zone.kind).gamma_multiply(0.8));
        painter.add(Shape::closed_line(corners, stroke));
    }
    // The corners are laid before the mounting.
    if Perspective::onto(&projector.installation.corners).is_ok() {
        let corners = projector.installation.corners.iter().map(|at| place(*at)).collect();
        let stroke = Stroke::new(1.0, theme::ACCENT.gamma_multiply(0.6));
        painter.add(Shape::closed_line(corners, stroke));
    }
}

fn cross(painter: &egui::Painter, field: Rect) {
    let faint = Stroke::new(1.0, Color32::from_rgb(15, 18, 22));
    painter.hline(field.x_range(), field.center().y, faint);
    painter.vline(field.center().x, field.y_range(), faint);
}

/// A banner in the picture: what is seen here does not leave the projector.
fn output_dark(ui: &Ui, top: Pos2, width: f32, why: &str, colour: Color32) {
    let painter = ui.painter();
    let word = painter.layout_no_wrap("OUTPUT DARK".to_owned(), theme::words(18.0), colour);
    let small = theme::words(theme::SMALL);
    let most = (width - 48.0).max(80.0);
    let why = painter.layout(why.to_owned(), small, theme::TEXT_QUIET, most);
    let size =
        Vec2::new(word.size().x.max(why.size().x) + 28.0, word.size().y + why.size().y + 12.0);
    let rect = Rect::from_min_size(top - Vec2::new(size.x / 2.0, 0.0), size);
    painter.rect_filled(rect, 4, theme::PANEL.gamma_multiply(0.92));
    painter.rect_stroke(rect, 4, Stroke::new(1.0, colour.gamma_multiply(0.6)), StrokeKind::Inside);
    let below = word.size().y;
    let at = |line: &egui::Galley, y: f32| Pos2::new(top.x - line.size().x / 2.0, rect.top() + y);
    let (first, second) = (at(&word, 5.0), at(&why, 6.0 + below));
    painter.galley(first, word, colour);
    painter.galley(second, why, theme::TEXT_QUIET);
}

fn chip(ui: &Ui, top: Pos2, text: &str, colour: Color32) {
    let font = theme::words(theme::SMALL);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colour);
    let size = galley.size() + Vec2::new(20.0, 8.0);
    let rect = Rect::from_min_size(top - Vec2::new(size.x / 2.0, 0.0), size);
    ui.painter().rect_filled(rect, 4, theme::PANEL.gamma_multiply(0.9));
    ui.painter().galley(rect.min + Vec2::new(10.0, 4.0), galley, colour);
}
