//! How well light meets sound: the present figure, the last minute, the parts it is made of, and the operator's shift.

use std::collections::VecDeque;

use egui::{Align, DragValue, Layout, RichText, ScrollArea, Sense, Stroke, Ui, Vec2, pos2};

use super::calibration::{Calibration, Ended};
use crate::gui::theme;
use crate::show::{Command, Snapshot};

/// How long the line looks back, s.
const LOOK_BACK_SECONDS: f64 = 60.0;
/// Time between two points of the line, s.
const STEP_SECONDS: f64 = 0.5;
/// The line shows this much at least on either side of zero, ms.
const LEAST_RANGE_MS: f32 = 5.0;
/// How far the operator can move the light, ms.
const SHIFT_RANGE_MS: f64 = 500.0;
/// Time of sound in air, ms per metre, at 20 °C.
const AIR_MS_PER_METRE: f64 = 2.915;
/// No audience stands farther from its loudspeakers, m.
const FARTHEST_METRES: f64 = 150.0;

/// A figure farther from its name is not found, px.
const WIDEST_PART_PX: f32 = 380.0;

/// The pane, with the last minute.
#[derive(Debug, Default)]
pub(in crate::gui) struct SyncPanel {
    history: VecDeque<(f64, f32)>,
    distance_metres: f64,
    calibration: Option<Calibration>,
    /// What is remembered for the sound device at hand, ms.
    remembered_ms: Option<f64>,
    /// What is to be remembered for it from now on, ms.
    to_remember: Option<f64>,
}

impl SyncPanel {
    /// Notes how it is now; `now` in seconds.
    pub(in crate::gui) fn take(&mut self, seen: &Snapshot, now: f64) {
        let Some(offset) = seen.sync.offset_p50_ms.filter(|ms| ms.is_finite()) else { return };
        if self.history.back().is_none_or(|(at, _)| now - at >= STEP_SECONDS) {
            self.history.push_back((now, offset));
        }
        while self.history.front().is_some_and(|(at, _)| now - at > LOOK_BACK_SECONDS) {
            self.history.pop_front();
        }
    }

    /// Is told what is remembered for the sound device at hand, ms.
    pub(in crate::gui) const fn set_remembered(&mut self, ms: Option<f64>) {
        self.remembered_ms = ms;
    }

    /// What is to be remembered for the sound device at hand, ms; once.
    pub(in crate::gui) const fn take_to_remember(&mut self) -> Option<f64> {
        self.to_remember.take()
    }

    /// Shows it.
    pub(in crate::gui) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        now: f64,
        wishes: &mut Vec<Command>,
    ) {
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = theme::GRID;
            ui.spacing_mut().button_padding = Vec2::new(6.0, 2.0);
            ui.spacing_mut().interact_size = Vec2::new(22.0, 20.0);
            if self.calibration.is_none() {
                self.line(ui, seen, now);
            }
            match &mut self.calibration {
                Some(calibration) => match calibration.show(ui, seen, wishes) {
                    None => {}
                    Some(ended) => {
                        self.calibration = None;
                        if let Ended::Keep(ms) = ended {
                            self.to_remember = Some(ms);
                        }
                    }
                },
                None => self.shift(ui, seen, wishes),
            }
            ui.add_space(theme::GRID);
            parts(ui, seen);
        });
    }

    fn line(&self, ui: &mut Ui, seen: &Snapshot, now: f64) {
        let size = Vec2::new(ui.available_width(), 40.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.on_hover_text("Light minus sound over the last minute; above the line is late");
        let largest = self.history.iter().map(|(_, ms)| ms.abs()).fold(LEAST_RANGE_MS, f32::max);
        let painter = ui.painter();
        painter.rect_filled(rect, 3, theme::GROUND);
        painter.hline(rect.x_range(), rect.center().y, Stroke::new(1.0, theme::LINE));
        let at = |(at, ms): &(f64, f32)| {
            let back = ((now - at) / LOOK_BACK_SECONDS) as f32;
            pos2(
                rect.right() - rect.width() * back,
                rect.center().y - ms / largest * (rect.height() * 0.5 - 3.0),
            )
        };
        painter.line(self.history.iter().map(at).collect(), Stroke::new(1.5, theme::ACCENT));
        let text = match (seen.sync.offset_p50_ms, seen.sync.jitter_p95_ms) {
            (Some(offset), Some(jitter)) => format!("{} ±{jitter:.1}", signed_ms(offset)),
            _ => "not measured yet".to_owned(),
        };
        let font = theme::figures(theme::SMALL);
        let corner = rect.left_top() + Vec2::new(6.0, 4.0);
        painter.text(corner, egui::Align2::LEFT_TOP, text, font, theme::TEXT);
    }

    fn shift(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        let present = seen.sync.user_offset_ms;
        let mut wanted = present;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(theme::GRID);
            let field = DragValue::new(&mut wanted)
                .range(-SHIFT_RANGE_MS..=SHIFT_RANGE_MS)
                .speed(0.5)
                .fixed_decimals(1)
                .suffix(" ms")
                .update_while_editing(false);
            let field = ui.add(field).accessible_name("Shift of the light");
            field.on_hover_text("Moves the light against the sound; plus is later");
            for step in [-5.0, -1.0, 1.0, 5.0] {
                let button = ui.button(format!("{step:+.0}"));
                if button.on_hover_text(format!("{step:+.0} ms")).clicked() {
                    wanted += step;
                }
            }
            let zero = ui.button("0").accessible_name("Zero");
            if zero.on_hover_text("No shift").clicked() {
                wanted = 0.0;
            }
        });
        ui.horizontal_wrapped(|ui| {
            let field = DragValue::new(&mut self.distance_metres)
                .range(0.0..=FARTHEST_METRES)
                .speed(0.25)
                .fixed_decimals(1)
                .suffix(" m");
            let field = ui.add(field).accessible_name("Distance of the loudspeakers");
            field.on_hover_text("From the loudspeakers to where the light should meet the sound");
            let air = self.distance_metres * AIR_MS_PER_METRE;
            let button = ui.button(format!("Set {air:.1} ms for the air"));
            if button.on_hover_text("Sound needs 3 ms for a metre; light needs none").clicked() {
                wanted = air;
            }
        });
        if wanted != present {
            let wanted = wanted.clamp(-SHIFT_RANGE_MS, SHIFT_RANGE_MS);
            wishes.push(Command::SetOffsetMs(wanted));
        }
        ui.horizontal_wrapped(|ui| {
            let can = !seen.transport.live;
            let button = ui.add_enabled(can, egui::Button::new("By eye and ear…"));
            let help = "Calibrates with a click that flashes: you say which comes first";
            let button = button.on_hover_text(help);
            let why = "A live show plays no click: calibrate in a show that plays files";
            if button.on_disabled_hover_text(why).clicked() {
                self.calibration = Some(Calibration::new(seen));
            }
            let is_new = self.remembered_ms.unwrap_or(0.0) != present;
            let button = ui.add_enabled(is_new, egui::Button::new("Remember"));
            let help = "The shift of later shows with this sound device";
            let button = button.on_hover_text(help);
            if button.on_disabled_hover_text("This shift is remembered").clicked() {
                self.to_remember = Some(present);
            }
            if let Some(ms) = self.remembered_ms {
                let text = format!("remembered {ms:+.1} ms");
                ui.label(RichText::new(text).size(theme::SMALL).color(theme::TEXT_FAINT));
            }
        });
    }
}

fn parts(ui: &mut Ui, seen: &Snapshot) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let sound = format!("{:.1} ms", seen.sync.sound_latency_ms);
    part(ui, "Callback to ear", &sound, "What the sound system says of its own buffer");
    for projector in &seen.projectors {
        let ahead = format!("{:.0} ms", projector.buffered_ms);
        let help = "Points ahead of the mirrors: known, so the light is made for when it is seen";
        part(ui, &projector.name, &ahead, help);
        let measured = projector.offset_ms.map_or("–".to_owned(), signed_ms);
        part(ui, "  light − sound", &measured, "Measured on the projector's own reports");
    }
}

/// A difference in ms with its sign, to a tenth; what rounds to zero is no minus.
pub(super) fn signed_ms(ms: f32) -> String {
    // Adding zero turns a zero below nothing into one.
    format!("{:+.1} ms", (ms * 10.0).round() / 10.0 + 0.0)
}

/// A line: the figure at the right, the name in what is left.
fn part(ui: &mut Ui, name: &str, value: &str, help: &str) {
    let size = Vec2::new(ui.available_width().min(WIDEST_PART_PX), ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.label(RichText::new(value).font(theme::figures(theme::SMALL)).color(theme::TEXT))
            .on_hover_text(help);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let name = RichText::new(name).size(theme::SMALL).color(theme::TEXT_QUIET);
            ui.add(egui::Label::new(name).truncate()).on_hover_text(help);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::snapshot::SyncView;

    #[test]
    fn a_minute_is_remembered_and_no_more() {
        let mut panel = SyncPanel::default();
        for frame in 0..60_000 {
            let sync = SyncView { offset_p50_ms: Some(1.0), ..SyncView::default() };
            panel.take(&Snapshot { sync, ..Snapshot::default() }, f64::from(frame) / 60.0);
        }
        let longest = (LOOK_BACK_SECONDS / STEP_SECONDS) as usize + 1;
        assert!(panel.history.len() <= longest && panel.history.len() > longest - 20);
        panel.take(&Snapshot::default(), 2_000.0);
        assert!(!panel.history.is_empty(), "what is not measured draws no line");
    }

    #[test]
    fn nothing_is_neither_early_nor_late() {
        assert_eq!(
            [-0.04, 0.04, -0.06, 12.34].map(signed_ms),
            ["+0.0 ms", "+0.0 ms", "-0.1 ms", "+12.3 ms"]
        );
    }
}
