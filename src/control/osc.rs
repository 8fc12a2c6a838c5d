//! The addresses of galvo's OSC: what may be sent to it, and what it answers. `docs/guide/control.md` has the table.

use crate::analysis::BeatWish;
use crate::wire::osc::{
    Argument, Message, RawMessage, each_message, first_number, is_pattern, matches,
};

use super::action::{Action, ChangeAt, Choice, Deed, Hand};
use super::switching::Switching;

/// How every address begins.
pub const ROOT: &str = "/galvo/";

/// What a message asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// To do something.
    Deed(Deed),
    /// To be told how the show is, for a while.
    Subscribe,
    /// Not to be told any more.
    Unsubscribe,
}

/// A message that galvo has no use for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// Another address.
    #[error("there is nothing at {0}: docs/guide/control.md lists what there is")]
    Address(String),
    /// Arguments of another kind.
    #[error("{address} takes {takes}")]
    Arguments {
        /// The address.
        address: String,
        /// What it takes.
        takes: &'static str,
    },
}

/// What an address pattern may match. Not among them: what gives light or ends a stop (`arm`, `reset`), what may touch
/// files (`undo`, `redo`), and who is told. What darkens goes first.
const BY_PATTERN: &[&str] = &[
    "stop",
    "disarm",
    "blackout",
    "flash",
    "master",
    "play",
    "pause",
    "seek",
    "volume",
    "track/next",
    "preset",
    "preset/next",
    "preset/previous",
    "preset/b",
    "crossfade",
    "change/now",
    "change/beat",
    "change/bar",
    "shuffle",
    "beat/tap",
    "beat/resync",
    "beat/half",
    "beat/double",
    "beat/lock",
    "beat/follow",
    "beat/nudge",
    "beat/bpm",
];

/// Understands a message: what it asks for, of a pattern all that it matches. Of a pattern without an argument a blackout
/// is laid, never lifted.
pub fn understand_all(message: &Message) -> Result<Vec<Asked>, NotUnderstood> {
    if !is_pattern(&message.address) {
        return Ok(vec![understand(message)?]);
    }
    let matching = BY_PATTERN.iter().map(|path| format!("{ROOT}{path}"));
    let matching = matching.filter(|address| matches(&message.address, address));
    let asked: Vec<Asked> = matching
        .filter_map(|address| {
            let one = Message { address, arguments: message.arguments.clone() };
            understand(&one).ok()
        })
        .map(|asked| match asked {
            Asked::Deed(Deed { action: Action::Blackout, hand: Hand::Press }) => {
                Asked::Deed(Deed::new(Action::Blackout, Hand::Value(1.0)))
            }
            asked => asked,
        })
        .collect();
    if asked.is_empty() { Err(NotUnderstood::Address(message.address.clone())) } else { Ok(asked) }
}

/// Shows `visit` the words of a datagram that work the switches, in their order, bundles and patterns looked into: they
/// act before anything else is read. No pattern asks for light. Nothing is taken from the heap, but for a text that stands where a number belongs.
pub fn switchings(datagram: &[u8], visit: &mut dyn FnMut(Switching)) {
    let look = &mut |raw: RawMessage<'_>| {
        let by_pattern = is_pattern(raw.address);
        let is = |address: &str| {
            if by_pattern { matches(raw.address, address) } else { raw.address == address }
        };
        if is("/galvo/stop") {
            visit(Switching::Stop);
        }
        if is("/galvo/disarm") {
            visit(Switching::Disarm);
        }
        let is_pressed =
            || matches!(first_number(&raw), Ok(number) if number.is_none_or(|n| n > 0.0));
        match raw.address {
            "/galvo/arm" if is_pressed() => visit(Switching::AskLight),
            "/galvo/reset" if is_pressed() => visit(Switching::AskReset),
            _ => {}
        }
        if is("/galvo/blackout") {
            visit(match first_number(&raw) {
                Ok(Some(number)) => Switching::Blackout(number > 0.5),
                Ok(None) if !by_pattern => Switching::TurnBlackout,
                _ => Switching::Blackout(true),
            });
        }
    };
    let _no_osc_darkens_nothing = each_message(datagram, look);
}

/// Understands a message to a plain address. Keys may come bare, or with 1 when they go down and 0 when they go up.
pub fn understand(message: &Message) -> Result<Asked, NotUnderstood> {
    let address = message.address.as_str();
    let unknown = || NotUnderstood::Address(address.to_owned());
    let takes = |takes| NotUnderstood::Arguments { address: address.to_owned(), takes };
    let path = address.strip_prefix(ROOT).ok_or_else(unknown)?;
    let argument = message.arguments.first();
    let number = argument.cloned().and_then(Argument::number);
    let key = match number {
        Some(value) if value <= 0.0 => Hand::Release,
        _ => Hand::Press,
    };
    let value = |wanted| number.map(Hand::Value).ok_or_else(|| takes(wanted));
    let level = || value("a number, 0 to 1");
    let chosen = || match argument {
        Some(Argument::Text(name)) if !name.is_empty() => Ok(Choice::Name(name.clone())),
        _ => match number {
            Some(value) if value >= 1.0 => Ok(Choice::Number(value as usize)),
            _ => Err(takes("a name, or a number from 1")),
        },
    };
    // What is switched: a bare message changes it, a number sets it.
    let switched = number.map_or(Hand::Press, Hand::Value);
    let beat = |wish| (Action::Beat(wish), key);
    let (action, hand) = match path {
        "subscribe" => return Ok(Asked::Subscribe),
        "unsubscribe" => return Ok(Asked::Unsubscribe),
        "play" => (Action::Play, key),
        "pause" => (Action::Pause, key),
        "seek" => (Action::Seek, value("seconds")?),
        "volume" => (Action::Volume, level()?),
        "track/next" => (Action::NextTrack, key),
        // Any word to the red button presses it.
        "stop" => (Action::Stop, Hand::Press),
        "reset" => (Action::ResetStop, key),
        "arm" => (Action::Arm, key),
        "disarm" => (Action::Disarm, Hand::Press),
        "blackout" => (Action::Blackout, switched),
        "flash" => (Action::Flash, key),
        "master" => (Action::Master, level()?),
        "preset" => (Action::Preset(chosen()?), Hand::Press),
        "preset/next" => (Action::PresetStep(1), key),
        "preset/previous" => (Action::PresetStep(-1), key),
        "preset/b" => (Action::PresetB(chosen()?), Hand::Press),
        "crossfade" => (Action::Crossfade, level()?),
        "change/now" => (Action::Change(ChangeAt::Now), key),
        "change/beat" => (Action::Change(ChangeAt::Beat), key),
        "change/bar" => (Action::Change(ChangeAt::Bar), key),
        "shuffle" => (Action::Shuffle, switched),
        "undo" => (Action::Undo, key),
        "redo" => (Action::Redo, key),
        "beat/tap" => beat(BeatWish::Tap),
        "beat/resync" => beat(BeatWish::Resync),
        "beat/half" => beat(BeatWish::Half),
        "beat/double" => beat(BeatWish::Double),
        "beat/lock" => beat(BeatWish::Lock),
        "beat/follow" => beat(BeatWish::Follow),
        "beat/nudge" => {
            let ms = number.filter(|ms| ms.abs() <= 1000.0);
            let ms = ms.ok_or_else(|| takes("ms, -1000 to 1000"))?;
            (Action::Beat(BeatWish::NudgeMs(ms)), Hand::Press)
        }
        "beat/bpm" => (Action::Bpm, value("beats per minute")?),
        _ => {
            let named = |word| path.strip_prefix(word).filter(|name: &&str| !name.is_empty());
            if let Some(name) = named("param/") {
                let number = value("a number in the parameter's own unit")?;
                (Action::Param(Choice::Name(name.to_owned())), number)
            } else if let Some(n) = named("fader/") {
                let n: usize = n.parse().map_err(|_| unknown())?;
                let Hand::Value(part) = level()? else { return Err(unknown()) };
                let part = Hand::To(part.clamp(0.0, 1.0) as f32);
                (Action::Param(Choice::Number(n)), part)
            } else {
                return Err(unknown());
            }
        }
    };
    Ok(Asked::Deed(Deed::new(action, hand)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(address: &str, arguments: &[Argument]) -> Message {
        Message { address: address.into(), arguments: arguments.to_vec() }
    }

    fn deed(address: &str, arguments: &[Argument]) -> String {
        match understand(&message(address, arguments)) {
            Ok(Asked::Deed(deed)) => format!("{} {:?}", deed.action, deed.hand),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_address_does_its_own() {
        let (one, zero) = (Argument::Number(1.0), Argument::Number(0.0));
        for (address, argument, wanted) in [
            ("/galvo/play", None, "play Press"),
            ("/galvo/pause", Some(&zero), "pause Release"),
            ("/galvo/stop", Some(&zero), "stop Press"),
            ("/galvo/blackout", None, "blackout Press"),
            ("/galvo/blackout", Some(&Argument::Flag(true)), "blackout Value(1.0)"),
            ("/galvo/flash", Some(&one), "flash Press"),
            ("/galvo/flash", Some(&zero), "flash Release"),
            ("/galvo/master", Some(&Argument::Number(0.5)), "master Value(0.5)"),
            ("/galvo/preset", Some(&Argument::Number(3.0)), "preset 3 Press"),
            (
                "/galvo/preset",
                Some(&Argument::Text("Ember Ring".into())),
                "preset Ember Ring Press",
            ),
            ("/galvo/preset/b", Some(&one), "preset-b 1 Press"),
            ("/galvo/preset/next", Some(&one), "next preset Press"),
            ("/galvo/param/radius", Some(&Argument::Number(0.25)), "param radius Value(0.25)"),
            ("/galvo/fader/2", Some(&Argument::Number(7.0)), "param 2 To(1.0)"),
            ("/galvo/beat/tap", None, "tap Press"),
            ("/galvo/beat/nudge", Some(&Argument::Number(-5.0)), "nudge -5 Press"),
            ("/galvo/beat/bpm", Some(&Argument::Number(128.0)), "bpm Value(128.0)"),
            ("/galvo/change/bar", None, "change bar Press"),
            ("/galvo/seek", Some(&Argument::Number(12.5)), "seek Value(12.5)"),
        ] {
            assert_eq!(deed(address, argument.cloned().as_slice()), wanted, "{address}");
        }
    }

    #[test]
    fn a_pattern_does_what_it_matches_but_never_arms_resets_or_touches_files() {
        let asked = |pattern: &str, arguments: &[Argument]| {
            let asked = understand_all(&message(pattern, arguments));
            asked.map(|all| {
                let words = all.into_iter().map(|asked| match asked {
                    Asked::Deed(deed) => format!("{} {:?}", deed.action, deed.hand),
                    other => format!("{other:?}"),
                });
                words.collect::<Vec<_>>().join("; ")
            })
        };
        assert_eq!(asked("/galvo/st?p", &[]).unwrap(), "stop Press");
        assert_eq!(asked("/*/{stop,blackout}", &[]).unwrap(), "stop Press; blackout Value(1.0)");
        let zero = [Argument::Number(0.0)];
        assert_eq!(asked("/galvo/black*", &zero).unwrap(), "blackout Value(0.0)");
        assert_eq!(
            asked("/galvo/preset/[np]*", &[]).unwrap(),
            "next preset Press; previous preset Press"
        );
        assert_eq!(asked("/galvo/stop", &[]).unwrap(), "stop Press");
        for pattern in
            ["/galvo/ar?", "/galvo/{arm,reset,undo,redo}", "/galvo/*subscribe", "/nothing/*"]
        {
            let error = asked(pattern, &[]).unwrap_err().to_string();
            assert!(error.contains("there is nothing at"), "{error}");
        }
        let everything = asked("/*/*", &[]).unwrap() + &asked("/*/*/*", &[]).unwrap();
        assert!(everything.starts_with("stop Press; disarm Press; blackout Value(1.0)"));
        for never in ["arm Press", "reset Press", "undo Press", "redo Press"] {
            assert!(!everything.split("; ").any(|word| word == never), "{everything}");
        }
    }

    #[test]
    fn what_a_pattern_may_match_is_all_there() {
        for path in BY_PATTERN {
            let bare = message(&format!("{ROOT}{path}"), &[Argument::Number(1.0)]);
            assert!(understand(&bare).is_ok(), "{path}");
        }
    }

    fn found(datagram: &[u8]) -> Vec<Switching> {
        let mut found = Vec::new();
        switchings(datagram, &mut |switching| found.push(switching));
        found
    }

    #[test]
    fn the_words_that_work_the_switches_are_found_in_any_datagram() {
        let osc = |address: &str, arguments: &[Argument]| {
            crate::wire::osc::emit(&message(address, arguments))
        };
        let bundle = |elements: &[Vec<u8>]| {
            let mut bytes = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
            for element in elements {
                bytes.extend((element.len() as u32).to_be_bytes());
                bytes.extend_from_slice(element);
            }
            bytes
        };
        let (one, zero) = (Argument::Number(1.0), Argument::Number(0.0));
        assert_eq!(found(b"/galvo/stop\0"), [Switching::Stop], "without type tags");
        assert_eq!(found(&osc("/galvo/stop", std::slice::from_ref(&zero))), [Switching::Stop]);
        assert_eq!(found(&osc("/galvo/blackout", &[])), [Switching::TurnBlackout]);
        assert_eq!(found(&osc("/galvo/blackout", &[one])), [Switching::Blackout(true)]);
        assert_eq!(found(&osc("/galvo/blackout", &[zero])), [Switching::Blackout(false)]);
        assert_eq!(found(b"/galvo/blackout\0\0\0\0\x01"), [Switching::Blackout(true)]);
        assert_eq!(found(b"/galvo/blackout\0,i\0\0"), [Switching::Blackout(true)], "cut off: dark");
        let all = [Switching::Stop, Switching::Disarm, Switching::Blackout(true)];
        assert_eq!(found(&osc("/galvo/*", &[])), all);
        let nested = bundle(&[osc("/galvo/play", &[]), bundle(&[osc("/galvo/disarm", &[])])]);
        assert_eq!(
            found(&bundle(&[nested, osc("/galvo/sto?", &[])])),
            [Switching::Disarm, Switching::Stop]
        );
        assert_eq!(found(b"/galvo/arm\0\0"), [Switching::AskLight]);
        assert_eq!(found(&osc("/galvo/reset", &[Argument::Flag(true)])), [Switching::AskReset]);
        assert_eq!(found(&osc("/galvo/arm", &[Argument::Number(0.0)])), [], "the key goes up");
        assert_eq!(found(b"/galvo/arm\0\0,i\0\0"), [], "cut off");
        assert_eq!(found(&osc("/galvo/{arm,reset}", &[])), []);
        for none in [&b"/galvo/stop"[..], b"/galvo/stopp\0\0\0\0", b"", b"#bundle\0"] {
            assert_eq!(found(none), [], "{none:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told_and_does_nothing() {
        let nan = Argument::Number(f64::NAN);
        for (address, arguments, told) in [
            ("/galvo/nothing", vec![], "there is nothing at /galvo/nothing"),
            ("/other/play", vec![], "there is nothing"),
            ("/galvo/master", vec![], "takes a number"),
            ("/galvo/master", vec![nan], "takes a number"),
            ("/galvo/preset", vec![Argument::Number(0.0)], "from 1"),
            ("/galvo/beat/nudge", vec![Argument::Number(1e9)], "takes ms"),
            ("/galvo/param/", vec![Argument::Number(1.0)], "there is nothing"),
            ("/galvo/fader/x", vec![Argument::Number(1.0)], "there is nothing"),
        ] {
            let error = understand(&message(address, &arguments)).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
