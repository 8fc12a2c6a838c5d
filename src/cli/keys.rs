//! What an operator types while a show runs in the terminal: one letter and Enter.

use std::io::{BufRead, IsTerminal};

use crossbeam_channel::{Receiver, unbounded};

use crate::show::Command;

/// What the operator is told of it.
pub const HELP: &str = "type a letter and Enter: a arm, d disarm, s STOP, r reset after STOP, p pause or play, n next track, q quit";

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
        _ => None,
    }
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
    fn stop_is_understood_in_a_hurry_and_arm_only_exactly() {
        for line in ["s", "S", "sss", " s", "stop!", "sa"] {
            assert_eq!(command(line, true), Some(Command::Stop), "{line:?}");
        }
        for line in ["", "aa", "arm", "a ", "x", "да"] {
            assert_eq!(command(line, true), None, "{line:?}");
        }
    }
}
