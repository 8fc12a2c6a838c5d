//! Calibration by eye and ear: a click that flashes, and which of the two came first.
//!
//! A staircase, as hearing tests use it: each answer moves the light by a step towards being one with the sound, and
//! the step is halved whenever the answer turns around.

use std::path::PathBuf;

use egui::{Button, RichText, Ui, Vec2};

use crate::gui::own_tracks;
use crate::gui::theme;
use crate::show::{Command, Snapshot};
use crate::time::MediaTime;

/// The preset that flashes.
const PRESET: &str = "Test: Sync";
/// The first step, ms: what a sound system may be wrong by.
const FIRST_STEP_MS: f64 = 32.0;
/// A step below this is finer than ears and eyes are, ms.
const LAST_STEP_MS: f64 = 1.0;
/// How far the light can be moved, ms.
const MOST_MS: f64 = 500.0;

/// What was seen and heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    FlashFirst,
    ClickFirst,
    Together,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// What is about to happen is told.
    Told,
    /// The click plays, and is judged.
    Judged { step_ms: f64, last: Option<Answer> },
    /// The light is where it should be.
    Done,
}

/// What it was like before, to put back.
#[derive(Clone, Debug, PartialEq)]
struct Before {
    offset_ms: f64,
    preset: String,
    path: Option<PathBuf>,
    position: MediaTime,
    loop_region: Option<(MediaTime, MediaTime)>,
}

/// A calibration under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Calibration {
    stage: Stage,
    before: Before,
    /// Why the click could not be written, if so.
    trouble: Option<String>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ended {
    /// The light stays moved by so many ms, now and in later shows with this sound device.
    Keep(f64),
    /// All is as it was.
    Left,
}

impl Calibration {
    /// About to begin, in a show like this.
    pub(super) fn new(seen: &Snapshot) -> Self {
        let transport = &seen.transport;
        let before = Before {
            offset_ms: seen.sync.user_offset_ms,
            preset: seen.preset.stored_name.clone(),
            path: transport.path.clone(),
            position: transport.position,
            loop_region: transport.loop_region,
        };
        Self { stage: Stage::Told, before, trouble: None }
    }

    /// Plays the click.
    fn start(&mut self, wishes: &mut Vec<Command>) {
        match own_tracks::click() {
            Ok(file) => {
                self.trouble = None;
                self.stage = Stage::Judged { step_ms: FIRST_STEP_MS, last: None };
                wishes.push(Command::Open(file));
                // Round and round, for as long as it takes.
                let whole = (MediaTime::ZERO, MediaTime::from_secs_f64(own_tracks::CLICK_SECONDS));
                wishes.push(Command::SetLoop(Some(whole)));
                wishes.push(Command::SelectPreset(PRESET.to_owned()));
                wishes.push(Command::Play);
            }
            Err(error) => {
                let text = format!("the click cannot be written to your cache: {error}; make room");
                self.trouble = Some(text);
            }
        }
    }

    /// Where the light goes after an answer, ms; `None` if it stays.
    fn judge(&mut self, answer: Answer, offset_ms: f64) -> Option<f64> {
        let Stage::Judged { mut step_ms, last } = self.stage else { return None };
        let way = match answer {
            Answer::FlashFirst => 1.0,
            Answer::ClickFirst => -1.0,
            Answer::Together => {
                self.stage = Stage::Done;
                return None;
            }
        };
        if last.is_some_and(|last| last != answer) {
            step_ms /= 2.0;
        }
        self.stage = if step_ms < LAST_STEP_MS {
            Stage::Done
        } else {
            Stage::Judged { step_ms, last: Some(answer) }
        };
        let moved = (offset_ms + way * step_ms).clamp(-MOST_MS, MOST_MS);
        (step_ms >= LAST_STEP_MS).then_some(moved)
    }

    /// The music and the preset as they were; the music waits at its place.
    fn put_back(&self, wishes: &mut Vec<Command>) {
        if self.stage == Stage::Told {
            return;
        }
        wishes.push(Command::SelectPreset(self.before.preset.clone()));
        wishes.push(Command::Pause);
        if let Some(path) = &self.before.path {
            wishes.push(Command::Open(path.clone()));
            wishes.push(Command::Pause);
            wishes.push(Command::Seek(self.before.position));
            wishes.push(Command::SetLoop(self.before.loop_region));
        }
    }

    /// Shows the stage at hand; returns how it ended, if it did.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        seen: &Snapshot,
        wishes: &mut Vec<Command>,
    ) -> Option<Ended> {
        let says = |ui: &mut Ui, text: &str| {
            ui.label(RichText::new(text).size(theme::SMALL).color(theme::TEXT_QUIET));
        };
        if let Some(trouble) = &self.trouble {
            ui.label(RichText::new(trouble).size(theme::SMALL).color(theme::RED_TEXT));
        }
        let offset_ms = seen.sync.user_offset_ms;
        let mut ended = None;
        match self.stage {
            Stage::Told => {
                // The buttons come first: the pane may be small.
                ui.horizontal_wrapped(|ui| {
                    if big(ui, "Start the click", "Plays the click, and takes its preset") {
                        self.start(wishes);
                    }
                    if big(ui, "Leave", "Nothing was changed") {
                        ended = Some(Ended::Left);
                    }
                });
                if !seen.safety.armed {
                    let text = "Disarmed: arm the show to see the flash on the wall.";
                    ui.label(RichText::new(text).size(theme::SMALL).color(theme::AMBER));
                }
                says(
                    ui,
                    "A click is played twice a second, and a ring flashes with it. Say which you notice first. Watch the \
                     wall from where the audience is, not this window: a screen is late by itself. The click takes the \
                     place of the music and of its queue.",
                );
            }
            Stage::Judged { step_ms, .. } => {
                ui.horizontal_wrapped(|ui| {
                    let help = format!("The light goes {step_ms:.0} ms later");
                    let flash = big(ui, "Flash first", &help);
                    let together = big(ui, "Together", "They are one: done");
                    let help = format!("The light goes {step_ms:.0} ms earlier");
                    let click = big(ui, "Click first", &help);
                    let answers = [
                        (flash, Answer::FlashFirst),
                        (together, Answer::Together),
                        (click, Answer::ClickFirst),
                    ];
                    for (_, answer) in answers.into_iter().filter(|(given, _)| *given) {
                        wishes.extend(self.judge(answer, offset_ms).map(Command::SetOffsetMs));
                    }
                    if big(ui, "Leave", "All is put back as it was") {
                        ended = Some(Ended::Left);
                    }
                });
                let text = format!(
                    "Which comes first, again and again? Not sure is an answer too: Together. The light is moved by \
                     {offset_ms:+.1} ms; the next step is {step_ms:.0} ms.",
                );
                says(ui, &text);
            }
            Stage::Done => {
                let text = format!("Done: the light is moved by {offset_ms:+.1} ms.");
                ui.label(RichText::new(text).color(theme::TEXT));
                ui.horizontal_wrapped(|ui| {
                    let help = "Keeps it, in later shows with this sound device too; music and preset come back";
                    if big(ui, "Keep", help) {
                        ended = Some(Ended::Keep(offset_ms));
                    }
                    if big(ui, "Once more", "Judges again, from here in smaller steps") {
                        let step_ms = FIRST_STEP_MS / 4.0;
                        self.stage = Stage::Judged { step_ms, last: None };
                    }
                    if big(ui, "Put back", "All is put back as it was") {
                        ended = Some(Ended::Left);
                    }
                });
            }
        }
        if let Some(ended) = ended {
            if ended == Ended::Left && offset_ms != self.before.offset_ms {
                wishes.push(Command::SetOffsetMs(self.before.offset_ms));
            }
            self.put_back(wishes);
        }
        ended
    }
}

fn big(ui: &mut Ui, word: &str, help: &str) -> bool {
    ui.add(Button::new(word).min_size(Vec2::new(74.0, 28.0))).on_hover_text(help).clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody whose sound comes `truth` ms late, and who does not notice less than `blind` ms.
    fn calibrated(truth: f64, blind: f64) -> (f64, u32) {
        let mut calibration = Calibration::new(&Snapshot::default());
        calibration.stage = Stage::Judged { step_ms: FIRST_STEP_MS, last: None };
        let (mut offset, mut answers) = (0.0, 0);
        while calibration.stage != Stage::Done {
            let answer = match offset - truth {
                apart if apart < -blind => Answer::FlashFirst,
                apart if apart > blind => Answer::ClickFirst,
                _ => Answer::Together,
            };
            offset = calibration.judge(answer, offset).unwrap_or(offset);
            answers += 1;
            assert!(answers < 40, "it ends");
        }
        (offset, answers)
    }

    #[test]
    fn a_few_answers_find_the_shift_to_what_an_eye_can_tell() {
        for truth in [0.0, 12.0, -7.0, 83.0, -140.0, 250.0] {
            let (offset, answers) = calibrated(truth, 5.0);
            assert!((offset - truth).abs() <= 5.0, "{truth}: {offset}");
            assert!(answers <= 14, "{truth}: {answers} answers");
            let (offset, _) = calibrated(truth + 0.3, 0.0);
            assert!((offset - truth - 0.3).abs() <= 2.0, "{truth} with sharp eyes: {offset}");
        }
    }

    #[test]
    fn the_light_is_never_moved_further_than_it_can_be() {
        let mut calibration = Calibration::new(&Snapshot::default());
        calibration.stage = Stage::Judged { step_ms: FIRST_STEP_MS, last: None };
        let mut offset = 0.0;
        for _ in 0..40 {
            offset = calibration.judge(Answer::FlashFirst, offset).unwrap_or(offset);
        }
        assert_eq!(offset, MOST_MS);
    }

    #[test]
    fn leaving_before_the_click_touches_no_music() {
        let mut wishes = Vec::new();
        Calibration::new(&Snapshot::default()).put_back(&mut wishes);
        assert_eq!(wishes, []);
    }
}
