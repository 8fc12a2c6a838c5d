//! One file per panel. A panel reads a [`Snapshot`](crate::show::Snapshot), pushes wishes, and keeps
//! only what is on the screen.

mod calibration;
pub(super) mod closing;
pub(super) mod controllers;
pub(super) mod health;
pub(super) mod key_sheet;
pub(super) mod live;
pub(super) mod log;
pub(super) mod notices;
pub(super) mod parameters;
pub(super) mod preset_text;
pub(super) mod presets;
pub(super) mod preview;
pub(super) mod projectors;
pub(super) mod queue;
pub(super) mod recorder;
pub(super) mod rig_sheet;
pub(super) mod safety;
pub(super) mod safety_notes;
pub(super) mod set_up;
pub(super) mod sound;
pub(super) mod spectrum;
pub(super) mod status;
pub(super) mod sync;
pub(super) mod tempo;
pub(super) mod title_bar;
pub(super) mod transport;
pub(super) mod welcome;

use egui::Ui;

use super::file_chooser::Wanted;
use super::frame_time::FrameTime;
use super::pace::Pace;
use super::pane::Pane;
use crate::show::{Command, Snapshot};

/// Every panel that stands in a pane, with what it keeps of the screen.
#[derive(Debug)]
pub(super) struct Panels {
    pub(super) preview: preview::Preview,
    pub(super) transport: transport::TransportPanel,
    pub(super) presets: presets::PresetsPanel,
    pub(super) parameters: parameters::ParametersPanel,
    pub(super) preset_text: preset_text::PresetTextPanel,
    pub(super) safety: safety::SafetyPanel,
    pub(super) live: live::LivePanel,
    pub(super) controllers: controllers::ControllersPanel,
    pub(super) projectors: projectors::ProjectorsPanel,
    pub(super) rig: rig_sheet::RigSheet,
    pub(super) set_up: set_up::SetUpPanel,
    pub(super) sound: sound::SoundPanel,
    pub(super) sync: sync::SyncPanel,
    pub(super) queue: queue::QueuePanel,
    pub(super) log: log::LogPanel,
    pub(super) recorder: recorder::RecorderPanel,
    pub(super) health: health::HealthPanel,
    pub(super) frames: FrameTime,
    pub(super) pace: Pace,
    /// A pane that another one wants to be shown.
    pub(super) wanted: Option<Pane>,
    /// Files that one wants to be asked for, and whether some are.
    pub(super) files: Option<Wanted>,
    pub(super) choosing: bool,
}

impl Panels {
    pub(super) fn new() -> Self {
        Self {
            preview: preview::Preview::new(),
            transport: transport::TransportPanel::default(),
            presets: presets::PresetsPanel::default(),
            parameters: parameters::ParametersPanel::default(),
            preset_text: preset_text::PresetTextPanel::default(),
            safety: safety::SafetyPanel::default(),
            live: live::LivePanel::default(),
            controllers: controllers::ControllersPanel::default(),
            projectors: projectors::ProjectorsPanel::default(),
            rig: rig_sheet::RigSheet::default(),
            set_up: set_up::SetUpPanel::default(),
            sound: sound::SoundPanel::default(),
            sync: sync::SyncPanel::default(),
            queue: queue::QueuePanel::default(),
            log: log::LogPanel::default(),
            recorder: recorder::RecorderPanel::default(),
            health: health::HealthPanel::default(),
            frames: FrameTime::default(),
            pace: Pace::default(),
            wanted: None,
            files: None,
            choosing: false,
        }
    }

    /// Notes what the panes that look back will show, whether they are seen or not.
    pub(super) fn take(&mut self, seen: &Snapshot, now: f64) {
        self.sound.take(seen, now);
        self.sync.take(seen, now);
        self.log.take(seen, now);
        self.health.take(now);
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
            Pane::Text => self.preset_text.show(ui, seen, wishes),
            Pane::Transport => self.transport.show(ui, seen, wishes),
            Pane::Sound => self.sound.show(ui, seen),
            Pane::Tempo => tempo::show(ui, seen, wishes),
            Pane::Projectors => match self.projectors.show(ui, seen, wishes) {
                Some(projectors::Asked::SetUp(name)) => {
                    self.set_up.choose(&name);
                    self.wanted = Some(Pane::SetUp);
                }
                Some(projectors::Asked::Find) => self.rig.find(wishes),
                Some(projectors::Asked::NameOne) => self.rig.name_one(),
                None => {}
            },
            Pane::SetUp => self.set_up.show(ui, seen, wishes),
            Pane::Live => self.live.show(ui, seen, now, wishes),
            Pane::Controllers => self.controllers.show(ui, seen, now, wishes),
            Pane::Sync => self.sync.show(ui, seen, now, wishes),
            Pane::Health => self.health.show(ui, seen, &self.frames, &self.pace),
            Pane::Recorder => {
                let wanted = self.recorder.show(ui, seen, self.choosing, wishes);
                self.files = wanted.or(self.files);
            }
            Pane::Queue => self.files = self.queue.show(ui, seen, wishes).or(self.files),
            Pane::Log => self.log.show(ui),
            Pane::Safety => self.safety.show(ui, seen, now, wishes),
        }
    }
}
