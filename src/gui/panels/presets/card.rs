//! One preset of the grid: its picture, its name, and how it stands.

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, TextureId, Ui, Vec2,
    WidgetInfo,
};

use crate::gui::theme;
use crate::gui::widgets::star_button;
use crate::show::snapshot::PresetEntry;

/// Height of the line with the name, px.
const NAME_PX: f32 = 20.0;
/// Side of the star, px.
const STAR_PX: f32 = 20.0;
/// Height of a picture beside its width.
const PICTURE_SHARE: f32 = 0.82;

/// How a preset stands to the light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Standing {
    /// Something else plays.
    Waiting,
    /// It is on the mirrors.
    AtWork,
    /// It was chosen and comes with its beat or bar.
    Cued,
    /// It grows out of the last one, 0 to 1.
    Growing(f32),
    /// It plays until the one that is cued comes.
    Leaving,
}

/// A card.
pub(super) struct Card<'a> {
    pub(super) entry: &'a PresetEntry,
    pub(super) picture: Option<TextureId>,
    pub(super) standing: Standing,
    /// The key that takes it.
    pub(super) key: Option<usize>,
}

/// Size of a card of this width.
pub(super) fn size(width: f32) -> Vec2 {
    Vec2::new(width, (width * PICTURE_SHARE + NAME_PX).round())
}

impl Card<'_> {
    /// Shows it.
    pub(super) fn show(&self, ui: &mut Ui, width: f32) -> Response {
        let (rect, response) = ui.allocate_exact_size(size(width), Sense::click());
        let chosen = !matches!(self.standing, Standing::Waiting | Standing::Leaving);
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &self.entry.name));
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let lit = response.hovered() || response.has_focus();
        let painter = ui.painter().with_clip_rect(rect.expand(2.0).intersect(ui.clip_rect()));
        let picture = Rect::from_min_max(rect.min, rect.max - Vec2::new(0.0, NAME_PX));
        let ground = if lit { theme::RAISED } else { theme::GROUND };
        painter.rect_filled(rect, theme::CORNER, ground);
        painter.rect_filled(picture.shrink(1.0), theme::CORNER - 1, theme::VOID);
        self.paint_picture(&painter, picture, lit);
        self.paint_marks(&painter, picture);
        self.paint_name(&painter, rect, chosen);
        let (colour, stroke) = match self.standing {
            Standing::AtWork | Standing::Growing(_) => (theme::ACCENT, 2.0),
            Standing::Cued => (theme::AMBER, 2.0),
            Standing::Leaving => (theme::ACCENT.gamma_multiply(0.55), 1.0),
            Standing::Waiting if lit => (theme::TEXT_FAINT, 1.0),
            Standing::Waiting => (theme::LINE, 1.0),
        };
        painter.rect_stroke(rect, theme::CORNER, Stroke::new(stroke, colour), StrokeKind::Inside);
        if response.has_focus() {
            let focus = Stroke::new(1.0, Color32::WHITE);
            painter.rect_stroke(rect.shrink(3.0), theme::CORNER, focus, StrokeKind::Inside);
        }
        response.on_hover_text(self.help())
    }

    /// Shows its star, in the corner of the picture; nothing where the card is out of sight.
    pub(super) fn show_star(&self, ui: &Ui, card: &Response, set: bool) -> Option<Response> {
        if !ui.is_rect_visible(card.rect) {
            return None;
        }
        let corner = card.rect.right_bottom() - Vec2::new(STAR_PX + 3.0, NAME_PX + STAR_PX + 5.0);
        let rect = Rect::from_min_size(corner, Vec2::splat(STAR_PX));
        let name = format!("Favourite {}", self.entry.name);
        let shown = card.contains_pointer() || card.has_focus();
        let star = star_button(ui, rect, card.id.with("star"), &name, set, shown);
        let help = if set { "Takes its star away" } else { "Makes it a favourite" };
        Some(star.on_hover_text(help))
    }

    fn paint_picture(&self, painter: &egui::Painter, picture: Rect, lit: bool) {
        let side = picture.width().min(picture.height() / PICTURE_SHARE);
        // The corners of a field are seldom lit: the picture shows a little less than all of it.
        let square = Rect::from_center_size(picture.center(), Vec2::splat(side));
        let inside = painter.with_clip_rect(picture.shrink(1.5).intersect(painter.clip_rect()));
        match self.picture {
            Some(texture) => {
                let uv = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
                let tint = if lit { Color32::WHITE } else { Color32::from_gray(232) };
                inside.image(texture, square, uv, tint);
            }
            None if self.entry.preset.is_none() && self.entry.broken.is_some() => {
                let font = theme::words(22.0);
                inside.text(square.center(), Align2::CENTER_CENTER, "!", font, theme::RED_TEXT);
            }
            None => {
                inside.circle_stroke(square.center(), 3.0, Stroke::new(1.0, theme::LINE));
            }
        }
    }

    fn paint_marks(&self, painter: &egui::Painter, picture: Rect) {
        if let Some(key) = self.key {
            let at = picture.left_top() + Vec2::new(8.0, 6.0);
            let font = theme::figures(11.0);
            painter.text(at, Align2::LEFT_TOP, key.to_string(), font, theme::TEXT_FAINT);
        }
        let mark = match self.standing {
            Standing::Cued => Some(("CUED", theme::AMBER)),
            _ if self.entry.broken.is_some() => Some(("BROKEN", theme::RED_TEXT)),
            _ if self.entry.saving => Some(("SAVING", theme::AMBER)),
            _ if self.entry.changed => Some(("CHANGED", theme::AMBER)),
            _ if !self.entry.bundled => Some(("YOURS", theme::ACCENT)),
            _ => None,
        };
        if let Some((word, ink)) = mark {
            let at = picture.right_top() + Vec2::new(-7.0, 6.0);
            painter.text(at, Align2::RIGHT_TOP, word, theme::words(9.0), ink);
        }
        if let Standing::Growing(way) = self.standing {
            let rail = Rect::from_min_max(
                picture.left_bottom() + Vec2::new(3.0, -4.0),
                picture.right_bottom() + Vec2::new(-3.0, -1.0),
            );
            let width = rail.width() * way.clamp(0.0, 1.0);
            let grown = Rect::from_min_size(rail.min, Vec2::new(width, rail.height()));
            painter.rect_filled(rail, 1, theme::RAISED);
            painter.rect_filled(grown, 1, theme::ACCENT);
        }
    }

    fn paint_name(&self, painter: &egui::Painter, rect: Rect, chosen: bool) {
        let ink = if chosen { Color32::WHITE } else { theme::TEXT };
        let room = rect.width() - 14.0;
        let font = theme::words(theme::SMALL);
        let mut job = LayoutJob::simple_singleline(self.entry.name.clone(), font, ink);
        job.wrap = TextWrapping::truncate_at_width(room);
        let galley = painter.layout_job(job);
        let left = rect.left() + 7.0 + (room - galley.size().x).max(0.0) / 2.0;
        let at = Pos2::new(left, rect.bottom() - NAME_PX + (NAME_PX - galley.size().y) / 2.0 - 1.0);
        painter.galley(at, galley, ink);
    }

    fn help(&self) -> String {
        let PresetEntry { name, description, bundled, changed, saving, broken, preset } =
            self.entry;
        let mut lines = vec![name.clone()];
        lines.extend((!description.is_empty()).then(|| description.clone()));
        let origin = if *bundled { "Came with galvo" } else { "Your own" };
        let changed = match (*saving, *changed) {
            (true, _) => ", being saved",
            (false, true) => ", with changes that are not saved",
            (false, false) => "",
        };
        if preset.is_some() {
            lines.push(format!("{origin}{changed}"));
        }
        if let Some(error) = broken {
            let plays = if preset.is_some() { " The last good one plays." } else { "" };
            lines.push(format!("{error}.{plays}"));
        }
        let key = self.key.map_or(String::new(), |key| format!(" ({key})"));
        if preset.is_some() {
            lines.push(format!("Click to take it{key}; right-click for more"));
        }
        lines.join("\n")
    }
}
