//! Where music lies.

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// Where music lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file.
    File(PathBuf),
    /// An address: `http://…` or `https://…`.
    Url(String),
    /// Bytes in memory, under a name.
    Memory {
        /// What to call it; an extension helps to find the format.
        name: String,
        /// The bytes.
        bytes: Bytes,
    },
}

impl Location {
    /// What a person typed: an address if it begins as one, else the path of a file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let is_url = text.split_once("://").is_some_and(|(scheme, _)| {
            ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        });
        if is_url { Self::Url(text.to_owned()) } else { Self::File(text.into()) }
    }

    /// The last part of its name, without a query: what to call it where it has no title.
    #[must_use]
    pub fn short_name(&self) -> String {
        match self {
            Self::File(path) => {
                path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Self::Memory { name, .. } => name.clone(),
            Self::Url(url) => {
                let after_scheme = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let path = after_scheme.split(['?', '#']).next().unwrap_or_default();
                let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                percent_decoded(last)
            }
        }
    }

    /// The extension of its name in lower case, if it has one.
    #[must_use]
    pub fn extension(&self) -> Option<String> {
        let name = self.short_name();
        let extension = Path::new(&name).extension()?.to_str()?;
        Some(extension.to_ascii_lowercase())
    }

    /// The file, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Url(_) | Self::Memory { .. } => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(url),
            Self::Memory { name, .. } => f.write_str(name),
        }
    }
}

impl From<PathBuf> for Location {
    /// A path that was typed may be an address.
    fn from(path: PathBuf) -> Self {
        match path.to_str() {
            Some(text) => Self::parse(text),
            None => Self::File(path),
        }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl From<&str> for Location {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

/// Percent escapes resolved where they make UTF-8; else as it is.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| std::str::from_utf8(tail.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_path() {
        for url in ["http://host/a.mp3", "HTTPS://host/a.mp3"] {
            assert_eq!(Location::parse(url), Location::Url(url.to_owned()));
        }
        for path in ["a.mp3", "/music/http/a.mp3", "C:\\music\\a.mp3", "ftp://host/a.mp3"] {
            assert_eq!(Location::parse(path), Location::File(path.into()));
        }
    }

    #[test]
    fn a_short_name_is_what_a_person_would_say() {
        let named = |text: &str| Location::parse(text).short_name();
        assert_eq!(named("https://host:80/a/b/S%C3%A4ule%20%231.mp3?token=1/2#t"), "Säule #1.mp3");
        assert_eq!(named("http://host/100%.ogg"), "100%.ogg");
        assert_eq!(named("/music/x.flac"), "x.flac");
        assert_eq!(Location::parse("http://h/A.MP3?x=.wav").extension().as_deref(), Some("mp3"));
        assert_eq!(Location::parse("http://host/stream").extension(), None);
    }
}
