//! The sound that is heard: spectrum and bands, loudness, and the onsets of the last seconds.

use std::collections::VecDeque;

use egui::{Align2, Mesh, Painter, Rect, Sense, Shape, Stroke, Ui, UiBuilder, Vec2, pos2};

use super::spectrum;
use crate::analysis::Features;
use crate::gui::theme;
use crate::show::Snapshot;
use crate::time::MediaTime;

/// How far back the strip looks, s, and the least time between two of its moments.
const LOOK_BACK_SECONDS: f64 = 8.0;
const STEP_SECONDS: f64 = 0.012;
/// A longer gap between two pictures stands still, s.
const LONGEST_STEP_SECONDS: f64 = 0.1;
/// Width of the meter of loudness, px.
const METER_PX: f32 = 58.0;
/// The least height of the spectrum beside which the strip has room, px; and that of the strip.
const LEAST_SPECTRUM_PX: f32 = 62.0;
const STRIP_PX: f32 = 34.0;
/// The meter begins here, LUFS.
const QUIET_LUFS: f32 = -48.0;

/// The pane.
#[derive(Debug, Default)]
pub(in crate::gui) struct SoundPanel {
    past: VecDeque<Moment>,
    /// Seconds of sound that were seen.
    ran: f64,
    last_at: MediaTime,
    last_now: f64,
    onsets: u32,
}

/// A moment of the strip.
#[derive(Clone, Copy, Debug)]
struct Moment {
    ran: f64,
    level: f32,
    envelope: f32,
    threshold: f32,
    /// The strength of an onset that was new.
    onset: Option<f32>,
}

impl SoundPanel {
    /// Notes what is heard; while sound stands still, so does the strip.
    pub(in crate::gui) fn take(&mut self, seen: &Snapshot, now: f64) {
        let features = &seen.features;
        let step = (now - self.last_now).clamp(0.0, LONGEST_STEP_SECONDS);
        self.last_now = now;
        if features.at == self.last_at {
            return;
        }
        self.last_at = features.at;
        self.ran += step;
        // Another count is another onset; a jump in the music counts anew.
        let is_new = features.onset.count != self.onsets && features.onset.count > 0;
        if !is_new && self.past.back().is_some_and(|last| self.ran - last.ran < STEP_SECONDS) {
            return;
        }
        self.onsets = features.onset.count;
        self.past.push_back(Moment {
            ran: self.ran,
            level: unit(features.level),
            envelope: unit(features.onset.envelope),
            threshold: unit(features.onset.threshold),
            onset: is_new.then_some(unit(features.onset.strength)),
        });
        while self.past.front().is_some_and(|first| self.ran - first.ran > LOOK_BACK_SECONDS) {
            self.past.pop_front();
        }
    }

    /// Shows it, in all the room there is.
    pub(in crate::gui) fn show(&self, ui: &mut Ui, seen: &Snapshot) {
        let room = ui.available_rect_before_wrap();
        let strip_px = if room.height() >= LEAST_SPECTRUM_PX + STRIP_PX + 6.0 {
            (room.height() * 0.3).max(STRIP_PX)
        } else {
            0.0
        };
        let split = if strip_px > 0.0 { room.bottom() - strip_px - 6.0 } else { room.bottom() };
        let meter = Rect::from_min_max(pos2(room.right() - METER_PX, room.top()), room.max);
        let left = meter.left() - 12.0;
        let top = Rect::from_min_max(room.min, pos2(left, split));
        ui.scope_builder(UiBuilder::new().max_rect(top), |ui| {
            spectrum::show(ui, &seen.features, top.size());
        });
        loudness(ui, meter, seen);
        if strip_px > 0.0 {
            let low = Rect::from_min_max(pos2(room.left(), split + 6.0), pos2(left, room.bottom()));
            self.strip(ui, low);
        }
    }

    fn strip(&self, ui: &mut Ui, rect: Rect) {
        ui.allocate_rect(rect, Sense::hover()).on_hover_text(format!(
            "The last {LOOK_BACK_SECONDS:.0} s: level (dim), onsets as they fade (bright), \
             each onset a line as high as it was strong, and how strong one had to be (amber)"
        ));
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect_filled(rect, 3, theme::GROUND);
        let area = Rect::from_min_max(rect.min + Vec2::new(0.0, 2.0), rect.max);
        let x = |ran: f64| {
            let back = ((self.ran - ran) / LOOK_BACK_SECONDS) as f32;
            area.right() - area.width() * back
        };
        let quiet = theme::mix(theme::GROUND, theme::TEXT_FAINT, 0.35);
        self.fill(&painter, area, &x, |moment| moment.level, quiet);
        self.fill(&painter, area, &x, |moment| moment.envelope, theme::ACCENT_DEEP);
        for moment in &self.past {
            if let Some(strength) = moment.onset {
                let top = area.bottom() - area.height() * strength.max(0.1);
                painter.vline(x(moment.ran), top..=area.bottom(), Stroke::new(1.5, theme::ACCENT));
            }
        }
        let threshold = self
            .past
            .iter()
            .map(|moment| pos2(x(moment.ran), area.bottom() - area.height() * moment.threshold));
        let ink = theme::AMBER.gamma_multiply(0.7);
        painter.line(threshold.collect(), Stroke::new(1.0, ink));
        let font = theme::words(10.0);
        let corner = rect.left_top() + Vec2::new(5.0, 2.0);
        let word = painter.layout_no_wrap("onsets".to_owned(), font, theme::TEXT_FAINT);
        let ground = Rect::from_min_size(corner, word.size()).expand2(Vec2::new(3.0, 0.0));
        painter.rect_filled(ground, 2, theme::GROUND);
        painter.galley(corner, word, theme::TEXT_FAINT);
    }

    /// The ground below a line.
    fn fill(
        &self,
        painter: &Painter,
        area: Rect,
        x: &impl Fn(f64) -> f32,
        height: impl Fn(&Moment) -> f32,
        ink: egui::Color32,
    ) {
        let mut mesh = Mesh::default();
        let ends = self.past.iter().skip(1);
        for (moment, next) in self.past.iter().zip(ends) {
            let (left, right) = (x(moment.ran), x(next.ran));
            let top = area.bottom() - area.height() * height(moment);
            let column = Rect::from_min_max(pos2(left, top), pos2(right, area.bottom()));
            mesh.add_colored_rect(column, ink);
        }
        painter.add(Shape::mesh(mesh));
    }
}

/// Loudness: the last 0.4 s as a column, the last 3 s as a mark and a figure.
fn loudness(ui: &mut Ui, rect: Rect, seen: &Snapshot) {
    let Features { loudness, .. } = &seen.features;
    let whole = seen.track.as_ref().map_or(String::new(), |track| {
        format!("\nThe whole track: {:.1} LUFS", track.integrated_lufs())
    });
    ui.allocate_rect(rect, Sense::hover()).on_hover_text(format!(
        "Loudness as EBU R 128 has it: the column is the last 0.4 s, mark and figure are the last 3 s{whole}"
    ));
    let painter = ui.painter();
    let is_silent = seen.features.silent;
    let short = loudness.short_term_lufs;
    let text = if is_silent { "–".to_owned() } else { format!("{short:.1}") };
    let foot = pos2(rect.center().x, rect.bottom());
    let small = theme::words(10.0);
    let unit_word =
        painter.text(foot, Align2::CENTER_BOTTOM, "LUFS", small.clone(), theme::TEXT_FAINT);
    let above = pos2(rect.center().x, unit_word.top());
    let figure =
        painter.text(above, Align2::CENTER_BOTTOM, text, theme::figures(theme::SMALL), theme::TEXT);
    let column = Rect::from_min_max(
        pos2(rect.center().x - 2.0, rect.top()),
        pos2(rect.center().x + 10.0, figure.top() - 4.0),
    );
    painter.rect_filled(column, 2, theme::RAISED);
    let y = |lufs: f32| {
        let share = ((lufs - QUIET_LUFS) / -QUIET_LUFS).clamp(0.0, 1.0);
        column.bottom() - column.height() * share
    };
    if !is_silent {
        let filled =
            Rect::from_min_max(pos2(column.left(), y(loudness.momentary_lufs)), column.max);
        painter.rect_filled(filled, 2, theme::ACCENT);
        let mark = pos2(column.left() - 2.0, y(short) - 1.0);
        painter.rect_filled(Rect::from_min_size(mark, Vec2::new(16.0, 2.0)), 0, theme::TEXT);
    }
    let ticks =
        if column.height() >= 60.0 { &[0.0, -12.0, -24.0, -36.0][..] } else { &[-12.0, -36.0] };
    for lufs in ticks {
        let at = pos2(column.left() - 5.0, y(*lufs).max(rect.top() + 5.0));
        painter.text(
            at,
            Align2::RIGHT_CENTER,
            format!("{lufs:.0}"),
            small.clone(),
            theme::TEXT_FAINT,
        );
    }
}

fn unit(x: f32) -> f32 {
    if x.is_finite() { x.clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_holds_eight_seconds_and_each_onset_once_and_stands_with_the_sound() {
        let mut panel = SoundPanel::default();
        let mut seen = Snapshot::default();
        for frame in 0..6_000_u32 {
            seen.features.at = MediaTime::from_nanos(i64::from(frame + 1) * 16_666_667);
            seen.features.onset.count = frame / 30;
            panel.take(&seen, f64::from(frame) / 60.0);
        }
        assert_eq!(panel.past.iter().filter(|moment| moment.onset.is_some()).count(), 16);
        assert!((470..=490).contains(&panel.past.len()), "{}", panel.past.len());
        let (ran, moments) = (panel.ran, panel.past.len());
        panel.take(&seen, 500.0);
        assert_eq!((panel.ran, panel.past.len()), (ran, moments), "paused");
    }
}
