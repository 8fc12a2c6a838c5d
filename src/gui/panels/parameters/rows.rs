//! What of the music moves a value: one row for each mover, with all that can be set of it.

use egui::{Align, ComboBox, DragValue, Frame, Layout, Margin, RichText, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::{Icon, icon_button};
use crate::pattern::Owner;
use crate::pattern::modulation::{
    ATTACK_MS, Curve, DECAY_MS, MAX_STEPS, Modulation, Source, Trigger, Wave,
};
use crate::show::PresetEdit;

/// Height of a list that is opened, px: all sources are seen at once.
pub(super) const LIST_PX: f32 = 420.0;

/// Shows the rows that move `name` of `owner`, called `title` by assistance.
pub(super) fn rows(
    ui: &mut Ui,
    (owner, name, title): (Owner, &str, &str),
    all: &[Modulation],
    edits: &mut Vec<PresetEdit>,
) {
    let frame =
        Frame::NONE.fill(theme::GROUND).corner_radius(4).inner_margin(Margin::symmetric(8, 6));
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(theme::GRID);
        ui.spacing_mut().interact_size.y = 20.0;
        ui.spacing_mut().button_padding = Vec2::new(6.0, 1.0);
        let own = all.iter().enumerate().filter(|(_, row)| row.param == name);
        for (number, (index, row)) in own.enumerate() {
            let title = format!("{title} mover {}", number + 1);
            let mut changed = row.clone();
            // A look follows the moment alone: it has no smoothing.
            if shown(ui, &title, &mut changed, owner != Owner::Look) {
                edits.push(PresetEdit::RemoveRow { owner, index });
            } else if changed != *row {
                edits.push(PresetEdit::SetRow { owner, index, row: changed });
            }
        }
        let add = ui.button(RichText::new("+ Add a mover").size(theme::SMALL));
        let add = add.on_hover_text(format!("Lets something more of the music move {title}"));
        if add.clicked() {
            edits.push(PresetEdit::AddRow {
                owner,
                row: Modulation::plain(name, Source::Bass, 0.25),
            });
        }
    });
    ui.add_space(1.5 * theme::GRID);
}

/// One row; true if it is to go.
fn shown(ui: &mut Ui, title: &str, row: &mut Modulation, remembers: bool) -> bool {
    let mut remove = false;
    ui.horizontal(|ui| {
        let mut source = row.source;
        choice(
            ui,
            &format!("{title} source"),
            "What moves it",
            84.0,
            &mut source,
            &Source::ALL,
            Source::help,
        );
        if source != row.source {
            *row = row.moved_by(source);
        }
        let mut percent = row.depth * 100.0;
        let depth = DragValue::new(&mut percent)
            .range(-100.0..=100.0)
            .speed(0.5)
            .max_decimals(0)
            .suffix(" %")
            .update_while_editing(false);
        let depth = ui.add_sized([62.0, 20.0], depth).accessible_name(format!("{title} depth"));
        let help = "How far, as a share of the whole range; below 0 it moves it down";
        if depth.on_hover_text(help).changed() {
            row.depth = (percent / 100.0).clamp(-1.0, 1.0);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let cross = icon_button(ui, Icon::Close, &format!("Remove {title}"), true, 20.0);
            remove = cross.on_hover_text("Moves it no more").clicked();
        });
    });
    ui.horizontal_wrapped(|ui| {
        let name = format!("{title} curve");
        choice(ui, &name, "How the source is bent", 72.0, &mut row.curve, &Curve::ALL, |_| "");
        if remembers {
            let help = "Time constant of smoothing; 0 follows at once";
            drag(
                ui,
                &format!("{title} smoothing"),
                help,
                &mut row.smooth_ms,
                0.0..=10_000.0,
                " ms",
            );
        }
        if row.source.is_cyclic() {
            rate(ui, title, row);
        }
        match row.source {
            Source::Lfo => {
                let name = format!("{title} wave");
                choice(ui, &name, "Its shape", 76.0, &mut row.wave, &Wave::ALL, |_| "");
            }
            Source::Envelope => envelope(ui, title, row),
            Source::Walk => {
                let seed = DragValue::new(&mut row.seed).prefix("seed ").speed(0.1);
                ui.add(seed)
                    .accessible_name(format!("{title} seed"))
                    .on_hover_text("Two walks of one seed are the same");
            }
            _ => {}
        }
    });
    if row.source == Source::Steps {
        steps(ui, title, &mut row.steps);
    }
    remove
}

/// Cycles by the beat or by the second, and where they begin.
fn rate(ui: &mut Ui, title: &str, row: &mut Modulation) {
    let mut by_second = row.rate_hz.is_some();
    let name = format!("{title} clock");
    let clocks = [(false, "beats"), (true, "Hz")];
    choice(ui, &name, "By the beat or by the second", 58.0, &mut by_second, &clocks, |_| "");
    if by_second {
        let mut hz = row.rate_hz.unwrap_or(0.5);
        drag(ui, &format!("{title} rate"), "Cycles a second", &mut hz, 0.001..=20.0, " Hz");
        (row.rate_hz, row.every_beats) = (Some(hz), None);
    } else {
        let mut beats = row.every_beats.unwrap_or(4.0);
        drag(ui, &format!("{title} rate"), "Beats of a cycle", &mut beats, 0.125..=256.0, " beats");
        (row.rate_hz, row.every_beats) = (None, Some(beats));
    }
    let help = "Where in the cycle it begins";
    drag(ui, &format!("{title} phase"), help, &mut row.phase, -1.0..=1.0, " turns");
}

fn envelope(ui: &mut Ui, title: &str, row: &mut Modulation) {
    let mut trigger = row.trigger.unwrap_or_default();
    choice(
        ui,
        &format!("{title} trigger"),
        "What begins it",
        66.0,
        &mut trigger,
        &Trigger::ALL,
        |_| "",
    );
    if trigger != row.trigger.unwrap_or_default() {
        row.trigger = Some(trigger);
    }
    let mut attack = row.attack_ms.unwrap_or(ATTACK_MS);
    if drag(
        ui,
        &format!("{title} attack"),
        "Time of its rise",
        &mut attack,
        0.0..=10_000.0,
        " ms up",
    ) {
        row.attack_ms = Some(attack);
    }
    let mut decay = row.decay_ms.unwrap_or(DECAY_MS);
    let help = "Time constant of its fall";
    if drag(ui, &format!("{title} decay"), help, &mut decay, 1.0..=10_000.0, " ms down") {
        row.decay_ms = Some(decay);
    }
}

/// A row of values, each a small bar that is dragged.
fn steps(ui: &mut Ui, title: &str, steps: &mut Vec<f32>) {
    ui.horizontal_wrapped(|ui| {
        for (place, step) in steps.iter_mut().enumerate() {
            let field = DragValue::new(step).range(-1.0..=1.0).speed(0.01).max_decimals(2);
            ui.add_sized([38.0, 20.0], field.update_while_editing(false))
                .accessible_name(format!("{title} step {}", place + 1))
                .on_hover_text("A value of the row, −1 to 1");
        }
        let more = ui.add_enabled(
            steps.len() < MAX_STEPS,
            egui::Button::new("+").min_size(Vec2::splat(20.0)),
        );
        let more = more.accessible_name(format!("{title} more steps"));
        if more.on_hover_text("One step more").clicked() {
            steps.push(0.0);
        }
        let fewer =
            ui.add_enabled(steps.len() > 1, egui::Button::new("−").min_size(Vec2::splat(20.0)));
        let fewer = fewer.accessible_name(format!("{title} fewer steps"));
        if fewer.on_hover_text("One step fewer").clicked() {
            steps.pop();
        }
    });
}

/// A number that is dragged or typed; true if it was changed.
fn drag(
    ui: &mut Ui,
    name: &str,
    help: &str,
    value: &mut f32,
    range: std::ops::RangeInclusive<f32>,
    unit: &str,
) -> bool {
    let speed = (value.abs() * 0.01).max(0.002);
    let field = DragValue::new(value)
        .range(range)
        .speed(speed)
        .max_decimals(if unit.starts_with(" ms") { 0 } else { 3 })
        .suffix(unit)
        .update_while_editing(false);
    ui.add(field).accessible_name(name).on_hover_text(help).changed()
}

/// One of a few words.
pub(super) fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    help: &str,
    width: f32,
    chosen: &mut T,
    all: &[(T, &'static str)],
    line: impl Fn(T) -> &'static str,
) {
    let shown = all.iter().find(|(each, _)| each == chosen).map_or("", |(_, word)| word);
    let text = RichText::new(shown.replace('_', " ")).size(theme::SMALL);
    let shown = ComboBox::from_id_salt(name)
        .selected_text(text)
        .width(width)
        .height(LIST_PX)
        .show_ui(ui, |ui| {
            for (each, word) in all {
                let word = ui.selectable_value(chosen, *each, word.replace('_', " "));
                let line = line(*each);
                if !line.is_empty() {
                    word.on_hover_text(line);
                }
            }
        });
    shown.response.accessible_name(name).on_hover_text(help);
}
