//! The presets to choose from: a grid of live pictures, nine of them on the keys.

mod card;
mod questions;

use egui::{
    Align, Button, ComboBox, Context, DragValue, Frame, Key, Layout, Margin, Modifiers, Panel,
    RichText, ScrollArea, Sense, TextEdit, Ui, Vec2,
};

use self::card::{Card, Standing};
pub(in crate::gui) use self::questions::generator_box;
use self::questions::{Answer, Question};
use crate::gui::memory::Favourites;
use crate::gui::theme;
use crate::gui::thumbnails::Thumbnails;
use crate::gui::widgets::star_button;
use crate::show::deck::{Begin, Change};
use crate::show::snapshot::PresetEntry;
use crate::show::{Command, Snapshot, Transition};

/// Smallest width of a card, px.
const CARD_PX: f32 = 94.0;
/// Gap between cards, px.
const GAP_PX: f32 = 6.0;
/// Presets on the number keys at once.
const BANK: usize = 9;

/// The grid, what is searched in it, and what is asked.
#[derive(Debug, Default)]
pub(in crate::gui) struct PresetsPanel {
    search: String,
    shown_choice: String,
    /// Which nine of the presets that are shown lie on the keys.
    bank: usize,
    thumbnails: Thumbnails,
    question: Option<Question>,
    favourites: Favourites,
    favourites_changed: bool,
}

impl PresetsPanel {
    /// With these favourites.
    pub(in crate::gui) fn remember(&mut self, favourites: Favourites) {
        self.favourites = favourites;
    }

    /// The favourites, if they have changed since the last call.
    pub(in crate::gui) fn take_favourites(&mut self) -> Option<Favourites> {
        std::mem::take(&mut self.favourites_changed).then(|| self.favourites.clone())
    }

    /// The preset `step` places from the present one as they are shown, stopping at the ends.
    pub(in crate::gui) fn neighbour(&self, seen: &Snapshot, step: isize) -> Option<Command> {
        let all = found(seen, "", &self.favourites);
        let at = all.iter().position(|entry| entry.name == seen.preset.stored_name);
        let to = at.map_or(Some(0), |at| at.checked_add_signed(step))?;
        Some(Command::SelectPreset(all.get(to)?.name.clone()))
    }

    /// The keys 1 to 9 take a preset of the bank, Page Up and Page Down go to another bank.
    pub(in crate::gui) fn keys(
        &mut self,
        ctx: &Context,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) {
        const KEYS: [Key; BANK] = [
            Key::Num1,
            Key::Num2,
            Key::Num3,
            Key::Num4,
            Key::Num5,
            Key::Num6,
            Key::Num7,
            Key::Num8,
            Key::Num9,
        ];
        if ctx.text_edit_focused() {
            return;
        }
        let pressed = |key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let found = found(seen, &self.search, &self.favourites);
        let last_bank = found.len().saturating_sub(1) / BANK;
        self.bank = self.bank.min(last_bank);
        if pressed(Key::PageUp) {
            self.bank = self.bank.saturating_sub(1);
        }
        if pressed(Key::PageDown) {
            self.bank = (self.bank + 1).min(last_bank);
        }
        for (place, key) in KEYS.into_iter().enumerate() {
            if pressed(key) {
                let entry = found.get(self.bank * BANK + place);
                wishes.extend(entry.and_then(|entry| taking(entry)));
            }
        }
    }

    /// Leaves the question that is asked.
    pub(in crate::gui) fn leave_question(&mut self) {
        self.question = None;
    }

    /// Shows it.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        self.head(ui, seen);
        Panel::bottom("preset changes")
            .resizable(false)
            .show_separator_line(false)
            .frame(Frame::NONE.inner_margin(Margin { top: 6, ..Margin::ZERO }))
            .show(ui, |ui| self.foot(ui, seen, wishes));
        let found = found(seen, &self.search, &self.favourites);
        if found.is_empty() {
            ui.label(RichText::new("Nothing found").color(theme::TEXT_FAINT));
        }
        // Following the choice by keys must not fight an operator who scrolls.
        let moved = self.shown_choice != seen.preset.stored_name;
        if moved {
            self.shown_choice.clone_from(&seen.preset.stored_name);
        }
        ui.spacing_mut().item_spacing = Vec2::splat(GAP_PX);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let room = ui.available_width() - 8.0;
            let columns = (((room + GAP_PX) / (CARD_PX + GAP_PX)) as usize).max(1);
            let width = ((room + GAP_PX) / columns as f32 - GAP_PX).floor();
            for (row, entries) in found.chunks(columns).enumerate() {
                ui.horizontal(|ui| {
                    for (column, entry) in entries.iter().enumerate() {
                        let place = row * columns + column;
                        self.card(ui, (place, entry), width, (seen, moved), wishes);
                    }
                });
            }
        });
        self.thumbnails.work(ui.ctx(), seen);
    }

    fn card(
        &mut self,
        ui: &mut Ui,
        (place, entry): (usize, &PresetEntry),
        width: f32,
        (seen, moved): (&Snapshot, bool),
        wishes: &mut Vec<Command>,
    ) {
        let next = egui::Rect::from_min_size(ui.cursor().min, card::size(width));
        let visible = ui.is_rect_visible(next);
        let preset = entry.preset.as_ref().filter(|_| visible);
        let picture = preset.and_then(|preset| self.thumbnails.get(&entry.name, preset));
        let key = place.checked_sub(self.bank * BANK).filter(|key| *key < BANK);
        let standing = standing(seen, &entry.name);
        let card = Card { entry, picture, standing, key: key.map(|key| key + 1) };
        let response = card.show(ui, width);
        let star = card.show_star(ui, &response, self.favourites.has(&entry.name));
        if star.is_some_and(|star| star.clicked()) {
            self.star(&entry.name);
        }
        if moved && entry.name == seen.preset.stored_name {
            response.scroll_to_me(None);
        }
        if response.clicked() {
            wishes.extend(taking(entry));
        }
        response.context_menu(|ui| self.menu(ui, entry, seen, wishes));
    }

    fn star(&mut self, name: &str) {
        let on = !self.favourites.has(name);
        self.favourites.set(name, on);
        self.favourites_changed = true;
    }

    fn menu(
        &mut self,
        ui: &mut Ui,
        entry: &PresetEntry,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) {
        if ui.button("Take").on_hover_text("Lets it follow what plays").clicked() {
            wishes.extend(taking(entry));
            ui.close();
        }
        let word = if self.favourites.has(&entry.name) { "No favourite" } else { "Favourite" };
        if ui.button(word).on_hover_text("Gives it a star, or takes it away").clicked() {
            self.star(&entry.name);
            ui.close();
        }
        self.file_menu(ui, entry, seen);
    }

    /// What can be done with the file of a preset.
    fn file_menu(&mut self, ui: &mut Ui, entry: &PresetEntry, seen: &Snapshot) {
        let has_preset = entry.preset.is_some();
        let copy = ui.add_enabled(has_preset, Button::new("Duplicate…"));
        if copy.on_hover_text("Saves a copy in your folder").clicked() {
            self.question = Some(Question::duplicate(&entry.name, &seen.presets));
            ui.close();
        }
        let own = has_preset && !entry.bundled;
        let stays = "It came with galvo and stays as it is; duplicate it and change the copy";
        let rename = ui.add_enabled(own, Button::new("Rename…"));
        let rename = rename.on_hover_text("Gives it another name").on_disabled_hover_text(stays);
        if rename.clicked() {
            self.question = Some(Question::rename(&entry.name));
            ui.close();
        }
        let delete = ui.add_enabled(own, Button::new("Delete…"));
        let delete = delete.on_hover_text("Deletes its file; Undo brings it back");
        if delete.on_disabled_hover_text(stays).clicked() {
            self.question = Some(Question::delete(&entry.name));
            ui.close();
        }
    }

    fn head(&mut self, ui: &mut Ui, seen: &Snapshot) {
        ui.horizontal(|ui| {
            let room = ui.available_width() - 66.0 - 28.0;
            let search = TextEdit::singleline(&mut self.search)
                .hint_text("Search presets")
                .desired_width(room)
                .margin(Margin::symmetric(8, 6));
            let help = "Shows the presets whose name or description holds this text";
            if ui.add(search).on_hover_text(help).changed() {
                self.bank = 0;
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let menu = ui.menu_button("New", |ui| {
                    if ui
                        .button("New preset…")
                        .on_hover_text("Begins with a plain drawing")
                        .clicked()
                    {
                        self.question = Some(Question::new_preset(&seen.presets));
                        ui.close();
                    }
                    let present = seen.presets.iter().find(|e| e.name == seen.preset.stored_name);
                    if let Some(present) = present {
                        ui.separator();
                        ui.label(RichText::new(&present.name).color(theme::TEXT_FAINT));
                        self.file_menu(ui, present, seen);
                    }
                });
                menu.response.on_hover_text(
                    "Makes a preset, or duplicates, renames or deletes the one at work",
                );
                let (rect, _) = ui.allocate_exact_size(Vec2::splat(26.0), Sense::hover());
                let is_first = self.favourites.first;
                let id = ui.scope_id().with("favourites first");
                let star = star_button(ui, rect, id, "Favourites first", is_first, true);
                let help =
                    "Shows the presets with a star first: 1 to 9 take them as they are shown";
                if star.on_hover_text(help).clicked() {
                    self.favourites.first = !is_first;
                    self.favourites_changed = true;
                    self.bank = 0;
                }
            });
        });
    }

    fn foot(&mut self, ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
        if let Some(question) = &mut self.question {
            if let Answer::Over(wish) = question.show(ui, &seen.presets) {
                if let Some(Command::RenamePreset { from, to }) = &wish
                    && self.favourites.has(from)
                {
                    self.favourites.set(to, true);
                    self.favourites_changed = true;
                }
                wishes.extend(wish);
                self.question = None;
            }
            return;
        }
        if !seen.undo_act.is_empty() {
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let undo = ui.button("Take back");
                    if undo.on_hover_text("Makes the files as they were (Ctrl-Z)").clicked() {
                        wishes.push(Command::Undo);
                    }
                    let text = RichText::new(first_upper(&seen.undo_act)).size(theme::SMALL);
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(egui::Label::new(text.color(theme::TEXT_QUIET)).truncate())
                    });
                });
            });
        }
        transition(ui, seen, wishes);
    }
}

/// How one preset follows another, and shuffle.
fn transition(ui: &mut Ui, seen: &Snapshot, wishes: &mut Vec<Command>) {
    const BEGINS: [(Begin, &str, &str); 3] = [
        (Begin::Now, "Now", "The next preset comes at once"),
        (Begin::Beat, "Beat", "The next preset comes with the next beat"),
        (Begin::Bar, "Bar", "The next preset comes with the next bar"),
    ];
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::GRID;
        ui.spacing_mut().interact_size.y = 22.0;
        ui.spacing_mut().button_padding = Vec2::new(7.0, 2.0);
        let Transition { mut begin, mut beats } = seen.transition;
        let shown = BEGINS.iter().find(|(each, ..)| *each == begin).map_or("", |(_, word, _)| word);
        let choice =
            ComboBox::from_id_salt("change").selected_text(shown).width(58.0).show_ui(ui, |ui| {
                for (each, word, help) in BEGINS {
                    ui.selectable_value(&mut begin, each, word).on_hover_text(help);
                }
            });
        choice.response.accessible_name("Change of presets").on_hover_text(
            "When a preset that is taken comes: now, with the beat, or with the bar",
        );
        let fade = DragValue::new(&mut beats)
            .range(0.0..=Transition::MAX_BEATS)
            .speed(0.05)
            .max_decimals(1)
            .suffix(" beats")
            .update_while_editing(false);
        let help = "How long one preset grows into the next; 0 is a cut";
        ui.add(fade).accessible_name("Beats of a change").on_hover_text(help);
        let wanted = Transition { begin, beats };
        if wanted != seen.transition {
            wishes.push(Command::SetTransition(wanted));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut shuffle = seen.shuffle;
            let toggle = ui.toggle_value(&mut shuffle, "Shuffle");
            let help = "Takes another preset whenever the music begins a new section";
            if toggle.on_hover_text(help).clicked() {
                wishes.push(Command::SetShuffle(shuffle));
            }
        });
    });
}

fn standing(seen: &Snapshot, name: &str) -> Standing {
    if name == seen.preset.stored_name {
        return match seen.change {
            Change::Done => Standing::AtWork,
            Change::Cued => Standing::Cued,
            Change::Growing(way) => Standing::Growing(way),
        };
    }
    let leaves = name == seen.leaving && seen.change != Change::Done;
    if leaves { Standing::Leaving } else { Standing::Waiting }
}

/// The wish to take a preset; a file that was never right has none.
fn taking(entry: &PresetEntry) -> Option<Command> {
    let never_right = entry.preset.is_none() && entry.broken.is_some();
    (!never_right).then(|| Command::SelectPreset(entry.name.clone()))
}

/// Those that hold the text, as they are shown.
fn found<'a>(seen: &'a Snapshot, search: &str, favourites: &Favourites) -> Vec<&'a PresetEntry> {
    let wanted = search.trim().to_lowercase();
    let mut found: Vec<_> = seen.presets.iter().filter(|entry| matches(entry, &wanted)).collect();
    if favourites.first {
        found.sort_by_key(|entry| !favourites.has(&entry.name));
    }
    found
}

/// `wanted` in small letters.
fn matches(entry: &PresetEntry, wanted: &str) -> bool {
    entry.name.to_lowercase().contains(wanted) || entry.description.to_lowercase().contains(wanted)
}

pub(super) fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_looks_in_names_and_descriptions_and_ignores_case() {
        let entry = PresetEntry {
            name: "Lissajous".into(),
            description: "Knots of two sines".into(),
            bundled: true,
            ..PresetEntry::default()
        };
        let seen = Snapshot { presets: [entry].into(), ..Snapshot::default() };
        for wanted in ["", "liss", " SINES ", "knot"] {
            assert_eq!(found(&seen, wanted, &Favourites::default()).len(), 1, "{wanted}");
        }
        assert_eq!(found(&seen, "tunnel", &Favourites::default()).len(), 0);
    }

    #[test]
    fn favourites_come_first_in_the_order_of_the_list_and_it_has_ends() {
        let entry = |name: &str| PresetEntry { name: name.into(), ..PresetEntry::default() };
        let presets = ["a", "b", "c", "d"].map(entry).into();
        let mut seen = Snapshot { presets, ..Snapshot::default() };
        let mut panel = PresetsPanel::default();
        for name in ["d", "b", "gone"] {
            panel.favourites.set(name, true);
        }
        let names = |panel: &PresetsPanel, seen: &Snapshot| -> String {
            found(seen, "", &panel.favourites).iter().map(|entry| entry.name.as_str()).collect()
        };
        assert_eq!(names(&panel, &seen), "abcd");
        panel.favourites.first = true;
        assert_eq!(names(&panel, &seen), "bdac");
        let take = |name: &str| Some(Command::SelectPreset(name.into()));
        std::sync::Arc::make_mut(&mut seen.preset).stored_name = "d".into();
        assert_eq!((panel.neighbour(&seen, 1), panel.neighbour(&seen, -1)), (take("a"), take("b")));
        std::sync::Arc::make_mut(&mut seen.preset).stored_name = "c".into();
        assert_eq!(panel.neighbour(&seen, 1), None);
        std::sync::Arc::make_mut(&mut seen.preset).stored_name = "elsewhere".into();
        assert_eq!(panel.neighbour(&seen, 1), take("b"));
    }

    #[test]
    fn a_card_says_how_its_preset_stands() {
        let mut seen = Snapshot { leaving: "Old".into(), ..Snapshot::default() };
        std::sync::Arc::make_mut(&mut seen.preset).stored_name = "New".into();
        assert_eq!(standing(&seen, "New"), Standing::AtWork);
        assert_eq!(standing(&seen, "Old"), Standing::Waiting, "it has left");
        seen.change = Change::Cued;
        assert_eq!(
            (standing(&seen, "New"), standing(&seen, "Old")),
            (Standing::Cued, Standing::Leaving)
        );
    }
}
