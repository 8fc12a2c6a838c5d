//! What an operator sets of the gate, and how it gets there while light runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::dwell::DwellLimit;
use super::meters::Meters;
use super::zones::Zones;
use crate::path::GalvoProfile;
use crate::realtime::LatestWriter;

/// The master at start: 20 %.
pub const DEFAULT_MASTER: f32 = 0.2;

/// The settings of one projector's gate: plain data, copied whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GateSettings {
    /// Where light may go.
    pub zones: Zones,
    /// What the mirrors bear.
    pub profile: GalvoProfile,
    /// How long light may stand still.
    pub dwell: DwellLimit,
}

/// The brightness of all light as the operator moves it: clones are the same fader. Starts at 20 %.
///
/// The gate reads it with each chunk. No call locks or allocates.
#[derive(Clone, Debug)]
pub struct MasterFader(Arc<AtomicU32>);

impl Default for MasterFader {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(DEFAULT_MASTER.to_bits())))
    }
}

impl MasterFader {
    /// Sets the brightness, 0..=1; more is 1, and what is no number is dark.
    pub fn set(&self, master: f32) {
        let master = if master.is_nan() { 0.0 } else { master.clamp(0.0, 1.0) };
        self.0.store(master.to_bits(), Ordering::Relaxed);
    }

    /// The brightness, 0..=1.
    #[must_use]
    pub fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// The operator's side of a gate: changes act with the next chunk, without a lock on the real-time side.
#[derive(Debug)]
pub struct GateControl {
    settings: GateSettings,
    sent: LatestWriter<GateSettings>,
    master: MasterFader,
    meters: Meters,
}

impl GateControl {
    pub(in crate::safety) const fn new(
        settings: &GateSettings,
        sent: LatestWriter<GateSettings>,
        master: MasterFader,
        meters: Meters,
    ) -> Self {
        Self { settings: *settings, sent, master, meters }
    }

    /// The settings as last sent.
    #[must_use]
    pub const fn settings(&self) -> &GateSettings {
        &self.settings
    }

    /// Sends new settings to the gate.
    pub fn send(&mut self, settings: &GateSettings) {
        self.settings = *settings;
        self.sent.write(*settings);
    }

    /// The fader of the master.
    #[must_use]
    pub const fn master(&self) -> &MasterFader {
        &self.master
    }

    /// The meters of the gate.
    #[must_use]
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fader_starts_low_and_bears_nonsense() {
        let fader = MasterFader::default();
        let twin = fader.clone();
        assert_eq!(twin.get(), 0.2);
        for (set, is) in [(0.5, 0.5), (7.0, 1.0), (-1.0, 0.0), (f32::NAN, 0.0)] {
            fader.set(set);
            assert_eq!(twin.get(), is);
        }
    }
}
