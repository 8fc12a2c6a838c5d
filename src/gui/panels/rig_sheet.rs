//! The sheet over the preview for finding projectors and adding them to the show. It stays open while the show is worked
//! with, and covers nothing else.

use egui::{
    Align, Button, Color32, Key, Label, Layout, Margin, Rect, RichText, ScrollArea, Sense,
    TextEdit, Ui, Vec2,
};

use crate::gui::theme;
use crate::gui::widgets::{Icon, bar, dialog, icon_button};
use crate::show::snapshot::{FoundView, RigView};
use crate::show::{Command, Snapshot};

/// No name of a projector is longer, characters.
const MAX_URI_CHARS: usize = 300;
/// A name to type, as an example.
const EXAMPLE: &str = "e.g. ether-dream://192.168.1.40";
/// What may be typed.
const HELP: &str = "How the projector is named: ether-dream://ADDRESS, idn://ADDRESS, lasercube-wifi://ADDRESS, helios://, \
                    lasercube-usb://, audio-xy://DEVICE, or sim: for a simulated one. Enter adds it";
/// Least and most width of what stands in it, px.
const WIDTHS_PX: [f32; 2] = [300.0, 480.0];
/// Least and most height of the list, px.
const LIST_PX: [f32; 2] = [92.0, 300.0];
/// Height of all that stands around the list, px.
const AROUND_PX: f32 = 200.0;

/// What it keeps of the screen.
#[derive(Debug, Default)]
pub(in crate::gui) struct RigSheet {
    open: bool,
    /// The field for a name is to have the focus.
    fresh: bool,
    uri: String,
    /// What was typed and asked for, until it is in the show.
    asked: Option<String>,
}

impl RigSheet {
    /// Opens it, and begins to look.
    pub(in crate::gui) fn find(&mut self, wishes: &mut Vec<Command>) {
        self.open = true;
        wishes.push(Command::FindProjectors);
    }

    /// Opens it at the field for a name.
    pub(in crate::gui) const fn name_one(&mut self) {
        self.open = true;
        self.fresh = true;
    }

    /// True while it is there.
    pub(in crate::gui) const fn is_open(&self) -> bool {
        self.open
    }

    /// Puts it away.
    pub(in crate::gui) const fn close(&mut self) {
        self.open = false;
    }

    /// Shows it over `field`, if it is open.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &Ui,
        field: Rect,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) {
        self.follow(ui, seen);
        if !self.open {
            return;
        }
        let [least, most] = WIDTHS_PX;
        let width = (field.width() - 64.0).clamp(least, most);
        let [low, high] = LIST_PX;
        let list = (field.height() - AROUND_PX).clamp(low, high);
        dialog(ui, "projectors around", field.center(), theme::LINE, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 1.5 * theme::GRID;
            self.head(ui, &seen.rig, wishes);
            looking(ui, &seen.rig, wishes);
            let list = ScrollArea::vertical().max_height(list).auto_shrink([false, true]);
            list.show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                found(ui, &seen.rig, wishes);
            });
            ui.separator();
            self.by_name(ui, seen, wishes);
            let text = "What is added comes dark; while the show is armed it comes switched off.";
            wrapped(ui, text, theme::TEXT_FAINT);
        });
    }

    fn head(&mut self, ui: &mut Ui, rig: &RigView, wishes: &mut Vec<Command>) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Projectors around").size(18.0).color(theme::TEXT));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let close = icon_button(ui, Icon::Close, "Put the sheet away", true, 22.0);
                if close.on_hover_text("Puts the sheet away, and looks no longer").clicked() {
                    self.open = false;
                    wishes.extend(rig.finding.map(|_| Command::StopFinding));
                }
            });
        });
    }

    /// The field for a name, with what was wrong with the last one.
    fn by_name(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let mut add = false;
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let is_typed = !self.uri.trim().is_empty();
                let button = ui.add_enabled(is_typed, Button::new("Add"));
                let button = button.accessible_name("Add the projector that is named");
                add = button.on_hover_text("Adds it, dark (Enter)").clicked();
                let field = TextEdit::singleline(&mut self.uri)
                    .hint_text(EXAMPLE)
                    .char_limit(MAX_URI_CHARS)
                    .desired_width(f32::INFINITY)
                    .margin(Margin::symmetric(8, 5));
                let field = ui.add(field).accessible_name("Name of the projector");
                let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                add |= entered && is_typed;
                if std::mem::take(&mut self.fresh) {
                    field.request_focus();
                }
                field.on_hover_text(HELP);
            });
        });
        if add {
            let uri = self.uri.trim().to_owned();
            self.asked = Some(uri.clone());
            wishes.push(Command::AddProjector { uri });
        }
        for uri in seen.rig.opening.iter().filter(|uri| !is_listed(&seen.rig, uri)) {
            wrapped(ui, &format!("Opening {uri} …"), theme::TEXT_QUIET);
        }
        if let Some(refused) = &seen.rig.refused
            && !is_listed(&seen.rig, &refused.uri)
        {
            wrapped(ui, &refused.why, theme::RED_TEXT);
        }
    }

    /// Empties the field once what was typed is in the show; what was refused can be mended at once.
    fn follow(&mut self, ui: &Ui, seen: &Snapshot) {
        let Some(asked) = &self.asked else { return };
        if seen.projectors.iter().any(|projector| projector.name == *asked) {
            if self.uri.trim() == asked {
                self.uri.clear();
            }
            self.asked = None;
        } else if seen.rig.refused.as_ref().is_some_and(|refused| refused.uri == *asked) {
            self.fresh = ui.memory(|memory| memory.focused().is_none());
            self.asked = None;
        }
    }
}

/// True if it has a row in the list: what concerns it is told there.
fn is_listed(rig: &RigView, uri: &str) -> bool {
    rig.found.iter().any(|found| found.uri.as_deref() == Some(uri))
}

/// The look: how far it is, or the key that begins one.
fn looking(ui: &mut Ui, rig: &RigView, wishes: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 26.0;
        ui.spacing_mut().item_spacing.x = 3.0 * theme::GRID;
        if let Some(part) = rig.finding {
            let stop = ui.button("Stop looking");
            if stop.on_hover_text("What was found so far stays").clicked() {
                wishes.push(Command::StopFinding);
            }
            let room = Vec2::new((ui.available_width() - 4.0).max(20.0), 6.0);
            let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
            bar(ui.painter(), rect, part, theme::ACCENT, None);
            response.on_hover_text("Looks on every network of this computer, and on USB");
            return;
        }
        let look = ui.button(if rig.looked { "Look again" } else { "Look around" });
        let help = "Looks on every network of this computer, and on USB: four seconds";
        if look.on_hover_text(help).clicked() {
            wishes.push(Command::FindProjectors);
        }
        let others = rig.found.iter().filter(|found| found.uri.as_deref() != Some("sim:")).count();
        if rig.looked && others > 0 {
            let text = RichText::new(format!("{others} found")).size(theme::SMALL);
            ui.label(text.color(theme::TEXT_FAINT));
        }
    });
}

fn found(ui: &mut Ui, rig: &RigView, wishes: &mut Vec<Command>) {
    for found in rig.found.iter() {
        row(ui, rig, found, wishes);
        let is_it = |uri: &String| found.uri.as_ref() == Some(uri);
        if let Some(refused) = rig.refused.as_ref().filter(|refused| is_it(&refused.uri)) {
            wrapped(ui, &refused.why, theme::RED_TEXT);
        }
        ui.add_space(1.5 * theme::GRID);
    }
    let is_simulator = |found: &FoundView| found.uri.as_deref() == Some("sim:");
    if rig.looked && rig.finding.is_none() && rig.found.iter().all(is_simulator) {
        let text = "No other was found. Is it switched on, and its cable in? A network projector must be in the same \
                    subnet as this computer, and a firewall must let UDP ports 7654, 7255 and 45457 through. Or name it \
                    below.";
        wrapped(ui, text, theme::TEXT_QUIET);
    }
}

fn row(ui: &mut Ui, rig: &RigView, found: &FoundView, wishes: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().button_padding = Vec2::new(10.0, 2.0);
        ui.spacing_mut().interact_size.y = 20.0;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            match &found.uri {
                Some(_) if found.in_show => small(ui, "in the show", theme::TEXT_FAINT),
                Some(uri) if rig.opening.contains(uri) => {
                    small(ui, "opening …", theme::TEXT_QUIET);
                }
                Some(uri) => {
                    let add = ui.button(RichText::new("Add").size(theme::SMALL));
                    let add = add.accessible_name(format!("Add {uri}"));
                    let help =
                        "Adds it to the show, dark; while the show is armed it comes switched off";
                    if add.on_hover_text(help).clicked() {
                        wishes.push(Command::AddProjector { uri: uri.clone() });
                    }
                }
                None => small(ui, "cannot be used", theme::TEXT_FAINT),
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let ink = if found.in_show { theme::TEXT_QUIET } else { theme::TEXT };
                let label = Label::new(RichText::new(&found.label).color(ink)).truncate();
                ui.add(label).on_hover_text(&found.label);
            });
        });
    });
    if let Some(uri) = &found.uri {
        small(ui, uri, theme::TEXT_FAINT);
    }
    if let Some(trouble) = &found.trouble {
        wrapped(ui, trouble, theme::AMBER);
    }
}

fn small(ui: &mut Ui, text: &str, ink: Color32) {
    ui.add(Label::new(RichText::new(text).size(theme::SMALL).color(ink)).truncate());
}

fn wrapped(ui: &mut Ui, text: &str, ink: Color32) {
    ui.add(Label::new(RichText::new(text).size(theme::SMALL).color(ink)).wrap());
}
