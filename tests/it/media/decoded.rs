//! Music over the network: the same sound as from the disk, and nothing lost when the network fails.

use std::path::{Path, PathBuf};

use galvo::audio::Decoder;
use galvo::media::{Location, Media};

use super::Dice;
use super::server::{Fault, Server, Site};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn decode_all(decoder: &mut Decoder) -> Vec<f32> {
    let mut all = Vec::new();
    while let Some(stereo) = decoder.next().unwrap() {
        all.extend_from_slice(stereo);
    }
    all
}

fn open(url: String) -> Decoder {
    Decoder::open_media(Media::open(&Location::Url(url)).unwrap()).unwrap()
}

const FILES: [&str; 6] =
    ["click.flac", "click.mp3", "click.ogg", "click.m4a", "click-alac.m4a", "click-short.aiff"];

/// KS-02, KS-30: every format decodes over HTTP to the very samples it has on the disk, seeks included, from good
/// servers and bad.
#[test]
fn every_format_sounds_the_same_over_http() {
    for name in FILES {
        let mut local = Decoder::open(&data(name)).unwrap();
        let whole = decode_all(&mut local);
        let bytes = std::fs::read(data(name)).unwrap();
        let servers = [
            Server::start(Site::of(bytes.clone())),
            Server::start(Site::with_trouble(bytes.clone(), |_| Fault::CutAfter(4000))),
            Server::start(Site::with_trouble(bytes.clone(), |_| Fault::IgnoresRange)),
        ];
        for server in &servers {
            let mut remote = open(server.url(name));
            assert_eq!(remote.info(), local.info(), "{name}");
            // AAC describes noise by its level alone, and the decoder draws it anew.
            let limit = if name == "click.m4a" { 1e-3 } else { 0.0 };
            let same = |a: &[f32], b: &[f32]| {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= limit)
            };
            assert!(same(&decode_all(&mut remote), &whole), "{name}");
            let mut dice = Dice(9);
            let frames = whole.len() as u64 / 2;
            for _ in 0..20 {
                let to = dice.below(frames);
                remote.seek(to).unwrap();
                local.seek(to).unwrap();
                let (a, b) = (remote.next().unwrap().unwrap(), local.next().unwrap().unwrap());
                assert!(same(a, b), "{name} from {to}");
            }
        }
    }
}

/// The name may tell nothing: the server's content type, or the bytes themselves, do.
#[test]
fn a_name_without_an_extension_plays() {
    let mut site = Site::of(std::fs::read(data("click.mp3")).unwrap());
    site.content_type = "audio/mpeg";
    let server = Server::start(site);
    assert_eq!(decode_all(&mut open(server.url("stream?id=7"))).len(), 2 * 44_100);
}

/// What a server gives in place of music is refused by name.
#[test]
fn a_web_page_is_no_music() {
    let server = Server::start(Site::of(b"<!DOCTYPE html><title>Not here</title>".to_vec()));
    let media = Media::open(&Location::Url(server.url("song.mp3"))).unwrap();
    let said = Decoder::open_media(media).unwrap_err().to_string();
    println!("{said}");
    assert!(said.contains("song.mp3 is a text file"), "{said}");
}
