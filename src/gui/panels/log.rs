//! Everything that was told since the desk opened, with its time.

use std::collections::VecDeque;

use egui::{Label, RichText, ScrollArea, Ui};

use super::notices::look;
use crate::gui::theme;
use crate::show::Snapshot;
use crate::show::snapshot::{Notice, Severity};

/// Lines kept; older ones go.
const MOST_LINES: usize = 1000;

/// One line.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    /// Seconds since the desk opened.
    at: f64,
    notice: Notice,
}

/// The log.
#[derive(Debug, Default)]
pub(in crate::gui) struct LogPanel {
    lines: VecDeque<Line>,
    made: u64,
    troubles_only: bool,
}

impl LogPanel {
    /// Notes what is new; `now` in seconds.
    pub(in crate::gui) fn take(&mut self, seen: &Snapshot, now: f64) {
        let fresh = seen.notices_made.saturating_sub(self.made);
        self.made = seen.notices_made;
        let fresh = usize::try_from(fresh).unwrap_or(usize::MAX).min(seen.notices.len());
        let news = &seen.notices[seen.notices.len() - fresh..];
        for notice in news {
            self.add(notice.clone(), now);
        }
    }

    /// Adds a line.
    pub(in crate::gui) fn add(&mut self, notice: Notice, now: f64) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line { at: now, notice });
    }

    /// Shows it, newest last.
    pub(in crate::gui) fn show(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            let troubles = ui.toggle_value(&mut self.troubles_only, small("Troubles only"));
            troubles.on_hover_text("Leaves out what is only good to know");
            if ui.button(small("Copy")).on_hover_text("Copies the whole log as text").clicked() {
                let text: Vec<String> = self.lines.iter().map(written).collect();
                ui.copy_text(text.join("\n"));
            }
            if self.lines.is_empty() {
                ui.label(RichText::new("Nothing was told yet").color(theme::TEXT_FAINT));
            }
        });
        ui.spacing_mut().item_spacing.y = 3.0;
        ScrollArea::vertical().auto_shrink([false, false]).stick_to_bottom(true).show(ui, |ui| {
            for line in &self.lines {
                if self.troubles_only && line.notice.severity == Severity::Info {
                    continue;
                }
                let (word, colour) = look(line.notice.severity);
                ui.horizontal_top(|ui| {
                    let at = RichText::new(clock(line.at)).font(theme::figures(theme::SMALL));
                    ui.label(at.color(theme::TEXT_FAINT));
                    ui.label(small(word).color(colour));
                    let text = small(&line.notice.text).color(theme::TEXT);
                    ui.add(Label::new(text).wrap());
                });
            }
        });
    }
}

fn small(text: &str) -> RichText {
    RichText::new(text).size(theme::SMALL)
}

fn written(line: &Line) -> String {
    format!("{} {} {}", clock(line.at), look(line.notice.severity).0, line.notice.text)
}

/// Time since the desk opened.
fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(made: u64, texts: &[&str]) -> Snapshot {
        let notice = |text: &&str| Notice { severity: Severity::Info, text: (*text).to_owned() };
        let notices = texts.iter().map(notice).collect();
        Snapshot { notices, notices_made: made, ..Snapshot::default() }
    }

    #[test]
    fn each_notice_is_a_line_once_even_if_it_says_the_same() {
        let mut log = LogPanel::default();
        log.take(&told(1, &["lost"]), 1.0);
        log.take(&told(1, &["lost"]), 2.0);
        log.take(&told(3, &["lost", "back", "lost"]), 3_661.0);
        let lines: Vec<String> = log.lines.iter().map(written).collect();
        assert_eq!(lines, ["0:00:01 Note lost", "1:01:01 Note back", "1:01:01 Note lost"]);
    }

    #[test]
    fn the_log_is_bounded_and_bears_a_show_that_told_more_than_it_kept() {
        let mut log = LogPanel::default();
        log.take(&told(5_000, &["a", "b"]), 0.0);
        assert_eq!(log.lines.len(), 2);
        for made in 0..3_000 {
            log.take(&told(5_001 + made, &["again"]), 1.0);
        }
        assert_eq!(log.lines.len(), MOST_LINES);
    }
}
