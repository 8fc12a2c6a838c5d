//! Where light dwells: lit points counted on a grid over the last second.

use egui::{Color32, Mesh, Rect, Vec2};

use crate::gui::theme;
use crate::point::LaserPoint;

/// Cells of the grid, each way.
const CELLS: usize = 48;
/// Time in which a count falls to 1/e, s.
const DECAY_SECONDS: f64 = 1.0;
/// A cell with less than this part of the fullest one is left out.
const LEAST_SHARE: f32 = 0.04;

/// The counts.
#[derive(Debug)]
pub(super) struct Heat {
    cells: Vec<f32>,
    seen_at: f64,
}

impl Default for Heat {
    fn default() -> Self {
        Self { cells: vec![0.0; CELLS * CELLS], seen_at: 0.0 }
    }
}

impl Heat {
    /// Takes the points since the last call; `now` in seconds.
    pub(super) fn take(&mut self, fresh: &[LaserPoint], now: f64) {
        let kept = (-(now - self.seen_at).max(0.0) / DECAY_SECONDS).exp() as f32;
        self.seen_at = now;
        self.cells.iter_mut().for_each(|cell| *cell *= kept);
        let cell = |place: f32| (((place + 1.0) * 0.5 * CELLS as f32) as usize).min(CELLS - 1);
        for point in fresh.iter().filter(|point| !point.is_blank() && point.is_in_range()) {
            self.cells[cell(point.y) * CELLS + cell(point.x)] += 1.0;
        }
    }

    /// The grid in a square of the screen: the fullest cell is red, others fade through amber.
    pub(super) fn mesh(&self, square: Rect) -> Mesh {
        let mut mesh = Mesh::default();
        let fullest = self.cells.iter().copied().fold(0.0, f32::max);
        if fullest < 1.0 {
            return mesh;
        }
        let side = square.width() / CELLS as f32;
        for (at, count) in self.cells.iter().enumerate() {
            let share = count / fullest;
            if share < LEAST_SHARE {
                continue;
            }
            let (column, row) = ((at % CELLS) as f32, (at / CELLS) as f32);
            let corner = square.left_bottom() + Vec2::new(column, -row - 1.0) * side;
            mesh.add_colored_rect(Rect::from_min_size(corner, Vec2::splat(side)), colour(share));
        }
        mesh
    }
}

fn colour(share: f32) -> Color32 {
    theme::mix(theme::AMBER, theme::RED, share).gamma_multiply(0.15 + 0.55 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;
    use egui::Pos2;

    const SQUARE: Rect = Rect { min: Pos2::ZERO, max: Pos2::new(480.0, 480.0) };

    #[test]
    fn a_resting_beam_is_the_hottest_and_dark_points_are_cold() {
        let mut heat = Heat::default();
        heat.take(&[LaserPoint::blank(0.5, 0.5); 500], 1.0);
        assert!(heat.mesh(SQUARE).is_empty());
        let mut points = vec![LaserPoint::lit(-0.99, 0.99, Colour::WHITE); 100];
        points.extend([LaserPoint::lit(0.99, -0.99, Colour::WHITE); 3]);
        points.push(LaserPoint { x: f32::NAN, ..points[0] });
        heat.take(&points, 1.0);
        let mesh = heat.mesh(SQUARE);
        assert_eq!(mesh.vertices.len(), 4, "three in a hundred are left out");
        assert!(mesh.calc_bounds().contains(Pos2::new(5.0, 5.0)), "top left is top left");
    }

    #[test]
    fn heat_is_forgotten() {
        let mut heat = Heat::default();
        heat.take(&[LaserPoint::lit(0.0, 0.0, Colour::WHITE); 100], 1.0);
        heat.take(&[], 11.0);
        assert!(heat.mesh(SQUARE).is_empty());
    }
}
