//! The mask stream of a show: which one, loaded where nothing waits for it, and fed to the light.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::format::asvr::{KeyedName, Passphrase};
use crate::mask::{
    Builder, LightFeeder, LightSettings, MaskError, MaskHandle, MaskSource, Output, Rate, StreamKey,
};

/// Time between two looks at what the light needs.
const LOOK_EVERY: Duration = Duration::from_millis(4);
/// How long one frame is waited for; what is later comes with the next look.
const PATIENCE: Duration = Duration::from_millis(12);
/// Frames kept: only outlines, a few kilobytes each.
const CACHE_FRAMES: usize = 512;

/// What opens a keyed stream, as a user gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskKey {
    /// The passphrase.
    pub passphrase: Passphrase,
    /// Scene id.
    pub scene: u32,
    /// Version string.
    pub version: String,
    /// The name it was made under, if the file was renamed.
    pub resource: Option<String>,
}

/// A mask stream and how it is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MaskChoice {
    /// The file; without one, the stream beside the song is taken if there is one.
    pub file: Option<PathBuf>,
    /// Frames per second, which the file does not say.
    pub rate: Rate,
    /// How outlines become light.
    pub light: LightSettings,
    /// The key of a keyed stream.
    pub key: Option<MaskKey>,
}

/// The mask stream beside a song: the same name with the ending `asvp` or `asvr`.
#[must_use]
pub fn beside(song: &Path) -> Option<PathBuf> {
    ["asvp", "asvr"].iter().map(|ending| song.with_extension(ending)).find(|path| path.is_file())
}

/// Opens a file of masks for the light alone.
///
/// # Errors
/// It cannot be read, or is no mask stream.
pub fn load(file: &Path, choice: &MaskChoice) -> Result<MaskHandle, MaskError> {
    let mut source = MaskSource::file(file)?;
    if let Some(key) = &choice.key {
        source = source.with_key(key.clone().for_file(file));
    }
    let builder = Builder::default().output(Output::Outlines).cache_frames(CACHE_FRAMES);
    let handle = builder.worker_threads(1).decode(2).rate(choice.rate).build()?;
    handle.load_source(&source)?;
    Ok(handle)
}

impl MaskKey {
    /// The key of a file.
    #[must_use]
    pub fn for_file(self, file: &Path) -> StreamKey {
        let Self { passphrase, scene, version, resource } = self;
        let of_file = || KeyedName::resource_of(&file.to_string_lossy()).to_owned();
        let resource = resource.unwrap_or_else(of_file);
        StreamKey { passphrase, name: KeyedName { scene, version, resource } }
    }
}

/// A song that is played.
#[derive(Debug)]
struct Song {
    /// Its number in the player.
    track: u64,
    /// Its file, if it is one.
    path: Option<PathBuf>,
}

/// The thread that loads mask streams and feeds the light. It ends when this is dropped.
#[derive(Debug)]
pub struct MaskThread {
    songs: Option<Sender<Song>>,
    notices: Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

impl MaskThread {
    /// Feeds the light of `feeder` with what `choice` names.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(mut feeder: LightFeeder, choice: MaskChoice) -> io::Result<Self> {
        let (songs, inbox) = unbounded::<Song>();
        let (say, notices) = unbounded();
        let work = move || {
            loop {
                match inbox.recv_timeout(LOOK_EVERY) {
                    // The stream that was named goes with every song.
                    Ok(_) if choice.file.is_some() => {}
                    Ok(song) => {
                        let file = song.path.as_deref().and_then(beside);
                        let loaded = file.map(|file| load(&file, &choice)).transpose();
                        feeder.set_stream(
                            Some(song.track),
                            loaded.unwrap_or_else(|error| {
                                // Nobody listens only if the show is over.
                                drop(say.send(format!("the mask stream is left out: {error}")));
                                None
                            }),
                        );
                    }
                    Err(RecvTimeoutError::Timeout) => feeder.step(PATIENCE),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("mask light".into()).spawn(work)?;
        Ok(Self { songs: Some(songs), notices, thread: Some(thread) })
    }

    /// Another song is played, which has this number in the player: the stream beside its file is taken, or none.
    pub fn song_opened(&self, track: u64, path: Option<&Path>) {
        if let Some(songs) = &self.songs {
            // The thread ends only after this.
            drop(songs.send(Song { track, path: path.map(Path::to_owned) }));
        }
    }

    /// What an operator should read, since the last look.
    pub fn take_notices(&self) -> impl Iterator<Item = String> + '_ {
        self.notices.try_iter()
    }
}

impl Drop for MaskThread {
    fn drop(&mut self) {
        self.songs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_beside_a_song_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let song = folder.path().join("a.song.flac");
        assert_eq!(beside(&song), None);
        for ending in ["asvr", "asvp"] {
            let mask = folder.path().join(format!("a.song.{ending}"));
            std::fs::write(&mask, []).unwrap();
            assert_eq!(beside(&song), Some(mask));
        }
    }

    #[test]
    fn a_keyed_file_is_opened_by_its_own_name_unless_another_is_given() {
        let key = |resource: Option<&str>| MaskKey {
            passphrase: Passphrase::new([1; 32]),
            scene: 7,
            version: "1.5.0".into(),
            resource: resource.map(str::to_owned),
        };
        let file = Path::new("/music/demo.asvr");
        assert_eq!(key(None).for_file(file).name.resource, "demo.asvr");
        assert_eq!(key(Some("pov.asvr")).for_file(file).name.resource, "pov.asvr");
    }
}
