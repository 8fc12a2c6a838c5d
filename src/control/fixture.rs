//! galvo as a DMX fixture of 16 slots, as a lighting desk sees it over Art-Net. Pure.
//!
//! No slot arms, whatever is set. What is a state on the desk (dimmer, shutter, crossfader) acts from the first frame on;
//! what is a choice (presets, parameters) acts when its slot moves, so that a desk that comes on does not undo what was
//! chosen at galvo.

use super::action::{Action, ChangeAt, Choice, Deed, Hand};
use super::switching::Switching;

/// Slots of the fixture.
pub const SLOTS: usize = 16;

/// Where each slot lies, from 0.
mod slot {
    pub(super) const DIMMER: usize = 0;
    pub(super) const SHUTTER: usize = 1;
    pub(super) const STOP: usize = 2;
    pub(super) const PRESET: usize = 3;
    pub(super) const CHANGE: usize = 4;
    pub(super) const PRESET_B: usize = 5;
    pub(super) const CROSSFADE: usize = 6;
    pub(super) const TRANSPORT: usize = 7;
    pub(super) const PARAMS: usize = 8;
}

/// From this level on the slot of the red button stops.
const STOPS: u8 = 250;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutter {
    Closed,
    Open,
    Flash,
}

const fn shutter(level: u8) -> Shutter {
    match level {
        0..32 => Shutter::Closed,
        32..224 => Shutter::Open,
        224.. => Shutter::Flash,
    }
}

const fn change(level: u8) -> ChangeAt {
    match level {
        0..85 => ChangeAt::Now,
        85..170 => ChangeAt::Beat,
        170.. => ChangeAt::Bar,
    }
}

/// `None`: nothing is asked for.
const fn plays(level: u8) -> Option<bool> {
    match level {
        0..32 => None,
        32..128 => Some(false),
        128.. => Some(true),
    }
}

/// The two slots that darken, STOP and shutter: they act from each frame, before the fixture sees it, and of frames that
/// the fixture never sees because newer ones replaced them.
#[derive(Clone, Copy, Debug, Default)]
pub struct DarkSlots {
    last: Option<(bool, bool)>,
}

impl DarkSlots {
    /// Takes a frame, as [`Fixture::frame`] does; what it darkens, or gives back.
    pub fn frame(
        &mut self,
        levels: &[u8],
        start: usize,
    ) -> impl Iterator<Item = Switching> + use<> {
        let level = |slot: usize| {
            let at = start.saturating_sub(1).saturating_add(slot);
            levels.get(at).copied().unwrap_or_default()
        };
        let stops = level(slot::STOP) >= STOPS;
        let closed = shutter(level(slot::SHUTTER)) == Shutter::Closed;
        let before = self.last.replace((stops, closed));
        let stop = stops && before.is_none_or(|(stopped, _)| !stopped);
        let turned = before.is_none_or(|(_, was_closed)| was_closed != closed);
        let stop = stop.then_some(Switching::Stop);
        stop.into_iter().chain(turned.then_some(Switching::Blackout(closed)))
    }

    /// The desk is gone: dark, once. Its next frame counts as its first.
    pub fn lost(&mut self) -> Option<Switching> {
        self.last.take().map(|_| Switching::Blackout(true))
    }
}

/// What the desk sent last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixture {
    last: Option<[u8; SLOTS]>,
}

impl Fixture {
    /// Takes a frame: the levels of a universe, in which the fixture begins at slot `start` (from 1). Slots that are
    /// not there stand at 0.
    pub fn frame(&mut self, levels: &[u8], start: usize) -> Vec<Deed> {
        let mut now = [0; SLOTS];
        let there = levels.get(start.saturating_sub(1)..).unwrap_or_default();
        for (slot, level) in now.iter_mut().zip(there) {
            *slot = *level;
        }
        let before = self.last.replace(now);
        let mut deeds = Vec::new();
        let first = before.is_none();
        let before = before.unwrap_or(now);
        let moved = |slot: usize| now[slot] != before[slot];
        let part = |slot: usize| Hand::To(f32::from(now[slot]) / 255.0);
        let flag = |on: bool| Hand::Value(f64::from(u8::from(on)));
        let mut add = |action, hand| deeds.push(Deed::new(action, hand));

        // What darkens goes first.
        if now[slot::STOP] >= STOPS && (first || before[slot::STOP] < STOPS) {
            add(Action::Stop, Hand::Press);
        }
        let shut = shutter(now[slot::SHUTTER]);
        if first || shut != shutter(before[slot::SHUTTER]) {
            add(Action::Blackout, flag(shut == Shutter::Closed));
            add(Action::Flash, flag(shut == Shutter::Flash));
        }
        if first || moved(slot::DIMMER) {
            add(Action::Master, part(slot::DIMMER));
        }
        if first || change(now[slot::CHANGE]) != change(before[slot::CHANGE]) {
            add(Action::Change(change(now[slot::CHANGE])), Hand::Press);
        }
        if moved(slot::PRESET_B) && now[slot::PRESET_B] > 0 {
            let number = Choice::Number(usize::from(now[slot::PRESET_B]));
            add(Action::PresetB(number), Hand::Press);
        }
        if moved(slot::PRESET) && now[slot::PRESET] > 0 {
            add(Action::Preset(Choice::Number(usize::from(now[slot::PRESET]))), Hand::Press);
        }
        if first || moved(slot::CROSSFADE) {
            add(Action::Crossfade, part(slot::CROSSFADE));
        }
        let wanted = plays(now[slot::TRANSPORT]);
        if !first && wanted != plays(before[slot::TRANSPORT]) {
            match wanted {
                Some(true) => add(Action::Play, Hand::Press),
                Some(false) => add(Action::Pause, Hand::Press),
                None => {}
            }
        }
        for number in 1..=SLOTS - slot::PARAMS {
            let at = slot::PARAMS + number - 1;
            if moved(at) {
                add(Action::Param(Choice::Number(number)), part(at));
            }
        }
        deeds
    }

    /// The desk is gone: dark. Its next frame counts as its first.
    pub fn lost(&mut self) -> Vec<Deed> {
        if self.last.take().is_none() {
            return Vec::new();
        }
        vec![
            Deed::new(Action::Blackout, Hand::Value(1.0)),
            Deed::new(Action::Flash, Hand::Value(0.0)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(deeds: &[Deed]) -> Vec<String> {
        deeds.iter().map(|deed| format!("{} {:?}", deed.action, deed.hand)).collect()
    }

    #[test]
    fn a_desk_at_zero_is_dark_and_chooses_nothing() {
        let mut fixture = Fixture::default();
        let deeds = words(&fixture.frame(&[0; 512], 1));
        assert!(deeds.contains(&"blackout Value(1.0)".to_owned()), "{deeds:?}");
        assert!(deeds.contains(&"master To(0.0)".to_owned()));
        assert!(
            !deeds.iter().any(|d| d.contains("preset") || d.contains("param") || d.contains("arm"))
        );
        assert_eq!(fixture.frame(&[0; 512], 1), [], "the same frame again says nothing");
    }

    #[test]
    fn each_slot_does_its_own_when_it_moves() {
        let mut levels = [0_u8; 16];
        let mut fixture = Fixture::default();
        fixture.frame(&levels, 1);
        for (slot, level, deed) in [
            (0, 255, "master To(1.0)"),
            (1, 100, "blackout Value(0.0)"),
            (1, 255, "flash Value(1.0)"),
            (2, 250, "stop Press"),
            (3, 7, "preset 7 Press"),
            (4, 200, "change bar Press"),
            (5, 9, "preset-b 9 Press"),
            (6, 51, "crossfade To(0.2)"),
            (7, 255, "play Press"),
            (7, 64, "pause Press"),
            (8, 255, "param 1 To(1.0)"),
            (15, 0, ""),
            (15, 102, "param 8 To(0.4)"),
        ] {
            levels[slot] = level;
            let deeds = words(&fixture.frame(&levels, 1)).join("; ");
            assert!(deeds.ends_with(deed) || deeds.contains(deed), "{slot} {level}: {deeds}");
        }
        assert_eq!(fixture.frame(&levels, 1), [], "a held stop is pressed once");
    }

    #[test]
    fn a_short_universe_and_a_late_start_are_dark() {
        let mut fixture = Fixture::default();
        let deeds = words(&fixture.frame(&[255; 20], 600));
        assert!(deeds.contains(&"blackout Value(1.0)".to_owned()));
        let mut fixture = Fixture::default();
        let deeds = words(&fixture.frame(&[255, 128], 2));
        assert!(deeds.contains(&"master To(0.5019608)".to_owned()), "{deeds:?}");
    }

    #[test]
    fn a_desk_that_is_lost_darkens_once_and_acts_anew_when_it_returns() {
        let mut fixture = Fixture::default();
        assert_eq!(fixture.lost(), []);
        fixture.frame(&[128; 16], 1);
        assert_eq!(words(&fixture.lost()), ["blackout Value(1.0)", "flash Value(0.0)"]);
        assert_eq!(fixture.lost(), []);
        let deeds = words(&fixture.frame(&[128; 16], 1));
        assert!(deeds.contains(&"blackout Value(0.0)".to_owned()), "{deeds:?}");
    }

    #[test]
    fn the_slots_that_darken_act_as_the_fixture_does() {
        let (mut fixture, mut dark) = (Fixture::default(), DarkSlots::default());
        let mut random = 11_u64;
        for round in 0..5000 {
            let levels = [0; 20].map(|_: u8| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                [0, 31, 32, 223, 224, 249, 250, 255][(random >> 61) as usize]
            });
            let start = round % 23 + 1;
            let deeds =
                if round % 97 == 0 { fixture.lost() } else { fixture.frame(&levels, start) };
            let acts: Vec<Switching> = match round % 97 {
                0 => dark.lost().into_iter().collect(),
                _ => dark.frame(&levels, start).collect(),
            };
            let darkens = |deed: &Deed| match (&deed.action, deed.hand) {
                (Action::Stop, _) => Some(Switching::Stop),
                (Action::Blackout, Hand::Value(on)) => Some(Switching::Blackout(on > 0.5)),
                _ => None,
            };
            let mut wanted: Vec<Switching> = deeds.iter().filter_map(darkens).collect();
            // From open to flash the fixture says again that it is open.
            if acts.is_empty() {
                wanted.retain(|one| *one != Switching::Blackout(false));
            } else if acts == [Switching::Stop] {
                wanted.retain(|one| *one == Switching::Stop);
            }
            assert_eq!(acts, wanted, "{round}");
        }
    }

    #[test]
    fn no_levels_whatever_arm() {
        let mut fixture = Fixture::default();
        let mut random = 7_u64;
        for _ in 0..2000 {
            let levels = [0; SLOTS].map(|_: u8| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (random >> 56) as u8
            });
            for deed in fixture.frame(&levels, 1) {
                assert!(!matches!(deed.action, Action::Arm | Action::ResetStop | Action::Disarm));
            }
        }
    }
}
