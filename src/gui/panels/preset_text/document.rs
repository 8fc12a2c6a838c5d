//! A text under the hand, kept in step with the show both ways.
//!
//! What is typed and right is sent at once; what the show says is taken unless it is the echo of what was sent, or the
//! text is wrong: then it waits until it is mended or given up.

use std::collections::VecDeque;

use crate::gui::widgets::TextPlace;

/// A mistake in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Where, if it has a place.
    pub(super) place: Option<TextPlace>,
    /// What is wrong and what would be right.
    pub(super) message: String,
}

/// Texts that were sent and did not come back yet.
const MOST_SENT: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// What the show said last.
    theirs: String,
    pub(super) draft: String,
    sent: VecDeque<String>,
    pub(super) flaw: Option<Flaw>,
    /// Where the cursor was last, in characters.
    pub(super) cursor: Option<usize>,
}

impl Document {
    /// Takes what the show says.
    pub(super) fn hear(&mut self, text: &str) {
        if text == self.theirs {
            return;
        }
        text.clone_into(&mut self.theirs);
        if let Some(place) = self.sent.iter().position(|sent| sent == text) {
            // An echo: what was typed since is newer.
            self.sent.drain(..=place);
        } else if self.flaw.is_none() {
            self.give_up();
        }
    }

    /// The text was typed in; what to send, if it is right.
    pub(super) fn typed(&mut self, check: impl FnOnce(&str) -> Result<(), Flaw>) -> Option<String> {
        self.flaw = check(&self.draft).err();
        if self.flaw.is_some() {
            return None;
        }
        if self.sent.len() == MOST_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(self.draft.clone());
        Some(self.draft.clone())
    }

    /// Takes the show's text instead of one that is wrong.
    pub(super) fn give_up(&mut self) {
        self.draft.clone_from(&self.theirs);
        self.sent.clear();
        self.flaw = None;
    }

    /// Begins with another text, without a mistake.
    pub(super) fn begin(&mut self, text: &str) {
        *self = Self { theirs: text.to_owned(), draft: text.to_owned(), ..Self::default() };
    }

    /// Puts a word where the cursor is, at the end if it was nowhere yet.
    pub(super) fn insert(&mut self, word: &str) {
        let at = self.cursor.unwrap_or(usize::MAX);
        let byte = self.draft.char_indices().nth(at).map_or(self.draft.len(), |(byte, _)| byte);
        self.draft.insert_str(byte, word);
        self.cursor = Some(self.draft[..byte].chars().count() + word.chars().count());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "a check may fail")]
    fn right(_: &str) -> Result<(), Flaw> {
        Ok(())
    }

    fn wrong(_: &str) -> Result<(), Flaw> {
        Err(Flaw { place: None, message: "no".into() })
    }

    #[test]
    fn an_echo_does_not_undo_what_was_typed_since() {
        let mut document = Document::default();
        document.hear("a");
        document.draft = "ab".into();
        assert_eq!(document.typed(right), Some("ab".into()));
        document.draft = "abc".into();
        document.typed(right);
        document.hear("ab");
        assert_eq!(document.draft, "abc");
        document.hear("abc");
        document.hear("moved by a control");
        assert_eq!(document.draft, "moved by a control");
    }

    #[test]
    fn a_wrong_text_waits_until_it_is_mended_or_given_up() {
        let mut document = Document::default();
        document.hear("a");
        document.draft = "a(".into();
        assert_eq!(document.typed(wrong), None);
        document.hear("b");
        assert_eq!(document.draft, "a(");
        document.give_up();
        assert!(document.draft == "b" && document.flaw.is_none());
    }

    #[test]
    fn a_word_goes_where_the_cursor_is() {
        let mut document = Document::default();
        document.begin("äb");
        document.cursor = Some(1);
        document.insert("sin(");
        assert_eq!((document.draft.as_str(), document.cursor), ("äsin(b", Some(5)));
        document.cursor = None;
        document.insert("!");
        assert_eq!(document.draft, "äsin(b!");
    }
}
