//! The kinds of files that a show can become.

use std::path::Path;

/// A kind of file, known by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `.ild`: pictures for any laser program.
    Ilda,
    /// `.csv`: a row for every point, the columns of `galvo simulate --record`.
    Csv,
    /// `.wav`: a sample frame for every point: x, y, red, green, blue, intensity.
    Wav,
    /// `.png`: a sheet of moments.
    Png,
    /// `.gif`: the moving beam.
    Gif,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ilda, Self::Csv, Self::Wav, Self::Png, Self::Gif];

    /// The kind that a file's ending names.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        if ending == "ilda" {
            return Some(Self::Ilda);
        }
        Self::ALL.into_iter().find(|kind| kind.ending() == ending)
    }

    /// The ending of its files.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Ilda => "ild",
            Self::Csv => "csv",
            Self::Wav => "wav",
            Self::Png => "png",
            Self::Gif => "gif",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_ending() {
        for (name, kind) in [
            ("a.ild", Some(FileKind::Ilda)),
            ("a.ILDA", Some(FileKind::Ilda)),
            ("b.c.CSV", Some(FileKind::Csv)),
            ("a.wav", Some(FileKind::Wav)),
            ("a.png", Some(FileKind::Png)),
            ("a.gif", Some(FileKind::Gif)),
            ("a.mp4", None),
            ("ild", None),
        ] {
            assert_eq!(FileKind::of(Path::new(name)), kind, "{name}");
        }
    }
}
