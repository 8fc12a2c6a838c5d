//! The demo that comes with the program: a first show needs no file of one's own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The track; see `assets/README.md`.
const TRACK: &[u8] = include_bytes!("../../assets/demo.ogg");

/// The demo as a file in the user's cache, written there if it is not there yet.
pub(super) fn file() -> io::Result<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "galvo");
    let folder = folders.map_or_else(std::env::temp_dir, |folders| folders.cache_dir().to_owned());
    written_to(&folder)
}

fn written_to(folder: &Path) -> io::Result<PathBuf> {
    let file = folder.join("galvo demo.ogg");
    if fs::metadata(&file).is_ok_and(|there| there.len() == TRACK.len() as u64) {
        return Ok(file);
    }
    fs::create_dir_all(folder)?;
    // Beside it first: a half-written file never counts as the demo.
    let beside = folder.join("galvo demo.ogg.new");
    fs::write(&beside, TRACK)?;
    fs::rename(&beside, &file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_written_whole_and_mended_if_it_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let file = written_to(&folder.path().join("cache")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), TRACK);
        fs::write(&file, "cut").unwrap();
        assert_eq!(written_to(&folder.path().join("cache")).unwrap(), file);
        assert_eq!(fs::read(&file).unwrap(), TRACK);
    }
}
