//! Mask streams over HTTP, from good servers and bad: the same pictures as from memory, and the reason where there
//! are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use galvo::format::asvp::write::Writer;
use galvo::format::asvr::Passphrase;
use galvo::format::outlines::{Outlines, Place};
use galvo::mask::{Category, ErrorCode, MaskSource};
use galvo::media::{Location, Media, MediaOpener};
use galvo::show::masks::{self, MaskChoice, MaskKey};

use crate::masks::{PATIENT, R, bytes, eventually, key, left_edge, numbered, patient};
use crate::media::server::{Fault, Server, Site};

const MIB: usize = 1 << 20;

/// A stream of more than four ranges: frame `k` has a square at `k`, and specks that no packing makes smaller.
fn large(frames: u64) -> Vec<u8> {
    let mut writer = Writer::default();
    let mut state = 5_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as i32
    };
    for frame in 0..frames {
        let left = (frame % 1000) as i32;
        let mut outlines = Outlines::default();
        outlines.push([(0, 0), (19, 0), (19, 19), (0, 19)].map(|(x, y)| Place::new(left + x, y)));
        for _ in 0..2000 {
            let (x, y) = (random() & 1023, 100 + (random() & 511));
            outlines.push([Place::new(x, y), Place::new(x + (random() & 15), y + 1)]);
        }
        writer.push(&outlines).unwrap();
    }
    writer.plain()
}

/// AS-03, AS-08, AS-19, AS-20, AS-23, AS-24, AS-25, AS-27, AS-28, AS-30: whatever the server does to its ranges,
/// frames in any order are those of the file; it is asked for 1 MiB at a time, in the form of the standard.
#[test]
fn frames_over_http_are_those_of_the_file() {
    let file = large(600);
    assert!(file.len() > 4 * MIB, "{} bytes", file.len());
    let local = patient().plane((1024, 256)).build().unwrap();
    local.load_source(&MaskSource::memory(file.clone())).unwrap();
    let good = Site::of(file.clone());
    // The earlier a range, the later it comes.
    let late = Site::with_trouble(file.clone(), |request| {
        Fault::Delay(Duration::from_millis(40_u64.saturating_sub(5 * request.number as u64)))
    });
    let bad = Site::with_trouble(file.clone(), |request| match request.number % 3 {
        0 => Fault::CutAfter(400_000),
        1 => Fault::Status(503),
        _ => Fault::None,
    });
    let without_ranges = Site::with_trouble(file.clone(), |_| Fault::IgnoresRange);
    let lying = Site::with_trouble(file, |request| match request.number {
        2 => Fault::ContentRange("bytes 0-99/100"),
        _ => Fault::None,
    });
    let mut secretive = Site::of(numbered(600).plain());
    secretive.hides_length = true;
    for (what, site) in [
        ("good", good),
        ("late", late),
        ("bad", bad),
        ("without ranges", without_ranges),
        ("lying", lying),
        ("secretive", secretive),
    ] {
        let server = Server::start(site);
        let masks = patient().plane((1024, 256)).build().unwrap();
        masks.load_source(&MaskSource::url(&server.url("film.asvp"))).unwrap();
        assert_eq!(masks.get_metadata().unwrap().frames, 600, "{what}");
        for frame in [599, 0, 300, 301, 150, 450, 1] {
            let picture = masks.get_frame(frame, 1024, 256);
            let picture = picture.unwrap_or_else(|| panic!("{what}: {}", masks.last_error()));
            if what == "secretive" {
                assert_eq!(left_edge(&picture), Some(frame));
            } else {
                assert_eq!(Some(picture), local.get_frame(frame, 1024, 256), "{what} {frame}");
            }
        }
        assert_eq!(masks.last_error().code, ErrorCode::None);
        for request in server.site.requests() {
            let Some(range) = request.range else { continue };
            let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            assert!(last >= first && last - first < MIB, "{what}: {range}");
        }
    }
}

/// AS-04, AS-16: the keyed file of the sheet over HTTP, through the same call; with a query behind its name.
#[test]
fn a_keyed_stream_loads_over_http() {
    let server = Server::start(Site::of(bytes(R)));
    let url = server.url("demo.asvr?x=1");
    let masks = patient().plane((32, 32)).build().unwrap();
    masks.load_source(&MaskSource::url(&url).with_key(key(7))).unwrap();
    assert_eq!(masks.get_metadata().unwrap().form, "ASVR");
    assert_eq!(masks.get_frame(0, 32, 32).unwrap().count(), 121);
    let media = Media::open(&Location::Url(url)).unwrap();
    masks.load_source(&MaskSource::media(&media).unwrap().with_key(key(7))).unwrap();
    assert_eq!(masks.get_frame(0, 32, 32).unwrap().count(), 121);
}

/// AS-21, AS-28, AS-29, AS-90: what is not there is a `Transport` in I/O, as a file that is not there is, and its
/// sentence has the address and the cure.
#[test]
fn an_address_without_a_stream_says_why() {
    let masks = patient().build().unwrap();
    let refused = |url: &str| {
        let error = masks.load_source(&MaskSource::url(url)).unwrap_err();
        assert_eq!((error.code, error.category), (ErrorCode::Transport, Category::Io), "{error}");
        assert_eq!(masks.last_error(), error);
        error.to_string()
    };
    for (status, words) in [(404, "check the address"), (403, "refuses"), (500, "has a fault")] {
        let server = Server::start(Site::with_trouble(vec![1], move |_| Fault::Status(status)));
        let url = server.url("film.asvp");
        let said = refused(&url);
        assert!(said.contains(&url) && said.contains(words), "{said}");
        assert_eq!(server.site.requests().len(), if status == 500 { 4 } else { 1 });
    }
    let empty = Server::start(Site::of(Vec::new()));
    assert!(refused(&empty.url("film.asvp")).contains("is empty"));
    assert!(refused("http://127.0.0.1:1/film.asvp").contains("cannot be reached"));
    assert!(refused("http://").contains("no address"));
    // A page in place of a stream.
    let page = Server::start(Site::of(b"<!DOCTYPE html><title>Sorry</title>".to_vec()));
    let error = masks.load_source(&MaskSource::url(&page.url("film.asvp"))).unwrap_err();
    assert_eq!((error.code, error.category), (ErrorCode::Decode, Category::Format), "{error}");
}

/// AS-28, AS-90: a server that fails while the stream plays is a `Transport` for the frames that are missing; when it
/// is back, the stream goes on.
#[test]
fn a_server_that_fails_and_returns_is_a_gap_and_no_end() {
    let down = Arc::new(AtomicBool::new(true));
    let its_down = Arc::clone(&down);
    let server = Server::start(Site::with_trouble(large(600), move |request| {
        // The first range comes, with the table and the first frames.
        let fails = request.number > 0 && its_down.load(Ordering::SeqCst);
        if fails { Fault::Status(503) } else { Fault::None }
    }));
    let masks = patient().plane((1024, 256)).build().unwrap();
    masks.load_source(&MaskSource::url(&server.url("film.asvp"))).unwrap();
    assert!(masks.get_frame(0, 1024, 256).is_some());
    assert_eq!(masks.get_frame(590, 1024, 256), None);
    let error = masks.last_error();
    assert_eq!((error.code, error.category), (ErrorCode::Transport, Category::Io), "{error}");
    assert!(error.message.contains("has a fault (503)"), "{error}");
    assert!(masks.get_frame(1, 1024, 256).is_some(), "what is there stays");
    down.store(false, Ordering::SeqCst);
    eventually(|| masks.get_frame(590, 1024, 256).is_some());
}

/// Of a song at an address the stream beside it is found on the same server. None, or a page in its place, is no
/// trouble; a server that fails is.
#[test]
fn the_stream_beside_a_song_at_an_address_is_found() {
    let find = |server: &Server, choice: &MaskChoice| {
        let song = Location::Url(server.url("album/song.flac?x=1.5"));
        masks::find(&song, choice, &MediaOpener::new())
    };
    let mut site = Site::with_trouble(b"no stream".to_vec(), |request| {
        if request.path.contains(".asv") { Fault::None } else { Fault::Status(404) }
    });
    site.other = Some(("/album/song.asvp?x=1.5", numbered(50).plain()));
    let server = Server::start(site);
    let choice = MaskChoice::default();
    let found = find(&server, &choice).unwrap().unwrap();
    assert_eq!(found.get_metadata().unwrap().frames, 50);
    assert_eq!(found.frame(49, PATIENT).unwrap().outlines.places().len(), 4);
    let asked = server.site.requests();
    assert!(asked.iter().all(|request| request.path == "/album/song.asvp?x=1.5"), "{asked:?}");

    // A keyed one beside a song, and a page where a plain one would be.
    let mut site = Site::of(b"<!DOCTYPE html>".to_vec());
    site.other = Some(("/album/song.asvr?x=1.5", bytes(R)));
    let server = Server::start(site);
    assert!(find(&server, &choice).unwrap().is_none());
    let key = MaskKey {
        passphrase: Passphrase::new(std::array::from_fn(|k| k as u8)),
        scene: 7,
        version: "1.5.0".into(),
        resource: Some("demo.asvr".into()),
    };
    let with_key = MaskChoice { key: Some(key), ..MaskChoice::default() };
    assert_eq!(find(&server, &with_key).unwrap().unwrap().get_metadata().unwrap().form, "ASVR");

    for (status, is_trouble) in [(404, false), (403, false), (500, true)] {
        let server = Server::start(Site::with_trouble(vec![1], move |_| Fault::Status(status)));
        assert_eq!(find(&server, &choice).is_err(), is_trouble, "{status}");
    }
}

/// AS-43: inside a runtime an address loads on the handle's threads, where waiting is allowed.
#[test]
fn an_address_loads_inside_a_runtime() {
    let server = Server::start(Site::of(numbered(50).plain()));
    let url = server.url("film.asvp");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    runtime.unwrap().block_on(async {
        let masks = patient().plane((1024, 256)).build().unwrap();
        assert!(!masks.owns_its_runtime());
        masks.load_source(&MaskSource::url(&url)).unwrap();
        assert_eq!(left_edge(&masks.get_frame(49, 1024, 256).unwrap()), Some(49));
        drop(masks);
    });
}
