//! The beat: tempo, how sure it is, four lamps of the bar, and a lamp for onsets.

use egui::{Align2, Rect, Sense, Ui, Vec2, pos2};

use crate::analysis::Features;
use crate::gui::theme;
use crate::gui::widgets::{bar, lamp};

/// Beats of a bar.
const BEATS: u8 = 4;

/// Shows it in `size`.
pub(in crate::gui) fn show(ui: &mut Ui, features: &Features, size: Vec2) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response
        .on_hover_text("Tempo and how sure it is; the four beats of a bar; the ring is for onsets");
    let beat = features.beat;
    let known = beat.bpm > 0.0;
    let text = if known { format!("{:.1}", beat.bpm) } else { "–".to_owned() };
    let ink = if known { theme::TEXT } else { theme::TEXT_FAINT };
    let painter = ui.painter();
    let figure = painter.text(
        rect.left_top() + Vec2::new(0.0, -4.0),
        Align2::LEFT_TOP,
        text,
        theme::figures(theme::FIGURE),
        ink,
    );
    painter.text(
        pos2(figure.right() + 6.0, figure.bottom() - 6.0),
        Align2::LEFT_BOTTOM,
        "BPM",
        theme::words(theme::SMALL),
        theme::TEXT_FAINT,
    );
    let sure = Rect::from_min_size(
        rect.left_top() + Vec2::new(0.0, 36.0),
        Vec2::new(rect.width() - 34.0, 4.0),
    );
    bar(painter, sure, beat.confidence, theme::ACCENT, None);
    painter.text(
        pos2(rect.right(), sure.center().y),
        Align2::RIGHT_CENTER,
        format!("{:.0}%", beat.confidence.clamp(0.0, 1.0) * 100.0),
        theme::figures(11.0),
        theme::TEXT_FAINT,
    );
    let y = rect.bottom() - 14.0;
    for k in 0..BEATS {
        let at = pos2(rect.left() + 10.0 + 26.0 * f32::from(k), y);
        let colour = if k == 0 { theme::TEXT } else { theme::ACCENT };
        lamp(painter, at, 7.0, colour, lamp_level(k, beat.bar_phase, known));
    }
    let at = pos2(rect.right() - 12.0, y);
    let level = features.onset.envelope.clamp(0.0, 1.0);
    painter.circle_stroke(at, 9.0, egui::Stroke::new(2.0, theme::RAISED));
    lamp(painter, at, 5.0, theme::TEXT, level);
}

/// How bright the lamp of beat `k` (0..4) is: full on its beat, fading until the next.
fn lamp_level(k: u8, bar_phase: f32, known: bool) -> f32 {
    let place = bar_phase.rem_euclid(1.0) * f32::from(BEATS);
    let since = place - f32::from(k);
    if known && (0.0..1.0).contains(&since) { 1.0 - 0.75 * since } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lamp_is_lit_at_a_time_and_none_without_a_tempo() {
        for step in 0..100 {
            let phase = step as f32 / 100.0;
            let lit = (0..BEATS).filter(|k| lamp_level(*k, phase, true) > 0.0).count();
            assert_eq!(lit, 1, "at {phase}");
            assert!((0..BEATS).all(|k| lamp_level(k, phase, false) == 0.0));
        }
        assert_eq!(lamp_level(2, 0.5, true), 1.0);
    }
}
