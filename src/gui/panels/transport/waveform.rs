//! The track as a picture: its outline, its parts, its beats, the part that is played round and round.

use std::sync::Arc;

use egui::{Align2, Color32, Mesh, Painter, Rect, Shape, Stroke, Vec2, pos2};

use crate::analysis::{Outline, SectionKind, Track};
use crate::gui::theme;
use crate::gui::widgets::Stretch;
use crate::time::MediaTime;

/// Width of a column of the outline with its gap, px.
const COLUMN_PX: f32 = 3.0;
/// Height of the band that names the parts, px; and the least that is left for the outline.
const PARTS_PX: f32 = 16.0;
const LEAST_OUTLINE_PX: f32 = 24.0;
/// Beats and bars are drawn where they lie at least so far apart, px.
const LEAST_BEAT_PX: f64 = 9.0;

/// The outline of what is in sight, kept until something else is.
#[derive(Debug, Default)]
pub(super) struct Waveform {
    of: Option<Arc<Track>>,
    /// Seconds of a column, and the number of the first.
    step: f64,
    first: i64,
    columns: Vec<Outline>,
    /// The loudest of the whole track.
    loudest: f32,
}

/// Where the parts and the outline of a track are drawn.
pub(super) struct Field {
    pub(super) parts: Rect,
    pub(super) outline: Rect,
}

impl Field {
    /// Divides the room; without room for both there are no parts.
    pub(super) fn of(rect: Rect, has_parts: bool) -> Self {
        let parts_px =
            if has_parts && rect.height() >= PARTS_PX + LEAST_OUTLINE_PX { PARTS_PX } else { 0.0 };
        let split = rect.top() + parts_px;
        Self {
            parts: Rect::from_min_max(rect.min, pos2(rect.right(), split)),
            outline: Rect::from_min_max(pos2(rect.left(), split), rect.max),
        }
    }
}

impl Waveform {
    /// Reads what of the track is in sight, unless it was read already.
    fn read(&mut self, track: &Arc<Track>, stretch: &Stretch, width: f32) {
        let is_same = self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, track));
        if !is_same {
            let loudest = track.outline(MediaTime::ZERO, track.duration()).rms;
            *self = Self { of: Some(Arc::clone(track)), loudest, ..Self::default() };
        }
        let step = (stretch.to - stretch.from) * f64::from(COLUMN_PX / width.max(1.0));
        // Columns have their places in the track and not on the screen: they do not flicker as the track moves by.
        let first = (stretch.from / step).floor() as i64;
        let count = (f64::from(width / COLUMN_PX)).ceil() as usize + 1;
        if (step - self.step).abs() < 1e-9 && first == self.first && count == self.columns.len() {
            return;
        }
        (self.step, self.first) = (step, first);
        self.columns.clear();
        self.columns.extend((0..count as i64).map(|n| {
            let at = |n: i64| MediaTime::from_secs_f64((first + n) as f64 * step);
            track.outline(at(n), at(n + 1))
        }));
    }

    /// Draws parts, beats and outline.
    pub(super) fn paint(
        &mut self,
        painter: &Painter,
        field: &Field,
        track: &Arc<Track>,
        stretch: &Stretch,
    ) {
        parts(painter, field, track, stretch);
        self.read(track, stretch, field.outline.width());
        let rect = field.outline;
        let (centre, half) = (rect.center().y, rect.height() * 0.5 - 1.0);
        let head = stretch.x_of(rect, stretch.position);
        let mut mesh = Mesh::default();
        for (n, outline) in self.columns.iter().enumerate() {
            let left = stretch.x_of(rect, (self.first + n as i64) as f64 * self.step);
            let column = Rect::from_min_max(
                pos2(left.max(rect.left()), centre),
                pos2((left + COLUMN_PX - 1.0).min(rect.right()), centre),
            );
            if column.width() <= 0.0 {
                continue;
            }
            let height = (outline.rms / self.loudest.max(1e-4)).clamp(0.0, 1.0).powf(0.8);
            let high = (outline.bands[2] - 0.5 * outline.bands[0]).clamp(0.0, 1.0);
            let ink = theme::mix(theme::ACCENT, theme::TEXT, 0.55 * high);
            let ink = if left < head { ink } else { theme::mix(theme::PANEL, ink, 0.5) };
            let y = (half * height).max(0.5);
            mesh.add_colored_rect(column.expand2(Vec2::new(0.0, y)), ink);
        }
        painter.add(Shape::mesh(mesh));
        grid(painter, field.outline, track, stretch);
    }
}

/// The bar of a track whose outline is not known.
pub(super) fn plain(painter: &Painter, rect: Rect, stretch: &Stretch, words: &str) {
    let rail = Rect::from_center_size(rect.center(), Vec2::new(rect.width(), 4.0));
    painter.rect_filled(rail, 2, theme::RAISED_HOVER);
    let x = stretch.x_of(rect, stretch.position).clamp(rect.left(), rect.right());
    painter.rect_filled(Rect::from_min_max(rail.min, pos2(x, rail.bottom())), 2, theme::ACCENT);
    if rect.height() >= 40.0 {
        let at = pos2(rect.left(), rail.top() - 4.0);
        let small = theme::words(theme::SMALL);
        painter.text(at, Align2::LEFT_BOTTOM, words, small, theme::TEXT_FAINT);
    }
}

/// The part that is played round and round, or is being marked.
pub(super) fn looped(
    painter: &Painter,
    rect: Rect,
    stretch: &Stretch,
    part: (f64, f64),
    held: bool,
) {
    let x = |seconds| stretch.x_of(rect, seconds).clamp(rect.left(), rect.right());
    let (from, to) = (x(part.0.min(part.1)), x(part.0.max(part.1)));
    let field = Rect::from_min_max(pos2(from, rect.top()), pos2(to, rect.bottom()));
    let ink = if held { theme::TEXT } else { theme::GREEN };
    painter.rect_filled(field, 0, ink.gamma_multiply(0.14));
    for x in [from, to] {
        painter.vline(x, rect.y_range(), Stroke::new(2.0, ink));
    }
}

/// A mark of one moment: the head, a start that waits, the place under the pointer.
pub(super) fn mark(
    painter: &Painter,
    rect: Rect,
    stretch: &Stretch,
    at: f64,
    width: f32,
    ink: Color32,
) {
    if (stretch.from..=stretch.to).contains(&at) {
        painter.vline(stretch.x_of(rect, at), rect.y_range(), Stroke::new(width, ink));
    }
}

/// Of a track drawn larger: which part of it is in sight.
pub(super) fn in_sight(painter: &Painter, rect: Rect, stretch: &Stretch) {
    painter.rect_filled(rect, 1, theme::RAISED);
    let x = |seconds: f64| {
        rect.left() + rect.width() * (seconds / stretch.duration.max(1e-9)).clamp(0.0, 1.0) as f32
    };
    let sight = Rect::from_min_max(
        pos2(x(stretch.from), rect.top()),
        pos2(x(stretch.to).max(x(stretch.from) + 2.0), rect.bottom()),
    );
    painter.rect_filled(sight, 1, theme::TEXT_FAINT);
    let head = Rect::from_center_size(
        pos2(x(stretch.position), rect.center().y),
        Vec2::new(2.0, rect.height()),
    );
    painter.rect_filled(head, 0, theme::TEXT);
}

/// Colour of a part. None is red or amber: these have their own meaning.
fn ink_of(kind: SectionKind) -> Color32 {
    match kind {
        SectionKind::Unknown => theme::TEXT_FAINT,
        SectionKind::Intro | SectionKind::Outro => Color32::from_rgb(112, 128, 160),
        SectionKind::Groove => theme::ACCENT,
        SectionKind::Break => Color32::from_rgb(140, 126, 226),
        SectionKind::Build => Color32::from_rgb(186, 206, 104),
        SectionKind::Drop => Color32::from_rgb(232, 112, 196),
    }
}

fn parts(painter: &Painter, field: &Field, track: &Track, stretch: &Stretch) {
    let rect = field.parts;
    if rect.height() <= 0.0 {
        return;
    }
    for section in track.sections() {
        let (from, to) = (section.from.as_secs_f64(), section.to.as_secs_f64());
        if to <= stretch.from || from >= stretch.to {
            continue;
        }
        let x = |seconds| stretch.x_of(rect, seconds).clamp(rect.left(), rect.right());
        let band = Rect::from_min_max(
            pos2(x(from) + 0.5, rect.top()),
            pos2(x(to) - 0.5, rect.bottom() - 2.0),
        );
        let ink = ink_of(section.kind);
        let is_here = (from..to).contains(&stretch.position);
        painter.rect_filled(band, 2, ink.gamma_multiply(if is_here { 0.42 } else { 0.2 }));
        let name = section.kind.name();
        let text =
            painter.layout_no_wrap(name.to_owned(), theme::words(11.0), Color32::PLACEHOLDER);
        if text.size().x + 6.0 <= band.width() {
            let at = Align2::LEFT_CENTER.align_size_within_rect(text.size(), band);
            let ink = if is_here { theme::TEXT } else { theme::TEXT_QUIET };
            painter.galley_with_override_text_color(at.min + Vec2::new(4.0, 0.0), text, ink);
        }
        let edge = stretch.x_of(rect, from);
        if from > stretch.from {
            let line = Stroke::new(1.0, ink.gamma_multiply(0.5));
            painter.vline(edge, field.outline.y_range(), line);
        }
    }
}

/// Bars, and beats where there is room for them.
fn grid(painter: &Painter, rect: Rect, track: &Track, stretch: &Stretch) {
    let px_per_second = f64::from(rect.width()) / (stretch.to - stretch.from).max(1e-9);
    let beat_px = 60.0 / f64::from(track.bpm().max(20.0)) * px_per_second;
    let bar_px = beat_px * f64::from(track.beats_per_bar());
    if track.beats().len() < 2 || bar_px < LEAST_BEAT_PX {
        return;
    }
    let first = track.beats().partition_point(|beat| beat.at.as_secs_f64() < stretch.from);
    for beat in &track.beats()[first..] {
        let at = beat.at.as_secs_f64();
        if at > stretch.to {
            break;
        }
        let is_bar = beat.of_bar == 1;
        if is_bar || beat_px >= LEAST_BEAT_PX {
            let ink = theme::TEXT.gamma_multiply(if is_bar { 0.3 } else { 0.12 });
            mark(painter, rect, stretch, at, 1.0, ink);
        }
    }
}
