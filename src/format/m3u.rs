//! M3U playlists: a line a track, with `#EXTM3U` and `#EXTINF` as most players write them. Names ending in `.m3u8` are
//! UTF-8; older ones that are not are read as Latin-1.
//!
//! What RFC 8216 makes of the same form, a list of the pieces of one stream, is refused: it is no list of tracks.

/// Tracks of a list at most.
pub const MAX_TRACKS: usize = 10_000;
/// Bytes of a list at most.
pub const MAX_BYTES: usize = 4 << 20;
/// Characters of a title that are kept.
const MAX_TITLE_CHARS: usize = 400;
/// A length of more than a week is none, s.
const MAX_SECONDS: f64 = 7.0 * 86_400.0;

/// One line of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// Where the track lies, as written: a path, absolute or from the folder of the list, or an address.
    pub place: String,
    /// What the list calls it.
    pub title: Option<String>,
    /// Its length as the list tells it, s.
    pub seconds: Option<f64>,
}

/// Why something is no playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum M3uError {
    /// It is not text.
    #[error("it is no text: save it as M3U8")]
    NotText,
    /// It is longer than any list of tracks.
    #[error("it lists more than {MAX_TRACKS} tracks: divide it")]
    TooLong,
    /// It lists the pieces of one stream.
    #[error("it lists the pieces of a live stream (HLS), not tracks: save the music as a file")]
    Pieces,
    /// There is no track in it.
    #[error("it lists no track: add some and save it again")]
    Empty,
}

/// Reads a list.
///
/// # Errors
///
/// See [`M3uError`].
pub fn parse(bytes: &[u8]) -> Result<Vec<Listed>, M3uError> {
    if bytes.len() > MAX_BYTES {
        return Err(M3uError::TooLong);
    }
    if bytes.contains(&0) {
        return Err(M3uError::NotText);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut tracks = Vec::new();
    let (mut title, mut seconds) = (None, None);
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']).map(str::trim) {
        if line.starts_with("#EXT-X-") {
            return Err(M3uError::Pieces);
        }
        if let Some(about) = line.strip_prefix("#EXTINF:") {
            (seconds, title) = extinf(about);
        } else if !line.is_empty() && !line.starts_with('#') {
            if tracks.len() == MAX_TRACKS {
                return Err(M3uError::TooLong);
            }
            let place = line.to_owned();
            tracks.push(Listed { place, title: title.take(), seconds: seconds.take() });
        }
    }
    if tracks.is_empty() { Err(M3uError::Empty) } else { Ok(tracks) }
}

/// `123 key="value",Artist - Title`: seconds, and the title after the first comma.
fn extinf(about: &str) -> (Option<f64>, Option<String>) {
    let (length, title) = about.split_once(',').unwrap_or((about, ""));
    let seconds = length.split_whitespace().next().and_then(|word| word.parse().ok());
    let seconds = seconds.filter(|seconds| (f64::MIN_POSITIVE..=MAX_SECONDS).contains(seconds));
    let title: String =
        title.trim().chars().filter(|c| !c.is_control()).take(MAX_TITLE_CHARS).collect();
    (seconds, (!title.is_empty()).then_some(title))
}

/// Writes a list, in UTF-8. A place that no line can hold, with a line break in it, is left out.
#[must_use]
pub fn write(tracks: &[Listed]) -> String {
    let mut text = String::from("#EXTM3U\n");
    let is_line = |place: &str| !place.contains(['\n', '\r']) && place.trim() == place;
    for track in tracks.iter().filter(|track| is_line(&track.place)) {
        let seconds = track.seconds.map_or(-1, |seconds| seconds.round() as i64);
        let title: String = track
            .title
            .iter()
            .flat_map(|title| title.chars())
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        // A path may begin as a remark does.
        let before = if track.place.starts_with('#') { "./" } else { "" };
        let length = seconds.to_string();
        for part in ["#EXTINF:", &length, ",", &title, "\n", before, &track.place, "\n"] {
            text.push_str(part);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn places(text: &[u8]) -> Vec<String> {
        parse(text).unwrap().into_iter().map(|track| track.place).collect()
    }

    #[test]
    fn a_plain_list_and_one_with_remarks_are_read() {
        assert_eq!(places(b"a.mp3\r\n\r\n  sub/b c.flac  \r\n"), ["a.mp3", "sub/b c.flac"]);
        let text = "\u{feff}#EXTM3U\n#PLAYLIST:Ours\n#EXTINF:241 tvg=\"x\",Band - Säule, Pt. 1\n\
                    music/säule.ogg\n#EXTINF:-1,Radio\nhttps://host/live.mp3\n#EXTINF:nonsense\nc.wav";
        let tracks = parse(text.as_bytes()).unwrap();
        let track = |place: &str, title: Option<&str>, seconds| Listed {
            place: place.into(),
            title: title.map(Into::into),
            seconds,
        };
        assert_eq!(
            tracks,
            [
                track("music/säule.ogg", Some("Band - Säule, Pt. 1"), Some(241.0)),
                track("https://host/live.mp3", Some("Radio"), None),
                track("c.wav", None, None),
            ]
        );
    }

    #[test]
    fn an_old_list_is_latin_1() {
        assert_eq!(places(b"S\xe4ule.mp3"), ["Säule.mp3"]);
    }

    #[test]
    fn what_is_no_list_of_tracks_is_refused_with_its_cure() {
        assert_eq!(parse(b"RIFF\0\0\0\0WAVE"), Err(M3uError::NotText));
        assert_eq!(parse(b"#EXTM3U\n\n# nothing\n"), Err(M3uError::Empty));
        assert_eq!(
            parse(b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nseg0.ts"),
            Err(M3uError::Pieces)
        );
        assert_eq!(parse(&b"a\n".repeat(MAX_TRACKS)).map(|tracks| tracks.len()), Ok(MAX_TRACKS));
        assert_eq!(parse(&b"a\n".repeat(MAX_TRACKS + 1)), Err(M3uError::TooLong));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let track = |place: &str, title: Option<&str>, seconds| Listed {
            place: place.into(),
            title: title.map(Into::into),
            seconds,
        };
        let tracks = [
            track("/music/a b.flac", Some("Name"), Some(61.0)),
            track("c.ogg", None, None),
            track("#1.mp3", Some("two\nlines"), None),
            track("two\nlines.mp3", None, None),
        ];
        let read = parse(write(&tracks).as_bytes()).unwrap();
        assert_eq!(read[..2], tracks[..2]);
        assert_eq!(read[2], track("./#1.mp3", Some("two lines"), None));
        assert_eq!(read.len(), 3, "what fits no line is left out");
    }

    proptest! {
        /// Lines as lists have them, in any order, and bytes of any kind between them.
        #[test]
        fn any_bytes_are_read_or_refused_and_what_was_read_is_read_again(
            lines in vec(
                prop_oneof![
                    vec(any::<u8>(), 0..40),
                    "#EXTINF:[-0-9.einf]{0,9},.{0,20}".prop_map(String::into_bytes),
                    " ?[#a-z/\\\\.: ]{1,20}".prop_map(String::into_bytes),
                ],
                0..30,
            )
        ) {
            if let Ok(tracks) = parse(&lines.join(&b'\n')) {
                let again = parse(write(&tracks).as_bytes()).unwrap();
                prop_assert_eq!(again.len(), tracks.len());
                for (again, track) in again.iter().zip(&tracks) {
                    prop_assert!(again.place.ends_with(&track.place));
                }
            }
        }
    }
}
