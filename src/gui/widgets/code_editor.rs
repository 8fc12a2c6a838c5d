//! A text with numbered lines, quiet comments, and a mark where it is wrong.

use egui::epaint::text::cursor::CCursor;
use egui::text::LayoutJob;
use egui::{
    Align2, Color32, FontId, Frame, Galley, Margin, Pos2, Rect, Response, ScrollArea, TextBuffer,
    TextEdit, TextFormat, Ui, Vec2, pos2,
};
use std::sync::Arc;

use crate::gui::theme;

/// Room for the numbers of lines, px.
const GUTTER_PX: f32 = 34.0;
const FONT: FontId = theme::figures(13.0);

/// A place in a text: both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gui) struct TextPlace {
    /// The line.
    pub(in crate::gui) line: usize,
    /// The character within the line.
    pub(in crate::gui) column: usize,
}

/// What was done with the text.
pub(in crate::gui) struct Edited {
    /// The field.
    pub(in crate::gui) response: Response,
    /// Where the cursor is, in characters from the start, while it is in the text.
    pub(in crate::gui) cursor: Option<usize>,
}

/// Shows `text` to be edited in all the room there is, called `name` by assistance.
pub(in crate::gui) fn code_editor(
    ui: &mut Ui,
    name: &str,
    text: &mut String,
    most_chars: usize,
    wrong_at: Option<TextPlace>,
) -> Edited {
    let room = ui.available_size();
    let frame = Frame::NONE.fill(theme::GROUND).corner_radius(4);
    let inner = frame.show(ui, |ui| {
        ScrollArea::both().id_salt(name).auto_shrink([false, false]).show(ui, |ui| {
            let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _: f32| laid_out(ui, text.as_str());
            let margin = Margin { left: GUTTER_PX as i8 + 8, right: 8, top: 6, bottom: 6 };
            let shown = TextEdit::multiline(text)
                .id_salt(name)
                .font(FONT)
                .frame(Frame::NONE.inner_margin(margin))
                .desired_width(f32::INFINITY)
                .min_size(room - Vec2::new(GUTTER_PX + 20.0, 16.0))
                .char_limit(most_chars)
                .layouter(&mut layouter)
                .show(ui);
            let response: Response = shown.response.response.clone();
            let response = response.accessible_name(name);
            paint_lines(ui, &shown.galley, shown.galley_pos, wrong_at);
            let cursor = shown.cursor_range.map(|range| range.primary.index.0);
            Edited { response, cursor }
        })
    });
    inner.inner.inner
}

fn laid_out(ui: &Ui, text: &str) -> Arc<Galley> {
    let mut job = LayoutJob::default();
    job.wrap.max_width = f32::INFINITY;
    for line in text.split_inclusive('\n') {
        let (said, comment) = line.split_at(comment_start(line));
        job.append(said, 0.0, TextFormat::simple(FONT, theme::TEXT));
        if !comment.is_empty() {
            job.append(comment, 0.0, TextFormat::simple(FONT, theme::TEXT_FAINT));
        }
    }
    ui.painter().layout_job(job)
}

/// Where the comment of a line begins: at the first `#` outside of quotes.
fn comment_start(line: &str) -> usize {
    let mut quote = None;
    for (at, letter) in line.char_indices() {
        match (letter, quote) {
            ('"' | '\'', None) => quote = Some(letter),
            (_, Some(open)) if open == letter => quote = None,
            ('#', None) => return at,
            _ => {}
        }
    }
    line.len()
}

fn paint_lines(ui: &Ui, galley: &Galley, at: Pos2, wrong_at: Option<TextPlace>) {
    let clip = ui.clip_rect();
    let painter = ui.painter();
    let mut line = 1;
    let mut begins = true;
    for row in &galley.rows {
        let rect = row.rect().translate(at.to_vec2());
        if begins && rect.intersects(clip.with_min_x(f32::NEG_INFINITY).with_max_x(f32::INFINITY)) {
            let is_wrong = wrong_at.is_some_and(|wrong| wrong.line == line);
            let ink = if is_wrong { theme::RED_TEXT } else { theme::TEXT_FAINT };
            let number = pos2(at.x - 10.0, rect.center().y);
            painter.text(number, Align2::RIGHT_CENTER, line.to_string(), theme::figures(11.0), ink);
            if is_wrong {
                let stripe = Rect::from_x_y_ranges(clip.x_range(), rect.y_range());
                let red = Color32::from_rgba_unmultiplied(214, 32, 42, 36);
                painter.rect_filled(stripe, 0, red);
            }
        }
        begins = row.ends_with_newline;
        line += usize::from(begins);
    }
    if let Some(wrong) = wrong_at {
        let cursor = galley.pos_from_cursor(CCursor::new(char_of(galley.text(), wrong)));
        let under = cursor.translate(at.to_vec2());
        let mark = [
            pos2(under.left() - 4.0, under.bottom() + 4.0),
            pos2(under.left(), under.bottom() - 1.0),
            pos2(under.left() + 4.0, under.bottom() + 4.0),
        ];
        let shape = egui::Shape::convex_polygon(mark.to_vec(), theme::RED_TEXT, egui::Stroke::NONE);
        painter.add(shape);
    }
}

/// The character of a text that stands at a place; the end of the line where it is shorter.
pub(in crate::gui) fn char_of(text: &str, place: TextPlace) -> usize {
    let mut before = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let chars = line.trim_end_matches('\n').chars().count();
        if number + 1 == place.line {
            return before + (place.column.saturating_sub(1)).min(chars);
        }
        before += line.chars().count();
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_in_characters_and_held_within_its_line() {
        let at = |line, column| char_of("aü\nbcd\n", TextPlace { line, column });
        assert_eq!([at(1, 1), at(1, 2), at(1, 9), at(2, 1), at(2, 3)], [0, 1, 2, 3, 5]);
        assert_eq!(at(9, 1), 7);
    }

    #[test]
    fn a_comment_begins_outside_of_quotes() {
        assert_eq!(comment_start("a = 1 # b"), 6);
        assert_eq!(comment_start("colours = [\"#ff0000\"]"), 21);
        assert_eq!(comment_start("c = '#' # x\n"), 8);
    }
}
