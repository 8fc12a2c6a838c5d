//! `galvo render`, `optimise` and `check`: shows and drawings as files, without a sound card, a clock or a projector.

use std::path::Path;
use std::process::{Command, Stdio};

use galvo::format::ilda::{self, Dimensions, Frame, Frames, Point, ReadOptions, Writer};
use galvo::path::GalvoProfile;
use galvo::path::quality::strain;
use galvo::pattern::Preset;
use galvo::pattern::bundled::BUNDLED;
use galvo::point::LaserPoint;
use galvo::record::{Offline, OfflineSettings};
use serde_json::Value;

/// What a run came to: status, stdout, stderr.
fn galvo(home: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galvo"));
    command.args(args).current_dir(home).stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "APPDATA"] {
        command.env(name, home);
    }
    let output = command.env_remove("RUST_LOG").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn demo() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.ogg").display().to_string()
}

fn to_laser(frame: &Frame) -> Vec<LaserPoint> {
    frame.points.iter().map(|p| p.to_laser()).collect()
}

/// Design §6: `render` is deterministic, for every kind of file.
#[test]
fn the_same_inputs_give_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    for (ending, more) in [
        ("ild", &["--duration", "2"][..]),
        ("csv", &["--duration", "0.5", "--start", "12"]),
        ("wav", &["--duration", "0.5"]),
        ("png", &["--duration", "1", "--size", "64"]),
        ("gif", &["--duration", "0.4", "--size", "64"]),
    ] {
        let made = ["a", "b"].map(|name| {
            let music = demo();
            let out = format!("{name}.{ending}");
            let args = [&["render", &music, "--out", &out][..], more].concat();
            let (status, _, stderr) = galvo(home.path(), &args);
            assert_eq!(status, Some(0), "{stderr}");
            std::fs::read(home.path().join(out)).unwrap()
        });
        assert!(made[0].len() > 500, "{ending}: {}", made[0].len());
        assert!(made[0] == made[1], "{ending}");
    }
    let left = std::fs::read_dir(home.path()).unwrap().count();
    assert_eq!(left, 10, "nothing but the files asked for");
}

#[test]
fn another_seed_is_another_show_where_the_preset_has_chance_in_it() {
    let home = tempfile::tempdir().unwrap();
    let preset = "version = 1\nname = \"Stars\"\ngenerator = \"starfield\"\n";
    std::fs::write(home.path().join("stars.toml"), preset).unwrap();
    let made = ["1", "2"].map(|seed| {
        let out = format!("{seed}.ild");
        let args = [
            "render",
            &demo(),
            "--preset",
            "stars.toml",
            "--seed",
            seed,
            "--duration",
            "1",
            "--out",
            &out,
        ];
        let (status, _, stderr) = galvo(home.path(), &args);
        assert_eq!(status, Some(0), "{stderr}");
        std::fs::read(home.path().join(out)).unwrap()
    });
    assert!(made[0] != made[1]);
}

/// A file for real projectors: read back it holds the points that were made, and any picture may be repeated
/// or follow any other within what the mirrors bear.
#[test]
fn a_rendered_ilda_file_is_read_back_and_strains_no_mirror() {
    let home = tempfile::tempdir().unwrap();
    let args = ["render", &demo(), "--duration", "3", "--out", "show.ild", "--json"];
    let (status, stdout, stderr) = galvo(home.path(), &args);
    assert_eq!(status, Some(0), "{stderr}");
    let said: Value = serde_json::from_str(&stdout).unwrap();
    let bytes = std::fs::read(home.path().join("show.ild")).unwrap();
    let drawing = ilda::read(&bytes, ReadOptions::default()).unwrap();
    assert_eq!(drawing.warnings, []);
    assert_eq!(drawing.frames.len(), 75);
    assert_eq!(said["pictures"], 75);
    let points: usize = drawing.frames.iter().map(|frame| frame.points.len()).sum();
    assert_eq!(said["points"], points);
    for frame in &drawing.frames {
        let [first, last] = [frame.points[0], frame.points[frame.points.len() - 1]];
        assert!(first.is_blank() && last.is_blank());
        assert!(frame.points.len() <= 600, "fifty pictures a second at 30 kpps");
        let twice = [to_laser(frame), to_laser(frame)].concat();
        let strain = strain(&twice, &GalvoProfile::K30, 30_000);
        // What 16 bits round off is a hundredth of a limit.
        assert!(strain.step <= 1.01 && strain.change <= 1.02, "{strain:?}");
    }
    // Made again with the library, the points are those of the file.
    let preset = Preset::parse(BUNDLED[0].1).unwrap();
    let settings = OfflineSettings { duration_s: Some(3.0), ..OfflineSettings::default() };
    let mut show = Offline::open(Path::new(&demo()), &preset, &settings).unwrap();
    let mut made = Vec::new();
    for (index, frame) in (0..).zip(&drawing.frames) {
        show.picture(index, 25, &mut made).unwrap();
        let made: Vec<_> = made.iter().map(Point::from_laser).collect();
        assert_eq!(made, frame.points);
    }
}

#[test]
fn the_stream_of_a_show_has_its_length_and_starts_dark() {
    let preset = Preset::parse(BUNDLED[0].1).unwrap();
    let settings =
        OfflineSettings { start_s: 5.0, duration_s: Some(1.5), ..OfflineSettings::default() };
    let mut show = Offline::open(Path::new(&demo()), &preset, &settings).unwrap();
    let mut points = Vec::new();
    let mut chunk = vec![LaserPoint::CENTRE; 777];
    loop {
        let n = show.stream(&mut chunk).unwrap();
        if n == 0 {
            break;
        }
        points.extend_from_slice(&chunk[..n]);
    }
    assert_eq!(points.len(), 45_000);
    assert!(points[..30].iter().all(LaserPoint::is_blank));
    assert!(points.iter().filter(|p| !p.is_blank()).count() > 10_000);
    let strain = strain(&points, &GalvoProfile::K30, 30_000);
    assert!(strain.step <= 1.001 && strain.change <= 1.001, "{strain:?}");
}

#[test]
fn render_says_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    for (args, words) in [
        (vec!["render", "no.wav", "--out", "a.ild"], "no.wav"),
        (vec!["render", &demo(), "--out", "a.mp4"], ".ild, .csv, .wav, .png or .gif"),
        (vec!["render", &demo(), "--out", "no/folder/a.ild"], "choose another place"),
        (vec!["render", &demo(), "--start", "5000", "--out", "a.ild"], "begin before its end"),
        (vec!["render", &demo(), "--preset", "Nonesuch", "--out", "a.ild"], "Nonesuch"),
    ] {
        let (status, _, stderr) = galvo(home.path(), &args);
        assert_eq!(status, Some(1), "{args:?}");
        assert!(stderr.contains(words), "{stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left behind");
}

/// A drawing as old programs write it: bare corners, and jumps in the dark.
fn rough_file() -> Vec<u8> {
    let frame = |shift: i16| {
        let mut points = Vec::new();
        for k in 0..12_i16 {
            let (x, y) = (4_000 * (k - 6), if k % 2 == 0 { -15_000 } else { 15_000 });
            let at = |x, y, rgb| Point { x: x + shift, y, z: 0, rgb };
            points.push(at(x, y, [0; 3]));
            points.push(at(x, y, [0, 255, 0]));
            points.push(at(x + 2_000, -y, [0, 255, 0]));
        }
        Frame { name: "ROUGH".into(), points, ..Frame::default() }
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(Dimensions::Two, Frames::new(4).unwrap());
    for k in 0..4 {
        writer.frame(&frame(100 * k), &mut bytes).unwrap();
    }
    writer.close(&mut bytes);
    bytes
}

#[test]
fn a_rough_file_breaks_limits_until_it_is_optimised() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("rough.ild"), rough_file()).unwrap();
    let (status, stdout, stderr) = galvo(home.path(), &["check", "rough.ild", "--json"]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("breaks 2 limits"), "{stderr}");
    let checked: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(checked["ok"], false);
    assert!(checked["findings"][0]["text"].as_str().unwrap().contains("galvo optimise"));

    for profile in ["20", "30", "60"] {
        let args = ["optimise", "rough.ild", "--out", "good.ild", "--profile", profile, "--json"];
        let (status, stdout, stderr) = galvo(home.path(), &args);
        assert_eq!(status, Some(0), "{stderr}");
        let done: Value = serde_json::from_str(&stdout).unwrap();
        let figure = |when: &str, what: &str| done[when][what].as_f64().unwrap();
        assert!(figure("before", "worst_step") > 3.0);
        assert!(figure("after", "worst_step") <= 1.01, "{stdout}");
        assert!(figure("after", "worst_change") <= 1.02, "{stdout}");
        assert!(figure("after", "rms_error") < 0.5 * figure("before", "rms_error"), "{stdout}");
        assert!(figure("after", "corner_error") < 0.02, "{stdout}");
        assert_eq!(done["strokes_dropped"], 0);
        let (status, stdout, _) = galvo(home.path(), &["check", "good.ild", "--profile", profile]);
        assert_eq!(status, Some(0), "{stdout}");
    }
    let good = std::fs::read(home.path().join("good.ild")).unwrap();
    let good = ilda::read(&good, ReadOptions::default()).unwrap();
    assert_eq!((good.frames.len(), good.warnings.len()), (4, 0));
    assert_eq!(good.frames[0].name, "ROUGH");
}

#[test]
fn every_bundled_preset_keeps_the_limits() {
    let home = tempfile::tempdir().unwrap();
    for (_, text) in BUNDLED.iter().take(3) {
        let name = Preset::parse(text).unwrap().name;
        let (status, stdout, stderr) = galvo(home.path(), &["check", &name]);
        assert_eq!(status, Some(0), "{name}: {stdout}{stderr}");
    }
}

#[test]
fn check_and_optimise_say_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("text.ild"), "this is no drawing").unwrap();
    for (args, words) in [
        (vec!["check", "text.ild"], "choose an .ild file"),
        (vec!["check", "no.ild"], "no.ild"),
        (vec!["check", "Nonesuch"], "there is no preset named"),
        (vec!["optimise", "text.ild", "--out", "a.ild"], "choose an .ild file"),
    ] {
        let (status, _, stderr) = galvo(home.path(), &args);
        assert_eq!(status, Some(1), "{args:?}");
        assert!(stderr.contains(words), "{stderr}");
    }
}
