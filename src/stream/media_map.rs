//! Host time ↔ media time: the one mapping that makes light meet sound.

use crate::time::{HostTime, MediaTime};

/// Which media time is heard at which host time, for one seek epoch, and how much later the light is wanted.
///
/// Set once per audio period from outside; the stream only evaluates it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MediaMap {
    /// The seek epoch this holds for.
    pub epoch: u32,
    /// A moment at which `media` is heard.
    pub host: HostTime,
    /// The media time heard at `host`.
    pub media: MediaTime,
    /// Media seconds per host second; 0 while paused.
    pub rate: f64,
    /// The user's offset, ns: positive shows the light later than the sound.
    pub light_offset_ns: i64,
}

impl MediaMap {
    /// The media time whose light belongs at `seen_at`.
    #[must_use]
    pub fn media_of_light(&self, seen_at: HostTime) -> MediaTime {
        let host_nanos = seen_at.nanos_since(self.host).saturating_sub(self.light_offset_ns);
        self.media.plus_nanos((host_nanos as f64 * self.rate) as i64)
    }

    /// When the light of `media` should be seen; `None` while media time stands still.
    #[must_use]
    pub fn light_of_media(&self, media: MediaTime) -> Option<HostTime> {
        if self.rate.abs() < 1e-6 {
            return None;
        }
        let host_nanos = (media.nanos_since(self.media) as f64 / self.rate) as i64;
        Some(self.host.plus_nanos(host_nanos).plus_nanos(self.light_offset_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: MediaMap = MediaMap {
        epoch: 3,
        host: HostTime::from_nanos(5_000_000_000),
        media: MediaTime::from_nanos(60_000_000_000),
        rate: 1.0,
        light_offset_ns: 0,
    };

    #[test]
    fn a_positive_offset_shows_light_later_than_sound() {
        let late = MediaMap { light_offset_ns: 10_000_000, ..MAP };
        assert_eq!(MAP.media_of_light(MAP.host), MAP.media);
        assert_eq!(late.media_of_light(MAP.host), MAP.media.plus_nanos(-10_000_000));
        assert_eq!(late.light_of_media(MAP.media), Some(MAP.host.plus_nanos(10_000_000)));
    }

    #[test]
    fn a_paused_map_stands_still() {
        let paused = MediaMap { rate: 0.0, ..MAP };
        assert_eq!(paused.media_of_light(MAP.host.plus_nanos(77_000_000)), MAP.media);
        assert_eq!(paused.light_of_media(MAP.media), None);
    }

    #[test]
    fn both_directions_agree_at_any_speed() {
        for rate in [0.5, 0.9998, 1.0, 2.0] {
            let map = MediaMap { rate, light_offset_ns: -4_000_000, ..MAP };
            let seen = MAP.host.plus_nanos(123_456_789);
            let back = map.light_of_media(map.media_of_light(seen)).unwrap();
            assert!(back.nanos_since(seen).abs() <= 2);
        }
    }
}
