//! Whether the machine keeps up: the sound callback, the projectors, and the window itself.

use std::collections::VecDeque;

use egui::{Color32, Grid, RichText, ScrollArea, Ui};

use crate::gui::frame_time::FrameTime;
use crate::gui::pace::Pace;
use crate::gui::theme;
use crate::gui::widgets::bar;
use crate::show::Snapshot;

/// Share of a period in the callback beyond which glitches come near.
const WORRYING_LOAD: f32 = 0.7;
/// Pictures of this time count, s.
const LOOK_BACK_SECONDS: f64 = 2.0;
/// A picture that takes longer misses the next one at 60 a second, ms.
const SLOW_PICTURE_MS: f32 = 16.0;

/// Below so many pictures a second a hand on a control feels late.
const WORRYING_RATE: f32 = 25.0;

/// The pane, with the moments of the last pictures, s.
#[derive(Debug, Default)]
pub(in crate::gui) struct HealthPanel {
    pictures: VecDeque<f64>,
}

impl HealthPanel {
    /// Notes that a picture is made; `now` in seconds.
    pub(in crate::gui) fn take(&mut self, now: f64) {
        self.pictures.push_back(now);
        while self.pictures.front().is_some_and(|at| now - at > LOOK_BACK_SECONDS) {
            self.pictures.pop_front();
        }
    }

    /// Pictures a second.
    fn rate(&self) -> f64 {
        match (self.pictures.front(), self.pictures.back()) {
            (Some(first), Some(last)) if last > first => {
                (self.pictures.len() - 1) as f64 / (last - first)
            }
            _ => 0.0,
        }
    }

    /// Shows it.
    pub(in crate::gui) fn show(
        &self,
        ui: &mut Ui,
        seen: &Snapshot,
        frames: &FrameTime,
        pace: &Pace,
    ) {
        show(ui, seen, frames, self.rate(), pace.per_second());
    }
}

fn show(ui: &mut Ui, seen: &Snapshot, frames: &FrameTime, rate: f64, aim: f32) {
    ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
        let audio = &seen.audio;
        let load = if audio.period_us > 0.0 { audio.callback_p99_us / audio.period_us } else { 0.0 };
        ui.spacing_mut().interact_size.y = 16.0;
        Grid::new("health").num_columns(6).spacing([8.0, 2.0]).show(ui, |ui| {
            let (used, whole) = (audio.callback_p99_us / 1e3, audio.period_us / 1e3);
            let text = format!("{used:.2} of {whole:.1} ms");
            let help = "99th percentile of the time spent in the sound callback, and its period";
            row(ui, "Sound callback", &text, load > WORRYING_LOAD, Some(load), help);
            let help = "Interruptions of the sound by the sound device";
            row(ui, "Xruns", &audio.xruns.to_string(), audio.xruns > 0, None, help);
            ui.end_row();
            let late = audio.decoder_underruns;
            let help = "Periods in which the decoder was late and silence was played";
            row(ui, "Decoder late", &late.to_string(), late > 0, None, help);
            let underruns: u64 = seen.projectors.iter().map(|p| p.underruns).sum();
            let help = "Times the drawing was late, all projectors";
            row(ui, "Light late", &underruns.to_string(), underruns > 0, None, help);
            ui.end_row();
            let empty: u64 = seen.projectors.iter().map(|p| p.device_underflows).sum();
            let help = "Times a projector ran empty";
            row(ui, "Device empty", &empty.to_string(), empty > 0, None, help);
            let again: u64 = seen.projectors.iter().map(|p| p.reconnects).sum();
            let help = "Times a projector was connected again";
            row(ui, "Reconnects", &again.to_string(), again > 0, None, help);
            ui.end_row();
            let (typical, worst) = (frames.typical_ms(), frames.worst_ms());
            let text = format!("{typical:.1} ms, worst {worst:.1}");
            let help = "Time to make a picture of this window, over the last seconds. The preview draws \
                        less when it is long; the show does not need the window at all";
            let share = typical / SLOW_PICTURE_MS;
            row(ui, "Window", &text, typical > SLOW_PICTURE_MS, Some(share), help);
            let help = "Pictures of this window in a second, over the last two; fewer while nothing moves, and where \
                        the machine is not fast enough, so that it has time for the show";
            row(ui, "Pictures", &format!("{rate:.0} /s"), aim < WORRYING_RATE, None, help);
            ui.end_row();
            machine(ui, seen);
            ui.end_row();
            let lost = seen.recorder.recording.map_or(0, |recording| recording.lost);
            let help = "Runs of points that the recording under way lacks: the disk is too slow";
            row(ui, "Record lost", &lost.to_string(), lost > 0, None, help);
            let help = "Runs of points that a tap missed, such as a preview that was hidden or a \
                        slow recorder. The light itself is whole";
            row(ui, "Taps missed", &seen.machine.tap_lost.to_string(), false, None, help);
        });
        let device = RichText::new(&audio.device).size(theme::SMALL).color(theme::TEXT_FAINT);
        ui.label(device).on_hover_text("The sound device, which is the clock of the show");
    });
}

fn machine(ui: &mut Ui, seen: &Snapshot) {
    let cost = &seen.machine;
    let all = cost.processors.max(1) as f32;
    let (text, share) = match cost.cores {
        Some(cores) => (format!("{cores:.2} cores"), Some(cores / all)),
        None => ("–".to_owned(), None),
    };
    let help = format!(
        "Processor time of this program in the last second; the bar is its share of all {} cores",
        cost.processors
    );
    let worrying = share.is_some_and(|share| share > WORRYING_LOAD);
    row(ui, "Processor", &text, worrying, share, &help);
    let text =
        cost.memory_bytes.map_or("–".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6));
    row(ui, "Memory", &text, false, None, "Memory in use by this program");
}

fn row(ui: &mut Ui, name: &str, value: &str, bad: bool, share: Option<f32>, help: &str) {
    let ink: Color32 = if bad { theme::AMBER } else { theme::TEXT };
    let quiet = RichText::new(name).size(theme::SMALL).color(theme::TEXT_QUIET);
    ui.label(quiet).on_hover_text(help);
    let figure = RichText::new(value).font(theme::figures(theme::SMALL)).color(ink);
    ui.label(figure).on_hover_text(help);
    if let Some(share) = share {
        let size = egui::Vec2::new(44.0, 5.0);
        let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
        bar(ui.painter(), rect, share, if bad { theme::AMBER } else { theme::ACCENT }, None);
        response.on_hover_text(help);
    } else {
        ui.label("");
    }
}
