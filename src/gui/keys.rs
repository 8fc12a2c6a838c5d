//! The keys of the desk. None arms, none quits.

use egui::{Context, Event, Key, Modifiers, ViewportCommand};

use crate::analysis::{BeatSource, BeatWish};
use crate::show::{Command, Snapshot};
use crate::time::MediaTime;

/// How far an arrow seeks, s.
pub(super) const SEEK_STEP_SECONDS: f64 = 5.0;

/// How far a nudge moves the beat, ms.
pub(super) const NUDGE_MS: f64 = 10.0;

/// What the key sheet says, in its order.
pub(super) const SHEET: &[(&str, &str)] = &[
    ("Esc", "STOP: dark, latched until reset"),
    ("Space", "Play or pause"),
    ("F", "Flash: full white while held"),
    ("B", "Blackout, still armed; and back"),
    ("T", "Tap the beat: three set the tempo"),
    ("R", "Resync: a bar begins now"),
    (", / .", "The beat 10 ms earlier or later"),
    ("[ / ]", "Half or twice as many beats"),
    ("K", "Keep the tempo, or follow again"),
    ("I / O", "The loop starts or ends at this beat"),
    ("L", "Loop on and off"),
    ("N", "Next track of the queue"),
    ("Alt-Up / Down", "Move a track of the queue"),
    ("Left / Right", "Seek 5 s back or forward"),
    ("Up / Down", "Previous or next preset"),
    ("1 to 9", "Take the preset of that number"),
    ("Page Up / Down", "Numbers for other nine presets"),
    ("Ctrl-O", "Open music"),
    ("Ctrl-S", "Save the preset"),
    ("Ctrl-Shift-S", "Save the preset under a new name"),
    ("Ctrl-Z", "Undo a change of the preset; in Set-up, of that"),
    ("Ctrl-Shift-Z", "Redo it"),
    ("Ctrl-Shift-R", "Record the light; and end it"),
    ("F11", "Full screen, and back"),
    ("?", "This list"),
];

/// A key that concerns the window rather than the show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowKey {
    /// Open music.
    Open,
    /// Ask for the name of a new preset.
    SaveAs,
    /// Show or hide the key sheet.
    KeySheet,
    /// Over the whole screen, or back.
    FullScreen,
    /// So many presets on, as they are shown.
    Neighbour(isize),
}

/// Turns the keys of this frame into wishes. Esc counts always; Space and the letters wait while a text
/// is being typed; arrows also while any control has the focus, because they move that control.
pub(super) fn read(ctx: &Context, seen: &Snapshot, wishes: &mut Vec<Command>) -> Option<WindowKey> {
    if ctx.input(|input| input.key_pressed(Key::Escape)) {
        wishes.push(Command::Stop);
    }
    if ctx.text_edit_focused() {
        return None;
    }
    let pressed = |modifiers, key| ctx.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::NONE, Key::F11) {
        return Some(WindowKey::FullScreen);
    }
    let control_shift = Modifiers::COMMAND | Modifiers::SHIFT;
    // Taken from the focused control too: Space plays, whichever button was pressed last.
    if pressed(Modifiers::NONE, Key::Space) {
        wishes.push(if seen.transport.playing { Command::Pause } else { Command::Play });
    }
    live_keys(ctx, seen, wishes);
    if pressed(control_shift, Key::Z) || pressed(Modifiers::COMMAND, Key::Y) {
        wishes.extend(seen.preset.can_redo.then_some(Command::Redo));
    }
    if pressed(Modifiers::COMMAND, Key::Z) {
        wishes.extend(seen.preset.can_undo.then_some(Command::Undo));
    }
    if pressed(control_shift, Key::S) {
        return Some(WindowKey::SaveAs);
    }
    if pressed(Modifiers::COMMAND, Key::S) {
        wishes.push(Command::SavePreset);
    }
    if pressed(Modifiers::COMMAND, Key::O) {
        return Some(WindowKey::Open);
    }
    if ctx.memory(|memory| memory.focused().is_none()) {
        for (key, step) in
            [(Key::ArrowLeft, -SEEK_STEP_SECONDS), (Key::ArrowRight, SEEK_STEP_SECONDS)]
        {
            if pressed(Modifiers::NONE, key) {
                wishes.extend(seek_by(seen, step));
            }
        }
        for (key, step) in [(Key::ArrowUp, -1), (Key::ArrowDown, 1)] {
            if pressed(Modifiers::NONE, key) {
                return Some(WindowKey::Neighbour(step));
            }
        }
    }
    (pressed(Modifiers::NONE, Key::Questionmark)
        || pressed(Modifiers::SHIFT, Key::Questionmark)
        || pressed(Modifiers::NONE, Key::F1))
    .then_some(WindowKey::KeySheet)
}

/// The keys of a hand that plays. A key that repeats while it is held is pressed once.
fn live_keys(ctx: &Context, seen: &Snapshot, wishes: &mut Vec<Command>) {
    let struck = |event: &Event| match event {
        Event::Key { key, pressed: true, repeat: false, modifiers, .. } if modifiers.is_none() => {
            Some((*key, true))
        }
        // Whatever else is held when it comes up.
        Event::Key { key: Key::F, pressed: false, .. } => Some((Key::F, false)),
        _ => None,
    };
    let keys: Vec<_> = ctx.input(|input| input.events.iter().filter_map(struck).collect());
    for (key, down) in keys {
        wishes.extend(match key {
            Key::F => Some(Command::SetFlash(down)),
            Key::B => Some(Command::SetBlackout(!seen.live.blackout)),
            Key::T => Some(Command::Beat(BeatWish::Tap)),
            Key::R => Some(Command::Beat(BeatWish::Resync)),
            Key::Comma => Some(Command::Beat(BeatWish::NudgeMs(-NUDGE_MS))),
            Key::Period => Some(Command::Beat(BeatWish::NudgeMs(NUDGE_MS))),
            Key::OpenBracket => Some(Command::Beat(BeatWish::Half)),
            Key::CloseBracket => Some(Command::Beat(BeatWish::Double)),
            Key::K if seen.beat_source == BeatSource::Held => Some(Command::Beat(BeatWish::Follow)),
            Key::K => Some(Command::Beat(BeatWish::Lock)),
            _ => None,
        });
    }
}

/// The window at hand over the whole screen, and back.
pub(super) fn full_screen(ctx: &Context) {
    let is_full = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
    ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!is_full));
}

/// A seek by `seconds`, kept within the music; none for live input.
fn seek_by(seen: &Snapshot, seconds: f64) -> Option<Command> {
    let transport = &seen.transport;
    let to = transport.position.plus_secs_f64(seconds).max(MediaTime::ZERO);
    let to = transport.duration.map_or(to, |end| to.min(end));
    (!transport.live).then_some(Command::Seek(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::snapshot::Transport;

    fn at_seconds(seconds: f64) -> Snapshot {
        let transport = Transport {
            position: MediaTime::from_secs_f64(seconds),
            duration: Some(MediaTime::from_secs_f64(60.0)),
            ..Transport::default()
        };
        Snapshot { transport, ..Snapshot::default() }
    }

    #[test]
    fn seeking_by_keys_stays_within_the_music() {
        let seek = |from, by| seek_by(&at_seconds(from), by);
        assert_eq!(seek(2.0, -5.0), Some(Command::Seek(MediaTime::ZERO)));
        assert_eq!(seek(58.0, 5.0), Some(Command::Seek(MediaTime::from_secs_f64(60.0))));
        let mut live = at_seconds(2.0);
        live.transport.live = true;
        assert_eq!(seek_by(&live, 5.0), None);
    }
}
