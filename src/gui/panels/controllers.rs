//! The hands from outside: MIDI ports, OSC and Art-Net; what arrives, what it does, and teaching a control.

use egui::{
    Align, CollapsingHeader, Color32, ComboBox, Label, Layout, RichText, ScrollArea, Sense,
    TextEdit, Ui, Vec2,
};

use crate::control::action::WORDS;
use crate::control::view::{SourceKind, SourceView};
use crate::control::{Action, ControllersView, ControllersWish};
use crate::gui::theme;
use crate::gui::widgets::lamp;
use crate::show::{Command, Snapshot};

/// How long a light shows that something came, s.
const SHOWN_SECONDS: f64 = 0.25;
/// Presets and parameters that are offered by number.
const NUMBERS: usize = 16;

/// The pane.
#[derive(Debug, Default)]
pub(in crate::gui) struct ControllersPanel {
    scanned: bool,
    /// What the light of each source knows: its messages, and when they last grew.
    lights: Vec<(String, u64, f64)>,
    /// The action to be taught.
    action: String,
    search: String,
}

impl ControllersPanel {
    /// Shows it; `now` in seconds.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        now: f64,
        wishes: &mut Vec<Command>,
    ) {
        let controllers = &*seen.controllers;
        let mut wish = |wish| wishes.push(Command::Controllers(wish));
        if !std::mem::replace(&mut self.scanned, true) {
            wish(ControllersWish::Scan);
        }
        ui.spacing_mut().item_spacing.y = 1.5 * theme::GRID;
        ui.horizontal(|ui| {
            ui.label(RichText::new("MIDI, OSC and Art-Net").color(theme::TEXT_QUIET));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let look =
                    ui.button("Look again").on_hover_text("Looks which MIDI ports are there");
                if look.clicked() {
                    wish(ControllersWish::Scan);
                }
            });
        });
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            if let Some(trouble) = &controllers.midi_trouble {
                told(ui, trouble, theme::AMBER);
            }
            for source in &controllers.sources {
                let level = self.light(source, now);
                source_row(ui, source, level, &mut wish);
            }
            if controllers.sources.is_empty() && controllers.midi_trouble.is_none() {
                told(
                    ui,
                    "No MIDI port is there: plug a controller in, then look again",
                    theme::TEXT_FAINT,
                );
            }
            if controllers.lost > 0 {
                told(
                    ui,
                    &format!("{} messages came too fast and were dropped", controllers.lost),
                    theme::AMBER,
                );
            }
            if let Some(bpm) = controllers.clock_bpm {
                told(
                    ui,
                    &format!("The beat follows a MIDI clock: {bpm:.1} BPM"),
                    theme::TEXT_QUIET,
                );
            }
            let arming = if controllers.may_arm {
                ("Controllers may ARM: whoever reaches them can light the room", theme::AMBER)
            } else {
                ("Controllers may stop and darken, never arm", theme::TEXT_FAINT)
            };
            told(ui, arming.0, arming.1);
            ui.add_space(theme::GRID);
            self.learn(ui, seen, &mut wish);
            ui.add_space(theme::GRID);
            self.bindings(ui, controllers);
        });
    }

    /// How bright the light of a source is.
    fn light(&mut self, source: &SourceView, now: f64) -> f32 {
        let never = now - 2.0 * SHOWN_SECONDS;
        let at = self.lights.iter().position(|(name, ..)| *name == source.name);
        let at = at.unwrap_or_else(|| {
            self.lights.push((source.name.clone(), source.messages, never));
            self.lights.len() - 1
        });
        let (_, messages, came) = &mut self.lights[at];
        if *messages != source.messages {
            (*messages, *came) = (source.messages, now);
        }
        let came = *came;
        (1.0 - (now - came) / SHOWN_SECONDS).clamp(0.0, 1.0) as f32
    }

    fn learn(&mut self, ui: &mut Ui, seen: &Snapshot, wish: &mut dyn FnMut(ControllersWish)) {
        ui.label(RichText::new("Teach a control").color(theme::TEXT));
        if let Some(action) = &seen.controllers.learning {
            told(ui, &format!("Touch the control that shall do “{action}”"), theme::AMBER);
            let stop = ui.button("Do not teach");
            if stop.on_hover_text("No control is taught after all").clicked() {
                wish(ControllersWish::StopLearning);
            }
            return;
        }
        let open = seen.controllers.sources.iter().any(|s| s.kind == SourceKind::Midi && s.open);
        ui.add_enabled_ui(open, |ui| {
            ui.horizontal(|ui| {
                let width = (ui.available_width() - 84.0).max(80.0);
                let text =
                    if self.action.is_empty() { "choose what it does" } else { &self.action };
                let chooser = ComboBox::from_id_salt("what a control does")
                    .width(width)
                    .height(360.0)
                    .truncate()
                    .selected_text(text)
                    .show_ui(ui, |ui| {
                        for action in actions(seen) {
                            let chosen = self.action == action;
                            if ui.selectable_label(chosen, &action).clicked() {
                                self.action = action;
                            }
                        }
                    });
                let chooser = chooser.response.accessible_name("What the control does");
                chooser.on_hover_text("What the control shall do that is touched next");
                let action = self.action.parse::<Action>();
                let teach = ui.add_enabled(action.is_ok(), egui::Button::new("Teach"));
                let teach =
                    teach.on_hover_text("Then touch the key, fader or knob; it is remembered");
                if let (true, Ok(action)) = (teach.clicked(), action) {
                    wish(ControllersWish::Learn(action));
                }
            });
        });
        if !open {
            told(ui, "Listen to a MIDI port first", theme::TEXT_FAINT);
        }
    }

    fn bindings(&mut self, ui: &mut Ui, controllers: &ControllersView) {
        if controllers.bindings.is_empty() {
            return;
        }
        let title = format!("What the controls do ({})", controllers.bindings.len());
        CollapsingHeader::new(title).id_salt("bindings").show(ui, |ui| {
            let search = TextEdit::singleline(&mut self.search)
                .hint_text("Search controls")
                .desired_width(f32::INFINITY);
            ui.add(search).on_hover_text("Shows the controls whose name or action holds this text");
            let wanted = self.search.trim().to_lowercase();
            for binding in &controllers.bindings {
                let line = format!("{}  –  {}", binding.on, binding.does);
                if line.to_lowercase().contains(&wanted) {
                    let text = RichText::new(line).font(theme::figures(theme::SMALL));
                    ui.add(Label::new(text.color(theme::TEXT_QUIET)).truncate())
                        .on_hover_text(&binding.map);
                }
            }
        });
    }
}

fn source_row(ui: &mut Ui, source: &SourceView, level: f32, wish: &mut dyn FnMut(ControllersWish)) {
    let (kind, help) = match source.kind {
        SourceKind::Midi => ("MIDI", "A MIDI port"),
        SourceKind::Osc => ("OSC", "OSC is listened to here"),
        SourceKind::ArtNet => ("Art-Net", "Art-Net is listened to here"),
    };
    ui.horizontal(|ui| {
        let (rect, light) = ui.allocate_exact_size(Vec2::splat(16.0), Sense::hover());
        let ink = if source.trouble.is_some() { theme::RED_TEXT } else { theme::GREEN };
        let level = if source.trouble.is_some() { 1.0 } else { level };
        lamp(ui.painter(), rect.center(), 5.0, ink, level);
        light.on_hover_text("Lights up when something arrives");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if source.kind == SourceKind::Midi {
                // One that is waited for can be let go of.
                let mut open = source.open || !source.present;
                let name = format!("Listen to {}", source.name);
                let listen = ui.checkbox(&mut open, "").accessible_name(name);
                if listen.on_hover_text("Listens to this port, or no more").changed() {
                    let port = source.name.clone();
                    wish(if open {
                        ControllersWish::Open(port)
                    } else {
                        ControllersWish::Close(port)
                    });
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let ink = if source.open { theme::TEXT } else { theme::TEXT_QUIET };
                let name = Label::new(RichText::new(&source.name).color(ink)).truncate();
                ui.add(name).on_hover_text(format!("{help}: {}", source.name));
            });
        });
    });
    let map = match (&source.map, source.kind) {
        (Some(map), _) => map.clone(),
        (None, SourceKind::Midi) => "no map yet: teach its controls below".to_owned(),
        (None, _) => kind.to_owned(),
    };
    if !source.present {
        told(ui, &format!("{map} · not there: it is taken up when it comes"), theme::TEXT_FAINT);
        return;
    }
    let last = if source.last.is_empty() { String::new() } else { format!(" · {}", source.last) };
    told(ui, &format!("{map}{last}"), theme::TEXT_FAINT);
    if let Some(trouble) = &source.trouble {
        told(ui, trouble, theme::RED_TEXT);
    }
}

fn told(ui: &mut Ui, text: &str, ink: Color32) {
    ui.add(Label::new(RichText::new(text).size(theme::SMALL).color(ink)).wrap());
}

/// What a control can be taught: what has a name, the presets and parameters by number, this preset's parameters by name.
fn actions(seen: &Snapshot) -> Vec<String> {
    let arms = |action: &Action| matches!(action, Action::Arm | Action::ResetStop);
    let words = WORDS.iter().filter(|(_, action)| seen.controllers.may_arm || !arms(action));
    let mut all: Vec<String> = words.map(|(word, _)| (*word).to_owned()).collect();
    for kind in ["preset", "preset-b", "param"] {
        all.extend((1..=NUMBERS).map(|n| format!("{kind} {n}")));
    }
    all.extend(seen.preset.params.iter().map(|param| format!("param {}", param.name)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_offered_is_an_action_and_nothing_arms_unless_it_may() {
        let mut seen = Snapshot::default();
        let arms = |seen: &Snapshot| actions(seen).iter().any(|action| action == "arm");
        assert!(!arms(&seen));
        for action in actions(&seen) {
            assert!(action.parse::<Action>().is_ok(), "{action}");
        }
        let may = ControllersView { may_arm: true, ..ControllersView::default() };
        seen.controllers = std::sync::Arc::new(may);
        assert!(arms(&seen));
    }
}
