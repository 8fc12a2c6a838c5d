//! What an operator types while a show runs in the terminal: one letter and Enter.

use std::io::{BufRead, IsTerminal};

use crossbeam_channel::{Receiver, unbounded};

use crate::analysis::steer::BPM_RANGE;
use crate::analysis::{BeatSource, BeatWish};
use crate::show::{Command, Snapshot};

/// What the operator is told of it.
pub const HELP: &str = "type a letter and Enter: a arm, d disarm, s STOP, r reset after STOP, b blackout and back, f flash, p pause or play, \
    n next track, q quit, ? these keys\n\
    the beat: t tap (3 times or more), , earlier, . later, h half, w double, 1 the bar begins now, k keep the tempo and follow the music again, \
    another number sets the tempo";

/// How far `,` and `.` move the beat, ms.
const NUDGE_MS: f64 = 10.0;

/// The lines typed from now on; `None` where stdin is no terminal, so that nobody's pipe arms a laser.
#[must_use]
pub fn typed_lines() -> Option<Receiver<String>> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let (typed, lines) = unbounded();
    let read = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if typed.send(line).is_err() {
                return;
            }
        }
    };
    // The thread waits for the terminal until the program ends. Without it the show goes on, without keys.
    std::thread::Builder::new().name("keys".into()).spawn(read).ok().map(|_| lines)
}

/// What a typed line wishes for, in the show that is `seen`. `None`: nothing that is known.
///
/// A terminal does not say when a key comes up, so a flash begins here and whoever follows the show ends it.
#[must_use]
pub fn command(line: &str, seen: &Snapshot) -> Option<Command> {
    let line = line.trim_end_matches(['\r', '\n']).to_ascii_lowercase();
    // In a hurry it may be hit more than once.
    if line.trim_start().starts_with('s') {
        return Some(Command::Stop);
    }
    match line.as_str() {
        "a" => Some(Command::Arm),
        "d" => Some(Command::Disarm),
        "r" => Some(Command::ResetStop),
        "b" => Some(Command::SetBlackout(!seen.live.blackout)),
        "f" => Some(Command::SetFlash(true)),
        "p" | " " if seen.transport.playing => Some(Command::Pause),
        "p" | " " => Some(Command::Play),
        "n" => Some(Command::NextTrack),
        "q" => Some(Command::Quit),
        _ => beat_wish(&line, seen.beat_source).map(Command::Beat),
    }
}

fn beat_wish(line: &str, source: BeatSource) -> Option<BeatWish> {
    Some(match line {
        "t" => BeatWish::Tap,
        "," => BeatWish::NudgeMs(-NUDGE_MS),
        "." => BeatWish::NudgeMs(NUDGE_MS),
        "h" => BeatWish::Half,
        "w" => BeatWish::Double,
        "1" => BeatWish::Resync,
        "k" if source == BeatSource::Held => BeatWish::Follow,
        "k" => BeatWish::Lock,
        number => {
            let bpm = number.parse().ok().filter(|bpm| BPM_RANGE.contains(bpm))?;
            BeatWish::SetBpm(bpm)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::snapshot::{LiveView, Transport};

    fn told(line: &str) -> Option<Command> {
        let transport = Transport { playing: true, ..Transport::default() };
        command(line, &Snapshot { transport, ..Snapshot::default() })
    }

    #[test]
    fn each_letter_has_its_command() {
        let wishes = [
            ("a", Command::Arm),
            ("D", Command::Disarm),
            ("r\r", Command::ResetStop),
            ("b", Command::SetBlackout(true)),
            ("F", Command::SetFlash(true)),
            ("p", Command::Pause),
            (" ", Command::Pause),
            ("n", Command::NextTrack),
            ("q", Command::Quit),
        ];
        for (line, wish) in wishes {
            assert_eq!(told(line), Some(wish), "{line:?}");
        }
        assert_eq!(command("p", &Snapshot::default()), Some(Command::Play));
        let live = LiveView { blackout: true, ..LiveView::default() };
        let dark = Snapshot { live, ..Snapshot::default() };
        assert_eq!(command("b", &dark), Some(Command::SetBlackout(false)), "and back");
    }

    #[test]
    fn the_beat_is_taken_in_hand_and_a_tempo_out_of_range_is_nothing() {
        let wishes = [
            ("t", BeatWish::Tap),
            (",", BeatWish::NudgeMs(-10.0)),
            (".", BeatWish::NudgeMs(10.0)),
            ("h", BeatWish::Half),
            ("w", BeatWish::Double),
            ("1", BeatWish::Resync),
            ("k", BeatWish::Lock),
            ("127.5", BeatWish::SetBpm(127.5)),
        ];
        for (line, wish) in wishes {
            assert_eq!(told(line), Some(Command::Beat(wish)), "{line:?}");
        }
        let held = Snapshot { beat_source: BeatSource::Held, ..Snapshot::default() };
        assert_eq!(command("k", &held), Some(Command::Beat(BeatWish::Follow)));
        for line in ["5", "1000", "nan", "inf", "-120", "1e9"] {
            assert_eq!(told(line), None, "{line:?}");
        }
    }

    #[test]
    fn stop_is_understood_in_a_hurry_and_arm_only_exactly() {
        for line in ["s", "S", "sss", " s", "stop!", "sa"] {
            assert_eq!(told(line), Some(Command::Stop), "{line:?}");
        }
        for line in ["", "?", "aa", "arm", "a ", "x", "да"] {
            assert_eq!(told(line), None, "{line:?}");
        }
    }
}
