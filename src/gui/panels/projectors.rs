//! Every projector: how it is, how much it holds, what went wrong; and the way to find, add and remove one.

use egui::{Align, Color32, Label, Layout, RichText, ScrollArea, Sense, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::{Icon, bar, beacon, icon_button};
use crate::show::snapshot::{ProjectorState, ProjectorView};
use crate::show::{Command, Snapshot};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gui) enum Asked {
    /// The set-up of the projector of this name.
    SetUp(String),
    /// A look around for projectors.
    Find,
    /// A projector is to be named.
    NameOne,
}

/// The pane.
#[derive(Debug, Default)]
pub(in crate::gui) struct ProjectorsPanel {
    /// The number of an armed one that is to be removed: it is asked for once.
    removing: Option<u32>,
}

impl ProjectorsPanel {
    /// Shows all of them.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) -> Option<Asked> {
        let mut asked = buttons(ui);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            if seen.projectors.is_empty() {
                let text = "No projector in this show. Find looks for those that are switched on; Add… takes a name: \
                            sim: is a simulated one.";
                let text = RichText::new(text).size(theme::SMALL).color(theme::TEXT_QUIET);
                ui.add(Label::new(text).wrap());
            }
            for projector in &seen.projectors {
                if self.one(ui, projector, wishes) {
                    asked = Some(Asked::SetUp(projector.name.clone()));
                }
            }
        });
        asked
    }

    /// Leaves the question, if it is asked.
    pub(in crate::gui) const fn leave_question(&mut self) {
        self.removing = None;
    }

    /// Shows one; true if it is to be set up.
    fn one(&mut self, ui: &mut Ui, projector: &ProjectorView, wishes: &mut Vec<Command>) -> bool {
        let width = ui.available_width() - 4.0;
        ui.spacing_mut().item_spacing.y = theme::GRID;
        let is_leaving = projector.state == ProjectorState::Closing;
        head(ui, projector, width, wishes);
        level(ui, projector, width);
        if self.removing == Some(projector.number) && !projector.armed {
            // It went dark meanwhile: there is nothing to ask any more.
            self.removing = None;
        }
        let is_asked = self.removing == Some(projector.number);
        let set_up = row(ui, width, |ui| {
            if is_asked {
                self.question(ui, projector, wishes);
                return false;
            }
            let set_up = !is_leaving && self.acts(ui, projector, wishes);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| state(ui, projector));
            set_up
        });
        troubles(ui, projector);
        ui.add_space(theme::GRID);
        set_up
    }

    /// What can be done with one, from the right; true if it is to be set up.
    fn acts(&mut self, ui: &mut Ui, projector: &ProjectorView, wishes: &mut Vec<Command>) -> bool {
        let remove =
            icon_button(ui, Icon::Close, &format!("Remove {}", projector.name), true, 20.0);
        if remove.on_hover_text("Takes it out of the show: dark at once, then closed").clicked() {
            if projector.armed {
                self.removing = Some(projector.number);
            } else {
                wishes.push(Command::RemoveProjector { projector: projector.name.clone() });
            }
        }
        let button = ui.button(RichText::new("Set up").size(theme::SMALL));
        let button = button.accessible_name(format!("Set up {}", projector.name));
        let help = "Corners, zones, mirrors, mounting and test pictures of this projector";
        button.on_hover_text(help).clicked()
    }

    /// One that is lit is asked for once, in the place of its acts; laid out from the right.
    fn question(&mut self, ui: &mut Ui, projector: &ProjectorView, wishes: &mut Vec<Command>) {
        let keep = ui.button(RichText::new("Keep").size(theme::SMALL));
        let keep = keep.accessible_name(format!("Keep {}", projector.name));
        if keep.on_hover_text("It stays in the show").clicked() {
            self.removing = None;
        }
        let remove = ui.button(RichText::new("Remove").size(theme::SMALL));
        let remove = remove.accessible_name(format!("Remove {} all the same", projector.name));
        if remove.on_hover_text("Dark at once, then it leaves the show").clicked() {
            self.removing = None;
            wishes.push(Command::RemoveProjector { projector: projector.name.clone() });
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let text = RichText::new("It is armed").size(theme::SMALL).color(theme::AMBER);
            ui.add(Label::new(text).truncate()).on_hover_text("There is light on it now");
        });
    }
}

fn buttons(ui: &mut Ui) -> Option<Asked> {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 22.0;
        ui.spacing_mut().button_padding = Vec2::new(8.0, 2.0);
        let find = ui.button(RichText::new("Find").size(theme::SMALL));
        let find = find.on_hover_text(
            "Looks for projectors on every network of this computer, and on USB: four seconds",
        );
        let add = ui.button(RichText::new("Add…").size(theme::SMALL));
        let add = add.accessible_name("Add a projector by its name");
        let add = add.on_hover_text("Adds a projector by its name or address");
        match (find.clicked(), add.clicked()) {
            (true, _) => Some(Asked::Find),
            (_, true) => Some(Asked::NameOne),
            _ => None,
        }
    })
    .inner
}

/// Its lamp, its name, its own switch.
fn head(ui: &mut Ui, projector: &ProjectorView, width: f32, wishes: &mut Vec<Command>) {
    row(ui, width, |ui| {
        if projector.state != ProjectorState::Closing {
            let mut allowed = projector.allowed;
            let word = RichText::new(if allowed { "On" } else { "Off" }).size(theme::SMALL);
            let switch = ui.toggle_value(&mut allowed, word);
            let switch = switch.accessible_name(format!("Light on {}", projector.name));
            let help = "Its own switch: off, it is dark at once and stays out of the show; on, it is lit with the \
                        others. Arming is a separate act";
            if switch.on_hover_text(help).clicked() {
                let projector = projector.name.clone();
                wishes.push(Command::SetAllowed { projector, allowed });
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
            beacon(ui.painter(), rect.center(), state_of(projector).0);
            let name = RichText::new(&projector.name).color(theme::TEXT);
            ui.add(Label::new(name).truncate()).on_hover_text(&projector.name);
        });
    });
}

/// A row of small things, laid out from the right.
fn row<R>(ui: &mut Ui, width: f32, content: impl FnOnce(&mut Ui) -> R) -> R {
    let size = Vec2::new(width, 22.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().button_padding = Vec2::new(6.0, 2.0);
        ui.spacing_mut().interact_size.y = 20.0;
        content(ui)
    })
    .inner
}

/// How much it holds.
fn level(ui: &mut Ui, projector: &ProjectorView, width: f32) {
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, 6.0), Sense::hover());
    // The target sits in the middle, so that both too little and too much are seen.
    let full = (projector.target_ms * 2.0).max(1.0);
    let low = projector.buffered_ms < projector.target_ms * 0.5;
    let ink = if low { theme::AMBER } else { theme::ACCENT };
    bar(ui.painter(), rect, projector.buffered_ms / full, ink, Some(projector.target_ms / full));
    response.on_hover_text(format!(
        "{:.0} ms of points ahead of the mirrors; the aim is {:.0} ms",
        projector.buffered_ms, projector.target_ms
    ));
}

fn state(ui: &mut Ui, projector: &ProjectorView) {
    let kpps = f64::from(projector.pps) / 1000.0;
    let (held, aim) = (projector.buffered_ms, projector.target_ms);
    let word = state_of(projector).1;
    let help = format!(
        "Its state; thousands of points per second. It holds {held:.0} ms of points, the aim is {aim:.0} ms"
    );
    small(ui, format!("{word} · {kpps:.0} kpps"), &help);
}

/// What went wrong, and what is out of the ordinary.
fn troubles(ui: &mut Ui, projector: &ProjectorView) {
    let counts = [projector.underruns, projector.device_underflows, projector.reconnects];
    if counts.iter().any(|count| *count > 0) {
        let [late, empty, reconnects] = counts;
        small(
            ui,
            format!("late {late} · empty {empty} · reconnects {reconnects}"),
            "Times the drawing was late, times the device ran empty, times it was connected again",
        );
    }
    if let Some(condition) = &projector.condition {
        small(ui, condition.clone(), "What the projector says of its own health");
    }
    if projector.test_picture.is_some() {
        let text = RichText::new("shows a test picture").size(11.0).color(theme::AMBER);
        ui.label(text).on_hover_text("Instead of the show: see Set-up");
    }
    if let Some(fault) = &projector.fault {
        let ink =
            if projector.state == ProjectorState::Ready { theme::AMBER } else { theme::RED_TEXT };
        ui.add(Label::new(RichText::new(fault).size(theme::SMALL).color(ink)).wrap());
    }
}

fn small(ui: &mut Ui, text: String, help: &str) {
    let text = RichText::new(text).size(11.0).color(theme::TEXT_FAINT);
    ui.add(Label::new(text).truncate()).on_hover_text(help);
}

fn state_of(projector: &ProjectorView) -> (Color32, &'static str) {
    match projector.state {
        ProjectorState::Connecting => (theme::TEXT_QUIET, "connecting"),
        ProjectorState::Ready if !projector.allowed => (theme::TEXT_FAINT, "switched off"),
        ProjectorState::Ready if projector.armed => (theme::AMBER, "armed"),
        ProjectorState::Ready => (theme::GREEN, "ready"),
        ProjectorState::NotReady => (theme::TEXT_QUIET, "not ready yet"),
        ProjectorState::Lost => (theme::RED_TEXT, "lost, dark"),
        ProjectorState::EmergencyStop => (theme::RED_TEXT, "stopped"),
        ProjectorState::Closing => (theme::TEXT_FAINT, "removed, closing"),
    }
}
