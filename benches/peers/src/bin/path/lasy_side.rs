//! The steps of lasy's documentation, with its default configuration.

use std::hash::{Hash, Hasher};

use galvo::point::LaserPoint;
use lasy::{
    Blanked, InterpolationConfig, IsBlank, Lerp, Position, Weight, euler_graph_to_euler_circuit,
    interpolate_euler_circuit, point_graph_to_euler_graph, points_to_segments,
    segments_to_point_graph,
};

use crate::scenes::Scene;

#[derive(Clone, Copy)]
struct Point {
    position: [f32; 2],
    lit: bool,
}

#[derive(Clone, Copy)]
struct Raw {
    position: [f32; 2],
    light: f32,
}

impl Hash for Point {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // Ends at one place are one node, lit or not: what merges most.
        self.position.map(|v| (v * 32_767.0) as i32).hash(hasher);
    }
}

impl IsBlank for Point {
    fn is_blank(&self) -> bool {
        !self.lit
    }
}

impl Position for Point {
    fn position(&self) -> [f32; 2] {
        self.position
    }
}

impl Position for Raw {
    fn position(&self) -> [f32; 2] {
        self.position
    }
}

impl Weight for Point {
    fn weight(&self) -> u32 {
        0
    }
}

impl From<Point> for Raw {
    fn from(point: Point) -> Self {
        Self { position: point.position, light: 1.0 }
    }
}

impl Blanked for Raw {
    fn blanked(&self) -> Self {
        Self { light: 0.0, ..*self }
    }
}

impl Lerp for Raw {
    type Scalar = f32;
    fn lerp(&self, other: &Self, amount: f32) -> Self {
        Self {
            position: self.position.lerp(&other.position, amount),
            light: self.light.lerp(&other.light, amount),
        }
    }
}

/// The scene in about `target` points.
pub fn lay(scene: &Scene, target: usize) -> Vec<LaserPoint> {
    let mut points = Vec::new();
    for line in scene {
        let dark = |position: &[f32; 2]| Point { position: *position, lit: false };
        points.extend(line.first().map(dark));
        points.extend(line.iter().map(|position| Point { position: *position, lit: true }));
        points.extend(line.last().map(dark));
    }
    let segments = points_to_segments(points.iter().copied());
    let graph = segments_to_point_graph(&points, segments);
    let euler = point_graph_to_euler_graph(&graph);
    let circuit = euler_graph_to_euler_circuit(&points, &euler);
    let config = InterpolationConfig::default();
    let raw: Vec<Raw> =
        interpolate_euler_circuit(&points, &circuit, &euler, target as u32, &config);
    raw.iter()
        .map(|p| {
            let drive = if p.light > 0.5 { u16::MAX } else { 0 };
            let [x, y] = p.position;
            LaserPoint { x, y, r: drive, g: drive, b: drive, i: drive }
        })
        .collect()
}
