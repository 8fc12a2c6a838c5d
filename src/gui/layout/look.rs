//! How stacks of panes look: cards with quiet titles, gaps of the ground between them.

use std::collections::HashMap;

use egui::{
    Align2, Color32, CursorIcon, Id, Rect, Response, Role, Sense, Stroke, StrokeKind, Style, Ui,
    UiBuilder, Vec2, Visuals, WidgetInfo, WidgetText,
};
use egui_tiles::{
    Behavior, EditAction, ResizeState, SimplificationOptions, TabState, TileId, Tiles, UiResponse,
};

use crate::gui::pane::Pane;
use crate::gui::theme;

/// Height of a line of titles, px.
const TITLES_PX: f32 = 30.0;
/// Size of a title, px.
const TITLE_PX: f32 = 11.0;
/// Room between the edge of a card and what it shows, px.
const MARGIN_PX: f32 = 12.0;

/// Shows panes through a function, and notes what the operator did to the layout.
pub(super) struct Look<'a> {
    show: &'a mut dyn FnMut(Pane, &mut Ui),
    /// The stacks of which one pane is shown, with that pane.
    alone: HashMap<TileId, Pane>,
    /// Something changed that is worth keeping.
    pub(super) touched: bool,
    /// A pane was moved or sized.
    pub(super) moved: bool,
    /// A pane that was hidden by its own menu.
    pub(super) hide: Option<Pane>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        show: &'a mut dyn FnMut(Pane, &mut Ui),
        alone: HashMap<TileId, Pane>,
    ) -> Self {
        Self { show, alone, touched: false, moved: false, hide: None }
    }
}

impl Behavior<Pane> for Look<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, pane: &mut Pane) -> UiResponse {
        let rect = ui.max_rect();
        // The preview has a ground of its own. Every pixel that is filled twice costs a software renderer twice.
        if *pane != Pane::Preview {
            ui.painter().rect_filled(rect, theme::CORNER, theme::PANEL);
        }
        let inside = match pane {
            Pane::Preview => rect,
            Pane::Transport => rect.shrink2(Vec2::new(MARGIN_PX, 8.0)),
            _ => Rect::from_min_max(
                rect.min + Vec2::new(MARGIN_PX, 2.0),
                rect.max - Vec2::splat(MARGIN_PX),
            ),
        };
        ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
            ui.set_clip_rect(rect.intersect(ui.clip_rect()));
            (self.show)(*pane, ui);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        pane.title().into()
    }

    fn tab_bar_left_ui(
        &mut self,
        tiles: &Tiles<Pane>,
        ui: &mut Ui,
        id: TileId,
        _: &egui_tiles::Tabs,
    ) {
        // The card's ground behind the titles, which are drawn next; it goes on below the corners of the pane.
        if let Some(card) = tiles.rect(id) {
            let height = (TITLES_PX + f32::from(theme::CORNER)).min(card.height());
            let strip = Rect::from_min_size(card.min, Vec2::new(card.width(), height));
            ui.painter().with_clip_rect(card).rect_filled(strip, theme::CORNER, theme::PANEL);
        }
        ui.add_space(MARGIN_PX - 8.0);
    }

    fn tab_ui(
        &mut self,
        tiles: &mut Tiles<Pane>,
        ui: &mut Ui,
        id: Id,
        tile_id: TileId,
        state: &TabState,
    ) -> Response {
        let pane = tiles.get_pane(&tile_id).copied();
        let title = pane.map_or("Panes", Pane::title);
        let shown = title.to_uppercase();
        let font = theme::words(TITLE_PX);
        let galley = ui.painter().layout_no_wrap(shown, font, Color32::PLACEHOLDER);
        let size = Vec2::new(galley.size().x + 16.0, ui.available_height());
        let (_, rect) = ui.allocate_space(size);
        let tab = ui.interact(rect, id, Sense::click_and_drag()).on_hover_cursor(CursorIcon::Grab);
        tab.widget_info(|| WidgetInfo::selected(Role::Tab, ui.is_enabled(), state.active, title));
        if ui.is_rect_visible(rect) && !state.is_being_dragged {
            let alone = pane.is_some_and(|pane| self.alone.values().any(|only| *only == pane));
            let ink = match (state.active && !alone, tab.hovered()) {
                (_, true) => theme::TEXT,
                (true, _) => theme::ACCENT,
                (false, _) => theme::TEXT_FAINT,
            };
            let at = Align2::LEFT_CENTER
                .align_size_within_rect(galley.size(), rect.shrink2(Vec2::new(8.0, 0.0)));
            ui.painter().galley_with_override_text_color(at.min, galley, ink);
            if tab.has_focus() {
                let stroke = Stroke::new(1.0, theme::ACCENT);
                ui.painter().rect_stroke(rect.shrink(3.0), 4, stroke, StrokeKind::Inside);
            }
        }
        let help = pane.map_or("", |pane| pane.words().1);
        let tab = tab.on_hover_text(format!("{help}\nDrag to move it, right-click for more"));
        tab.context_menu(|ui| {
            if let Some(pane) = pane {
                let text = format!("Hide {title}");
                let hide = ui.add_enabled(pane.may_be_hidden(), egui::Button::new(text));
                let hide = hide.on_hover_text("Comes back by the View menu");
                if hide.on_disabled_hover_text("It can be moved, and never closed").clicked() {
                    self.hide = Some(pane);
                    ui.close();
                }
            }
        });
        self.on_tab_button(tiles, tile_id, tab)
    }

    fn drag_ui(&mut self, tiles: &Tiles<Pane>, ui: &mut Ui, tile_id: TileId) {
        let title = tiles.get_pane(&tile_id).map_or("Panes", |pane| pane.title());
        egui::Frame::popup(ui.style()).show(ui, |ui| ui.label(title));
    }

    fn is_tab_bar_visible(&self, stack: TileId, _: &egui_tiles::Tabs) -> bool {
        // These two say what they are by themselves, and need the room.
        !matches!(self.alone.get(&stack), Some(Pane::Transport | Pane::Preview))
    }

    fn tab_bar_height(&self, _: &Style) -> f32 {
        TITLES_PX
    }

    fn tab_bar_color(&self, _: &Visuals) -> Color32 {
        Color32::TRANSPARENT
    }

    fn tab_bar_hline_stroke(&self, _: &Visuals) -> Stroke {
        Stroke::NONE
    }

    fn gap_width(&self, _: &Style) -> f32 {
        2.0 * theme::GRID
    }

    fn min_size(&self) -> f32 {
        64.0
    }

    fn resize_stroke(&self, _: &Style, state: ResizeState) -> Stroke {
        match state {
            ResizeState::Idle => Stroke::NONE,
            ResizeState::Hovering => Stroke::new(2.0, theme::LINE),
            ResizeState::Dragging => Stroke::new(2.0, theme::ACCENT),
        }
    }

    fn drag_preview_color(&self, _: &Visuals) -> Color32 {
        theme::ACCENT.gamma_multiply(0.2)
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions {
            all_panes_must_have_tabs: true,
            flatten_tabs_in_tabs: true,
            ..SimplificationOptions::default()
        }
    }

    fn on_edit(&mut self, action: EditAction) {
        self.touched = true;
        self.moved |= matches!(action, EditAction::TileResized | EditAction::TileDropped);
    }
}
