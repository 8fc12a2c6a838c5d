//! What an operator types while a show runs in the terminal: one letter and Enter.

use std::io::{BufRead, IsTerminal};

use crossbeam_channel::{Receiver, unbounded};

use crate::analysis::BeatWish;
use crate::analysis::steer::BPM_RANGE;
use crate::show::Command;

/// What the operator is told of it.
pub const HELP: &str = "type a letter and Enter: a arm, d disarm, s STOP, r reset after STOP, p pause or play, n next track, q quit\n\
    the beat: t tap (3 times or more), , earlier, . later, h half, w double, b the bar begins now, l lock, \
    f follow the music again, a number sets the tempo";

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

/// What a typed line wishes for. `None`: nothing that is known.
#[must_use]
pub fn command(line: &str, playing: bool) -> Option<Command> {
    let line = line.trim_end_matches(['\r', '\n']).to_ascii_lowercase();
    // In a hurry it may be hit more than once.
    if line.trim_start().starts_with('s') {
        return Some(Command::Stop);
    }
    match line.as_str() {
        "a" => Some(Command::Arm),
        "d" => Some(Command::Disarm),
        "r" => Some(Command::ResetStop),
        "p" | " " if playing => Some(Command::Pause),
        "p" | " " => Some(Command::Play),
        "n" => Some(Command::NextTrack),
        "q" => Some(Command::Quit),
        _ => beat_wish(&line).map(Command::Beat),
    }
}

fn beat_wish(line: &str) -> Option<BeatWish> {
    Some(match line {
        "t" => BeatWish::Tap,
        "," => BeatWish::NudgeMs(-NUDGE_MS),
        "." => BeatWish::NudgeMs(NUDGE_MS),
        "h" => BeatWish::Half,
        "w" => BeatWish::Double,
        "b" => BeatWish::Resync,
        "l" => BeatWish::Lock,
        "f" => BeatWish::Follow,
        number => {
            let bpm = number.parse().ok().filter(|bpm| BPM_RANGE.contains(bpm))?;
            BeatWish::SetBpm(bpm)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_has_its_command() {
        let wishes = [
            ("a", Command::Arm),
            ("D", Command::Disarm),
            ("r\r", Command::ResetStop),
            ("p", Command::Pause),
            (" ", Command::Pause),
            ("n", Command::NextTrack),
            ("q", Command::Quit),
        ];
        for (line, wish) in wishes {
            assert_eq!(command(line, true), Some(wish), "{line:?}");
        }
        assert_eq!(command("p", false), Some(Command::Play));
    }

    #[test]
    fn the_beat_is_taken_in_hand_and_a_tempo_out_of_range_is_nothing() {
        let wishes = [
            ("t", BeatWish::Tap),
            (",", BeatWish::NudgeMs(-10.0)),
            (".", BeatWish::NudgeMs(10.0)),
            ("h", BeatWish::Half),
            ("w", BeatWish::Double),
            ("b", BeatWish::Resync),
            ("l", BeatWish::Lock),
            ("f", BeatWish::Follow),
            ("127.5", BeatWish::SetBpm(127.5)),
        ];
        for (line, wish) in wishes {
            assert_eq!(command(line, true), Some(Command::Beat(wish)), "{line:?}");
        }
        for line in ["5", "1000", "nan", "inf", "-120", "1e9"] {
            assert_eq!(command(line, true), None, "{line:?}");
        }
    }

    #[test]
    fn stop_is_understood_in_a_hurry_and_arm_only_exactly() {
        for line in ["s", "S", "sss", " s", "stop!", "sa"] {
            assert_eq!(command(line, true), Some(Command::Stop), "{line:?}");
        }
        for line in ["", "aa", "arm", "a ", "x", "да"] {
            assert_eq!(command(line, true), None, "{line:?}");
        }
    }
}
