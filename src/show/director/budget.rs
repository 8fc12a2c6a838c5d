//! What the director does about presets that are dear: one picture of every projector has to fit into a callback.

use super::Director;
use crate::pattern::Preset;
use crate::pattern::cost;
use crate::show::engine::EngineCommand;
use crate::show::snapshot::Severity;

impl Director {
    /// What a picture of one projector may cost in this show.
    pub(super) fn picture_budget(&self) -> u64 {
        cost::budget(self.cast.projectors.len())
    }

    /// There are more projectors, or fewer: presets may have to be drawn coarser, or can be drawn finer.
    pub(super) fn fit_to_rig(&mut self) {
        let budget = self.picture_budget();
        if std::mem::replace(&mut self.fitted_to, budget) == budget {
            return;
        }
        self.play_edited();
        let name = self.live.preset_b.as_deref();
        let beside = name.and_then(|name| self.cast.presets.library().get(name).ok());
        if let Some(mut beside) = beside.and_then(|preset| self.instruments(&preset)) {
            // One at its test picture keeps what lies beside it.
            beside.retain(|one| one.instrument.is_some());
            self.tell_engine(EngineCommand::Beside(beside));
        }
        self.presets_changed = true;
    }

    /// What of the preset at work is drawn coarser; told when it becomes so.
    pub(super) fn look_at_cost(&mut self, preset: &Preset) -> Option<String> {
        let coarser = self.coarser(preset)?;
        if self.preset.coarser.as_ref() != Some(&coarser) || self.preset.name != preset.name {
            self.tell_coarser(preset);
        }
        Some(coarser)
    }

    /// Says what of a preset is drawn coarser, if anything is.
    pub(super) fn tell_coarser(&mut self, preset: &Preset) {
        let Some(coarser) = self.coarser(preset) else { return };
        let projectors = match self.cast.projectors.len() {
            0 | 1 => "one projector".to_owned(),
            many => format!("{many} projectors"),
        };
        let text = format!(
            "{} is too dear for {projectors} and is drawn coarser: {coarser}. Give its formulas fewer points or \
             operations, or take effects or layers away",
            preset.name
        );
        self.notices.add(Severity::Info, text);
    }

    fn coarser(&self, preset: &Preset) -> Option<String> {
        cost::fit(preset, self.picture_budget()).ok()?.coarser
    }
}
