//! Which output channel carries what: the options of `audio-xy://DEVICE?channels=xyrgb`.

use super::resampler::Beam;
use crate::dac::backend::DacError;

/// More channels than any card has outputs that matter here.
const MAX_CHANNELS: usize = 64;

/// What one channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Horizontal position.
    X,
    /// Vertical position.
    Y,
    /// Red drive.
    Red,
    /// Green drive.
    Green,
    /// Blue drive.
    Blue,
    /// Intensity; the Z input of an oscilloscope.
    Intensity,
    /// A square wave of 1 kHz while points flow: what a projector's watchdog listens to.
    Tone,
    /// Nothing.
    Silent,
}

/// How to use a sound card.
#[derive(Clone, Debug, PartialEq)]
pub struct XyOptions {
    /// One role per output channel, from the first on.
    pub channels: Vec<Role>,
    /// Frames per second; `None`: what suits the card.
    pub rate: Option<u32>,
    /// Scales both positions, 0..=1.
    pub gain: f32,
    /// Scales colours and intensity, 0..=1.
    pub level: f32,
}

impl Default for XyOptions {
    fn default() -> Self {
        Self { channels: vec![Role::X, Role::Y], rate: None, gain: 1.0, level: 1.0 }
    }
}

impl XyOptions {
    /// Reads `channels=xyrgbi&rate=96000&gain=0.5&level=0.8`; each is optional.
    pub fn parse(query: &str) -> Result<Self, DacError> {
        let mut options = Self::default();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            options.set(part).ok_or_else(|| {
                DacError::BadAddress(format!(
                    "\"{part}\" is no option of audio XY: use channels=xyrgbi (letters x y r g b, i or z for intensity, t for the enable tone, - for none), rate=96000, gain=0.5 or level=0.8; which way the picture lies is set by galvo devices set"
                ))
            })?;
        }
        Ok(options)
    }

    fn set(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=')?;
        let share = || value.parse().ok().filter(|share: &f32| (0.0..=1.0).contains(share));
        match name {
            "channels" => self.channels = channels(value)?,
            "rate" => {
                let rate = value.parse().ok().filter(|rate| (8_000..=768_000).contains(rate))?;
                self.rate = Some(rate);
            }
            "gain" => self.gain = share()?,
            "level" => self.level = share()?,
            _ => return None,
        }
        Some(())
    }

    /// True where nothing can switch the beam off: an oscilloscope in XY mode.
    #[must_use]
    pub fn is_always_lit(&self) -> bool {
        !self
            .channels
            .iter()
            .any(|role| matches!(role, Role::Red | Role::Green | Role::Blue | Role::Intensity))
    }

    /// Lays one moment on the channels of a frame; channels past the map are silent.
    pub fn lay(&self, beam: &Beam, tone: f32, frame: &mut [f32]) {
        let place = |v: f32| v.clamp(-1.0, 1.0) * self.gain;
        let drive = |v: f32| v.clamp(0.0, 1.0) * self.level;
        frame.fill(0.0);
        for (slot, role) in frame.iter_mut().zip(&self.channels) {
            *slot = match role {
                Role::X => place(beam.x),
                Role::Y => place(beam.y),
                Role::Red => drive(beam.r),
                Role::Green => drive(beam.g),
                Role::Blue => drive(beam.b),
                Role::Intensity => drive(beam.i),
                Role::Tone => tone,
                Role::Silent => 0.0,
            };
        }
    }
}

/// Both positions once, everything else at most once.
fn channels(text: &str) -> Option<Vec<Role>> {
    let roles: Option<Vec<Role>> = text
        .chars()
        .map(|letter| {
            Some(match letter {
                'x' => Role::X,
                'y' => Role::Y,
                'r' => Role::Red,
                'g' => Role::Green,
                'b' => Role::Blue,
                'i' | 'z' => Role::Intensity,
                't' => Role::Tone,
                '-' => Role::Silent,
                _ => return None,
            })
        })
        .collect();
    let roles = roles?;
    let count = |role: Role| roles.iter().filter(|other| **other == role).count();
    let once = roles.iter().all(|role| *role == Role::Silent || count(*role) == 1);
    let positions = count(Role::X) == 1 && count(Role::Y) == 1;
    (once && positions && roles.len() <= MAX_CHANNELS).then_some(roles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(frame: &[f32]) -> Vec<u8> {
        frame.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    /// Sheet, section 7: x −0.25, y 0.5, white-ish (1, 0.5, 0), intensity 1.
    #[test]
    fn six_channels_are_the_reference_frame() {
        let options = XyOptions::parse("channels=xyrgbi").unwrap();
        let beam = Beam { x: -0.25, y: 0.5, r: 1.0, g: 0.5, b: 0.0, i: 1.0 };
        let mut frame = [9.0; 6];
        options.lay(&beam, 0.0, &mut frame);
        let expected = [
            0x00, 0x00, 0x80, 0xbe, 0x00, 0x00, 0x00, 0x3f, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00,
            0x00, 0x3f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x3f,
        ];
        assert_eq!(bytes(&frame), expected);
    }

    /// Sheet, section 7: the data of a 5-channel file of 16 bits, written with a standard WAV writer.
    #[test]
    fn five_channels_are_the_reference_file() {
        let options = XyOptions::parse("channels=xyrgb").unwrap();
        let beams = [
            Beam { x: -1.0, y: 1.0, r: 1.0, ..Beam::default() },
            Beam { g: 0.5, ..Beam::default() },
            Beam { x: 1.0, y: -1.0, b: 1.0, ..Beam::default() },
        ];
        let expected: [[u16; 5]; 3] =
            [[0x8001, 0x7fff, 0x7fff, 0, 0], [0, 0, 0, 0x4000, 0], [0x7fff, 0x8001, 0, 0, 0x7fff]];
        for (beam, expected) in beams.iter().zip(expected) {
            let mut frame = [0.0; 5];
            options.lay(beam, 0.0, &mut frame);
            let sixteen = frame.map(|v| (v * 32_767.0).round() as i16 as u16);
            assert_eq!(sixteen, expected);
        }
    }

    #[test]
    fn any_channels_and_scales_can_be_asked_for() {
        let options = XyOptions::parse("channels=--yxt&gain=0.5&level=0.5").unwrap();
        let mut frame = [9.0; 7];
        options.lay(&Beam { x: 0.5, y: 0.25, ..Beam::default() }, -1.0, &mut frame);
        assert_eq!(frame, [0.0, 0.0, 0.125, 0.25, -1.0, 0.0, 0.0]);
        assert!(options.is_always_lit());
        assert!(!XyOptions::parse("channels=xyz").unwrap().is_always_lit());
        assert_eq!(XyOptions::parse("rate=96000").unwrap().rate, Some(96_000));
    }

    #[test]
    fn nonsense_is_named_with_the_cure() {
        for part in [
            "channels=xr",
            "channels=xyx",
            "channels=xyq",
            "gain=2",
            "gain=nan",
            "rate=1",
            "invert=x",
            "volume=1",
            "channels",
        ] {
            let sentence = XyOptions::parse(part).unwrap_err().to_string();
            assert!(sentence.contains(part) && sentence.contains("channels=xyrgbi"), "{sentence}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in "[a-z=&0-9.,-]{0,40}") {
            drop(XyOptions::parse(&query));
        }
    }
}
