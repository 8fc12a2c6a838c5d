//! The beat and hands on it: tempo, lamps of the bar, tap, resync, nudge, half, double, lock, follow.

use egui::{
    Align, Align2, Button, DragValue, Layout, Rect, Response, RichText, Role, Sense, TextStyle, Ui,
    Vec2, WidgetInfo, pos2,
};

use crate::analysis::{BPM_RANGE, Beat, BeatSource, BeatWish};
use crate::gui::keys::NUDGE_MS;
use crate::gui::theme;
use crate::gui::widgets::{bar, lamp};
use crate::show::{Command, Snapshot};

/// Heights, px.
const FIGURE_PX: f32 = 36.0;
const LAMPS_PX: f32 = 18.0;
const BUTTON_PX: f32 = 24.0;
/// Buttons in a row.
const IN_A_ROW: usize = 4;

/// Shows it.
pub(in crate::gui) fn show(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing = Vec2::splat(theme::GRID);
    let width = ui.available_width();
    let line = Vec2::new(width, FIGURE_PX);
    ui.allocate_ui_with_layout(line, Layout::left_to_right(Align::Center), |ui| {
        tempo(ui, seen, wishes);
        whose(ui, seen);
    });
    lamps(ui, &seen.features.beat);
    let is_held = seen.beat_source == BeatSource::Held;
    let wide = ((width - theme::GRID * (IN_A_ROW - 1) as f32) / IN_A_ROW as f32).max(20.0);
    let mut wish = None;
    ui.spacing_mut().button_padding = Vec2::new(theme::GRID, 0.0);
    ui.spacing_mut().interact_size.y = BUTTON_PX;
    ui.horizontal(|ui| {
        let earlier = format!("−{NUDGE_MS:.0} ms");
        let later = format!("+{NUDGE_MS:.0} ms");
        for (word, name, help, does) in [
            ("Tap", "Tap", "A beat is now; three taps set tempo and beat (T)", BeatWish::Tap),
            ("Resync", "Resync", "A bar begins now (R)", BeatWish::Resync),
            (
                earlier.as_str(),
                "Beat earlier",
                "The beat comes earlier ( , )",
                BeatWish::NudgeMs(-NUDGE_MS),
            ),
            (
                later.as_str(),
                "Beat later",
                "The beat comes later ( . )",
                BeatWish::NudgeMs(NUDGE_MS),
            ),
        ] {
            let response = key(ui, wide, word, false).accessible_name(name).on_hover_text(help);
            // A tap counts when the finger comes down, not when it leaves.
            let struck =
                if does == BeatWish::Tap { pressed(ui, &response) } else { response.clicked() };
            wish = struck.then_some(does).or(wish);
        }
    });
    ui.horizontal(|ui| {
        let lock = "Keeps this tempo, whatever is heard (K)";
        let follow = "Follows what is heard again, as it is heard (K while a tempo is kept)";
        for (word, name, help, on, does) in [
            ("½", "Half tempo", "Half as many beats ( [ )", false, BeatWish::Half),
            ("×2", "Double tempo", "Twice as many beats ( ] )", false, BeatWish::Double),
            ("Lock", "Lock", lock, is_held, BeatWish::Lock),
            ("Follow", "Follow", follow, !is_held, BeatWish::Follow),
        ] {
            let response = key(ui, wide, word, on).accessible_name(name).on_hover_text(help);
            wish = response.clicked().then_some(does).or(wish);
        }
    });
    wishes.extend(wish.map(Command::Beat));
}

fn key(ui: &mut Ui, wide: f32, word: &str, on: bool) -> Response {
    let text = RichText::new(word).size(theme::SMALL);
    ui.add_sized([wide, BUTTON_PX], Button::selectable(on, text).frame_when_inactive(true))
}

/// True once as the pointer comes down on it, and for a click that needs no pointer.
fn pressed(ui: &Ui, response: &Response) -> bool {
    let (down, up) = ui.input(|input| (input.pointer.any_pressed(), input.pointer.any_released()));
    (response.is_pointer_button_down_on() && down) || (response.clicked() && !up)
}

/// The tempo, which is typed or dragged.
fn tempo(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    let present = f64::from(seen.features.beat.bpm);
    let mut wanted = present;
    ui.scope(|ui| {
        let ink = if present > 0.0 { theme::TEXT } else { theme::TEXT_FAINT };
        ui.style_mut().text_styles.insert(TextStyle::Button, theme::figures(26.0));
        ui.style_mut().drag_value_text_style = TextStyle::Button;
        ui.visuals_mut().override_text_color = Some(ink);
        ui.spacing_mut().button_padding = Vec2::new(1.5 * theme::GRID, 0.0);
        ui.spacing_mut().interact_size = Vec2::new(104.0, FIGURE_PX - 4.0);
        let field = DragValue::new(&mut wanted)
            .speed(0.1)
            .range(BPM_RANGE)
            .clamp_existing_to_range(false)
            .fixed_decimals(1)
            .update_while_editing(false)
            .custom_formatter(|bpm, _| if bpm > 0.0 { format!("{bpm:.1}") } else { "–".to_owned() });
        let field = ui.add(field).accessible_name("Tempo");
        let field = field.on_hover_text(
            "Beats per minute: click to type another tempo, drag to change it; it is kept then, until Follow",
        );
        if field.changed() && (wanted - present).abs() > 1e-6 {
            wishes.push(Command::Beat(BeatWish::SetBpm(wanted)));
        }
    });
    ui.label(RichText::new("BPM").size(theme::SMALL).color(theme::TEXT_FAINT));
}

/// Whose beat it is, and how sure.
fn whose(ui: &mut Ui, seen: &Snapshot) {
    let beat = &seen.features.beat;
    let is_known = beat.bpm > 0.0;
    let (word, help, ink) = match seen.beat_source {
        _ if !is_known => {
            ("no beat", "No beat is heard yet; tap one, or type a tempo", theme::TEXT_FAINT)
        }
        BeatSource::Held => {
            ("held", "Your tempo, whatever is heard; Follow gives it back", theme::GREEN)
        }
        BeatSource::RunningOn => (
            "runs on",
            "No beat is heard any more: it runs on at the last tempo",
            theme::TEXT_QUIET,
        ),
        BeatSource::Heard if seen.track.is_some() => {
            ("known", "The whole track was listened to: its beats are known", theme::ACCENT)
        }
        BeatSource::Heard => ("heard", "The beat that is heard", theme::ACCENT),
    };
    let size = Vec2::new(ui.available_width(), FIGURE_PX);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let sure = beat.confidence.clamp(0.0, 1.0);
    response.on_hover_text(format!("{help}\nConfidence {:.0} %", sure * 100.0));
    let painter = ui.painter();
    let top = pos2(rect.right(), rect.center().y - 1.0);
    painter.text(top, Align2::RIGHT_BOTTOM, word, theme::words(theme::SMALL), ink);
    let low = pos2(rect.right(), rect.center().y + 2.0);
    let percent = format!("{:.0}%", sure * 100.0);
    let figure =
        painter.text(low, Align2::RIGHT_TOP, percent, theme::figures(11.0), theme::TEXT_FAINT);
    let gauge = Rect::from_min_max(
        pos2(rect.right() - 82.0_f32.min(rect.width()), figure.center().y - 2.0),
        pos2(rect.right() - 34.0, figure.center().y + 2.0),
    );
    if gauge.width() > 8.0 {
        bar(painter, gauge, sure, theme::ACCENT, None);
    }
}

/// A lamp for every beat of the bar, and the place as bar.beat.
fn lamps(ui: &mut Ui, beat: &Beat) {
    let size = Vec2::new(ui.available_width(), LAMPS_PX);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let is_known = beat.bpm > 0.0;
    let (bar, of_bar) = place(beat);
    let beats = beat.beats_per_bar.max(1);
    let text = if is_known { format!("{bar}.{of_bar}") } else { "–.–".to_owned() };
    let name = format!("Bar {bar}, beat {of_bar} of {beats}");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
    response.on_hover_text("The beats of a bar, and bar.beat since the beat began");
    let painter = ui.painter();
    let font = theme::figures(theme::BODY);
    let figure = painter.text(
        rect.right_center(),
        Align2::RIGHT_CENTER,
        text,
        font,
        if is_known { theme::TEXT } else { theme::TEXT_FAINT },
    );
    let pitch = ((figure.left() - rect.left() - 12.0) / f32::from(beats)).clamp(8.0, 30.0);
    for k in 0..beats {
        let at = pos2(rect.left() + 9.0 + pitch * f32::from(k), rect.center().y);
        let colour = if k == 0 { theme::TEXT } else { theme::ACCENT };
        lamp(painter, at, (pitch * 0.28).min(6.5), colour, lamp_level(k, beat));
    }
}

/// The bar and the beat in it, both from 1. What comes before the first whole bar belongs to bar 1.
fn place(beat: &Beat) -> (u32, u8) {
    let beats = beat.beats_per_bar.max(1);
    let of_bar = ((beat.bar_phase.rem_euclid(1.0) * f32::from(beats)) as u8).min(beats - 1);
    let bar = beat.count.saturating_sub(u32::from(of_bar)).div_ceil(u32::from(beats));
    (bar + 1, of_bar + 1)
}

/// How bright the lamp of beat `k` is: full on its beat, fading until the next.
fn lamp_level(k: u8, beat: &Beat) -> f32 {
    let place = beat.bar_phase.rem_euclid(1.0) * f32::from(beat.beats_per_bar.max(1));
    let since = place - f32::from(k);
    if beat.bpm > 0.0 && (0.0..1.0).contains(&since) { 1.0 - 0.75 * since } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(bpm: f32, count: u32, bar_phase: f32, beats_per_bar: u8) -> Beat {
        Beat { bpm, bar_phase, count, beats_per_bar, ..Beat::UNKNOWN }
    }

    #[test]
    fn one_lamp_is_lit_at_a_time_and_none_without_a_tempo() {
        for beats in [3, 4, 7] {
            for step in 0..100 {
                let phase = step as f32 / 100.0;
                let known = beat(120.0, 0, phase, beats);
                let lit = (0..beats).filter(|k| lamp_level(*k, &known) > 0.0).count();
                assert_eq!(lit, 1, "at {phase} of {beats}");
                assert!((0..beats).all(|k| lamp_level(k, &beat(0.0, 0, phase, beats)) == 0.0));
            }
        }
        assert_eq!(lamp_level(2, &beat(120.0, 2, 0.5, 4)), 1.0);
    }

    #[test]
    fn bars_are_counted_from_one_and_an_upbeat_belongs_to_the_first() {
        assert_eq!(place(&beat(120.0, 0, 0.0, 4)), (1, 1));
        assert_eq!(place(&beat(120.0, 3, 0.8, 4)), (1, 4));
        assert_eq!(place(&beat(120.0, 4, 0.01, 4)), (2, 1));
        assert_eq!(place(&beat(120.0, 0, 0.5, 4)), (1, 3), "two beats of an upbeat");
        assert_eq!(place(&beat(120.0, 2, 0.0, 4)), (2, 1));
        assert_eq!(place(&beat(120.0, 7, 0.34, 3)), (3, 2));
    }
}
