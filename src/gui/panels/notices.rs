//! What an operator should read: the newest notices as cards over the foot of the preview, so that
//! nothing moves under a hand when one comes.

use std::collections::HashMap;

use egui::{Align2, Area, Color32, Frame, Id, Label, Margin, Order, Rect, RichText, Ui, Vec2};

use crate::gui::theme;
use crate::gui::widgets::{Icon, icon_button};
use crate::show::snapshot::{Notice, Severity};

/// The most cards at once.
const MOST_CARDS: usize = 3;
/// Widths of a card, px.
const LEAST_PX: f32 = 240.0;
const MOST_PX: f32 = 620.0;
/// Room beside the cards, px: nothing lies over the switches of the preview.
const SWITCHES_PX: f32 = 96.0;
const MARGIN_PX: f32 = 12.0;

/// Remembers which notices were put away.
#[derive(Debug, Default)]
pub(in crate::gui) struct NoticesPanel {
    /// How many notices of a text were put away. They carry no number of their own.
    put_away: HashMap<String, usize>,
}

impl NoticesPanel {
    /// Shows the newest notices that were not put away at the foot of `room`.
    pub(in crate::gui) fn show(&mut self, ui: &Ui, room: Rect, notices: &[Notice]) {
        let open = self.open(notices);
        if open.is_empty() {
            return;
        }
        let width = (room.width() - SWITCHES_PX - 2.0 * MARGIN_PX).clamp(LEAST_PX, MOST_PX);
        let mut dismissed = None;
        Area::new(Id::unique("notices"))
            .order(Order::Middle)
            .pivot(Align2::LEFT_BOTTOM)
            .fixed_pos(room.left_bottom() + Vec2::new(MARGIN_PX, -MARGIN_PX))
            .show(ui.ctx(), |ui| {
                ui.spacing_mut().item_spacing.y = theme::GRID;
                ui.set_width(width);
                for (place, notice) in open.iter().enumerate() {
                    if card(ui, place, notice, width) {
                        dismissed = Some(notice.text.clone());
                    }
                }
            });
        if let Some(text) = dismissed {
            *self.put_away.entry(text).or_default() += 1;
        }
    }

    /// The newest notices still to be read, oldest first. The show's list forgets old ones, and with
    /// them goes the memory that they were put away.
    fn open<'a>(&mut self, notices: &'a [Notice]) -> Vec<&'a Notice> {
        let mut left: HashMap<&str, usize> = HashMap::new();
        for notice in notices {
            *left.entry(&notice.text).or_default() += 1;
        }
        self.put_away.retain(|text, count| {
            *count = (*count).min(left.get(text.as_str()).copied().unwrap_or(0));
            *count > 0
        });
        for (text, count) in &self.put_away {
            if let Some(left) = left.get_mut(text.as_str()) {
                *left -= count;
            }
        }
        let mut open: Vec<&Notice> = Vec::new();
        for notice in notices.iter().rev() {
            let Some(count) = left.get_mut(notice.text.as_str()) else { continue };
            if *count > 0 && open.len() < MOST_CARDS {
                *count -= 1;
                open.push(notice);
            }
        }
        open.reverse();
        open
    }
}

fn card(ui: &mut Ui, place: usize, notice: &Notice, width: f32) -> bool {
    let (word, colour) = look(notice.severity);
    let frame = Frame::NONE
        .fill(theme::PANEL.gamma_multiply(0.97))
        .stroke(egui::Stroke::new(1.0, theme::mix(theme::PANEL, colour, 0.45)))
        .corner_radius(theme::CORNER)
        .inner_margin(Margin::symmetric(12, 6));
    let shown = frame.show(ui, |ui| {
        ui.set_width(width - 24.0);
        ui.horizontal(|ui| {
            ui.label(RichText::new(word).size(theme::SMALL).color(colour));
            let room = ui.available_width() - 40.0;
            ui.scope(|ui| {
                ui.set_width(room);
                ui.add(Label::new(RichText::new(&notice.text).color(theme::TEXT)).wrap());
            });
            let name = format!("Dismiss notice {}", place + 1);
            icon_button(ui, Icon::Close, &name, true, 24.0).on_hover_text("Puts it away").clicked()
        })
        .inner
    });
    shown.inner
}

/// The word and the colour of a severity.
pub(super) fn look(severity: Severity) -> (&'static str, Color32) {
    match severity {
        Severity::Info => ("Note", theme::ACCENT),
        Severity::Warning => ("Warning", theme::AMBER),
        Severity::Error => ("Error", theme::RED_TEXT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notices(texts: &[&str]) -> Vec<Notice> {
        let notice = |text: &&str| Notice { severity: Severity::Info, text: (*text).to_owned() };
        texts.iter().map(notice).collect()
    }

    fn texts(panel: &mut NoticesPanel, all: &[&str]) -> Vec<String> {
        panel.open(&notices(all)).iter().map(|notice| notice.text.clone()).collect()
    }

    #[test]
    fn the_newest_are_shown_and_what_was_put_away_stays_away() {
        let mut panel = NoticesPanel::default();
        assert_eq!(texts(&mut panel, &["a", "b", "c", "d"]), ["b", "c", "d"]);
        panel.put_away.insert("c".into(), 1);
        assert_eq!(texts(&mut panel, &["a", "b", "c", "d"]), ["a", "b", "d"]);
    }

    #[test]
    fn a_fault_that_comes_again_is_shown_again() {
        let mut panel = NoticesPanel::default();
        panel.put_away.insert("lost".into(), 1);
        assert!(texts(&mut panel, &["lost"]).is_empty());
        assert_eq!(texts(&mut panel, &["lost", "lost"]), ["lost"]);
        assert!(texts(&mut panel, &[]).is_empty());
        assert_eq!(texts(&mut panel, &["lost"]), ["lost"], "the old one was forgotten");
    }
}
