//! What a hand from outside means to a show: deeds to commands, and back to what a lamp or fader shows. Pure.

use super::command::Command;
use super::deck::{Begin, Change, Transition};
use super::snapshot::{ParamView, Snapshot};
use crate::analysis::{BeatSource, BeatWish};
use crate::control::action::ChangeAt;
use crate::control::map::LampState;
use crate::control::{Action, Choice, Deed, Hand};
use crate::time::MediaTime;

/// The tempos of a fader's ends, beats per minute.
const FADER_BPM: [f32; 2] = [60.0, 180.0];
/// The part of a beat for which a lamp shows it.
const BEAT_LIT: f32 = 0.15;

/// The command that a deed is, in a show that looks as `seen`; none for one that says nothing, or names what is not there.
#[must_use]
pub fn command(deed: &Deed, seen: &Snapshot) -> Option<Command> {
    let hand = deed.hand;
    let down = match hand {
        Hand::Press => true,
        Hand::Value(value) => value > 0.5,
        _ => false,
    };
    // Held: on as long as the key is down. Switched: the other with each press, or as the value says.
    let held = match hand {
        Hand::Press | Hand::Release | Hand::Value(_) => Some(down),
        _ => None,
    };
    let switched = |now: bool| match hand {
        Hand::Press => Some(!now),
        Hand::Value(value) => Some(value > 0.5),
        _ => None,
    };
    let pressed = |command: Command| down.then_some(command);
    match &deed.action {
        Action::Play => pressed(Command::Play),
        Action::Pause => pressed(Command::Pause),
        Action::PlayPause => {
            pressed(if seen.transport.playing { Command::Pause } else { Command::Play })
        }
        Action::Stop => pressed(Command::Stop),
        Action::ResetStop => pressed(Command::ResetStop),
        Action::Arm => pressed(Command::Arm),
        Action::Disarm => pressed(Command::Disarm),
        Action::Blackout => switched(seen.live.blackout).map(Command::SetBlackout),
        Action::BlackoutHeld => held.map(Command::SetBlackout),
        Action::Flash => held.map(Command::SetFlash),
        Action::Preset(choice) => pressed(Command::SelectPreset(named(choice, seen)?)),
        Action::PresetStep(step) => {
            let at = seen.presets.iter().position(|entry| entry.name == seen.preset.name);
            let to = at.map_or(Some(0), |at| at.checked_add_signed(isize::from(*step)))?;
            pressed(Command::SelectPreset(seen.presets.get(to)?.name.clone()))
        }
        Action::PresetB(choice) => pressed(Command::SetPresetB(Some(named(choice, seen)?))),
        Action::Change(at) => {
            pressed(Command::SetTransition(Transition { begin: begin(*at), ..seen.transition }))
        }
        Action::Shuffle => switched(seen.shuffle).map(Command::SetShuffle),
        Action::NextTrack => pressed(Command::NextTrack),
        Action::Undo => pressed(Command::Undo),
        Action::Redo => pressed(Command::Redo),
        Action::Beat(wish) => pressed(Command::Beat(*wish)),
        Action::Bpm
        | Action::Master
        | Action::Volume
        | Action::Crossfade
        | Action::Param(_)
        | Action::Seek => level_command(&deed.action, hand, seen),
    }
}

fn level_command(action: &Action, hand: Hand, seen: &Snapshot) -> Option<Command> {
    let part = |hand| match hand {
        Hand::To(part) => Some(part),
        Hand::By(part) => Some(level(action, seen)? + part),
        _ => None,
    };
    // In the unit of what is set; a part of the way is a part of its range.
    let value = |low: f32, high: f32| match hand {
        Hand::Value(value) => Some(value),
        hand => part(hand).map(|part| f64::from(low + (high - low) * part.clamp(0.0, 1.0))),
    };
    match action {
        Action::Master => Some(Command::SetMaster(value(0.0, 1.0)? as f32)),
        Action::Volume => Some(Command::SetVolume(value(0.0, 1.0)? as f32)),
        Action::Crossfade => Some(Command::SetCrossfade(value(0.0, 1.0)? as f32)),
        Action::Bpm => {
            let [low, high] = FADER_BPM;
            Some(Command::Beat(BeatWish::SetBpm(value(low, high)?)))
        }
        Action::Param(choice) => {
            let param = param(choice, seen)?;
            let value = value(param.min, param.max)? as f32;
            Some(Command::SetParam { name: param.name.clone(), value })
        }
        Action::Seek => {
            let end = seen.transport.duration?.as_secs_f64();
            let to = value(0.0, end as f32)?.clamp(0.0, end);
            (!seen.transport.live).then(|| Command::Seek(MediaTime::from_secs_f64(to)))
        }
        _ => None,
    }
}

const fn begin(at: ChangeAt) -> Begin {
    match at {
        ChangeAt::Now => Begin::Now,
        ChangeAt::Beat => Begin::Beat,
        ChangeAt::Bar => Begin::Bar,
    }
}

/// The name of a preset that is there, or that is named.
fn named(choice: &Choice, seen: &Snapshot) -> Option<String> {
    match choice {
        Choice::Number(number) => Some(seen.presets.get(number.checked_sub(1)?)?.name.clone()),
        Choice::Name(name) => Some(name.clone()),
    }
}

fn param<'a>(choice: &Choice, seen: &'a Snapshot) -> Option<&'a ParamView> {
    match choice {
        Choice::Number(number) => seen.preset.params.get(number.checked_sub(1)?),
        Choice::Name(name) => seen.preset.params.iter().find(|param| param.name == *name),
    }
}

/// Where what a fader sets is now, 0..=1 of its way; none for keys and for what is not there.
#[must_use]
pub fn level(action: &Action, seen: &Snapshot) -> Option<f32> {
    let part = |value: f32, low: f32, high: f32| {
        let span = high - low;
        (span > 0.0).then(|| ((value - low) / span).clamp(0.0, 1.0))
    };
    match action {
        Action::Master => Some(seen.safety.master),
        Action::Volume => Some(seen.transport.volume),
        Action::Crossfade => Some(seen.live.crossfade),
        Action::Bpm => part(seen.features.beat.bpm, FADER_BPM[0], FADER_BPM[1]),
        Action::Param(choice) => {
            let param = param(choice, seen)?;
            part(param.value, param.min, param.max)
        }
        Action::Seek => {
            let end = seen.transport.duration?.as_secs_f64() as f32;
            part(seen.transport.position.as_secs_f64() as f32, 0.0, end)
        }
        _ => None,
    }
}

/// What the lamp of an action shows.
#[must_use]
pub fn lamp(action: &Action, seen: &Snapshot) -> LampState {
    let on = |on: bool| if on { LampState::On } else { LampState::There };
    match action {
        Action::Preset(choice) | Action::PresetB(choice) => {
            let Some(name) = named(choice, seen) else { return LampState::Off };
            if !seen.presets.iter().any(|entry| entry.name == name) {
                return LampState::Off;
            }
            if matches!(action, Action::PresetB(_)) {
                return on(seen.live.preset_b.as_ref() == Some(&name));
            }
            match (seen.preset.name == name, seen.change == Change::Cued) {
                (true, true) => LampState::Waiting,
                (now, _) => on(now),
            }
        }
        Action::Blackout | Action::BlackoutHeld => on(seen.live.blackout),
        Action::Flash => on(seen.live.flash),
        Action::Arm => on(seen.safety.armed),
        Action::Disarm => on(!seen.safety.armed),
        Action::Stop | Action::ResetStop => on(seen.safety.stopped),
        Action::Play | Action::PlayPause => on(seen.transport.playing),
        Action::Pause => on(!seen.transport.playing),
        Action::Shuffle => on(seen.shuffle),
        Action::Change(at) => on(seen.transition.begin == begin(*at)),
        Action::Beat(BeatWish::Tap) => {
            let beat = &seen.features.beat;
            on(beat.bpm > 0.0 && beat.phase < BEAT_LIT && seen.transport.playing)
        }
        Action::Beat(BeatWish::Lock) => on(seen.beat_source == BeatSource::Held),
        Action::Beat(BeatWish::Follow) => on(seen.beat_source != BeatSource::Held),
        _ => LampState::There,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::show::snapshot::{PresetEntry, PresetView};

    fn seen() -> Snapshot {
        let entry = |name: &str| PresetEntry { name: name.into(), ..PresetEntry::default() };
        let radius = ParamView {
            name: "radius".into(),
            min: 0.2,
            max: 1.0,
            value: 0.6,
            ..ParamView::default()
        };
        let mut seen =
            Snapshot { presets: [entry("One"), entry("Two")].into(), ..Snapshot::default() };
        seen.preset = Arc::new(PresetView {
            name: "Two".into(),
            params: vec![radius],
            ..PresetView::default()
        });
        seen.safety.master = 0.2;
        seen.transport.duration = Some(MediaTime::from_secs_f64(200.0));
        seen
    }

    fn told(text: &str, hand: Hand) -> Option<Command> {
        command(&Deed::new(text.parse().unwrap(), hand), &seen())
    }

    #[test]
    fn keys_act_when_they_go_down_and_what_is_held_ends_when_they_come_up() {
        assert_eq!(told("stop", Hand::Press), Some(Command::Stop));
        assert_eq!(told("stop", Hand::Release), None);
        assert_eq!(told("flash", Hand::Press), Some(Command::SetFlash(true)));
        assert_eq!(told("flash", Hand::Release), Some(Command::SetFlash(false)));
        assert_eq!(told("blackout held", Hand::Release), Some(Command::SetBlackout(false)));
        assert_eq!(told("blackout", Hand::Press), Some(Command::SetBlackout(true)));
        assert_eq!(told("blackout", Hand::Release), None);
        assert_eq!(told("blackout", Hand::Value(0.0)), Some(Command::SetBlackout(false)));
        assert_eq!(told("play/pause", Hand::Press), Some(Command::Play));
        assert_eq!(told("tap", Hand::Press), Some(Command::Beat(BeatWish::Tap)));
    }

    #[test]
    fn presets_are_chosen_by_place_by_name_and_by_step() {
        let select = |name: &str| Some(Command::SelectPreset(name.into()));
        assert_eq!(told("preset 1", Hand::Press), select("One"));
        assert_eq!(told("preset 3", Hand::Press), None);
        assert_eq!(told("preset Somewhere", Hand::Press), select("Somewhere"));
        assert_eq!(told("previous preset", Hand::Press), select("One"));
        assert_eq!(told("next preset", Hand::Press), None, "the list has an end");
        assert_eq!(told("preset-b 1", Hand::Press), Some(Command::SetPresetB(Some("One".into()))));
    }

    #[test]
    fn levels_go_to_a_part_of_their_range_by_a_part_of_it_or_to_a_value() {
        let param = |value: f32| Some(Command::SetParam { name: "radius".into(), value });
        assert_eq!(told("param 1", Hand::To(0.5)), param(0.6));
        let Some(Command::SetParam { value, .. }) = told("param radius", Hand::By(0.25)) else {
            panic!("a parameter")
        };
        assert!((value - 0.8).abs() < 1e-5, "{value}");
        assert_eq!(told("param radius", Hand::Value(0.3)), param(0.3));
        assert_eq!(told("param 2", Hand::To(0.5)), None);
        assert_eq!(told("param 1", Hand::By(9.0)), param(1.0));
        assert_eq!(told("master", Hand::By(-0.5)), Some(Command::SetMaster(0.0)));
        assert_eq!(told("bpm", Hand::To(0.5)), Some(Command::Beat(BeatWish::SetBpm(120.0))));
        assert_eq!(
            told("seek", Hand::To(0.5)),
            Some(Command::Seek(MediaTime::from_secs_f64(100.0)))
        );
        assert_eq!(
            told("seek", Hand::Value(1e9)),
            Some(Command::Seek(MediaTime::from_secs_f64(200.0)))
        );
        assert_eq!(told("master", Hand::Press), None);
    }

    #[test]
    fn lamps_show_what_there_is_what_is_on_and_what_waits() {
        let mut seen = seen();
        let lamp = |text: &str, seen: &Snapshot| lamp(&text.parse().unwrap(), seen);
        assert_eq!(lamp("preset 1", &seen), LampState::There);
        assert_eq!(lamp("preset 2", &seen), LampState::On);
        assert_eq!(lamp("preset 3", &seen), LampState::Off);
        seen.change = Change::Cued;
        assert_eq!(lamp("preset 2", &seen), LampState::Waiting);
        assert_eq!(lamp("blackout", &seen), LampState::There);
        seen.live.blackout = true;
        assert_eq!(lamp("blackout", &seen), LampState::On);
        assert_eq!(lamp("change now", &seen), LampState::On);
    }
}
