//! The outlines of one frame of a mask stream: polylines on the drawing plane.

/// Width of the drawing plane of all streams seen, units.
pub const PLANE_WIDTH: u32 = 2048;
/// Height of the drawing plane of all streams seen, units.
pub const PLANE_HEIGHT: u32 = 1024;

/// A place on the drawing plane: x to the right, y **down**. Sums of steps may leave the plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Units from the left edge.
    pub x: i32,
    /// Units from the top edge.
    pub y: i32,
}

impl Place {
    /// A place.
    #[must_use]
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }
}

/// The channels (polylines) of one frame. A channel of three or more places is a closed outline: where the
/// last place differs from the first, the edge back is implied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlines {
    places: Vec<Place>,
    ends: Vec<usize>,
    /// What was passed over when the frame was read: channels too short for a place.
    pub short_channels: u32,
    /// What was passed over when the frame was read: single bytes after the last step of a channel.
    pub odd_bytes: u32,
}

impl Outlines {
    /// No channel; keeps the memory.
    pub fn clear(&mut self) {
        self.places.clear();
        self.ends.clear();
        self.short_channels = 0;
        self.odd_bytes = 0;
    }

    /// Adds a channel; one without a place is left out.
    pub fn push(&mut self, channel: impl IntoIterator<Item = Place>) {
        let first = self.places.len();
        self.places.extend(channel);
        if self.places.len() > first {
            self.ends.push(self.places.len());
        }
    }

    /// The channels in the order of the file; none is empty.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &[Place]> + Clone {
        (0..self.ends.len()).map(|k| {
            let first = if k == 0 { 0 } else { self.ends[k - 1] };
            &self.places[first..self.ends[k]]
        })
    }

    /// Every place of every channel.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Smallest and largest x and y, both included; `None` without a place.
    #[must_use]
    pub fn bounds(&self) -> Option<(Place, Place)> {
        bounds(&self.places)
    }

    /// Bytes of memory that are held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Place>() + self.ends.capacity() * size_of::<usize>()
    }

    /// Gives back memory that is not used.
    pub fn shrink_to_fit(&mut self) {
        self.places.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// Smallest and largest x and y of some places, both included.
#[must_use]
pub fn bounds(places: &[Place]) -> Option<(Place, Place)> {
    let mut rest = places.iter();
    let first = *rest.next()?;
    Some(rest.fold((first, first), |(low, high), p| {
        (Place::new(low.x.min(p.x), low.y.min(p.y)), Place::new(high.x.max(p.x), high.y.max(p.y)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_come_back_as_they_were_put_in_and_empty_ones_are_left_out() {
        let mut outlines = Outlines::default();
        outlines.push([Place::new(1, 2)]);
        outlines.push([]);
        outlines.push([Place::new(-3, 4), Place::new(5, -6)]);
        let lengths: Vec<_> = outlines.channels().map(<[Place]>::len).collect();
        assert_eq!(lengths, [1, 2]);
        assert_eq!(outlines.bounds(), Some((Place::new(-3, -6), Place::new(5, 4))));
        outlines.clear();
        assert_eq!((outlines.channels().len(), outlines.bounds()), (0, None));
    }
}
