//! The line at the top: what program, what state of light, what is not part of the show, and STOP.
//!
//! STOP has the corner of the window, in every layout: nothing is drawn over it, and it acts on the press. The state of
//! light is told to screen readers whenever it changes.

use egui::accesskit::Live;
use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{
    Align2, Button, Color32, Id, PopupCloseBehavior, Pos2, Rangef, Rect, RichText, Role, Sense, Ui,
    UiBuilder, Vec2, WidgetInfo,
};

use crate::gui::layout;
use crate::gui::pane::Pane;
use crate::gui::theme;
use crate::gui::widgets::{BlockButton, light_colour, light_sign};
use crate::show::{Command, LightState};

/// Height of the line, px.
pub(in crate::gui) const HEIGHT_PX: f32 = 64.0;
/// Width of STOP, px.
const STOP_PX: f32 = 236.0;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::gui) enum Asked {
    /// A file dialog.
    Open,
    /// The list of keys.
    KeySheet,
    /// A pane to be shown, or hidden.
    Show(Pane, bool),
    /// The standard layout.
    ResetLayout,
    /// The window over the whole screen, or not.
    FullScreen,
    /// Everything drawn this much larger.
    Scale(f32),
}

/// What the line shows.
#[derive(Clone, Copy, Debug)]
pub(in crate::gui) struct Line<'a> {
    /// The state of light.
    pub(in crate::gui) light: LightState,
    /// Where the panes stand.
    pub(in crate::gui) layout: &'a layout::Layout,
    /// A file is being chosen.
    pub(in crate::gui) choosing: bool,
    /// The size everything is drawn in; 1 is as the system says.
    pub(in crate::gui) scale: f32,
}

/// Sizes to choose from.
const SCALES: [f32; 5] = [1.0, 1.25, 1.5, 1.75, 2.0];

impl Line<'_> {
    /// Shows the line; a band below it carries the state of light across the whole window.
    pub(in crate::gui) fn show(self, ui: &mut Ui, wishes: &mut Vec<Command>) -> Option<Asked> {
        let room = ui.max_rect();
        let stop = Rect::from_min_max(Pos2::new(room.right() - STOP_PX, room.top()), room.max);
        ui.scope_builder(UiBuilder::new().max_rect(stop), |ui| stop_button(ui, wishes));
        let rest = Rect::from_min_max(room.min, Pos2::new(stop.left() - 12.0, room.bottom()));
        let (start, asked) = ui
            .scope_builder(UiBuilder::new().max_rect(rest), |ui| {
                ui.horizontal_centered(|ui| {
                    mark(ui);
                    let name = RichText::new("galvo").size(20.0).color(theme::TEXT);
                    ui.label(name.extra_letter_spacing(0.6));
                    ui.add_space(3.0 * theme::GRID);
                    // Far from STOP, so that no menu falls over it.
                    let asked = self.buttons(ui);
                    (ui.min_rect().right(), asked)
                })
                .inner
            })
            .inner;
        let free = Rangef::new(start, rest.right());
        self.state_of_light(ui, room, free);
        asked
    }

    /// The word in the middle, or where there is room for it, and the band below.
    fn state_of_light(self, ui: &Ui, room: Rect, free: Rangef) {
        let colour = light_colour(self.light);
        let band = match self.light {
            LightState::Stopped | LightState::EmergencyStop => theme::RED,
            LightState::Disarmed => theme::LINE,
            _ => colour,
        };
        let bottom = ui.clip_rect().intersect(room.expand(8.0)).bottom();
        let line = Rect::from_min_max(
            Pos2::new(room.left() - 12.0, bottom - 2.0),
            Pos2::new(room.right() + 12.0, bottom),
        );
        ui.painter().rect_filled(line, 0, band);
        // The reason stands below: beside the name there is no room for it in a small window.
        let (name, below) = match (self.light, self.light.why()) {
            (state, Some(why)) => (state.name().to_owned(), why),
            (state, None) => (state.to_string(), ""),
        };
        let painter = ui.painter();
        let lay = |size: f32| painter.layout_no_wrap(name.clone(), theme::words(size), colour);
        let sign_px = 18.0;
        let beside = sign_px + 2.0 * theme::GRID + 16.0;
        let mut word = lay(18.0);
        if word.size().x + beside > free.span() {
            word = lay(theme::BODY);
        }
        let below = painter.layout_no_wrap(below.to_owned(), theme::words(theme::SMALL), colour);
        let width = (word.size().x + sign_px + 2.0 * theme::GRID).max(below.size().x);
        let half = width / 2.0 + 8.0;
        let x = room.center().x.min(free.max - half).max(free.min + half);
        let lift = if self.light.why().is_some() { 9.0 } else { 0.0 };
        let line = Pos2::new(x - width / 2.0, room.center().y - lift);
        let sign =
            Rect::from_center_size(line + Vec2::new(sign_px / 2.0, 0.0), Vec2::splat(sign_px));
        light_sign(painter, sign, self.light);
        let at = Align2::LEFT_CENTER
            .anchor_size(Pos2::new(sign.right() + 2.0 * theme::GRID, line.y), word.size());
        painter.galley(at.min, word, colour);
        let under = Pos2::new(x, room.center().y + 13.0);
        let under = Align2::CENTER_CENTER.anchor_size(under, below.size());
        painter.galley(under.min, below, colour);
        let whole = Rect::from_center_size(Pos2::new(x, room.center().y), Vec2::new(width, 44.0));
        self.tell(ui, whole);
    }

    /// Says the state to whoever cannot see it, now and whenever it changes: at once where light was taken away, after
    /// what is being read where somebody at the desk has just done it.
    fn tell(self, ui: &Ui, place: Rect) {
        let words = self.light.to_string();
        let told = ui.interact(place, Id::unique("state of light"), Sense::hover());
        told.widget_info(|| WidgetInfo::labeled(Role::Status, true, &words));
        let live = match self.light {
            LightState::WentDark(_)
            | LightState::EmergencyStop
            | LightState::Stopped
            | LightState::Blackout => Live::Assertive,
            _ => Live::Polite,
        };
        ui.ctx().accesskit_node_builder(told.id, |node| {
            node.set_live(live);
            node.set_live_atomic();
        });
    }

    fn buttons(self, ui: &mut Ui) -> Option<Asked> {
        let mut asked = None;
        let open = ui
            .add_enabled(!self.choosing, Button::new("Open…"))
            .on_hover_text("Opens music (Ctrl-O), or drop a file anywhere on the window");
        if open.clicked() {
            asked = Some(Asked::Open);
        }
        // It stays open while several panes are ticked.
        let stays = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let (view, _) = MenuButton::new("View").config(stays).ui(ui, |ui| {
            asked = self.view_menu(ui);
            if asked.is_some_and(|asked| !matches!(asked, Asked::Show(..))) {
                ui.close();
            }
        });
        view.on_hover_text("Shows and hides panes, sizes the desk");
        if ui.button("Keys").on_hover_text("Shows the keys (?)").clicked() {
            asked = Some(Asked::KeySheet);
        }
        asked
    }

    /// Whether a pane is shown.
    fn pane_tick(self, ui: &mut Ui, pane: Pane) -> Option<Asked> {
        let (title, help) = pane.words();
        let mut shown = self.layout.is_shown(pane);
        let tick = ui.add_enabled(pane.may_be_hidden(), egui::Checkbox::new(&mut shown, title));
        let tick = tick.on_hover_text(help);
        let tick = tick.on_disabled_hover_text("It can be moved, and never closed");
        tick.changed().then_some(Asked::Show(pane, shown))
    }

    fn view_menu(self, ui: &mut Ui) -> Option<Asked> {
        let mut asked = None;
        ui.set_min_width(200.0);
        // Two columns: in one the menu would be higher than a small window.
        let columns = Pane::ALL.chunks(Pane::ALL.len().div_ceil(2));
        ui.horizontal_top(|ui| {
            for column in columns {
                ui.vertical(|ui| {
                    for pane in column {
                        asked = self.pane_tick(ui, *pane).or(asked);
                    }
                });
            }
        });
        ui.separator();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for scale in SCALES {
                let text = RichText::new(format!("{:.0} %", scale * 100.0)).size(theme::SMALL);
                let is_it = (scale - self.scale).abs() < 0.01;
                let help = "The size of everything on the desk";
                if ui.selectable_label(is_it, text).on_hover_text(help).clicked() {
                    asked = Some(Asked::Scale(scale));
                }
            }
        });
        ui.separator();
        let full = ui.button("Full screen");
        if full.on_hover_text("The window over the whole screen, and back (F11)").clicked() {
            asked = Some(Asked::FullScreen);
        }
        let reset = ui.button("Reset layout");
        if reset.on_hover_text("Every pane back to its place").clicked() {
            asked = Some(Asked::ResetLayout);
        }
        asked
    }
}

fn stop_button(ui: &mut Ui, wishes: &mut Vec<Command>) {
    let stop = BlockButton {
        name: "STOP",
        title: "STOP",
        detail: "",
        height: ui.available_height(),
        title_size: 28.0,
        fill: theme::RED,
        fill_hover: theme::RED_HOVER,
        border: theme::RED_HOVER,
        text: Color32::WHITE,
    };
    let stop = stop.show(ui);
    let key = stop.rect.right_center() - Vec2::new(16.0, 0.0);
    let small = theme::words(theme::SMALL);
    let quiet = Color32::from_white_alpha(200);
    ui.painter().text(key, Align2::RIGHT_CENTER, "Esc", small, quiet);
    // On the press: nobody should have to let go first. A click by key or by assistance has none.
    let pressed = stop.is_pointer_button_down_on() && ui.input(|i| i.pointer.any_pressed());
    let clicked_without_pointer = stop.clicked() && !ui.input(|i| i.pointer.any_released());
    if pressed || clicked_without_pointer {
        wishes.push(Command::Stop);
    }
    stop.on_hover_text("Dark at once on every projector; stays dark until reset (Esc, always)");
}

/// The sign of the program: a beam bent by a mirror.
fn mark(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(20.0), Sense::hover());
    let at = |x: f32, y: f32| rect.min + rect.size() * Vec2::new(x, y);
    let beam = egui::Stroke::new(1.6, theme::ACCENT);
    ui.painter().line(vec![at(0.0, 0.72), at(0.55, 0.72), at(1.0, 0.1)], beam);
    let mirror = egui::Stroke::new(2.4, theme::TEXT);
    ui.painter().line_segment([at(0.32, 0.98), at(0.86, 0.62)], mirror);
}
