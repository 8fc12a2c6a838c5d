//! A drawing as strokes: what patterns make and the path stage turns into points.

use crate::point::Colour;

/// One corner of a stroke.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vertex {
    /// Horizontal position, −1..=1.
    pub x: f32,
    /// Vertical position, −1..=1.
    pub y: f32,
    /// Colour of the line that leads to the next vertex.
    pub colour: Colour,
}

/// A continuous run of vertices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// Index of its first vertex in the figure.
    pub first: usize,
    /// Number of vertices: at least 1; a single vertex is a dot (a beam).
    pub len: usize,
    /// True when a line leads from the last vertex back to the first.
    pub closed: bool,
    /// True for a curve sampled finely: its vertices are no corners, and get no dwell.
    pub smooth: bool,
}

/// A drawing of fixed capacity: once built, it never allocates. What does not fit is dropped and counted.
#[derive(Clone, Debug)]
pub struct Figure {
    vertices: Vec<Vertex>,
    strokes: Vec<Stroke>,
    open: Option<usize>,
    dropped: u32,
}

impl Figure {
    /// Room for `vertices` corners in `strokes` strokes.
    #[must_use]
    pub fn with_capacity(vertices: usize, strokes: usize) -> Self {
        Self {
            vertices: Vec::with_capacity(vertices),
            strokes: Vec::with_capacity(strokes),
            open: None,
            dropped: 0,
        }
    }

    /// Empties the drawing; keeps the memory.
    pub fn clear(&mut self) {
        self.vertices.clear();
        self.strokes.clear();
        self.open = None;
        self.dropped = 0;
    }

    /// Begins a stroke. A stroke still open is ended as an open corner line first.
    pub fn begin(&mut self) {
        self.end(false, false);
        self.open = Some(self.vertices.len());
    }

    /// Adds a vertex to the open stroke (begins one if none is open). Positions that are not finite are
    /// dropped and counted.
    pub fn vertex(&mut self, x: f32, y: f32, colour: Colour) {
        if self.open.is_none() {
            self.begin();
        }
        let full = self.vertices.len() == self.vertices.capacity();
        if full || !x.is_finite() || !y.is_finite() {
            self.dropped = self.dropped.saturating_add(1);
        } else {
            self.vertices.push(Vertex { x, y, colour });
        }
    }

    /// Ends the open stroke. See [`Stroke`] for the meaning of `closed` and `smooth`.
    pub fn end(&mut self, closed: bool, smooth: bool) {
        let Some(first) = self.open.take() else { return };
        let len = self.vertices.len() - first;
        if len == 0 {
            return;
        }
        if self.strokes.len() == self.strokes.capacity() {
            self.dropped = self.dropped.saturating_add(len as u32);
            self.vertices.truncate(first);
        } else {
            self.strokes.push(Stroke { first, len, closed, smooth });
        }
    }

    /// The strokes, in drawing order.
    #[must_use]
    pub fn strokes(&self) -> &[Stroke] {
        &self.strokes
    }

    /// The vertices of a stroke of this figure.
    #[must_use]
    pub fn vertices_of(&self, stroke: &Stroke) -> &[Vertex] {
        self.vertices.get(stroke.first..stroke.first + stroke.len).unwrap_or(&[])
    }

    /// Number of vertices.
    #[must_use]
    pub fn len(&self) -> usize {
        self.vertices.len()
    }

    /// True without a vertex.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vertices.is_empty()
    }

    /// Vertices it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.vertices.capacity()
    }

    /// Becomes a copy of another drawing. What does not fit is dropped and counted, with what `other` dropped.
    pub fn copy_from(&mut self, other: &Self) {
        self.clear();
        self.dropped = other.dropped;
        self.append(other, 1.0);
    }

    /// Adds the strokes of another drawing with `light`, 0..=1. What does not fit is dropped and counted.
    pub fn append(&mut self, other: &Self, light: f32) {
        for stroke in &other.strokes {
            self.begin();
            for vertex in other.vertices_of(stroke) {
                self.vertex(vertex.x, vertex.y, vertex.colour.scaled(light));
            }
            self.end(stroke.closed, stroke.smooth);
        }
    }

    /// Every vertex, to transform the whole drawing.
    pub fn vertices_mut(&mut self) -> &mut [Vertex] {
        &mut self.vertices
    }

    /// Vertices dropped since the last `clear`, because of the capacity or a bad number.
    #[must_use]
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_figure_drops_and_counts_and_does_not_grow() {
        let mut figure = Figure::with_capacity(4, 1);
        figure.begin();
        for k in 0..10 {
            figure.vertex(k as f32 * 0.1, 0.0, Colour::WHITE);
        }
        figure.end(false, false);
        figure.begin();
        figure.vertex(0.0, 0.0, Colour::WHITE);
        figure.end(false, false);
        assert_eq!(figure.strokes().len(), 1);
        assert_eq!(figure.vertices_of(&figure.strokes()[0]).len(), 4);
        assert_eq!(figure.dropped(), 7);
    }

    #[test]
    fn bad_numbers_never_enter_a_figure() {
        let mut figure = Figure::with_capacity(4, 2);
        figure.vertex(f32::NAN, 0.0, Colour::WHITE);
        figure.vertex(0.0, f32::INFINITY, Colour::WHITE);
        figure.end(true, true);
        assert!(figure.strokes().is_empty());
        assert_eq!(figure.dropped(), 2);
    }
}
