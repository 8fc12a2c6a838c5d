//! Every projector: how it is, how much it holds, what went wrong.

use egui::{Align, Color32, Label, Layout, RichText, ScrollArea, Sense, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::{bar, beacon};
use crate::show::snapshot::{ProjectorState, ProjectorView};
use crate::show::{Command, Snapshot};

/// Shows all of them; returns the name of one that is to be set up.
pub(in crate::gui) fn show(
    ui: &mut Ui,
    seen: &Snapshot,
    wishes: &mut Vec<Command>,
) -> Option<String> {
    let mut set_up = None;
    if seen.projectors.is_empty() {
        ui.label(RichText::new("None in this show").color(theme::TEXT_FAINT));
    }
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for projector in &seen.projectors {
            if one(ui, projector, wishes) {
                set_up = Some(projector.name.clone());
            }
        }
    });
    set_up
}

/// Shows one; true if it is to be set up.
fn one(ui: &mut Ui, projector: &ProjectorView, wishes: &mut Vec<Command>) -> bool {
    let (colour, state) = state_of(projector);
    let width = ui.available_width() - 4.0;
    let mut set_up = false;
    ui.allocate_ui_with_layout(
        Vec2::new(width, 22.0),
        Layout::left_to_right(Align::Center),
        |ui| {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
            beacon(ui.painter(), rect.center(), colour);
            ui.spacing_mut().button_padding = Vec2::new(6.0, 2.0);
            ui.spacing_mut().interact_size.y = 20.0;
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let button = ui.button(RichText::new("Set up").size(theme::SMALL));
                let button = button.accessible_name(format!("Set up {}", projector.name));
                let help = "Corners, zones, mirrors, mounting and test pictures of this projector";
                set_up = button.on_hover_text(help).clicked();
                let mut allowed = projector.allowed;
                let word = RichText::new(if allowed { "On" } else { "Off" }).size(theme::SMALL);
                let switch = ui.toggle_value(&mut allowed, word);
                let switch = switch.accessible_name(format!("Light on {}", projector.name));
                let help = "Its own switch: off, it is dark at once and stays out of the show; on, it is lit with \
                            the others. Arming is a separate act";
                if switch.on_hover_text(help).clicked() {
                    let projector = projector.name.clone();
                    wishes.push(Command::SetAllowed { projector, allowed });
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let name = RichText::new(&projector.name).color(theme::TEXT);
                    ui.add(Label::new(name).truncate()).on_hover_text(&projector.name);
                });
            });
        },
    );
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
    ui.spacing_mut().item_spacing.y = theme::GRID;
    let kpps = f64::from(projector.pps) / 1000.0;
    let (held, aim) = (projector.buffered_ms, projector.target_ms);
    small(
        ui,
        format!("{state} · {kpps:.1} kpps · {held:.0}/{aim:.0} ms"),
        "Its state; thousands of points per second; time of points ahead of the mirrors, and the aim",
    );
    small(
        ui,
        format!(
            "late {} · empty {} · reconnects {}",
            projector.underruns, projector.device_underflows, projector.reconnects
        ),
        "Times the drawing was late, times the device ran empty, times it was connected again",
    );
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
    ui.add_space(theme::GRID);
    set_up
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
        ProjectorState::Lost => (theme::RED_TEXT, "lost, dark"),
        ProjectorState::EmergencyStop => (theme::RED_TEXT, "stopped"),
        ProjectorState::Closing => (theme::TEXT_FAINT, "removed, closing"),
    }
}
