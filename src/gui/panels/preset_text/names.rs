//! The names that a text may use, beside it: a click puts one where the cursor is.

use egui::{Label, RichText, ScrollArea, Sense, TextEdit, Ui};

use crate::gui::theme;
use crate::gui::widgets::heading;
use crate::pattern::catalog;
use crate::pattern::colouring::{self, Run};
use crate::pattern::effects::EFFECTS;
use crate::pattern::formula::{CONSTANTS, FRAME_WORDS, FUNCTIONS, OUTPUTS, POINT_WORDS, Part};
use crate::pattern::modulation::{Curve, Source};
use crate::pattern::preset::LOOK_TARGETS;
use crate::pattern::{ParamSpec, Preset};

/// A heading with names: what is shown, what is put into the text, one line about it.
pub(super) struct Section {
    title: String,
    names: Vec<Name>,
}

struct Name {
    shown: String,
    put: String,
    help: String,
}

fn name(shown: impl Into<String>, help: impl Into<String>) -> Name {
    let shown = shown.into();
    Name { put: shown.clone(), shown, help: help.into() }
}

/// What a formula may say.
pub(super) fn of_formula(preset: &Preset, part: Part) -> Vec<Section> {
    let words = |title: &str, words: &[(&str, &str)]| Section {
        title: title.to_owned(),
        names: words.iter().map(|(word, help)| name(*word, *help)).collect(),
    };
    let mut sections = Vec::new();
    if let Some(formula) = preset.formula.as_ref().filter(|formula| !formula.params.is_empty()) {
        let own = |(key, param): (&String, &crate::pattern::preset::UserParam)| {
            name(key, format!("{} ({} to {})", param.help, param.min, param.max))
        };
        let names = formula.params.iter().map(own).collect();
        sections.push(Section { title: "Your parameters".into(), names });
    }
    if part == Part::Point {
        sections.push(words("To be set", OUTPUTS));
        sections.push(words("The point", POINT_WORDS));
    }
    sections.push(words("The moment", FRAME_WORDS));
    let functions = FUNCTIONS.iter().map(|function| {
        let shown =
            format!("{}({})", function.name, ", ".repeat(function.arguments - 1).trim_end());
        let help = format!("{} Cost {}.", function.help, function.cost);
        Name { shown, put: format!("{}(", function.name), help }
    });
    sections.push(Section { title: "Functions".into(), names: functions.collect() });
    let constants = CONSTANTS.iter().map(|(word, value)| name(*word, value.to_string()));
    sections.push(Section { title: "Constants".into(), names: constants.collect() });
    sections
}

/// What the text of a preset may say.
pub(super) fn of_preset(preset: &Preset) -> Vec<Section> {
    let specs = |specs: &[ParamSpec]| -> Vec<Name> {
        let named = |spec: &ParamSpec| {
            let unit = if spec.unit.is_empty() { String::new() } else { format!(" {}", spec.unit) };
            let range = format!("{} to {}{unit}, {} if not set.", spec.min, spec.max, spec.default);
            name(spec.name.as_ref(), format!("{} {range}", spec.help))
        };
        specs.iter().map(named).collect()
    };
    let mut sections = Vec::new();
    if let Some(generator) = catalog::find(&preset.generator) {
        let title = format!("[params] of {}", generator.id);
        sections.push(Section { title, names: specs(&preset.specs(generator)) });
    }
    let tables = [
        (
            "[[modulate]]\nparam = \"\"\nsource = \"bass\"\ndepth = 0.3\n",
            "[[modulate]]",
            "Lets the music move a parameter.",
        ),
        ("[[effects]]\neffect = \"\"\n", "[[effects]]", "Does something to the drawing."),
        ("[[layers]]\ngenerator = \"\"\n", "[[layers]]", "One more drawing."),
        ("[colour]\ncolours = [\"#ff0000\"]\n", "[colour]", "Palette and what it runs along."),
        (
            "[[colour.modulate]]\nparam = \"hue\"\nsource = \"bar\"\ndepth = 0.1\n",
            "[[colour.modulate]]",
            "Lets the music move the colours.",
        ),
        ("[look]\n", "[look]", "Light, size and turn of the figure."),
        (
            "[[look.modulate]]\nparam = \"brightness\"\nsource = \"beat\"\ndepth = 0.2\n",
            "[[look.modulate]]",
            "Lets the music move light, size and turn.",
        ),
    ];
    let tables = tables.map(|(put, shown, help)| Name {
        shown: shown.into(),
        put: put.into(),
        help: help.into(),
    });
    sections.push(Section { title: "Tables".into(), names: tables.into() });
    let keys = |names: &[&str]| names.iter().map(|key| name(*key, "")).collect::<Vec<_>>();
    let sources = Source::ALL.iter().map(|(source, key)| name(*key, source.help()));
    sections.push(Section { title: "source".into(), names: sources.collect() });
    let curves: Vec<&str> = Curve::ALL.iter().map(|(_, key)| *key).collect();
    sections.push(Section { title: "curve".into(), names: keys(&curves) });
    let runs: Vec<&str> = Run::ALL.iter().map(|(_, key)| *key).collect();
    sections.push(Section { title: "run".into(), names: keys(&runs) });
    sections.push(Section { title: "Moved in [colour]".into(), names: specs(colouring::TARGETS) });
    sections.push(Section { title: "Moved in [look]".into(), names: specs(LOOK_TARGETS) });
    let effects = EFFECTS.iter().map(|effect| name(effect.id, effect.description));
    sections.push(Section { title: "effect".into(), names: effects.collect() });
    let generators = catalog::GENERATORS.iter().map(|kind| name(kind.id, kind.description));
    sections.push(Section { title: "generator".into(), names: generators.collect() });
    sections
}

/// Shows them; the text to put in, if one was clicked.
pub(super) fn show(ui: &mut Ui, search: &mut String, sections: &[Section]) -> Option<String> {
    let field = TextEdit::singleline(search)
        .hint_text("Search names")
        .desired_width(f32::INFINITY)
        .margin(egui::Margin::symmetric(8, 5));
    ui.add(field)
        .accessible_name("Search names")
        .on_hover_text("Shows the names that hold this text");
    let wanted = search.trim().to_lowercase();
    let fits = |name: &&Name| {
        name.shown.to_lowercase().contains(&wanted) || name.help.to_lowercase().contains(&wanted)
    };
    let mut chosen = None;
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.spacing_mut().interact_size.y = 16.0;
    ScrollArea::vertical().id_salt("names").auto_shrink([false, false]).show(ui, |ui| {
        for section in sections {
            let mut names = section.names.iter().filter(fits).peekable();
            if names.peek().is_none() {
                continue;
            }
            ui.add_space(theme::GRID);
            heading(ui, &section.title);
            for name in names {
                let word =
                    RichText::new(&name.shown).font(theme::figures(12.0)).color(theme::ACCENT);
                let label = Label::new(word).selectable(false).sense(Sense::click());
                let word = ui.add(label).on_hover_cursor(egui::CursorIcon::PointingHand);
                let shown = name.shown.clone();
                word.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &shown));
                if word.on_hover_text("Click to put it where the cursor is").clicked() {
                    chosen = Some(name.put.clone());
                }
                if !name.help.is_empty() {
                    let help = RichText::new(&name.help).size(11.0).color(theme::TEXT_FAINT);
                    ui.add(Label::new(help).wrap());
                }
            }
        }
    });
    chosen
}
