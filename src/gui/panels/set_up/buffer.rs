//! How much time of points a projector is kept ahead: what its line needs, or what a hand has set.

use egui::{DragValue, RichText, Ui};

use crate::gui::theme;
use crate::show::Installation;
use crate::show::snapshot::ProjectorView;

/// The row of the buffer.
pub(super) fn row(ui: &mut Ui, chosen: &ProjectorView, installation: &mut Installation) {
    ui.horizontal(|ui| {
        let mut is_set = installation.buffer_ms.is_some();
        let help = "Without it the projector is kept ahead as its line needs: that is measured, and grows when it runs dry";
        if ui.checkbox(&mut is_set, "Set by hand").on_hover_text(help).changed() {
            let (least, most) = Installation::BUFFER_MS.into_inner();
            let present = chosen.target_ms.round().clamp(least, most);
            installation.buffer_ms = is_set.then_some(present);
        }
        if let Some(ms) = &mut installation.buffer_ms {
            let value = DragValue::new(ms).range(Installation::BUFFER_MS).speed(0.5).suffix(" ms");
            ui.add(value.fixed_decimals(0))
                .accessible_name("Buffer")
                .on_hover_text("Shorter is quicker, longer bears slow answers");
        } else {
            let text = format!("{:.0} ms now", chosen.target_ms);
            ui.label(RichText::new(text).size(theme::SMALL).color(theme::TEXT_FAINT));
        }
    });
}
