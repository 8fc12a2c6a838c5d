//! The pictures handed out last, at their sizes: the same one again is not scaled again, and the memory of one
//! that nobody holds any more is drawn over.

use std::sync::Arc;

use super::bitmask::{BitMask, Bitmap, Scaler};

/// Pictures kept.
const KEPT: usize = 8;

/// Load, frame, width, height.
type PictureKey = (u64, u64, u32, u32);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// The newest last.
    kept: Vec<(PictureKey, Arc<Bitmap>)>,
    scalers: Vec<Scaler>,
}

/// A picture to be made, outside of any lock.
#[derive(Debug)]
pub(super) struct Work {
    key: PictureKey,
    picture: Arc<Bitmap>,
    scaler: Scaler,
}

impl Pictures {
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }

    /// The picture, or the work to make it.
    pub(super) fn begin(&mut self, key: PictureKey) -> Result<Arc<Bitmap>, Work> {
        if let Some(at) = self.kept.iter().position(|(kept, _)| *kept == key) {
            self.kept[at..].rotate_left(1);
            return Ok(Arc::clone(&self.kept[self.kept.len() - 1].1));
        }
        let full = self.kept.len() == KEPT;
        let free = self.kept.iter().position(|(_, picture)| Arc::strong_count(picture) == 1);
        let picture = match free {
            Some(at) if full => self.kept.remove(at).1,
            _ if full => {
                self.kept.remove(0);
                Arc::default()
            }
            _ => Arc::default(),
        };
        Err(Work { key, picture, scaler: self.scalers.pop().unwrap_or_default() })
    }

    /// Keeps what was made, and hands it out.
    pub(super) fn keep(&mut self, work: Work) -> Arc<Bitmap> {
        let Work { key, picture, scaler } = work;
        self.scalers.push(scaler);
        if self.kept.len() < KEPT {
            self.kept.push((key, Arc::clone(&picture)));
        }
        picture
    }
}

impl Work {
    /// Makes the picture.
    pub(super) fn scale(&mut self, mask: &BitMask) {
        let (_, _, width, height) = self.key;
        // Nobody else holds it: it was taken out of the list with one holder, or is new.
        self.scaler.scale(mask, width, height, Arc::make_mut(&mut self.picture));
    }
}
