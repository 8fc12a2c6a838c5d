//! Files of the show: recording what the projectors get, rendering the track, and where both go.

use std::path::Path;

use egui::{
    Align, Button, ComboBox, Context, Key, Label, Layout, Modifiers, RichText, ScrollArea, Sense,
    Ui, Vec2,
};

use crate::format::FileKind;
use crate::gui::file_chooser::Wanted;
use crate::gui::theme;
use crate::gui::widgets::{bar, heading, lamp};
use crate::show::recorder::{MadeFile, RecordingView, RenderingView};
use crate::show::{Command, RecorderWish, Snapshot};

/// Room from which the two parts stand side by side, px.
const WIDE_PX: f32 = 360.0;
/// Width of a choice of the kind of file, px.
const KIND_PX: f32 = 84.0;

/// The pane.
#[derive(Debug)]
pub(in crate::gui) struct RecorderPanel {
    /// The projector to be recorded; every one if `None`.
    projector: Option<String>,
    record_as: FileKind,
    render_as: FileKind,
}

impl Default for RecorderPanel {
    fn default() -> Self {
        let (record_as, render_as) = (FileKind::Ilda, FileKind::Ilda);
        Self { projector: None, record_as, render_as }
    }
}

impl RecorderPanel {
    /// Obeys the key of the recorder, whether the pane is seen or not.
    pub(in crate::gui) fn keys(
        &mut self,
        ctx: &Context,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) {
        let record = Modifiers::COMMAND | Modifiers::SHIFT;
        if ctx.text_edit_focused() || !ctx.input_mut(|input| input.consume_key(record, Key::R)) {
            return;
        }
        wishes.push(match seen.recorder.recording {
            Some(_) => Command::Recorder(RecorderWish::Stop),
            None => self.start(seen),
        });
    }

    fn start(&self, seen: &Snapshot) -> Command {
        let is_there = |name: &&String| seen.projectors.iter().any(|p| p.name == **name);
        let projector = self.projector.as_ref().filter(is_there).cloned();
        Command::Recorder(RecorderWish::Start { projector, kind: self.record_as })
    }

    /// Shows it; `choosing` while a file or folder is being chosen. Returns what should be asked for.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        choosing: bool,
        wishes: &mut Vec<Command>,
    ) -> Option<Wanted> {
        let Some(folder) = &seen.recorder.folder else {
            let text = "This show makes no files: there is no folder of yours to put them in";
            ui.label(RichText::new(text).color(theme::TEXT_FAINT));
            return None;
        };
        let mut wants_folder = false;
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = theme::GRID;
            ui.spacing_mut().button_padding = Vec2::new(8.0, 2.0);
            ui.spacing_mut().interact_size.y = 22.0;
            if ui.available_width() >= WIDE_PX {
                ui.columns(2, |columns| {
                    let [left, right] = columns else { return };
                    let from_left = Layout::top_down(Align::Min);
                    left.with_layout(from_left, |ui| self.record(ui, seen, wishes));
                    right.with_layout(from_left, |ui| self.render(ui, seen, wishes));
                });
            } else {
                self.record(ui, seen, wishes);
                ui.add_space(theme::GRID);
                self.render(ui, seen, wishes);
            }
            wants_folder = folder_line(ui, folder, choosing);
            for file in seen.recorder.made.iter().rev() {
                made(ui, file);
            }
        });
        wants_folder.then_some(Wanted::FolderOfRecordings)
    }

    fn record(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        heading(ui, "Record the light");
        if let Some(recording) = &seen.recorder.recording {
            if under_way(ui, recording) {
                wishes.push(Command::Recorder(RecorderWish::Stop));
            }
            return;
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GRID;
            let help = "Writes what the projectors get, after safety, until you end it \
                        (Ctrl-Shift-R)";
            let button = Button::new(RichText::new("Record").color(theme::ACCENT));
            let can = !seen.projectors.is_empty();
            let button = ui.add_enabled(can, button).on_hover_text(help);
            if button.on_disabled_hover_text("There is no projector in this show").clicked() {
                wishes.push(self.start(seen));
            }
            kind_choice(ui, "Record as", &mut self.record_as, &[FileKind::Ilda, FileKind::Csv]);
        });
        if seen.projectors.len() > 1 {
            self.projector_choice(ui, seen);
        }
        if seen.recorder.made.is_empty() {
            quiet(ui, what_is_recorded(self.record_as));
        }
    }

    fn projector_choice(&mut self, ui: &mut Ui, seen: &Snapshot) {
        let chosen = self.projector.clone().unwrap_or_else(|| "every projector".to_owned());
        let width = (ui.available_width() - theme::GRID).max(72.0);
        let choice = ComboBox::from_id_salt("who is recorded").width(width).truncate();
        let shown = choice.selected_text(chosen).show_ui(ui, |ui| {
            ui.selectable_value(&mut self.projector, None, "every projector");
            for projector in &seen.projectors {
                let name = Some(projector.name.clone());
                ui.selectable_value(&mut self.projector, name, &projector.name);
            }
        });
        let response = shown.response.accessible_name("Recorded projector");
        response.on_hover_text("Whose light is recorded; of several each gets its own file");
    }

    fn render(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        heading(ui, "Render the track");
        if let Some(rendering) = &seen.recorder.rendering {
            if being_rendered(ui, rendering) {
                wishes.push(Command::Recorder(RecorderWish::CancelRender));
            }
            return;
        }
        let can = !seen.transport.live && seen.transport.path.is_some();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GRID;
            let help = "Makes a file of the present track and preset, beside the show, as fast as \
                        it goes";
            let button = ui.add_enabled(can, Button::new("Render")).on_hover_text(help);
            if button
                .on_disabled_hover_text(
                    "Open a file first: a sound that is not over cannot be rendered",
                )
                .clicked()
            {
                wishes.push(Command::Recorder(RecorderWish::Render(self.render_as)));
            }
            kind_choice(ui, "Render as", &mut self.render_as, &FileKind::ALL);
        });
        if seen.recorder.made.is_empty() {
            quiet(ui, what_is_rendered(self.render_as));
        }
    }
}

/// Shows a recording; true if it is to end.
fn under_way(ui: &mut Ui, recording: &RecordingView) -> bool {
    let mut end = false;
    ui.horizontal(|ui| {
        let (rect, light) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
        // A slow pulse by the recording's own time, so that it stands still if the recording does.
        let pulse = 0.7 + 0.3 * (recording.elapsed_s * std::f64::consts::TAU * 0.5).cos();
        lamp(ui.painter(), rect.center(), 5.0, theme::ACCENT, pulse as f32);
        light.on_hover_text("Recording");
        let time = RichText::new(clock(recording.elapsed_s)).font(theme::figures(18.0));
        ui.label(time.color(theme::TEXT)).on_hover_text("Since the recording began");
        let word = if recording.ending { "Ending…" } else { "End" };
        let button = ui.add_enabled(!recording.ending, Button::new(word));
        let button = button.accessible_name("End recording");
        end = button
            .on_hover_text("Ends the recording; the file gets its name (Ctrl-Shift-R)")
            .clicked();
    });
    let mut words = vec![size(recording.bytes)];
    words.push(if recording.kind == FileKind::Ilda {
        format!("{} frames", recording.frames)
    } else {
        format!("{} points", recording.points)
    });
    if recording.projectors > 1 {
        words.push(format!("{} files", recording.projectors));
    }
    let ink = if recording.lost > 0 { theme::AMBER } else { theme::TEXT_QUIET };
    words.push(format!("lost {}", recording.lost));
    let text = RichText::new(words.join(" · ")).font(theme::figures(11.0)).color(ink);
    ui.add(Label::new(text).wrap()).on_hover_text(
        "Written so far; lost are runs of points that came faster than the disk took them. The \
         light never waits for the disk",
    );
    end
}

/// Shows a rendering; true if it is to be broken off.
fn being_rendered(ui: &mut Ui, rendering: &RenderingView) -> bool {
    let mut cancel = false;
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let button = ui.button("Cancel").accessible_name("Cancel rendering");
            cancel = button.on_hover_text("Breaks it off; nothing is left of the file").clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = RichText::new(&rendering.name).color(theme::TEXT);
                ui.add(Label::new(name).truncate()).on_hover_text(&rendering.name);
            });
        });
    });
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), 5.0), Sense::hover());
    bar(ui.painter(), rect, rendering.share, theme::ACCENT, None);
    response.on_hover_text("What is done of it");
    let left = rendering.left_s.map_or(String::new(), |s| format!(" · {} left", clock(s.into())));
    let text = format!("{:.0} %{left}", 100.0 * rendering.share);
    ui.label(RichText::new(text).font(theme::figures(11.0)).color(theme::TEXT_QUIET));
    cancel
}

/// Where files go; true if another folder is wanted.
fn folder_line(ui: &mut Ui, folder: &Path, choosing: bool) -> bool {
    let mut wanted = false;
    ui.horizontal(|ui| {
        ui.label(RichText::new("Files go to").size(theme::SMALL).color(theme::TEXT_FAINT));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let word = RichText::new("Change…").size(theme::SMALL);
            let button = ui.add_enabled(!choosing, Button::new(word));
            let button = button.accessible_name("Change the folder");
            let help = "Another folder for recordings and renderings; it is remembered";
            wanted = button.on_hover_text(help).clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let path = folder.display().to_string();
                let text = RichText::new(&path).size(theme::SMALL).color(theme::TEXT_QUIET);
                ui.add(Label::new(text).truncate()).on_hover_text(path);
            });
        });
    });
    wanted
}

fn made(ui: &mut Ui, file: &MadeFile) {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let figures = format!("{} · {}", clock(file.seconds), size(file.bytes));
    let path = file.path.display();
    ui.spacing_mut().interact_size.y = 16.0;
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let figures = RichText::new(figures).font(theme::figures(11.0));
            ui.label(figures.color(theme::TEXT_FAINT));
            if file.ended_early.is_some() {
                ui.label(RichText::new("ended early").size(theme::SMALL).color(theme::AMBER));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = RichText::new(name).size(theme::SMALL).color(theme::TEXT);
                let label = ui.add(Label::new(name).truncate());
                label.on_hover_text(match &file.ended_early {
                    Some(why) => format!("{path}\n{why}"),
                    None => path.to_string(),
                });
            });
        });
    });
}

fn kind_choice(ui: &mut Ui, name: &str, kind: &mut FileKind, kinds: &[FileKind]) {
    let shown =
        ComboBox::from_id_salt(name).width(KIND_PX).selected_text(word(*kind)).show_ui(ui, |ui| {
            for one in kinds {
                ui.selectable_value(kind, *one, word(*one)).on_hover_text(holds(*one));
            }
        });
    shown.response.accessible_name(name.to_owned()).on_hover_text(holds(*kind));
}

const fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Ilda => "ILDA .ild",
        FileKind::Csv => "CSV .csv",
        FileKind::Wav => "WAV .wav",
        FileKind::Png => "PNG .png",
        FileKind::Gif => "GIF .gif",
    }
}

const fn holds(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Ilda => "Frames for any laser program, 25 a second",
        FileKind::Csv => "A row for every point, with its moment",
        FileKind::Wav => "Six channels at 48 kHz: x, y, red, green, blue, intensity",
        FileKind::Png => "A sheet of twelve moments",
        FileKind::Gif => "A moving picture of ten seconds",
    }
}

const fn what_is_recorded(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Ilda => "As the projector gets it, 25 frames a second, up to 43 minutes",
        _ => "As the projector gets it, point for point, up to 4 GB",
    }
}

const fn what_is_rendered(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Ilda => "The whole track, 25 frames a second",
        FileKind::Csv | FileKind::Wav => "The whole track, point for point",
        FileKind::Png => "Twelve moments of the track",
        FileKind::Gif => "Ten seconds from here",
    }
}

fn quiet(ui: &mut Ui, text: &str) {
    ui.add(Label::new(RichText::new(text).size(11.0).color(theme::TEXT_FAINT)).wrap());
}

fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.2} GB", bytes / 1e9),
    }
}

fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!([999.0, 2.9e6, 3.2e9].map(|n| size(n as u64)), ["1 kB", "2.9 MB", "3.20 GB"]);
        assert_eq!([0.4, 65.9, 2_600.0].map(clock), ["0:00", "1:05", "43:20"]);
    }
}
