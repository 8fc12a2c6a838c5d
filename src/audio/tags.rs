//! What a file says of itself: title, artist, album, its picture.

use std::sync::Arc;

use symphonia::core::formats::FormatReader;
use symphonia::core::meta::{MetadataRevision, StandardTag, StandardVisualKey};

/// Characters of a tag that are kept.
const MAX_TAG_CHARS: usize = 200;
/// A picture longer than this is left where it is.
const MAX_COVER_BYTES: usize = 8 << 20;

/// What a file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Title.
    pub title: Option<String>,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// The picture on the cover, as it lies in the file.
    pub cover: Option<Arc<CoverArt>>,
}

/// A picture that came with the music. Not decoded, and not to be trusted more than any file.
#[derive(Clone, PartialEq, Eq)]
pub struct CoverArt {
    /// What the file says it is: `image/jpeg`, `image/png`.
    pub media_type: Option<String>,
    /// The picture file, at most 8 MiB.
    pub bytes: Box<[u8]>,
}

impl std::fmt::Debug for CoverArt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CoverArt")
            .field("media_type", &self.media_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Reads the tags of `format`, and iTunes' figures of what is audible.
pub(super) fn read_tags(format: &mut dyn FormatReader) -> (Tags, Option<String>) {
    let (mut tags, mut itun_smpb) = (Tags::default(), None);
    let mut metadata = format.metadata();
    loop {
        if let Some(revision) = metadata.current() {
            take_in(revision, &mut tags, &mut itun_smpb);
        }
        if metadata.pop().is_none() {
            return (tags, itun_smpb);
        }
    }
}

fn take_in(revision: &MetadataRevision, tags: &mut Tags, itun_smpb: &mut Option<String>) {
    for tag in &revision.media.tags {
        match &tag.std {
            Some(StandardTag::TrackTitle(text)) => tags.title = clean(text).or(tags.title.take()),
            Some(StandardTag::Artist(text)) => {
                tags.artist = tags.artist.take().or_else(|| clean(text));
            }
            Some(StandardTag::Album(text)) => {
                tags.album = tags.album.take().or_else(|| clean(text));
            }
            _ if tag.raw.key.ends_with("iTunSMPB") => {
                *itun_smpb = Some(tag.raw.value.to_string());
            }
            _ => {}
        }
    }
    let usable = || {
        let visuals = revision.media.visuals.iter();
        visuals.filter(|visual| (1..=MAX_COVER_BYTES).contains(&visual.data.len()))
    };
    let front = usable().find(|visual| visual.usage == Some(StandardVisualKey::FrontCover));
    if let Some(picture) = front.or_else(|| usable().next()) {
        tags.cover = Some(Arc::new(CoverArt {
            media_type: picture.media_type.as_deref().and_then(clean),
            bytes: picture.data.clone(),
        }));
    }
}

/// A tag as it may be shown: no control characters, not endless; `None` if nothing is left.
fn clean(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| !c.is_control()).take(MAX_TAG_CHARS).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_fit_to_be_shown() {
        assert_eq!(clean("  a\u{1b}[31mb\n"), Some("a[31mb".to_owned()));
        assert_eq!(clean("\u{0}\u{7f}  "), None);
        assert_eq!(clean(&"x".repeat(5000)).map(|text| text.len()), Some(MAX_TAG_CHARS));
    }
}
