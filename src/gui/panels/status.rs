//! The line at the bottom: how well light meets sound, and whether anything is late.

use egui::{Align, Color32, DragValue, Layout, RichText, Ui};

use super::sync::signed_ms;
use crate::gui::theme;
use crate::gui::widgets::read_out;
use crate::show::{Command, Snapshot};

/// An offset of light against sound that eyes begin to notice, ms.
const NOTICEABLE_OFFSET_MS: f32 = 20.0;
/// Share of a period in the callback beyond which glitches come near.
const WORRYING_LOAD: f32 = 0.7;
/// How far the operator can move the light, ms.
const OFFSET_RANGE_MS: f64 = 500.0;

/// Shows the line.
pub(in crate::gui) fn show(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0 * theme::GRID;
        sync(ui, seen, wishes);
        if let Some(projector) = seen.projectors.first() {
            let text = format!("{:.0}/{:.0} ms", projector.buffered_ms, projector.target_ms);
            let low = projector.buffered_ms < projector.target_ms * 0.5;
            let help = "Points ahead of the mirrors of the first projector, and the aim";
            read_out(ui, "Buffer", &text, warn_if(low), help);
        }
        let late: u64 = seen.projectors.iter().map(|p| p.underruns + p.device_underflows).sum();
        let help = "Times the light was late or a device ran empty, all projectors";
        read_out(ui, "Underruns", &late.to_string(), warn_if(late > 0), help);
        if let Some(recording) = &seen.recorder.recording {
            let whole = recording.elapsed_s.max(0.0) as u64;
            let time = format!("{}:{:02}", whole / 60, whole % 60);
            let help = "The light is being recorded; see the pane Recorder (Ctrl-Shift-R ends it)";
            read_out(ui, "Recording", &time, theme::ACCENT, help);
        }
        if let Some(wait) = seen.disk_waits.first() {
            let help = format!("{}: waited for, while everything else goes on", wait.what);
            read_out(ui, "Disk", &format!("{} s", wait.seconds), theme::AMBER, &help);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| sound(ui, seen));
    });
}

fn sync(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    let sync = &seen.sync;
    let text = sync.offset_p50_ms.map_or("–".to_owned(), signed_ms);
    let off = sync.offset_p50_ms.is_some_and(|ms| ms.abs() > NOTICEABLE_OFFSET_MS);
    let help = "Light minus sound, median of the last seconds; plus means that light comes later";
    read_out(ui, "Sync", &text, warn_if(off), help);
    let text = sync.jitter_p95_ms.map_or("–".to_owned(), |ms| format!("{ms:.1} ms"));
    let help = "How far the offset strays from its median, 95th percentile";
    read_out(ui, "Jitter", &text, theme::TEXT_QUIET, help);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 1.5 * theme::GRID;
        ui.spacing_mut().interact_size.y = 20.0;
        ui.spacing_mut().button_padding.y = 2.0;
        ui.label(RichText::new("Shift light").size(theme::SMALL).color(theme::TEXT_FAINT));
        let mut shift = sync.user_offset_ms;
        let field = DragValue::new(&mut shift)
            .range(-OFFSET_RANGE_MS..=OFFSET_RANGE_MS)
            .speed(0.5)
            .fixed_decimals(1)
            .suffix(" ms")
            .update_while_editing(false);
        let field = ui.add(field).accessible_name("Light offset");
        let help = "Moves the light against the sound; plus is later. Drag, or click to type";
        if field.on_hover_text(help).changed() && shift != sync.user_offset_ms {
            wishes.push(Command::SetOffsetMs(shift));
        }
    });
}

/// Laid out from the right.
fn sound(ui: &mut Ui, seen: &Snapshot) {
    let audio = &seen.audio;
    if audio.software_clock {
        let text = RichText::new("no sound card: software clock").size(theme::SMALL);
        ui.label(text.color(theme::AMBER)).on_hover_text(
            "Nothing is heard; the show runs by the computer's clock. Connect a sound device and \
             start again to hear it",
        );
    } else {
        let device = RichText::new(&audio.device).size(theme::SMALL).color(theme::TEXT_QUIET);
        ui.add(egui::Label::new(device).truncate()).on_hover_text(format!(
            "{}: periods of {:.1} ms, sound is heard {:.1} ms after its callback",
            audio.device,
            audio.period_us / 1000.0,
            seen.sync.sound_latency_ms
        ));
    }
    let load = if audio.period_us > 0.0 { audio.callback_p99_us / audio.period_us } else { 0.0 };
    right_read_out(
        ui,
        "Audio load",
        &format!("{:.0}%", load * 100.0),
        warn_if(load > WORRYING_LOAD),
        "99th percentile of the audio callback, as a share of its period",
    );
    right_read_out(
        ui,
        "Xruns",
        &audio.xruns.to_string(),
        warn_if(audio.xruns > 0),
        "Interruptions of the sound by the sound device",
    );
    if audio.decoder_underruns > 0 {
        let help = "Periods in which the decoder was late and silence was played";
        let text = audio.decoder_underruns.to_string();
        right_read_out(ui, "Decoder late", &text, theme::AMBER, help);
    }
}

/// A read-out inside a layout from the right.
fn right_read_out(ui: &mut Ui, name: &str, value: &str, colour: Color32, help: &str) {
    ui.label(RichText::new(value).font(theme::figures(theme::SMALL)).color(colour))
        .on_hover_text(help);
    ui.add_space(1.5 * theme::GRID - ui.spacing().item_spacing.x);
    ui.label(RichText::new(name).size(theme::SMALL).color(theme::TEXT_FAINT)).on_hover_text(help);
}

fn warn_if(bad: bool) -> Color32 {
    if bad { theme::AMBER } else { theme::TEXT_QUIET }
}
