//! What was downloaded once is kept: right, bounded, and shared safely.

use std::path::Path;
use std::time::Duration;

use galvo::media::{Cache, Http, HttpParams, Location, Source, StreamSource, WaitOutcome};

use super::server::{Fault, Server, Site};
use super::{pattern, runtime};

fn params(folder: &Path) -> HttpParams {
    let cache = Some(Cache::open(folder, 50 << 20).unwrap());
    HttpParams { cache, silence: Duration::from_secs(5), ..HttpParams::default() }
}

/// Opens, reads all, and says whether it came from the cache.
fn read_through(url: &str, folder: &Path) -> (Vec<u8>, bool) {
    runtime().block_on(async {
        let location = Location::Url(url.to_owned());
        let opened = StreamSource::<Http>::open(location, params(folder)).await.unwrap();
        let mut events = opened.events();
        let source = opened.into_inner();
        let requested = source.len().unwrap_or(u64::MAX);
        assert_eq!(source.wait_range(0..requested).await.unwrap(), WaitOutcome::Ready);
        let mut all = vec![0; source.len().unwrap() as usize];
        assert_eq!(source.read_at(0, &mut all).await.unwrap(), all.len());
        // A whole download is kept a moment after its last byte; then nobody tells anything any more.
        while events.recv().await.is_ok() {}
        (all, source.is_from_cache())
    })
}

/// KS-31: the second open needs no server at all.
#[test]
fn the_second_open_works_without_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = pattern(2_500_000);
    let server = Server::start(Site::of(bytes.clone()));
    let url = server.url("song.mp3");
    assert_eq!(read_through(&url, folder.path()), (bytes.clone(), false));
    drop(server);
    assert_eq!(read_through(&url, folder.path()), (bytes, true));
}

/// KS-31: what is damaged on the disk, or was replaced on the server, is fetched anew.
#[test]
fn what_is_damaged_or_out_of_date_is_fetched_anew() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Site::of(pattern(200_000)));
    let url = server.url("song.mp3");
    read_through(&url, folder.path());
    let kept = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&kept).unwrap();
    bytes[123_456] ^= 4;
    std::fs::write(&kept, bytes).unwrap();
    assert_eq!(read_through(&url, folder.path()), (pattern(200_000), false));

    let newer: Vec<u8> = pattern(200_000).into_iter().rev().collect();
    *server.site.body.lock().unwrap() = newer.clone();
    *server.site.etag.lock().unwrap() = Some("\"two\"".into());
    assert_eq!(read_through(&url, folder.path()), (newer, false));
}

/// KS-31: two that download the same at once do not disturb each other, and one that is stopped leaves nothing half.
#[test]
fn two_at_once_and_one_that_is_stopped_leave_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = pattern(3_000_000);
    let server = Server::start(Site::with_trouble(bytes.clone(), |_| Fault::Slow(100_000)));
    let url = server.url("song.mp3");
    let stopped = runtime();
    let source = stopped.block_on(async {
        let opened = StreamSource::<Http>::open(url.as_str(), params(folder.path())).await.unwrap();
        opened.into_inner()
    });
    std::thread::scope(|scope| {
        let both = [0, 1].map(|_| scope.spawn(|| read_through(&url, folder.path()).0));
        drop(source);
        drop(stopped);
        assert!(both.into_iter().all(|thread| thread.join().unwrap() == bytes));
    });
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    drop(server);
    assert_eq!(read_through(&url, folder.path()), (bytes, true));
}
