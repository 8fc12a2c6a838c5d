//! Colours, sizes and type: a calm surface for a dark room.
//!
//! Near-black grounds keep the operator's eyes adapted. One accent marks what can be moved; red means
//! stop or failure and nothing else, amber means light is allowed or something deserves a look.

use egui::{Color32, Context, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Vec2};

/// Ground of the light preview.
pub const VOID: Color32 = Color32::from_rgb(4, 5, 7);
/// Ground between panels.
pub const GROUND: Color32 = Color32::from_rgb(9, 11, 14);
/// Ground of a panel.
pub const PANEL: Color32 = Color32::from_rgb(16, 19, 23);
/// Ground of something that can be pressed or filled.
pub const RAISED: Color32 = Color32::from_rgb(29, 34, 40);
/// The same under the pointer.
pub const RAISED_HOVER: Color32 = Color32::from_rgb(40, 46, 54);
/// Hairlines.
pub const LINE: Color32 = Color32::from_rgb(36, 41, 48);
/// Text that is read.
pub const TEXT: Color32 = Color32::from_rgb(222, 226, 231);
/// Text that is looked up.
pub const TEXT_QUIET: Color32 = Color32::from_rgb(150, 158, 168);
/// Text that may be overlooked.
pub const TEXT_FAINT: Color32 = Color32::from_rgb(104, 112, 122);
/// The accent: what is chosen, what can be moved.
pub const ACCENT: Color32 = Color32::from_rgb(78, 196, 214);
/// The accent where it fills a surface.
pub const ACCENT_DEEP: Color32 = Color32::from_rgb(22, 66, 76);
/// Stop, danger, failure.
pub const RED: Color32 = Color32::from_rgb(214, 32, 42);
/// Red under the pointer.
pub const RED_HOVER: Color32 = Color32::from_rgb(236, 54, 62);
/// Red as text on dark.
pub const RED_TEXT: Color32 = Color32::from_rgb(255, 118, 116);
/// Armed, or worth a look.
pub const AMBER: Color32 = Color32::from_rgb(255, 176, 32);
/// Amber where it fills a surface behind amber text.
pub const AMBER_DEEP: Color32 = Color32::from_rgb(58, 40, 8);
/// Armed, and dark all the same.
pub const HELD_DARK: Color32 = Color32::from_rgb(184, 160, 255);
/// All is well.
pub const GREEN: Color32 = Color32::from_rgb(92, 200, 132);

/// The grid: every gap is a multiple, px.
pub const GRID: f32 = 4.0;
/// Corner radius of panels and buttons, px.
pub const CORNER: u8 = 6;

/// Size of small print, px.
pub const SMALL: f32 = 12.0;
/// Size of body text, px.
pub const BODY: f32 = 14.0;
/// Size of a panel's main figure, px.
pub const FIGURE: f32 = 30.0;

/// A font for words.
#[must_use]
pub const fn words(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// A font for figures: digits keep their places as they change.
#[must_use]
pub const fn figures(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// A blend of two opaque colours: `from` at 0, `to` at 1.
#[must_use]
pub fn mix(from: Color32, to: Color32, amount: f32) -> Color32 {
    from.lerp_to_gamma(to, amount.clamp(0.0, 1.0))
}

/// Puts the look on a context, and takes away the shortcuts that could end a show by accident.
pub fn apply(ctx: &Context) {
    ctx.set_theme(egui::Theme::Dark);
    ctx.options_mut(|options| {
        options.quit_shortcuts.clear();
        options.zoom_with_keyboard = false;
    });
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Small, words(SMALL)),
            (TextStyle::Body, words(BODY)),
            (TextStyle::Button, words(BODY)),
            (TextStyle::Heading, words(18.0)),
            (TextStyle::Monospace, figures(13.0)),
        ]
        .into();
        style.spacing.item_spacing = Vec2::new(2.0 * GRID, 2.0 * GRID);
        style.spacing.button_padding = Vec2::new(3.0 * GRID, 1.5 * GRID);
        style.spacing.interact_size = Vec2::new(7.0 * GRID, 7.0 * GRID);
        style.spacing.window_margin = Margin::same(16);
        style.spacing.menu_margin = Margin::same(8);
        style.spacing.slider_rail_height = GRID;
        style.spacing.tooltip_width = 320.0;
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        style.interaction.tooltip_delay = 0.4;
        style.animation_time = 0.08;
        style.visuals = visuals();
    });
}

fn visuals() -> egui::Visuals {
    let mut visuals = egui::Visuals::dark();
    let corner = CornerRadius::same(CORNER);
    visuals.panel_fill = PANEL;
    visuals.window_fill = PANEL;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_corner_radius = corner;
    visuals.menu_corner_radius = corner;
    visuals.extreme_bg_color = GROUND;
    visuals.faint_bg_color = PANEL;
    visuals.text_edit_bg_color = Some(GROUND);
    visuals.weak_text_color = Some(TEXT_QUIET);
    visuals.hyperlink_color = ACCENT;
    visuals.warn_fg_color = AMBER;
    visuals.error_fg_color = RED_TEXT;
    visuals.selection.bg_fill = ACCENT_DEEP;
    visuals.selection.stroke = Stroke::new(1.0, ACCENT);
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Rect { aspect_ratio: 0.6 };
    visuals.disabled_alpha = 0.4;
    let states = [
        (&mut visuals.widgets.noninteractive, PANEL, LINE, TEXT_QUIET),
        (&mut visuals.widgets.inactive, RAISED, RAISED, TEXT),
        (&mut visuals.widgets.hovered, RAISED_HOVER, RAISED_HOVER, Color32::WHITE),
        (&mut visuals.widgets.active, ACCENT_DEEP, ACCENT, Color32::WHITE),
        (&mut visuals.widgets.open, RAISED, LINE, TEXT),
    ];
    for (widget, fill, line, text) in states {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, line);
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = CornerRadius::same(4);
        widget.expansion = 0.0;
    }
    visuals
}
