//! What a preset is made of beside its numbers: drawings, palettes, effects, layers.

use egui::{Align, Button, ComboBox, Layout, RichText, TextEdit, Ui, Vec2};

use super::rows::{LIST_PX, choice};
use crate::gui::panels::presets::generator_box;
use crate::gui::theme;
use crate::gui::widgets::{Icon, icon_button};
use crate::pattern::board::DrawingAt;
use crate::pattern::colouring::{Blend, HexColour, MAX_COLOURS, Run};
use crate::pattern::preset::{LayerMode, MAX_EFFECTS, MAX_LAYERS, MAX_TEXT_CHARS};
use crate::pattern::{Owner, Preset};
use crate::show::{PresetEdit, edit};

/// The name of an owner's section.
pub(super) fn title(preset: &Preset, owner: Owner) -> String {
    match owner {
        Owner::Drawing(DrawingAt::First) => "Drawing".to_owned(),
        Owner::Drawing(DrawingAt::Layer(index)) => {
            let generator = preset.generator_of(DrawingAt::Layer(index)).unwrap_or_default();
            format!("Layer {}: {generator}", index + 1)
        }
        Owner::Colour(DrawingAt::First) => "Colours".to_owned(),
        Owner::Colour(DrawingAt::Layer(index)) => format!("Colours of layer {}", index + 1),
        Owner::Effect(drawing, index) => {
            let chain = preset.effects_of(drawing).unwrap_or_default();
            let effect = chain.get(index).map_or("", |effect| effect.effect.as_str());
            match drawing {
                DrawingAt::First => format!("Effect {}: {effect}", index + 1),
                DrawingAt::Layer(layer) => {
                    format!("Layer {}, effect {}: {effect}", layer + 1, index + 1)
                }
            }
        }
        Owner::Look => "Look".to_owned(),
    }
}

/// What stands above the numbers of an owner.
pub(super) fn above(ui: &mut Ui, preset: &Preset, owner: Owner, edits: &mut Vec<PresetEdit>) {
    match owner {
        Owner::Drawing(drawing) => drawing_parts(ui, preset, drawing, edits),
        Owner::Colour(drawing) => palette(ui, preset, drawing, edits),
        Owner::Effect(drawing, index) => chain_buttons(ui, preset, (drawing, index), edits),
        Owner::Look => {}
    }
}

/// What stands below the numbers of an owner.
pub(super) fn below(ui: &mut Ui, preset: &Preset, owner: Owner, edits: &mut Vec<PresetEdit>) {
    let count = |drawing| preset.effects_of(drawing).map_or(0, <[_]>::len);
    match owner {
        // After the last of a drawing's parts.
        Owner::Colour(drawing) if count(drawing) == 0 => add_effect(ui, drawing, 0, edits),
        Owner::Effect(drawing, index) if index + 1 == count(drawing) => {
            add_effect(ui, drawing, index + 1, edits);
        }
        Owner::Look => add_layer(ui, preset.layers.len(), edits),
        _ => {}
    }
}

fn drawing_parts(ui: &mut Ui, preset: &Preset, drawing: DrawingAt, edits: &mut Vec<PresetEdit>) {
    let Some(generator) = preset.generator_of(drawing) else { return };
    let of = match drawing {
        DrawingAt::First => String::new(),
        DrawingAt::Layer(index) => format!(" of layer {}", index + 1),
    };
    let mut chosen = generator.to_owned();
    ui.horizontal(|ui| {
        if let DrawingAt::Layer(index) = drawing {
            let name = format!("Layer {} mode", index + 1);
            let mut mode = preset.layers.get(index).map_or(LayerMode::Over, |layer| layer.mode);
            let was = mode;
            let help = "Over: both are seen. Morph: what was drawn before becomes this drawing";
            choice(ui, &name, help, 64.0, &mut mode, &LayerMode::ALL, |_| "");
            if mode != was {
                edits.push(PresetEdit::Mode { layer: index, mode });
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let DrawingAt::Layer(index) = drawing {
                let cross = icon_button(
                    ui,
                    Icon::Close,
                    &format!("Remove layer {}", index + 1),
                    true,
                    24.0,
                );
                if cross.on_hover_text("Takes the layer away").clicked() {
                    edits.push(PresetEdit::RemoveLayer { index });
                }
            }
            if generator_box(ui, &format!("Generator{of}"), &mut chosen) {
                edits.push(PresetEdit::Generator { drawing, id: chosen.clone() });
            }
        });
    });
    if generator == "text" {
        let mut words = match drawing {
            DrawingAt::First => preset.text.clone(),
            DrawingAt::Layer(index) => {
                preset.layers.get(index).map_or_else(String::new, |l| l.text.clone())
            }
        };
        let field = TextEdit::singleline(&mut words)
            .hint_text("What it writes")
            .char_limit(MAX_TEXT_CHARS)
            .desired_width(f32::INFINITY)
            .margin(egui::Margin::symmetric(8, 5));
        let field = ui.add(field).accessible_name(format!("Words{of}"));
        if field.on_hover_text("The words that are drawn").changed() {
            edits.push(PresetEdit::Words { drawing, text: words });
        }
    }
    if generator == "formula" {
        let hint = RichText::new("Its formula stands in the Text pane").size(theme::SMALL);
        ui.label(hint.color(theme::TEXT_FAINT));
    }
    ui.add_space(theme::GRID);
}

fn palette(ui: &mut Ui, preset: &Preset, drawing: DrawingAt, edits: &mut Vec<PresetEdit>) {
    let Some(scheme) = preset.colour_of(drawing) else { return };
    let of = match drawing {
        DrawingAt::First => String::new(),
        DrawingAt::Layer(index) => format!(" of layer {}", index + 1),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        ui.spacing_mut().interact_size = Vec2::new(28.0, 22.0);
        let mut colours = scheme.colours.clone();
        for (place, HexColour(rgb)) in colours.iter_mut().enumerate() {
            let button = ui.color_edit_button_srgb(rgb);
            button
                .accessible_name(format!("Colour {}{of}", place + 1))
                .on_hover_text("The drive of the red, green and blue diode");
        }
        let more = Button::new("+").min_size(Vec2::splat(22.0));
        let more = ui.add_enabled(colours.len() < MAX_COLOURS, more);
        let more = more.accessible_name(format!("More colours{of}"));
        if more.on_hover_text("One colour more").clicked() {
            colours.extend(colours.last().copied());
        }
        let fewer = Button::new("−").min_size(Vec2::splat(22.0));
        let fewer = ui.add_enabled(colours.len() > 1, fewer);
        let fewer = fewer.accessible_name(format!("Fewer colours{of}"));
        if fewer.on_hover_text("One colour fewer").clicked() {
            colours.pop();
        }
        if colours != scheme.colours {
            edits.push(PresetEdit::Colours { drawing, colours });
        }
    });
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 22.0;
        let mut run = scheme.run;
        let help = "Along what the palette runs";
        choice(ui, &format!("Run{of}"), help, 84.0, &mut run, &Run::ALL, run_help);
        if run != scheme.run {
            edits.push(PresetEdit::Run { drawing, run });
        }
        let mut blend = scheme.blend;
        let blends = [(Blend::Gradient, "gradient"), (Blend::Steps, "steps")];
        let help = "How one colour meets the next";
        choice(ui, &format!("Blend{of}"), help, 84.0, &mut blend, &blends, |_| "");
        if blend != scheme.blend {
            edits.push(PresetEdit::Blend { drawing, blend });
        }
    });
    ui.add_space(theme::GRID);
}

const fn run_help(run: Run) -> &'static str {
    match run {
        Run::Stroke => "Along every line, from its start to its end",
        Run::Strokes => "From line to line",
        Run::Angle => "Around the centre",
        Run::Radius => "From the centre outwards",
        Run::X => "From left to right",
        Run::Y => "From bottom to top",
        Run::Whole => "The whole figure in one colour",
    }
}

fn chain_buttons(
    ui: &mut Ui,
    preset: &Preset,
    (drawing, index): (DrawingAt, usize),
    edits: &mut Vec<PresetEdit>,
) {
    let count = preset.effects_of(drawing).map_or(0, <[_]>::len);
    let title = title(preset, Owner::Effect(drawing, index));
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        ui.spacing_mut().button_padding = Vec2::new(6.0, 1.0);
        let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
        let up = ui.add_enabled(index > 0, small("Earlier"));
        let up = up.accessible_name(format!("{title}: earlier"));
        if up.on_hover_text("Before the effect above it").clicked() {
            edits.push(PresetEdit::MoveEffect { drawing, index, to: index - 1 });
        }
        let down = ui.add_enabled(index + 1 < count, small("Later"));
        let down = down.accessible_name(format!("{title}: later"));
        if down.on_hover_text("After the effect below it").clicked() {
            edits.push(PresetEdit::MoveEffect { drawing, index, to: index + 1 });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let cross = icon_button(ui, Icon::Close, &format!("Remove {title}"), true, 20.0);
            if cross.on_hover_text("Takes the effect away").clicked() {
                edits.push(PresetEdit::RemoveEffect { drawing, index });
            }
        });
    });
}

fn add_effect(ui: &mut Ui, drawing: DrawingAt, count: usize, edits: &mut Vec<PresetEdit>) {
    if count >= MAX_EFFECTS {
        return;
    }
    let name = match drawing {
        DrawingAt::First => "Add an effect".to_owned(),
        DrawingAt::Layer(index) => format!("Add an effect to layer {}", index + 1),
    };
    let chosen =
        adding(ui, &name, "What is done to the drawing, after all others", edit::effect_kinds());
    edits.extend(chosen.map(|effect| PresetEdit::AddEffect { drawing, effect }));
}

fn add_layer(ui: &mut Ui, count: usize, edits: &mut Vec<PresetEdit>) {
    if count < MAX_LAYERS {
        let chosen =
            adding(ui, "Add a layer", "One more drawing, over the others", edit::generators());
        edits.extend(chosen.map(|generator| PresetEdit::AddLayer { generator }));
    }
}

/// A list of things to add; the one that was chosen.
fn adding(
    ui: &mut Ui,
    name: &str,
    help: &str,
    kinds: impl Iterator<Item = (&'static str, &'static str)>,
) -> Option<String> {
    let mut chosen = None;
    let text = RichText::new(format!("+ {name}")).size(theme::SMALL).color(theme::TEXT_QUIET);
    let width = ui.available_width();
    let shown = ComboBox::from_id_salt(name)
        .selected_text(text)
        .width(width)
        .height(LIST_PX)
        .show_ui(ui, |ui| {
            for (id, line) in kinds {
                if ui.selectable_label(false, id).on_hover_text(line).clicked() {
                    chosen = Some(id.to_owned());
                }
            }
        });
    shown.response.accessible_name(name).on_hover_text(help);
    ui.add_space(theme::GRID);
    chosen
}
