//! The sound that is heard now: 32 bands and their three sums.

use egui::{Align2, Rect, Sense, Ui, Vec2, pos2};

use crate::analysis::Features;
use crate::gui::theme;

/// Shows the spectrum and the three bands in `size`.
pub(in crate::gui) fn show(ui: &mut Ui, features: &Features, size: Vec2) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.on_hover_text(
        "The sound heard now: 32 bands from 30 Hz to 16 kHz, then bass, mid, treble",
    );
    let bands = [
        ("Bass", features.bands.bass),
        ("Mid", features.bands.mid),
        ("Treble", features.bands.treble),
    ];
    let sums = Rect::from_min_max(
        pos2(rect.right() - (rect.width() * 0.4).min(132.0), rect.top()),
        rect.max,
    );
    let lines = Rect::from_min_max(rect.min, pos2(sums.left() - 16.0, rect.bottom()));
    columns(ui, lines, features.spectrum.iter().copied(), 2.0);
    columns(ui, sums, bands.iter().map(|(_, level)| *level), 12.0);
    let small = theme::words(11.0);
    let under = |rect: Rect, share: f32| pos2(rect.left() + rect.width() * share, rect.bottom());
    for (k, (name, _)) in bands.iter().enumerate() {
        let at = under(sums, (k as f32 + 0.5) / 3.0);
        ui.painter().text(at, Align2::CENTER_BOTTOM, name, small.clone(), theme::TEXT_FAINT);
    }
    // Log spacing from 30 Hz to 16 kHz.
    // Where there is no room for them, the ticks go.
    let ticks = if lines.width() < 220.0 { 0 } else { 4 };
    for (name, hertz) in [("50 Hz", 50.0_f32), ("200", 200.0), ("1 kHz", 1e3), ("5 kHz", 5e3)]
        .into_iter()
        .take(ticks)
    {
        let share = (hertz / 30.0).ln() / (16_000.0_f32 / 30.0).ln();
        let at = under(lines, share);
        ui.painter().text(at, Align2::CENTER_BOTTOM, name, small.clone(), theme::TEXT_FAINT);
    }
}

fn columns(ui: &Ui, rect: Rect, levels: impl ExactSizeIterator<Item = f32>, gap: f32) {
    let base = rect.bottom() - 18.0;
    let pitch = rect.width() / levels.len() as f32;
    for (k, level) in levels.enumerate() {
        let level = if level.is_finite() { level.clamp(0.0, 1.0) } else { 0.0 };
        let left = rect.left() + pitch * k as f32 + gap / 2.0;
        let column = |top: f32| Rect::from_min_max(pos2(left, top), pos2(left + pitch - gap, base));
        ui.painter().rect_filled(
            column(rect.top()),
            1,
            theme::mix(theme::PANEL, theme::RAISED, 0.45),
        );
        let colour = theme::mix(theme::ACCENT_DEEP, theme::ACCENT, 0.25 + 0.75 * level);
        let top = base - (base - rect.top()) * level.max(0.012);
        ui.painter().rect_filled(column(top), 1, colour);
    }
}
