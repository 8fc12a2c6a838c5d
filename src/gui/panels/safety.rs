//! Light or no light: the arm switch, the master, and what went dark.
//!
//! Arming takes two acts with a pause between, so a double click or a slip never arms; there is no key for it.
//! Disarming takes one. STOP is not here: it has its fixed place in the title bar.

use egui::{Align, Color32, Layout, RichText, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::{BlockButton, level_slider};
use crate::show::{Command, Snapshot};

/// How long the second act counts, s.
const COVER_OPEN_SECONDS: f64 = 6.0;
/// How long after the first act the second does not count yet, s: longer than a double click.
const COVER_GUARD_SECONDS: f64 = 0.5;
/// Height of the arm switch in each of its states, px: nothing below it jumps.
const SWITCH_PX: f32 = 64.0;

/// Arm switch, master, trips.
#[derive(Debug, Default)]
pub(in crate::gui) struct SafetyPanel {
    /// When the cover of the arm switch was lifted.
    cover_lifted_at: Option<f64>,
    /// True once the safety notes were read, now or in an earlier show.
    notes_read: bool,
    /// Somebody wants to arm who has not read them.
    asks_for_notes: bool,
}

impl SafetyPanel {
    /// True while the arm switch waits for its second act.
    pub(in crate::gui) fn is_waiting(&self) -> bool {
        self.cover_lifted_at.is_some()
    }

    /// True while the safety notes are to be shown.
    pub(in crate::gui) const fn asks_for_notes(&self) -> bool {
        self.asks_for_notes
    }

    /// The notes were read, or left. Who asked to arm and has read them gets the second act.
    pub(in crate::gui) fn notes_answered(&mut self, read: bool, now: f64) {
        self.notes_read = read;
        if std::mem::take(&mut self.asks_for_notes) && read {
            self.cover_lifted_at = Some(now);
        }
    }

    /// Leaves every question: somebody pressed STOP.
    pub(in crate::gui) fn leave_questions(&mut self) {
        self.asks_for_notes = false;
        self.cover_lifted_at = None;
    }

    /// Shows it; `now` in seconds.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        now: f64,
        wishes: &mut Vec<Command>,
    ) {
        let safety = &seen.safety;
        let lapsed = self.cover_lifted_at.is_some_and(|at| now - at > COVER_OPEN_SECONDS);
        if safety.stopped || safety.armed || lapsed {
            self.cover_lifted_at = None;
        }
        if safety.stopped {
            reset(ui, wishes);
        } else if safety.armed {
            disarm(ui, seen.live.blackout, wishes);
        } else if let Some(at) = self.cover_lifted_at {
            self.second_act(ui, now - at, wishes);
        } else {
            self.first_act(ui, now);
        }
        master(ui, safety.master, wishes);
        guards(ui, seen);
    }

    fn first_act(&mut self, ui: &mut Ui, now: f64) {
        let switch = BlockButton {
            name: "Arm…",
            title: "Arm…",
            detail: "disarmed, the projectors are dark",
            height: SWITCH_PX,
            title_size: 20.0,
            fill: theme::RAISED,
            fill_hover: theme::RAISED_HOVER,
            border: theme::LINE,
            text: theme::TEXT,
        };
        if switch.show(ui).on_hover_text("Asks once more, then allows light").clicked() {
            if self.notes_read {
                self.cover_lifted_at = Some(now);
            } else {
                self.asks_for_notes = true;
            }
        }
    }

    fn second_act(&mut self, ui: &mut Ui, lifted_for: f64, wishes: &mut Vec<Command>) {
        let ready = lifted_for >= COVER_GUARD_SECONDS;
        let rect = ui.available_rect_before_wrap();
        ui.allocate_ui_with_layout(
            Vec2::new(ui.available_width(), SWITCH_PX),
            Layout::left_to_right(Align::Min),
            |ui| {
                let cancel_px = 84.0;
                let arm = BlockButton {
                    name: "Confirm: light on",
                    title: "Light on?",
                    detail: "nobody in the beam",
                    height: SWITCH_PX,
                    title_size: 20.0,
                    fill: theme::AMBER_DEEP,
                    fill_hover: theme::mix(theme::AMBER_DEEP, theme::AMBER, 0.2),
                    border: theme::AMBER,
                    text: theme::AMBER,
                };
                ui.scope(|ui| {
                    ui.set_max_width(rect.width() - cancel_px - ui.spacing().item_spacing.x);
                    let arm = arm.show(ui).on_hover_text("Allows light on every projector");
                    if arm.clicked() && ready {
                        wishes.push(Command::Arm);
                        self.cover_lifted_at = None;
                    }
                });
                let cancel = BlockButton {
                    name: "Keep dark",
                    title: "Keep dark",
                    detail: "",
                    height: SWITCH_PX,
                    title_size: theme::BODY,
                    fill: theme::RAISED,
                    fill_hover: theme::RAISED_HOVER,
                    border: theme::LINE,
                    text: theme::TEXT,
                };
                if cancel.show(ui).on_hover_text("Stays disarmed").clicked() {
                    self.cover_lifted_at = None;
                }
            },
        );
        let left = 1.0 - (lifted_for / COVER_OPEN_SECONDS) as f32;
        let line = egui::Rect::from_min_size(
            rect.min + Vec2::new(1.0, SWITCH_PX - 3.0),
            Vec2::new((rect.width() - 94.0) * left, 2.0),
        );
        ui.painter().rect_filled(line, 1, theme::AMBER);
    }
}

/// What watches over the light, and what it took away.
fn guards(ui: &mut Ui, seen: &Snapshot) {
    let small = |text: &str| RichText::new(text).size(theme::SMALL);
    ui.spacing_mut().item_spacing.y = 3.0;
    let out: Vec<&str> =
        seen.projectors.iter().filter(|p| !p.allowed).map(|p| p.name.as_str()).collect();
    if !out.is_empty() {
        let text = small(&format!("Switched off: {}", out.join(", "))).color(theme::AMBER);
        ui.add(egui::Label::new(text).truncate())
            .on_hover_text("Projectors whose own switch is off stay dark when the show is armed");
    }
    let trips = &seen.safety.trips;
    if trips.is_empty() {
        let text = small("Dead-man on duty; nothing went dark").color(theme::TEXT_FAINT);
        ui.add(egui::Label::new(text).truncate()).on_hover_text(
            "The light goes out by itself if the sound callback or the projector's thread stands still for 100 ms, \
             or this window for a second",
        );
        return;
    }
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for (age, trip) in trips.iter().rev().enumerate() {
            let ink = if age == 0 { theme::AMBER } else { theme::TEXT_QUIET };
            ui.add(egui::Label::new(small(trip).color(ink)).truncate())
                .on_hover_text("What went dark and why, newest first");
        }
    });
}

fn disarm(ui: &mut Ui, blackout: bool, wishes: &mut Vec<Command>) {
    let switch = BlockButton {
        name: "Disarm",
        title: "ARMED",
        detail: if blackout { "blackout is on (B); click to disarm" } else { "click to disarm" },
        height: SWITCH_PX,
        title_size: 22.0,
        fill: theme::AMBER,
        fill_hover: theme::mix(theme::AMBER, Color32::WHITE, 0.2),
        border: theme::AMBER,
        text: Color32::BLACK,
    };
    if switch.show(ui).on_hover_text("Takes the light away on every projector").clicked() {
        wishes.push(Command::Disarm);
    }
}

fn reset(ui: &mut Ui, wishes: &mut Vec<Command>) {
    let switch = BlockButton {
        name: "Reset stop",
        title: "Reset",
        detail: "when the room is safe; stays disarmed",
        height: SWITCH_PX,
        title_size: 20.0,
        fill: theme::PANEL,
        fill_hover: theme::RAISED,
        border: theme::RED_TEXT,
        text: theme::RED_TEXT,
    };
    if switch.show(ui).on_hover_text("Clears the stop. Arming stays a separate act").clicked() {
        wishes.push(Command::ResetStop);
    }
}

fn master(ui: &mut Ui, seen: f32, wishes: &mut Vec<Command>) {
    let mut level = seen;
    ui.add_space(theme::GRID);
    ui.horizontal(|ui| {
        ui.label(RichText::new("Master").color(theme::TEXT));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = RichText::new(format!("{:.0} %", seen * 100.0));
            ui.label(text.font(theme::figures(18.0)).color(theme::TEXT));
        });
    });
    ui.scope(|ui| {
        let width = ui.available_width();
        let slider = level_slider(ui, "Master brightness", &mut level, 0.0..=1.0, width);
        if slider.changed() && level != seen {
            wishes.push(Command::SetMaster(level));
        }
        slider.on_hover_text("Brightness of all light on every projector");
    });
}
