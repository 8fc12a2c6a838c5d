//! The question before an act that lets more light into the room while there is light: in the row of the act, and never
//! anywhere near STOP.

use egui::{RichText, Ui};

use super::undo::SetUp;
use crate::gui::theme;

/// Which row asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Taking back.
    TakeBack,
    /// A new zone.
    NewZone,
    /// The zone of this number.
    Zone(usize),
    /// Forgetting everything.
    Forget,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) row: Row,
    /// What the set-up would become.
    pub(super) wanted: SetUp,
    /// In a few words, what would have been done.
    pub(super) act: String,
}

impl Question {
    /// True if an act of `row` on a projector that has light is asked for.
    pub(super) fn is_due(row: Row, wanted: &SetUp, before: &SetUp) -> bool {
        let (new, old) = (&wanted.installation, &before.installation);
        // A picture that is laid elsewhere shines elsewhere.
        let is_laid_elsewhere = new.corners != old.corners || wanted.mounting != before.mounting;
        new.lets_more_light_than(old)
            || (matches!(row, Row::Forget | Row::TakeBack) && is_laid_elsewhere)
    }

    /// Asks; true is to do it, false to leave it.
    pub(super) fn ask(&self, ui: &mut Ui) -> Option<bool> {
        ui.vertical(|ui| {
            let text = match self.row {
                Row::TakeBack => format!("Take back \"{}\"? Light may go elsewhere", self.act),
                Row::NewZone => "One more allowed zone? Light will go there".to_owned(),
                Row::Zone(at) => format!("Light will go where zone {} lets less or none", at + 1),
                Row::Forget => "Forget it? Light may go anywhere in the field".to_owned(),
            };
            let text = RichText::new(text).size(theme::SMALL).color(theme::AMBER);
            ui.add(egui::Label::new(text).wrap());
            ui.horizontal(|ui| {
                let keep = ui.button("Keep").accessible_name("Keep the set-up as it is");
                if keep.on_hover_text("Nothing is changed").clicked() {
                    return Some(false);
                }
                let go = RichText::new("Let light there").color(theme::AMBER);
                let go = ui.button(go).accessible_name("Let light there all the same");
                let help = "The projector is armed: it acts at once";
                go.on_hover_text(help).clicked().then_some(true)
            })
            .inner
        })
        .inner
    }
}
