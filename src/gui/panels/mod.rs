//! One file per panel. A panel reads a [`Snapshot`](crate::show::Snapshot), pushes wishes, and keeps
//! only what is on the screen.

pub(super) mod closing;
pub(super) mod controllers;
pub(super) mod key_sheet;
pub(super) mod live;
pub(super) mod notices;
pub(super) mod parameters;
pub(super) mod presets;
pub(super) mod preview;
pub(super) mod projectors;
pub(super) mod safety;
pub(super) mod spectrum;
pub(super) mod status;
pub(super) mod tempo;
pub(super) mod title_bar;
pub(super) mod transport;

use egui::Ui;

use super::pane::Pane;
use crate::show::{Command, Snapshot};

/// Every panel that stands in a pane, with what it keeps of the screen.
#[derive(Debug)]
pub(super) struct Panels {
    pub(super) preview: preview::Preview,
    pub(super) transport: transport::TransportPanel,
    pub(super) presets: presets::PresetsPanel,
    pub(super) parameters: parameters::ParametersPanel,
    pub(super) safety: safety::SafetyPanel,
    pub(super) live: live::LivePanel,
    pub(super) controllers: controllers::ControllersPanel,
}

impl Panels {
    pub(super) fn new() -> Self {
        Self {
            preview: preview::Preview::new(),
            transport: transport::TransportPanel::default(),
            presets: presets::PresetsPanel::default(),
            parameters: parameters::ParametersPanel::default(),
            safety: safety::SafetyPanel::default(),
            live: live::LivePanel::default(),
            controllers: controllers::ControllersPanel::default(),
        }
    }

    /// Shows what stands in `pane`, in all the room there is; `now` in seconds.
    pub(super) fn show(
        &mut self,
        pane: Pane,
        ui: &mut Ui,
        seen: &Snapshot,
        now: f64,
        wishes: &mut Vec<Command>,
    ) {
        match pane {
            Pane::Preview => self.preview.show(ui, seen, now),
            Pane::Presets => self.presets.show(ui, seen, wishes),
            Pane::Parameters => self.parameters.show(ui, seen, wishes),
            Pane::Transport => self.transport.show(ui, seen, wishes),
            Pane::Sound => spectrum::show(ui, &seen.features, ui.available_size()),
            Pane::Tempo => tempo::show(ui, &seen.features, ui.available_size()),
            Pane::Projectors => projectors::show(ui, &seen.projectors),
            Pane::Live => self.live.show(ui, seen, now, wishes),
            Pane::Controllers => self.controllers.show(ui, seen, now, wishes),
            Pane::Safety => self.safety.show(ui, seen, now, wishes),
        }
    }
}
