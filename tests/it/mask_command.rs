//! `galvo mask`, and a show with a mask stream beside its song, as a user meets them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs the program in a home of its own; status, stdout, stderr.
fn run(home: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galvo"));
    command.args(args).current_dir(home).stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "APPDATA"] {
        command.env(name, home);
    }
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "RUST_LOG"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn done(home: &Path, args: &[&str]) -> String {
    let (status, out, err) = run(home, args);
    assert_eq!(status, Some(0), "{args:?}: {err}");
    out
}

fn json(home: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&done(home, args)).unwrap()
}

#[test]
fn a_stream_is_made_looked_at_and_drawn() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (of, name) in [(["--shape", "dancer"], "a.asvp"), (["--text", "galvo!"], "b.asvp")] {
        let args = ["mask", "make", of[0], of[1], "--seconds", "2", "--fps", "25", "--out", name];
        done(home, &args);
        let info = json(home, &["mask", "info", name, "--check", "--json", "--fps", "25"]);
        assert_eq!((info["form"].as_str(), info["frames"].as_u64()), (Some("ASVP"), Some(50)));
        assert_eq!(info["duration_s"].as_f64(), Some(2.0));
        assert_eq!(info["check"]["broken_frames"].as_u64(), Some(0));
        assert!(info["check"]["mean_places"].as_f64().unwrap() > 50.0);
    }
    done(
        home,
        &["mask", "render", "a.asvp", "--frame", "7", "--size", "512x256", "--out", "p.png"],
    );
    let picture = image::open(home.join("p.png")).unwrap().to_luma8();
    assert_eq!((picture.width(), picture.height()), (512, 256));
    let set = picture.pixels().filter(|pixel| pixel.0[0] == 255).count();
    assert!((2_000..60_000).contains(&set), "{set}");
    done(home, &["mask", "outline", "a.asvp", "--frame", "7", "--out", "p.svg"]);
    let drawing = std::fs::read_to_string(home.join("p.svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.matches("<line").count() > 30);
}

#[test]
fn images_become_a_keyed_stream_that_needs_its_key() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::create_dir(home.join("film")).unwrap();
    for frame in 0..5_u32 {
        let disc = image::GrayImage::from_fn(100, 80, |x, y| {
            let (dx, dy) = (f64::from(x) - 50.0, f64::from(y) - 40.0);
            image::Luma([if dx.hypot(dy) < 20.0 + f64::from(frame) { 255 } else { 0 }])
        });
        disc.save(home.join(format!("film/{frame:03}.png"))).unwrap();
    }
    std::fs::write(home.join("secret"), [7_u8; 32]).unwrap();
    let key = ["--passphrase-file", "secret", "--scene", "5"];
    let make = ["mask", "make", "--images", "film", "--out", "film.asvr"];
    done(home, &[&make[..], &key].concat());
    let info = ["mask", "info", "film.asvr", "--check", "--json"];
    let known = json(home, &[&info[..], &key].concat());
    assert_eq!((known["form"].as_str(), known["frames"].as_u64()), (Some("ASVR"), Some(5)));
    let render =
        ["mask", "render", "film.asvr", "--frame", "4", "--size", "200x100", "--out", "p.png"];
    done(home, &[&render[..], &key].concat());
    let picture = image::open(home.join("p.png")).unwrap().to_luma8();
    let set = picture.pixels().filter(|pixel| pixel.0[0] == 255).count();
    // Two discs of radius 24 of 100, in eyes of 100 × 100 pixels.
    assert!((3_300..4_100).contains(&set), "{set}");
    let wrong = ["--passphrase-file", "secret", "--scene", "6"];
    for args in [info.to_vec(), [&info[..], &wrong].concat()] {
        let (status, _, err) = run(home, &args);
        assert_eq!(status, Some(1));
        assert!(err.contains("wrong key or not a mask stream"), "{err}");
    }
}

#[test]
fn what_cannot_be_made_or_read_is_told_in_a_sentence() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::write(home.join("song.asvp"), b"no mask stream, but some bytes").unwrap();
    std::fs::write(home.join("short"), b"no key").unwrap();
    std::fs::create_dir(home.join("empty")).unwrap();
    for (args, said) in [
        (&["mask", "info", "nothing.asvp"][..], "There is no file"),
        (&["mask", "info", "song.asvp"], "wrong key or not a mask stream"),
        (&["mask", "info", "song.asvp", "--passphrase-file", "short"], "64 hexadecimal digits"),
        (&["mask", "make", "--images", "empty", "--out", "x.asvp"], "holds 0 PNG images"),
        (
            &["mask", "make", "--shape", "star", "--seconds", "1e9", "--out", "x.asvp"],
            "cannot be made",
        ),
    ] {
        let (status, _, err) = run(home, args);
        assert_eq!(status, Some(1), "{args:?}");
        assert!(err.contains(said), "{args:?}: {err}");
    }
    for args in [&["mask", "make", "--out", "x.asvp"][..], &["mask", "info", "a", "--fps", "0"]] {
        assert_eq!(run(home, args).0, Some(2), "{args:?}");
    }
}

/// A stream beside the song is found, one that is broken is left out with a notice, one that was named must work.
#[test]
fn a_show_plays_with_the_stream_beside_its_song() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let music = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.ogg");
    std::fs::copy(music, home.join("song.ogg")).unwrap();
    done(home, &["mask", "make", "--shape", "heart", "--seconds", "3", "--out", "song.asvp"]);
    let play = [
        "play",
        "song.ogg",
        "--headless",
        "--audio",
        "none",
        "--duration",
        "1",
        "--preset",
        "Silhouette",
        "--arm",
        "--report",
        "report.json",
    ];
    done(home, &play);
    let report: Value =
        serde_json::from_slice(&std::fs::read(home.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["allocations_in_callback"].as_u64().unwrap_or(0), 0);
    let named = ["--mask", "song.asvp", "--mask-fps", "59.94", "--mask-eye", "right"];
    done(home, &[&play[..], &named].concat());
    std::fs::write(home.join("song.asvp"), b"broken").unwrap();
    let (status, _, err) = run(home, &play);
    assert_eq!(status, Some(0));
    assert!(err.contains("the mask stream is left out"), "{err}");
    let (status, _, err) = run(home, &[&play[..], &["--mask", "song.asvp"]].concat());
    assert_eq!(status, Some(1));
    assert!(err.contains("the mask stream cannot be used"), "{err}");
}

/// A stream may be named by its address, for a show as for a look at it; one that is not there ends neither in
/// silence nor late.
#[cfg(feature = "http")]
#[test]
fn a_stream_at_an_address_is_looked_at_and_played() {
    use crate::media::server::{Fault, Server, Site};

    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let music = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.ogg");
    std::fs::copy(music, home.join("song.ogg")).unwrap();
    done(home, &["mask", "make", "--shape", "heart", "--seconds", "30", "--out", "heart.asvp"]);
    let file = std::fs::read(home.join("heart.asvp")).unwrap();
    let piece = file.len() / 3;
    let server = Server::start(Site::with_trouble(file, move |request| match request.number % 3 {
        0 => Fault::CutAfter(piece),
        1 => Fault::Status(503),
        _ => Fault::None,
    }));
    let address = server.url("heart.asvp");
    let known = json(home, &["mask", "info", &address, "--check", "--json"]);
    assert_eq!(known["frames"].as_u64(), Some(1800));
    assert_eq!(known["check"]["broken_frames"].as_u64(), Some(0));
    let play = ["play", "song.ogg", "--headless", "--audio", "none", "--duration", "1", "--arm"];
    let silhouette = ["--preset", "Silhouette", "--report", "report.json", "--mask"];
    done(home, &[&play[..], &silhouette, &[&address]].concat());
    let report: Value =
        serde_json::from_slice(&std::fs::read(home.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["allocations_in_callback"].as_u64().unwrap_or(0), 0);

    let nothing = Server::start(Site::with_trouble(vec![1], |_| Fault::Status(404)));
    let address = nothing.url("heart.asvp");
    for args in [[&play[..], &silhouette, &[&address]].concat(), vec!["mask", "info", &address]] {
        let (status, _, err) = run(home, &args);
        assert_eq!(status, Some(1));
        assert!(err.contains("There is nothing at") && err.contains(&address), "{err}");
    }
}
