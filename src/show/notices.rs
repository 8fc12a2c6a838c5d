//! What an operator should read: bounded, in order, and none twice in a row.

use super::snapshot::{Notice, Severity};

/// Notices kept for the surfaces.
const KEPT: usize = 50;

/// The notices of a show.
#[derive(Debug, Default)]
pub struct Notices {
    kept: Vec<Notice>,
    made: u64,
}

impl Notices {
    /// Adds one, unless it says what the last one said. Goes to the log too.
    pub fn add(&mut self, severity: Severity, text: impl Into<String>) {
        let text = text.into();
        if self.kept.last().is_some_and(|last| last.text == text) {
            return;
        }
        match severity {
            Severity::Info => tracing::info!("{text}"),
            Severity::Warning => tracing::warn!("{text}"),
            Severity::Error => tracing::error!("{text}"),
        }
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(Notice { severity, text });
        self.made += 1;
    }

    /// Those kept, newest last.
    #[must_use]
    pub fn kept(&self) -> &[Notice] {
        &self.kept
    }

    /// How many were made.
    #[must_use]
    pub const fn made(&self) -> u64 {
        self.made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_bounded_and_a_repeated_notice_is_told_once() {
        let mut notices = Notices::default();
        notices.add(Severity::Info, "same");
        notices.add(Severity::Info, "same");
        assert_eq!((notices.kept().len(), notices.made()), (1, 1));
        for k in 0..200 {
            notices.add(Severity::Warning, format!("{k}"));
        }
        assert_eq!(notices.kept().len(), KEPT);
        assert_eq!(notices.kept().last().map(|n| n.text.as_str()), Some("199"));
        assert_eq!(notices.made(), 201);
    }
}
