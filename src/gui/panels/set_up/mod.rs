//! One projector in its room: where its picture lies, where light may go, what its mirrors bear, how it hangs.
//!
//! What is dragged acts while it is dragged, on the light too. The gate holds the zones; this is where they are drawn. Each
//! act can be taken back, and one that lets more light into the room is asked for while there is light.

mod buffer;
mod colour_delay;
mod field;
mod question;
mod undo;

use egui::{
    Align, ComboBox, Context, DragValue, Grid, Key, Layout, Modifiers, Rect, RichText, ScrollArea,
    Ui, Vec2,
};

pub(super) use self::field::colour_of as zone_colour;
use self::field::{Field, colour_of};
use self::question::{Question, Row};
use self::undo::{SetUp, Undo};
use super::presets::first_upper;
use crate::gui::theme;
use crate::gui::widgets::heading;
use crate::path::GalvoProfile;
use crate::show::snapshot::ProjectorView;
use crate::show::{Command, Installation, Snapshot, ZoneKind, ZoneSpec};

/// Zones a projector can have.
const MOST_ZONES: usize = 8;
/// Corners a zone can have.
const MOST_CORNERS: usize = 12;
/// Width of the controls beside the field, px.
const CONTROLS_PX: f32 = 268.0;
/// The test pictures, as the generator numbers them, with what each is for.
const PICTURES: [(&str, &str); 6] = [
    ("Geometry", "The circle should just touch the square's middle: rate and size fit the mirrors"),
    ("Grid", "For the corners: pull them until the lines on the wall are straight and square"),
    ("Colours", "Bars of red, green, blue and their sums: for the order of the colour lines"),
    (
        "Blanking",
        "Dashes from both sides end above each other when colours and mirrors are in step",
    ),
    ("Corners", "The four corners of the picture: nothing may be cut off"),
    ("Rings", "Rings from small to large: round everywhere if the axes are alike"),
];

/// The pane; keeps which projector is set up.
#[derive(Debug, Default)]
pub(in crate::gui) struct SetUpPanel {
    projector: String,
    field: Field,
    /// What is being typed as the order of the colours.
    colours: Option<String>,
    undo: Undo,
    /// The row in which an act was done that is a single one, and not a drag.
    act: Option<Row>,
    question: Option<Question>,
    hand: Hand,
}

/// Whether the hand at the desk is on this pane: then Ctrl-Z takes back what was done here.
#[derive(Debug)]
struct Hand {
    /// Where the pane was shown.
    pane: Rect,
    /// In which picture of the window.
    shown_in: u64,
    /// The last press was on it.
    pressed: bool,
}

impl Default for Hand {
    fn default() -> Self {
        Self { pane: Rect::NOTHING, shown_in: 0, pressed: false }
    }
}

impl Hand {
    /// Looks where the pointer is pressed; the pane is shown now.
    fn look(&mut self, ui: &Ui) {
        self.pane = ui.max_rect();
        self.shown_in = ui.ctx().cumulative_pass_nr();
        let pressed = |input: &egui::InputState| {
            input.pointer.any_pressed().then(|| input.pointer.interact_pos()).flatten()
        };
        if let Some(at) = ui.input(pressed) {
            self.pressed = self.pane.contains(at);
        }
    }

    fn is_here(&self, ctx: &Context) -> bool {
        let is_shown = ctx.cumulative_pass_nr().saturating_sub(self.shown_in) <= 2;
        let focused = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id));
        let holds = |focused: egui::Response| self.pane.contains(focused.rect.center());
        is_shown && focused.map_or(self.pressed, holds)
    }
}

impl SetUpPanel {
    /// Chooses the projector.
    pub(in crate::gui) fn choose(&mut self, projector: &str) {
        projector.clone_into(&mut self.projector);
        self.field = Field::default();
        self.colours = None;
        self.question = None;
    }

    /// Leaves the question, if it is asked.
    pub(in crate::gui) fn leave_question(&mut self) {
        self.question = None;
    }

    /// Obeys Ctrl-Z while the hand is on this pane.
    pub(in crate::gui) fn keys(
        &mut self,
        ctx: &Context,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) {
        if ctx.text_edit_focused() || !self.hand.is_here(ctx) {
            return;
        }
        let chosen = seen.projectors.iter().find(|projector| projector.name == self.projector);
        if let Some(chosen) = chosen
            && ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Z))
        {
            let before = SetUp::of(chosen);
            let mut wanted = before.clone();
            self.take_back(&mut wanted);
            self.change(chosen, &before, wanted, ctx.input(|input| input.time), wishes);
        }
    }

    /// Shows it.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let Some(chosen) = seen
            .projectors
            .iter()
            .find(|projector| projector.name == self.projector)
            .or(seen.projectors.first())
        else {
            ui.label(RichText::new("No projector in this show").color(theme::TEXT_FAINT));
            return;
        };
        if chosen.name != self.projector {
            self.choose(&chosen.name);
        }
        self.hand.look(ui);
        if !chosen.armed {
            // It went dark meanwhile: there is nothing to ask any more.
            self.question = None;
        }
        let before = SetUp::of(chosen);
        let mut wanted = before.clone();
        let room = ui.available_size();
        let side = (room.x - CONTROLS_PX - 16.0).min(room.y).max(160.0);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            let field = self.field.show(ui, &mut wanted.installation, side);
            field.on_hover_text(
                "Drag the corners of the picture; click a zone to choose it, then drag it or its corners",
            );
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing = Vec2::new(6.0, 6.0);
                ui.spacing_mut().button_padding = Vec2::new(8.0, 3.0);
                ui.spacing_mut().interact_size.y = 22.0;
                // Always in sight, however far the rest is scrolled.
                self.choice(ui, seen, chosen);
                self.undo_row(ui, chosen, &mut wanted);
                ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
                    self.controls(ui, chosen, &mut wanted, wishes);
                });
            });
        });
        self.change(chosen, &before, wanted, ui.input(|input| input.time), wishes);
        if self.field.is_held() {
            ui.request_repaint();
        }
    }

    /// Makes the set-up of `chosen` the one that is wanted, or asks first; `now` in seconds.
    fn change(
        &mut self,
        chosen: &ProjectorView,
        before: &SetUp,
        wanted: SetUp,
        now: f64,
        wishes: &mut Vec<Command>,
    ) {
        let row = self.act.take();
        if wanted == *before {
            return;
        }
        let act = match (row, self.undo.last(&chosen.name)) {
            (Some(Row::TakeBack), Some(step)) => step.act.clone(),
            _ => wanted.change_from(before),
        };
        let is_answered = self.question.take().is_some_and(|question| question.wanted == wanted);
        if let Some(row) = row
            && chosen.armed
            && !is_answered
            && Question::is_due(row, &wanted, before)
        {
            self.question = Some(Question { row, wanted, act });
            return;
        }
        if row == Some(Row::TakeBack) {
            self.undo.forget_last(&chosen.name);
        } else {
            self.undo.note(&chosen.name, act, before.clone(), now);
        }
        let projector = || chosen.name.clone();
        let SetUp { installation, mounting } = wanted;
        if mounting != before.mounting {
            wishes.push(Command::SetMounting { projector: projector(), mounting });
        }
        if installation != before.installation {
            wishes.push(Command::Install { projector: projector(), installation });
        }
    }

    /// What was done last is undone in `wanted`.
    fn take_back(&mut self, wanted: &mut SetUp) {
        while let Some(step) = self.undo.last(&self.projector) {
            if step.before == *wanted {
                // It is as it was already: nothing would be seen to happen.
                self.undo.forget_last(&self.projector);
                continue;
            }
            *wanted = step.before.clone();
            self.act = Some(Row::TakeBack);
            self.field.chosen = None;
            self.colours = None;
            return;
        }
    }

    /// Asks in this row, if it is the one that asks; true if it does.
    fn asks(&mut self, ui: &mut Ui, row: Row, wanted: &mut SetUp) -> bool {
        let Some(question) = self.question.as_ref().filter(|question| question.row == row) else {
            return false;
        };
        match question.ask(ui) {
            Some(true) => {
                *wanted = question.wanted.clone();
                self.act = Some(row);
                self.field.chosen = None;
            }
            Some(false) => self.question = None,
            None => {}
        }
        true
    }

    /// What was done last, and a way back. It keeps its place while there is nothing: the rows below never jump.
    fn undo_row(&mut self, ui: &mut Ui, chosen: &ProjectorView, wanted: &mut SetUp) {
        if self.asks(ui, Row::TakeBack, wanted) {
            return;
        }
        let act = self.undo.last(&chosen.name).map(|step| step.act.clone());
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let undo = ui.add_enabled(act.is_some(), egui::Button::new("Take back"));
                let undo = undo.accessible_name("Take back the last change of the set-up");
                let undo = undo.on_hover_text("The set-up as it was before (Ctrl-Z in this pane)");
                if undo.on_disabled_hover_text("Nothing was changed here").clicked() {
                    self.take_back(wanted);
                }
                let text = act.as_deref().map_or_else(String::new, first_upper);
                let text = RichText::new(text).size(theme::SMALL).color(theme::TEXT_QUIET);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(text).truncate());
                });
            });
        });
    }

    fn controls(
        &mut self,
        ui: &mut Ui,
        chosen: &ProjectorView,
        wanted: &mut SetUp,
        wishes: &mut Vec<Command>,
    ) {
        if chosen.armed {
            let text = RichText::new("Armed: every change acts on the light at once");
            ui.label(text.size(theme::SMALL).color(theme::AMBER));
        }
        heading(ui, "Test picture");
        pictures(ui, chosen, wishes);
        heading(ui, "Mirrors");
        mirrors(ui, &mut wanted.installation);
        colour_delay::row(ui, &mut wanted.installation);
        heading(ui, "Corners of the picture");
        corners(ui, &mut wanted.installation);
        heading(ui, "Zones");
        self.zones(ui, wanted);
        heading(ui, "Mounting");
        self.mounting(ui, wanted);
        heading(ui, "Buffer");
        buffer::row(ui, chosen, &mut wanted.installation);
        self.forget(ui, chosen, wanted);
    }

    fn choice(&mut self, ui: &mut Ui, seen: &Snapshot, chosen: &ProjectorView) {
        let mut wanted = None;
        let choice = ComboBox::from_id_salt("projector to set up")
            .width(ui.available_width() - 8.0)
            .selected_text(&chosen.name)
            .show_ui(ui, |ui| {
                for projector in &seen.projectors {
                    let is_it = projector.name == chosen.name;
                    if ui.selectable_label(is_it, &projector.name).clicked() {
                        wanted = Some(projector.name.clone());
                    }
                }
            });
        choice.response.accessible_name("Projector").on_hover_text("The projector that is set up");
        if let Some(name) = wanted {
            self.choose(&name);
        }
    }

    fn zones(&mut self, ui: &mut Ui, wanted: &mut SetUp) {
        if !self.asks(ui, Row::NewZone, wanted) {
            self.new_zones(ui, &mut wanted.installation);
        }
        let mut gone = None;
        for number in 0..wanted.installation.zones.len() {
            if self.asks(ui, Row::Zone(number), wanted) {
                continue;
            }
            let Some(zone) = wanted.installation.zones.get_mut(number) else { break };
            let is_chosen = self.field.chosen == Some(number);
            let (kind, corners) = (zone.kind, zone.corners.len());
            ui.horizontal(|ui| {
                let text =
                    RichText::new(format!("Zone {}", number + 1)).color(colour_of(zone.kind));
                let name = ui.selectable_label(is_chosen, text);
                if name.on_hover_text("Chooses it: its corners get handles").clicked() {
                    self.field.chosen = (!is_chosen).then_some(number);
                }
                kind_choice(ui, number, zone);
                let remove =
                    ui.button("Remove").accessible_name(format!("Remove zone {}", number + 1));
                if remove.on_hover_text("Takes the zone away").clicked() {
                    gone = Some(number);
                }
            });
            if is_chosen {
                zone_figures(ui, number, zone);
            }
            if kind != zone.kind || corners != zone.corners.len() {
                self.act = Some(Row::Zone(number));
            }
        }
        if let Some(number) = gone {
            wanted.installation.zones.remove(number);
            self.act = Some(Row::Zone(number));
            self.field.chosen = None;
        }
    }

    fn new_zones(&mut self, ui: &mut Ui, installation: &mut Installation) {
        ui.horizontal_wrapped(|ui| {
            let room = installation.zones.len() < MOST_ZONES;
            for (kind, name, help) in [
                (ZoneKind::Blocked, "Keep-out", "No light goes there"),
                (ZoneKind::Allowed, "Allowed", "With one of these, light goes nowhere else"),
                (ZoneKind::Dimmed, "Dimmed", "Light is dimmed there"),
            ] {
                let add = ui.add_enabled(room, egui::Button::new(format!("+ {name}")));
                let add = add.on_hover_text(help).on_disabled_hover_text("There are eight already");
                if add.clicked() {
                    // Beside the last one, so that both are seen.
                    let aside = 0.08 * installation.zones.len() as f32;
                    let mut zone = ZoneSpec { kind, ..ZoneSpec::default() };
                    zone.corners.iter_mut().flatten().for_each(|place| *place += aside);
                    installation.zones.push(zone);
                    self.field.chosen = Some(installation.zones.len() - 1);
                    self.act = Some(Row::NewZone);
                }
            }
        });
    }

    fn mounting(&mut self, ui: &mut Ui, wanted: &mut SetUp) {
        let mounting = &mut wanted.mounting;
        ui.horizontal_wrapped(|ui| {
            ui.toggle_value(&mut mounting.invert_x, "Flip X")
                .on_hover_text("Exchanges left and right");
            ui.toggle_value(&mut mounting.invert_y, "Flip Y")
                .on_hover_text("Exchanges up and down");
            ui.toggle_value(&mut mounting.swap_xy, "Swap axes").on_hover_text("Exchanges x and y");
        });
        ui.horizontal(|ui| {
            ui.label("Turn");
            let turn = DragValue::new(&mut mounting.rotate_degrees)
                .range(-360.0..=360.0)
                .speed(0.5)
                .suffix("°")
                .update_while_editing(false);
            let turn = ui.add(turn).accessible_name("Turn of the picture");
            turn.on_hover_text("Turns the picture against the clock");
            if ui.button("+90°").on_hover_text("A quarter turn").clicked() {
                mounting.rotate_degrees = (mounting.rotate_degrees + 90.0) % 360.0;
            }
            ui.label("Colours");
            let present = mounting.colours.to_string();
            let text = self.colours.get_or_insert_with(|| present.clone());
            let edit = egui::TextEdit::singleline(text).desired_width(44.0).char_limit(4);
            let field = ui.add(edit).accessible_name("Order of the colours");
            match text.parse() {
                Ok(order) => mounting.colours = order,
                Err(error) => {
                    ui.colored_label(theme::RED_TEXT, "?").on_hover_text(error.to_string());
                }
            }
            if !field.has_focus() && text.parse::<crate::path::ColourOrder>().is_ok() {
                self.colours = None;
            }
            field.on_hover_text(
                "What the lines red, green and blue carry: rgb, or bgr if red and blue are exchanged",
            );
        });
    }

    fn forget(&mut self, ui: &mut Ui, chosen: &ProjectorView, wanted: &mut SetUp) {
        ui.add_space(theme::GRID);
        if self.asks(ui, Row::Forget, wanted) {
            return;
        }
        let is_plain = SetUp::of(chosen) == SetUp::default();
        let reset = ui.add_enabled(!is_plain, egui::Button::new("Forget the set-up"));
        let reset =
            reset.on_hover_text("Whole field, no zones, mirrors of 30 kpps, hanging straight");
        if reset.on_disabled_hover_text("Nothing is set").clicked() {
            *wanted = SetUp::default();
            self.act = Some(Row::Forget);
        }
    }
}

fn pictures(ui: &mut Ui, chosen: &ProjectorView, wishes: &mut Vec<Command>) {
    ui.horizontal_wrapped(|ui| {
        for (number, (name, help)) in PICTURES.iter().enumerate() {
            let number = number as u8;
            let shown = chosen.test_picture == Some(number);
            if ui.selectable_label(shown, *name).on_hover_text(*help).clicked() {
                let picture = (!shown).then_some(number);
                wishes.push(Command::SetTestPicture { projector: chosen.name.clone(), picture });
            }
        }
    });
}

fn mirrors(ui: &mut Ui, installation: &mut Installation) {
    ui.horizontal_wrapped(|ui| {
        for profile in GalvoProfile::ALL {
            let is_it = installation.mirrors == profile.name;
            let help = "What your scanners are rated for at 8°, or less";
            if ui.selectable_label(is_it, profile.name).on_hover_text(help).clicked() {
                profile.name.clone_into(&mut installation.mirrors);
            }
        }
    });
    let how = "Not sure? Take 20 kpps, show Geometry, arm at low brightness. Go up a step only while the circle \
               stays round and inside its square, and the scanners stay quiet; then take one step less.";
    ui.label(RichText::new(how).size(theme::SMALL).color(theme::TEXT_FAINT));
}

fn corners(ui: &mut Ui, installation: &mut Installation) {
    let mut corners = installation.corners;
    let names = ["1 bottom left", "2 bottom right", "3 top right", "4 top left"];
    Grid::new("corners").num_columns(3).spacing([8.0, 4.0]).show(ui, |ui| {
        for (corner, name) in corners.iter_mut().zip(names) {
            ui.label(RichText::new(name).size(theme::SMALL));
            place(ui, name, corner);
            ui.end_row();
        }
    });
    // What cannot be stays as it was: a picture never folds.
    if crate::path::Perspective::onto(&corners).is_ok() {
        installation.corners = corners;
    }
}

fn zone_figures(ui: &mut Ui, number: usize, zone: &mut ZoneSpec) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Soft edge").size(theme::SMALL));
        let edge =
            DragValue::new(&mut zone.soft_edge).range(0.0..=1.0).speed(0.002).max_decimals(3);
        ui.add(edge)
            .accessible_name(format!("Soft edge of zone {}", number + 1))
            .on_hover_text("Width over which the light falls, in half-fields, on the lit side");
        if zone.kind == ZoneKind::Dimmed {
            ui.label(RichText::new("leaves").size(theme::SMALL));
            let mut percent = zone.keep * 100.0;
            let keep = DragValue::new(&mut percent).range(0.0..=100.0).suffix(" %").max_decimals(0);
            let keep = ui.add(keep).accessible_name(format!("Light left in zone {}", number + 1));
            if keep.on_hover_text("The part of the light that is left").changed() {
                zone.keep = (percent / 100.0).clamp(0.0, 1.0);
            }
        }
    });
    let mut change = None;
    Grid::new(("zone corners", number)).num_columns(4).spacing([8.0, 4.0]).show(ui, |ui| {
        let count = zone.corners.len();
        for (at, corner) in zone.corners.iter_mut().enumerate() {
            let name = format!("Zone {} corner {}", number + 1, at + 1);
            ui.label(RichText::new(format!("{}", at + 1)).size(theme::SMALL));
            place(ui, &name, corner);
            ui.horizontal(|ui| {
                let more = ui.add_enabled(count < MOST_CORNERS, egui::Button::new("+"));
                let more = more.accessible_name(format!("Add a corner after {name}"));
                if more.on_hover_text("One more corner after this one").clicked() {
                    change = Some((at, true));
                }
                let less = ui.add_enabled(count > 3, egui::Button::new("−"));
                let less = less.accessible_name(format!("Remove {name}"));
                if less.on_hover_text("Takes this corner away").clicked() {
                    change = Some((at, false));
                }
            });
            ui.end_row();
        }
    });
    match change {
        Some((at, true)) => {
            let (a, b) = (zone.corners[at], zone.corners[(at + 1) % zone.corners.len()]);
            zone.corners.insert(at + 1, [f32::midpoint(a[0], b[0]), f32::midpoint(a[1], b[1])]);
        }
        Some((at, false)) => {
            zone.corners.remove(at);
        }
        None => {}
    }
}

fn kind_choice(ui: &mut Ui, number: usize, zone: &mut ZoneSpec) {
    let name = |kind| match kind {
        ZoneKind::Blocked => "keep-out",
        ZoneKind::Allowed => "allowed",
        ZoneKind::Dimmed => "dimmed",
    };
    let choice = ComboBox::from_id_salt(("zone kind", number))
        .width(84.0)
        .selected_text(name(zone.kind))
        .show_ui(ui, |ui| {
            for kind in [ZoneKind::Blocked, ZoneKind::Allowed, ZoneKind::Dimmed] {
                ui.selectable_value(&mut zone.kind, kind, name(kind));
            }
        });
    let named = choice.response.accessible_name(format!("Kind of zone {}", number + 1));
    named.on_hover_text("What the zone does to light");
}

/// Two figures of a place in the field.
fn place(ui: &mut Ui, name: &str, at: &mut [f32; 2]) {
    for (axis, value) in ["x", "y"].into_iter().zip(at) {
        let field = DragValue::new(value)
            .range(-1.0..=1.0)
            .speed(0.002)
            .fixed_decimals(3)
            .update_while_editing(false);
        let field = ui.add(field).accessible_name(format!("{name} {axis}"));
        field.on_hover_text("In half-fields: -1 and 1 are the edges of the field");
    }
}
