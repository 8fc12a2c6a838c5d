//! What is known of a medium's format from its label alone.

/// What wraps the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// RIFF WAVE.
    Wav,
    /// AIFF or AIFC.
    Aiff,
    /// Native FLAC.
    Flac,
    /// MPEG audio frames, one after the other.
    Mpeg,
    /// AAC in ADTS frames.
    Adts,
    /// MPEG-4.
    Mp4,
    /// Ogg.
    Ogg,
    /// Matroska or WebM.
    Matroska,
}

/// How the sound is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// MPEG-1/2 layer III.
    Mp3,
    /// AAC low complexity.
    AacLc,
    /// High efficiency AAC: with spectral band replication.
    HeAac,
    /// High efficiency AAC version 2: with parametric stereo as well.
    HeAacV2,
    /// Apple lossless.
    Alac,
    /// FLAC.
    Flac,
    /// Vorbis.
    Vorbis,
    /// Opus.
    Opus,
}

/// What is known of a medium's format without looking into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaInfo {
    /// What wraps the sound.
    pub container: Option<Container>,
    /// How it is coded.
    pub codec: Option<Codec>,
}

impl MediaInfo {
    /// From a media type such as `audio/mp4; codecs="mp4a.40.2"`. `None` if it tells nothing.
    #[must_use]
    pub fn from_content_type(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next()?.to_ascii_lowercase();
        let container = match kind.as_str() {
            "audio/wav" | "audio/wave" | "audio/x-wav" | "audio/vnd.wave" => Some(Container::Wav),
            "audio/aiff" | "audio/x-aiff" => Some(Container::Aiff),
            "audio/flac" | "audio/x-flac" => Some(Container::Flac),
            "audio/mpeg" | "audio/mp3" | "audio/x-mp3" => Some(Container::Mpeg),
            "audio/aac" | "audio/aacp" | "audio/x-aac" => Some(Container::Adts),
            "audio/mp4" | "audio/m4a" | "audio/x-m4a" | "video/mp4" => Some(Container::Mp4),
            "audio/ogg" | "application/ogg" | "video/ogg" => Some(Container::Ogg),
            "audio/webm" | "video/webm" | "audio/x-matroska" | "video/x-matroska" => {
                Some(Container::Matroska)
            }
            _ => None,
        };
        let codec = parts
            .filter_map(|part| part.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("codecs"))
            .find_map(|(_, list)| list.trim().trim_matches('"').split(',').find_map(codec_named));
        (container.is_some() || codec.is_some()).then_some(Self { container, codec })
    }

    /// From the extension of a file's name, in lower case.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        let container = match extension {
            "wav" | "wave" => Container::Wav,
            "aif" | "aiff" | "aifc" => Container::Aiff,
            "flac" => Container::Flac,
            "mp3" | "mp2" => Container::Mpeg,
            "aac" => Container::Adts,
            "m4a" | "mp4" | "m4b" | "mov" => Container::Mp4,
            "ogg" | "oga" | "opus" => Container::Ogg,
            "mka" | "mkv" | "webm" => Container::Matroska,
            _ => return None,
        };
        Some(Self { container: Some(container), codec: None })
    }

    /// The extension that files of this format have.
    #[must_use]
    pub fn extension(&self) -> Option<&'static str> {
        Some(match self.container? {
            Container::Wav => "wav",
            Container::Aiff => "aiff",
            Container::Flac => "flac",
            Container::Mpeg => "mp3",
            Container::Adts => "aac",
            Container::Mp4 => "m4a",
            Container::Ogg => "ogg",
            Container::Matroska => "mka",
        })
    }
}

/// A codec by its RFC 6381 name: compared as a whole, for `mp4a.40.2` begins `mp4a.40.29` as well.
fn codec_named(name: &str) -> Option<Codec> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "mp4a.40.2" => Codec::AacLc,
        "mp4a.40.5" => Codec::HeAac,
        "mp4a.40.29" => Codec::HeAacV2,
        "mp3" | "mp4a.6b" | "mp4a.69" | "mp4a.40.34" => Codec::Mp3,
        "alac" => Codec::Alac,
        "flac" | "fla1" => Codec::Flac,
        "vorbis" => Codec::Vorbis,
        "opus" => Codec::Opus,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KS-11. Trap: a codec is told by its whole name: `mp4a.40.29` is not AAC-LC.
    #[test]
    fn a_codec_is_told_by_its_whole_name() {
        let codec = |text: &str| MediaInfo::from_content_type(text).and_then(|info| info.codec);
        assert_eq!(codec("audio/mp4; codecs=\"mp4a.40.29\""), Some(Codec::HeAacV2));
        assert_eq!(codec("audio/mp4; codecs=\"mp4a.40.2\""), Some(Codec::AacLc));
        assert_eq!(codec("audio/mp4; codecs=mp4a.40.5"), Some(Codec::HeAac));
        assert_eq!(codec("video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\""), Some(Codec::AacLc));
        assert_eq!(codec("audio/mp4; codecs=\"mp4a.40.2x\""), None);
    }

    #[test]
    fn a_type_without_meaning_tells_nothing() {
        for text in ["", "text/html", "application/octet-stream", ";;;", "audio/mp99"] {
            assert_eq!(MediaInfo::from_content_type(text), None);
        }
        let mp3 = MediaInfo::from_content_type("Audio/MPEG").unwrap();
        assert_eq!((mp3.extension(), Some(mp3)), (Some("mp3"), MediaInfo::from_extension("mp3")));
    }
}
