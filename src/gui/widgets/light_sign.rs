//! The sign of the state of light: a shape and a colour of its own for each, so that neither is needed to know it.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2};

use crate::gui::theme;
use crate::show::LightState;

/// The colour of its words.
pub(in crate::gui) const fn light_colour(state: LightState) -> Color32 {
    match state {
        LightState::Disarmed => theme::TEXT_QUIET,
        LightState::WentDark(_) | LightState::EmergencyStop | LightState::Stopped => {
            theme::RED_TEXT
        }
        LightState::Blackout | LightState::MasterDown => theme::HELD_DARK,
        LightState::Flash => Color32::WHITE,
        LightState::PartlyLit { .. } | LightState::Lit => theme::AMBER,
    }
}

/// Draws its shape into a square.
pub(in crate::gui) fn light_sign(painter: &Painter, square: Rect, state: LightState) {
    let colour = light_colour(state);
    let line = Stroke::new((square.width() * 0.11).max(1.5), colour);
    let (centre, radius) = (square.center(), square.width() * 0.42);
    // Corners of a regular figure that stands on an edge, or on a corner.
    let figure = |corners: u8, turned: f32| -> Vec<Pos2> {
        let corner = |k: u8| {
            let angle = (f32::from(k) + turned) / f32::from(corners) * std::f32::consts::TAU;
            centre + radius * 1.1 * Vec2::new(angle.sin(), -angle.cos())
        };
        (0..corners).map(corner).collect()
    };
    match state {
        LightState::Disarmed => {
            painter.circle_stroke(centre, radius, line);
        }
        LightState::Lit => {
            painter.circle_filled(centre, radius * 0.6, colour);
            for corner in figure(8, 0.0) {
                painter.line_segment([centre + (corner - centre) * 0.72, corner], line);
            }
        }
        LightState::PartlyLit { .. } => {
            painter.circle_stroke(centre, radius, line);
            let left = square.with_max_x(centre.x);
            painter.with_clip_rect(left).circle_filled(centre, radius, colour);
        }
        LightState::Flash => {
            let star = figure(4, 0.0).into_iter().zip(figure(4, 0.5));
            let star = star.flat_map(|(far, near)| [far, centre + (near - centre) * 0.35]);
            painter.add(Shape::Path(egui::epaint::PathShape {
                points: star.collect(),
                closed: true,
                fill: Color32::TRANSPARENT,
                stroke: line.into(),
            }));
        }
        LightState::Blackout => {
            painter.circle_stroke(centre, radius, line);
            let across = Vec2::splat(radius * 0.72);
            painter.line_segment([centre - across, centre + across], line);
        }
        LightState::MasterDown => {
            let across = Vec2::new(radius, 0.0);
            let floor = centre + Vec2::new(0.0, radius * 0.8);
            painter.line_segment([floor - across, floor + across], line);
            let tip = centre + Vec2::new(0.0, radius * 0.3);
            painter.line_segment([centre - Vec2::new(0.0, radius), tip], line);
            for side in [-1.0, 1.0] {
                let wing = tip + radius * 0.55 * Vec2::new(side, -1.0);
                painter.line_segment([wing, tip], line);
            }
        }
        LightState::WentDark(_) => {
            painter.add(Shape::closed_line(figure(3, 0.0), line));
            painter.line_segment(
                [centre - Vec2::new(0.0, radius * 0.35), centre + Vec2::new(0.0, radius * 0.15)],
                line,
            );
            painter.circle_filled(centre + Vec2::new(0.0, radius * 0.4), line.width * 0.55, colour);
        }
        LightState::Stopped => {
            let side = Vec2::splat(radius * 1.6);
            painter.rect_filled(Rect::from_center_size(centre, side), 1, colour);
        }
        LightState::EmergencyStop => {
            painter.add(Shape::convex_polygon(figure(8, 0.5), colour, Stroke::NONE));
            let bar = Vec2::new(radius * 1.0, radius * 0.34);
            painter.rect_filled(Rect::from_center_size(centre, bar), 0, theme::PANEL);
        }
    }
}
