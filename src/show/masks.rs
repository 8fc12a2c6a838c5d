//! The mask stream of a show: which one, loaded where nothing waits for it, and fed to the light.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::format::asvp::HEADER_BYTES;
use crate::format::asvr::{KeyedName, Passphrase};
use crate::mask::{
    Builder, ErrorCode, LightFeeder, LightSettings, MaskError, MaskHandle, MaskSource, Output,
    Rate, StreamKey,
};
use crate::media::{Location, Media, MediaError, MediaOpener, TransportError};

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
    /// The file or address; without one, the stream beside the song is taken if there is one.
    pub file: Option<Location>,
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

/// Opens a stream of masks for the light alone. What comes over the network is kept as music is; this waits for the
/// server.
///
/// # Errors
/// It cannot be read, or is no mask stream.
pub fn load(at: &Location, choice: &MaskChoice) -> Result<MaskHandle, MaskError> {
    load_media(&MediaOpener::of_the_user().open(at)?, choice)
}

/// Opens the stream beside a song for the light alone, if there is one. Over the network this waits for the server;
/// one that has nothing there is no trouble, and neither is one that gives a page for what it does not have.
///
/// # Errors
/// There is one that cannot be read or is no mask stream, or the server fails.
pub fn find(
    song: &Location,
    choice: &MaskChoice,
    opener: &MediaOpener,
) -> Result<Option<MaskHandle>, MaskError> {
    let url = match song {
        Location::File(path) => {
            let Some(file) = beside(path) else { return Ok(None) };
            return load_media(&opener.open(&Location::File(file))?, choice).map(Some);
        }
        Location::Url(url) => url,
        Location::Memory { .. } => return Ok(None),
    };
    for url in addresses_beside(url, choice.key.is_some()) {
        let media = match opener.open(&Location::Url(url)) {
            Ok(media) => media,
            Err(MediaError::Transport(
                TransportError::NotFound(_)
                | TransportError::Refused { .. }
                | TransportError::Empty(_),
            )) => continue,
            Err(error) => return Err(error.into()),
        };
        let bytes = media.range_reader()?.len().map_err(MediaError::from)?;
        if bytes < HEADER_BYTES as u64 {
            continue;
        }
        match load_media(&media, choice) {
            Ok(handle) => return Ok(Some(handle)),
            Err(error) if error.code == ErrorCode::Decode => {
                tracing::info!("{} is passed over: {error}", media.location());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Where the stream beside a song at an address would be: a keyed one is looked for only with a key. Nowhere if the
/// name of the song has no ending.
fn addresses_beside(song: &str, with_key: bool) -> Vec<String> {
    let (address, query) = song.split_at(song.find(['?', '#']).unwrap_or(song.len()));
    let path = address.find("://").and_then(|at| Some(at + 3 + address[at + 3..].find('/')?));
    let name = path.and_then(|path| Some(path + address[path..].rfind('/')?));
    let Some(dot) = name.and_then(|name| Some(name + address[name..].rfind('.')?)) else {
        return Vec::new();
    };
    let endings = ["asvp", "asvr"].into_iter().take(if with_key { 2 } else { 1 });
    endings.map(|ending| format!("{}.{ending}{query}", &address[..dot])).collect()
}

fn load_media(media: &Media, choice: &MaskChoice) -> Result<MaskHandle, MaskError> {
    let mut source = MaskSource::media(media)?;
    if let Some(key) = &choice.key {
        source = source.with_key(key.clone().for_file(media.location().to_string().as_ref()));
    }
    let builder = Builder::default().output(Output::Outlines).cache_frames(CACHE_FRAMES);
    let handle = builder.worker_threads(1).decode(2).rate(choice.rate).build()?;
    handle.load_source(&source)?;
    Ok(handle)
}

impl MaskKey {
    /// The key of a file or address.
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
    /// Where it lies, if that is known.
    location: Option<Location>,
}

/// The thread that feeds the light with mask streams. It ends when this is dropped.
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
        let (found, finds) = unbounded::<(u64, Result<Option<MaskHandle>, MaskError>)>();
        let work = move || {
            let mut newest = None;
            loop {
                match inbox.recv_timeout(LOOK_EVERY) {
                    // The stream that was named goes with every song.
                    Ok(_) if choice.file.is_some() => {}
                    Ok(Song { track, location }) => {
                        newest = Some(track);
                        // A server may take its time: neither the light nor the end of the show waits for it.
                        let (choice, found) = (choice.clone(), found.clone());
                        let look = move || {
                            let opener = MediaOpener::of_the_user();
                            let stream =
                                location.map_or(Ok(None), |song| find(&song, &choice, &opener));
                            // Nobody wants it only if the show is over.
                            drop(found.send((track, stream)));
                        };
                        let looking = std::thread::Builder::new().name("mask search".into());
                        if let Err(error) = looking.spawn(look) {
                            drop(say.send(format!("the mask stream is left out: {error}")));
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        for (track, stream) in finds.try_iter() {
                            if newest != Some(track) {
                                continue;
                            }
                            let stream = stream.unwrap_or_else(|error| {
                                // Nobody listens only if the show is over.
                                drop(say.send(format!("the mask stream is left out: {error}")));
                                None
                            });
                            feeder.set_stream(Some(track), stream);
                        }
                        feeder.step(PATIENCE);
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("mask light".into()).spawn(work)?;
        Ok(Self { songs: Some(songs), notices, thread: Some(thread) })
    }

    /// Another song is played, which has this number in the player: the stream beside it is taken, or none.
    pub fn song_opened(&self, track: u64, location: Option<&Location>) {
        if let Some(songs) = &self.songs {
            // The thread ends only after this.
            drop(songs.send(Song { track, location: location.cloned() }));
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
    fn the_stream_beside_an_address_keeps_its_query() {
        let song = "https://host.example/a.b/my.song.flac?token=1/2.3";
        let beside = |ending| format!("https://host.example/a.b/my.song.{ending}?token=1/2.3");
        assert_eq!(addresses_beside(song, false), [beside("asvp")]);
        assert_eq!(addresses_beside(song, true), [beside("asvp"), beside("asvr")]);
        for nameless in ["http://host.example", "http://host.example/radio", "http://h/a.b/c"] {
            assert_eq!(addresses_beside(nameless, true), [""; 0]);
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
