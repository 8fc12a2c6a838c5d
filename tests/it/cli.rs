//! The program as a user meets it: whole shows over real TCP, and every way to use it wrongly. Counts and orders
//! only: how fast the machine is does not matter.

mod endings;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use galvo::time::{Clock, SystemClock};
use serde_json::Value;

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn root(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

/// The program, in a home of its own, without a display.
fn galvo(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_galvo"));
    command.args(args).current_dir(home).stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA"] {
        command.env(name, home);
    }
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

/// What a run came to: status, stdout, stderr.
fn run(home: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = galvo(home, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A virtual projector in a process of its own; ends with the test.
struct Projector {
    child: Child,
    address: String,
}

impl Projector {
    fn start(home: &Path, listen: &str, record: &str) -> Option<Self> {
        let args = ["simulate", "ether-dream", "--listen", listen, "--record", record];
        let mut child = galvo(home, &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on ").and_then(|rest| rest.split(": ").next());
        if let Some(address) = address {
            return Some(Self { address: address.to_owned(), child });
        }
        drop(child.wait());
        None
    }

    fn uri(&self) -> String {
        format!("ether-dream://{}", self.address)
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Rows of a recording so far, and how many of them are lit. A row that is being written counts as none.
fn rows(path: &Path) -> (usize, usize) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    assert!(matches!(lines.next(), None | Some("host_ns,index,x,y,r,g,b,i")));
    let row = |line: &str| {
        let fields: Vec<f64> = line.split(',').map_while(|field| field.parse().ok()).collect();
        (fields.len() == 8).then(|| fields[4] + fields[5] + fields[6] > 0.0)
    };
    let rows: Vec<bool> = lines.map_while(row).collect();
    (rows.len(), rows.iter().filter(|lit| **lit).count())
}

/// Ctrl-C.
#[cfg(unix)]
fn interrupt(program: &Child) {
    let kill = format!("kill -INT {}", program.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let give_up = SystemClock.now() + PATIENCE;
    while !done() {
        assert!(SystemClock.now() < give_up, "{what}");
        SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(20));
    }
}

fn report(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Design §6: a file-synced show over TCP: light in the recording, every field in the report, status 0.
#[test]
fn a_show_over_tcp_leaves_lit_rows_and_a_whole_report() {
    let home = tempfile::tempdir().unwrap();
    let projector = Projector::start(home.path(), "127.0.0.1:0", "p.csv").unwrap();
    let (demo, uri) = (root("assets/demo.ogg"), projector.uri());
    let args = [
        "play",
        &demo,
        "--start",
        "20",
        "--dac",
        &uri,
        "--headless",
        "--arm",
        "--audio",
        "none",
        "--duration",
        "5",
        "--report",
        "r.json",
    ];
    let (status, stdout, stderr) = run(home.path(), &args);
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(stdout, "");
    assert!(!stderr.contains("panicked") && !stderr.contains("error:"), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("done: ") && last.contains("% lit"), "{last}");

    let (shown, lit) = rows(&home.path().join("p.csv"));
    assert!(shown > 30_000 && lit > 10_000, "{lit} of {shown} rows are lit");
    let report = report(&home.path().join("r.json"));
    for field in [
        "duration_s",
        "media_s",
        "points",
        "underruns",
        "device_underflows",
        "reconnects",
        "xruns",
        "decoder_underruns",
        "audio_device",
        "callback_us",
        "sync_ms",
        "drift_ppm",
        "allocations_in_callback",
        "trips",
        "per_stream",
    ] {
        assert!(report.get(field).is_some(), "{field} is missing: {report}");
    }
    for field in ["p50", "p99", "p999", "max", "period"] {
        assert!(report["callback_us"][field].as_f64().unwrap() > 0.0, "{field}");
    }
    assert!((report["callback_us"]["period"].as_f64().unwrap() - 5333.3).abs() < 1.0);
    assert!((4.9..60.0).contains(&report["duration_s"].as_f64().unwrap()), "{report}");
    assert!((1.0..60.0).contains(&report["media_s"].as_f64().unwrap()), "{report}");
    assert!(report["points"].as_u64().unwrap() >= shown as u64);
    assert!(report["sync_ms"]["samples"].as_u64().unwrap() > 0, "{report}");
    assert!(report["sync_ms"]["offset_p50"].is_number() && report["drift_ppm"].is_number());
    assert_eq!(report["reconnects"], 0);
    assert_eq!(report["audio_device"], "software clock");
    if cfg!(debug_assertions) {
        assert_eq!(report["allocations_in_callback"], 0);
    }
    let stream = &report["per_stream"][0];
    assert_eq!(
        (stream["name"].as_str(), stream["pps"].as_u64()),
        (Some(uri.as_str()), Some(30_000))
    );
    assert!(stream["lit_points"].as_u64().unwrap() >= lit as u64);
    assert!(stream["fault"].is_null());
}

/// Without --arm a show is dark to its end, and says so.
#[test]
fn without_arm_nothing_is_lit_and_the_summary_says_so() {
    let home = tempfile::tempdir().unwrap();
    let demo = root("assets/demo.ogg");
    let args = [
        "play",
        &demo,
        "--start",
        "20",
        "--dac",
        "sim:?record=p.csv",
        "--headless",
        "--audio",
        "none",
        "--duration",
        "1",
    ];
    let (status, _, stderr) = run(home.path(), &args);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stderr.lines().last().unwrap().contains("never lit"), "{stderr}");
    let (shown, lit) = rows(&home.path().join("p.csv"));
    assert!(shown > 0 && lit == 0, "{lit} of {shown}");
}

/// Safety 1: a projector that dies in mid-show and comes back is dark and disarmed; the show goes on.
#[test]
#[cfg(unix)]
fn a_projector_that_is_killed_and_comes_back_is_dark_and_the_show_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (before, after) = (home.path().join("a.csv"), home.path().join("b.csv"));
    let projector = Projector::start(home.path(), "127.0.0.1:0", "a.csv").unwrap();
    let (demo, uri, address) =
        (root("assets/demo.ogg"), projector.uri(), projector.address.clone());
    let args = [
        "play",
        &demo,
        "--start",
        "20",
        "--dac",
        &uri,
        "--headless",
        "--arm",
        "--audio",
        "none",
        "--duration",
        "60",
        "--report",
        "r.json",
    ];
    let show = galvo(home.path(), &args).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the first projector is lit", || rows(&before).1 > 1_000);
    drop(projector);
    let mut projector = None;
    wait_for("the second projector takes the port", || {
        projector = Projector::start(home.path(), &address, "b.csv");
        projector.is_some()
    });
    wait_for("points go on after the return", || rows(&after).0 > 1_000);
    interrupt(&show);
    let output = show.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(stderr.contains("it returns dark, arm it again"), "{stderr}");
    let (shown, lit) = rows(&after);
    assert!(shown > 1_000, "{stderr}");
    assert_eq!(lit, 0);
    let report = report(&home.path().join("r.json"));
    assert!(report["reconnects"].as_u64().unwrap() >= 1, "{report}");
    assert!(report["trips"][0]["reason"].as_str().unwrap().contains("lost"), "{report}");
    assert!(report["media_s"].as_f64().unwrap() > 0.1, "{report}");
}

/// Nobody listens: the fault is told with its cure, the show goes on, dark, and its exit status says it.
#[test]
fn a_show_whose_projector_never_came_up_exits_1_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    // Nobody listens on a port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (demo, uri) = (root("assets/demo.ogg"), format!("ether-dream://127.0.0.1:{port}"));
    let args = [
        "play",
        &demo,
        "--dac",
        &uri,
        "--headless",
        "--arm",
        "--audio",
        "none",
        "--duration",
        "2",
        "--report",
        "r.json",
    ];
    let (status, _, stderr) = run(home.path(), &args);
    assert_eq!(status, Some(1), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("galvo: the projector never came up: "), "{stderr}");
    assert!(last.contains("refused") && last.contains(&uri), "{stderr}");
    let told: Vec<_> = stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(
        told.len() == 1 && told[0].contains("refused") && told[0].contains("check"),
        "{stderr}"
    );
    let report = report(&home.path().join("r.json"));
    assert!(report["per_stream"][0]["fault"].as_str().unwrap().contains("refused"));
    assert_eq!(report["per_stream"][0]["came_up"], false);
    assert!(report["media_s"].as_f64().unwrap() > 0.5, "the music plays on");
    assert_eq!(report["per_stream"][0]["lit_points"], 0);
}

/// Runs what must fail, and returns its one sentence.
fn sentence(home: &Path, args: &[&str]) -> String {
    let (status, stdout, stderr) = run(home, args);
    assert_eq!(status, Some(1), "{args:?}: {stdout}{stderr}");
    assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    // A sound system may talk before us.
    let last = stderr.lines().last().unwrap_or_default();
    let sentence = last.strip_prefix("galvo: ").unwrap_or_else(|| panic!("{args:?}: {stderr}"));
    assert!(stderr.matches("galvo: ").count() == 1, "{args:?}: {stderr}");
    sentence.to_owned()
}

fn file(home: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = home.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Every file that is no music: what it is instead, and what to do.
#[test]
fn what_cannot_be_played_is_told_in_one_sentence_with_the_cure() {
    let home = tempfile::tempdir().unwrap();
    let flac = std::fs::read(root("tests/data/click.flac")).unwrap();
    file(home.path(), "empty.mp3", b"");
    file(home.path(), "letter.mp3", b"Dear audience, this is not music at all.\n");
    file(home.path(), "cut.flac", &flac[..60]);
    let noise: Vec<u8> =
        (0..50_000_u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    file(home.path(), "noise.flac", &noise);
    let no_audio = root("tests/data/no-audio.mp4");
    for (music, names, cure) in [
        ("missing.wav", "no file missing.wav", "check"),
        (".", "folder", "name one audio file"),
        ("empty.mp3", "empty", "again"),
        ("letter.mp3", "text file", "choose the audio file"),
        ("cut.flac", "cut.flac", "convert"),
        ("noise.flac", "noise.flac", "convert"),
        (no_audio.as_str(), "no audio track", "choose a file"),
        ("http://127.0.0.1:1/a.mp3", "cannot be reached", "check the address"),
    ] {
        let told = sentence(home.path(), &["play", music, "--headless", "--audio", "none"]);
        assert!(told.contains(names) && told.contains(cure), "{music}: {told}");
    }
}

/// A damaged file plays as far as it can, and what is noticed of the damage is said once. (A reader of FLAC may find
/// its way past broken frames without a word.)
#[test]
fn a_damaged_file_plays_on_and_the_damage_is_told_once() {
    let home = tempfile::tempdir().unwrap();
    let mp3 = std::fs::read(root("tests/data/click.mp3")).unwrap();
    let mut scratched = mp3.clone();
    let middle = mp3.len() * 7 / 10;
    scratched[middle..middle + 1500].fill(0xA5);
    file(home.path(), "scratched.mp3", &scratched);
    file(home.path(), "cut.mp3", &mp3[..mp3.len() / 2]);
    let mut flac = std::fs::read(root("tests/data/click.flac")).unwrap();
    let (from, to) = (flac.len() / 3, flac.len() / 2);
    flac[from..to].iter_mut().for_each(|byte| *byte = byte.wrapping_mul(7).wrapping_add(13));
    file(home.path(), "hurt.flac", &flac);
    for (name, least) in [("scratched.mp3", 1), ("cut.mp3", 0), ("hurt.flac", 0)] {
        let (status, _, stderr) =
            run(home.path(), &["play", name, "--headless", "--audio", "none"]);
        assert_eq!(status, Some(0), "{name}: {stderr}");
        assert!(stderr.lines().last().unwrap().starts_with("done: "), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        let told = stderr.matches("is damaged, and parts of it do not play: copy").count();
        assert!((least..=1).contains(&told), "{name}: {stderr}");
    }
}

/// Wrong presets, projectors, sound devices and places to write.
#[test]
fn what_is_named_wrongly_is_told_in_one_sentence_with_the_cure() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap().to_string();
    file(home.path(), "bad.toml", b"version = 1\nname = \"Bad\"\ngenerator = \"circel\"\n");
    let music = root("tests/data/click.flac");
    let play = ["play", music.as_str(), "--headless", "--audio", "none"];
    for (more, words) in [
        (["--preset", "Ember Rnig"], ["no preset named", "did you mean `Ember Ring`"]),
        (["--preset", "bad.toml"], ["line 3, column 13", "did you mean `circle`"]),
        (["--preset", "missing.toml"], ["missing.toml", "check that it exists"]),
        (["--dac", "lazer://x"], ["\"lazer\" is no kind of projector", "use sim:"]),
        (["--dac", "ether-dream://a:b:c"], ["no usable address", "ether-dream://HOST"]),
        (["--dac", "10.0.0.1"], ["names no projector", "use sim:"]),
        (["--dac", "sim:?speed=9"], ["speed=9", "ppm=200"]),
        (["--report", "no/such/r.json"], ["cannot be written", "choose another place"]),
        (["--dac", "sim:?record=no/such/p.csv"], ["cannot be created", "choose another place"]),
    ] {
        let told = sentence(home.path(), &[&play[..], &more[..]].concat());
        assert!(words.iter().all(|word| told.contains(word)), "{more:?}: {told}");
    }
    let simulate = ["simulate", "ether-dream"];
    for (more, words) in [
        (["--listen", busy.as_str()], ["another program holds it", "--listen"]),
        (["--listen", "nowhere"], ["no address", "127.0.0.1:0"]),
        (["--faults", "fire=1s"], ["fire=1s", "delay=30ms"]),
        (["--record", "no/such/p.csv"], ["cannot be written", "choose another place"]),
    ] {
        let told = sentence(home.path(), &[&simulate[..], &more[..]].concat());
        assert!(words.iter().all(|word| told.contains(word)), "{more:?}: {told}");
    }
    let told = sentence(home.path(), &["play", &music, "--headless", "--audio", "no such card"]);
    assert!(told.contains("no such card") || told.contains("built without"), "{told}");
    let told = sentence(home.path(), &["presets", "show", "Tesserakt"]);
    assert!(told.contains("did you mean `Tesseract`"), "{told}");
}

/// Without a display the bare program says how to go on without one.
#[test]
#[cfg(target_os = "linux")]
fn without_a_display_the_window_is_refused_with_the_cure() {
    let home = tempfile::tempdir().unwrap();
    let told = sentence(home.path(), &[]);
    assert!(told.contains("no display") && told.contains("--headless"), "{told}");
}

/// Design §6: wrong usage is status 2.
#[test]
fn wrong_usage_is_status_2() {
    let home = tempfile::tempdir().unwrap();
    for args in [
        &["play"][..],
        &["dance"],
        &["--loud"],
        &["play", "a.wav", "--master", "101"],
        &["play", "a.wav", "--duration", "soon"],
        &["simulate", "gramophone"],
        &["completions", "dos"],
    ] {
        let (status, _, stderr) = run(home.path(), args);
        assert_eq!(status, Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

/// Help and the lists work anywhere.
#[test]
fn what_only_prints_prints() {
    let home = tempfile::tempdir().unwrap();
    for (args, words) in [
        (&["--help"][..], "simulate"),
        (&["--version"], "galvo "),
        (&["play", "--help"], "s STOP"),
        (&["presets", "list"], "Ember Ring"),
        (&["presets", "show", "Ember Ring"], "generator = \"circle\""),
        (&["completions", "bash"], "galvo"),
    ] {
        let (status, stdout, stderr) = run(home.path(), args);
        assert_eq!((status, stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(stdout.contains(words), "{args:?}: {stdout}");
    }
}

/// KS-28, KS-31: an address and a file play one after the other; the second time the server is not needed; and what does
/// not play is told in one sentence.
#[cfg(feature = "http")]
#[test]
fn an_address_plays_and_plays_again_without_its_server() {
    use crate::media::server::{Fault, Server, Site};

    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let song = std::fs::read(root("tests/data/click.mp3")).unwrap();
    let server = Server::start(Site::with_trouble(song, |request| {
        if request.path == "/gone.mp3" { Fault::Status(404) } else { Fault::None }
    }));
    let (first, second) = (server.url("click.mp3"), root("tests/data/click.flac"));
    let played = |report_name: &str| {
        let args =
            ["play", &first, &second, "--headless", "--audio", "none", "--report", report_name];
        let (status, _, stderr) = run(home, &args);
        assert_eq!(status, Some(0), "{stderr}");
        report(&home.join(report_name))["media_s"].as_f64().unwrap()
    };
    // More than the first alone, as far as a busy machine counts it.
    assert!(played("one.json") > 1.05);
    let (status, _, stderr) = run(home, &["play", &server.url("gone.mp3"), "--headless"]);
    assert_eq!(status, Some(1));
    assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    assert!(stderr.contains("There is nothing at http://"), "{stderr}");
    drop(server);
    assert!(played("two.json") > 0.5);
}

/// A playlist plays from its folder, whatever the present one is; what is missing in it is told and passed over, and a list
/// of nothing is an error.
#[test]
fn a_playlist_plays_and_what_is_missing_in_it_is_told() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let lists = home.join("lists");
    std::fs::create_dir(&lists).unwrap();
    for name in ["one.flac", "two.flac"] {
        std::fs::copy(root("tests/data/click.flac"), lists.join(name)).unwrap();
    }
    std::fs::write(lists.join("set.m3u8"), "#EXTM3U\nnone.flac\none.flac\ntwo.flac\n").unwrap();
    std::fs::write(lists.join("none.m3u"), "none.flac\n").unwrap();
    let play = |list: &str| {
        run(home, &["play", list, "--headless", "--audio", "none", "--report", "report.json"])
    };
    let (status, _, stderr) = play("lists/set.m3u8");
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(stderr.matches("There is no file").count(), 1, "{stderr}");
    // More than one of them alone, as far as a busy machine counts it.
    assert!(report(&home.join("report.json"))["media_s"].as_f64().unwrap() > 1.05);
    let (status, _, stderr) = play("lists/none.m3u");
    assert_eq!((status, stderr.trim().lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains("There is no file") && stderr.contains("none.flac"), "{stderr}");
}

/// What was set stays set, one word at a time, and is forgotten when asked to.
#[test]
fn how_a_projector_hangs_is_remembered() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let set = |words: &[&str]| {
        let args = [&["devices", "set", "audio-xy://card", "--json"], words].concat();
        let (status, stdout, stderr) = run(home, &args);
        assert_eq!(status, Some(0), "{stderr}");
        serde_json::from_str::<Value>(&stdout).unwrap()["mounting"].clone()
    };
    set(&["--invert-x", "--rotate", "-90", "--colours", "bgr-"]);
    let mounting = set(&["--swap-xy"]);
    assert_eq!((&mounting["swap_xy"], &mounting["invert_x"]), (&true.into(), &true.into()));
    assert_eq!(
        (&mounting["rotate_degrees"], &mounting["colours"]),
        (&(-90.0).into(), &"bgr-".into())
    );
    assert_eq!(set(&["--invert-x=false"])["invert_x"], false);
    assert_eq!(set(&["--reset"])["colours"], "rgb");
    let (_, stdout, _) = run(home, &["devices", "set", "sim:", "--rotate", "180"]);
    assert_eq!(stdout, "sim:: turned by 180°\n");
    let (status, ..) = run(home, &["devices", "set", "sim:", "--colours", "rot"]);
    assert_eq!(status, Some(2));
    std::fs::write(home.join("galvo/projectors.toml"), "colours = 3").unwrap();
    let words = sentence(home, &["devices", "set", "sim:", "--invert-y"]);
    assert!(words.contains("projectors.toml") && words.contains("mend it"), "{words}");
}

/// Corners, zones and mirrors from the command line; what was printed is taken by another projector.
#[test]
fn a_projectors_set_up_is_remembered_and_handed_on_as_json() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let set = |uri: &str, words: &[&str]| {
        let args = [&["devices", "set", uri, "--json"], words].concat();
        let (status, stdout, stderr) = run(home, &args);
        assert_eq!(status, Some(0), "{stderr}");
        stdout
    };
    let corners = "-0.9,-0.8,0.9,-0.8,0.5,0.7,-0.5,0.7";
    let floor = "blocked:-1,-1,1,-1,1,-0.4,-1,-0.4";
    let words = ["--corners", corners, "--mirrors", "20", "--zone", floor];
    set("audio-xy://left", &words);
    let dimmed = "dimmed:-1,0,1,0,0,1:keep=0.25";
    let both = set("audio-xy://left", &["--zone", floor, "--zone", dimmed, "--rotate", "90"]);
    let value = serde_json::from_str::<Value>(&both).unwrap();
    let room = &value["installation"];
    assert_eq!(
        (&room["mirrors"], &room["zones"][1]["kind"]),
        (&"20 kpps".into(), &"dimmed".into())
    );
    assert_eq!(room["zones"].as_array().unwrap().len(), 2);
    std::fs::write(home.join("left.json"), &both).unwrap();
    let handed_on = set("audio-xy://right", &["--from", "left.json"]);
    let handed_on = serde_json::from_str::<Value>(&handed_on).unwrap();
    assert_eq!((&handed_on["installation"], &handed_on["mounting"]), (room, &value["mounting"]));
    let (_, stdout, _) = run(home, &["devices", "set", "audio-xy://right", "--no-zones"]);
    assert_eq!(stdout, "audio-xy://right: turned by 90°, corners moved, mirrors of 20 kpps\n");
    let before = std::fs::read_to_string(home.join("galvo/projectors.toml")).unwrap();
    std::fs::write(home.join("bad.json"), "{\"installation\": {\"mirrors\": \"ideal\"}}").unwrap();
    let words = sentence(home, &["devices", "set", "audio-xy://left", "--from", "bad.json"]);
    assert!(words.contains("choose one of 20, 30, 40 and 60"), "{words}");
    let crossed = "-1,-1,1,1,1,-1,-1,1";
    sentence(home, &["devices", "set", "audio-xy://left", "--corners", crossed]);
    let (status, _, told) = run(home, &["devices", "set", "sim:", "--zone", "round:0,0"]);
    assert!(status == Some(2) && told.contains("blocked:, allowed: or dimmed:"), "{told}");
    let after = std::fs::read_to_string(home.join("galvo/projectors.toml")).unwrap();
    assert_eq!(after, before, "what was refused left no trace");
}

#[test]
fn control_maps_are_checked_and_every_bundled_one_is_sound() {
    let home = tempfile::tempdir().unwrap();
    let maps: Vec<String> = std::fs::read_dir(root("assets/control"))
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let args: Vec<&str> =
        ["control", "check"].into_iter().chain(maps.iter().map(String::as_str)).collect();
    let (status, out, _) = run(home.path(), &args);
    assert_eq!((status, out.lines().count()), (Some(0), maps.len()), "{out}");
    std::fs::write(home.path().join("bad.toml"), "version = 1\nname = 1\n").unwrap();
    let (status, out, error) = run(home.path(), &["control", "check", "bad.toml"]);
    assert_eq!(status, Some(1));
    assert!(out.contains("line 2") && error.contains("1 of 1"), "{out} {error}");
}

#[test]
fn control_ports_are_listed_or_it_is_said_why_there_are_none() {
    let home = tempfile::tempdir().unwrap();
    let (status, out, _) = run(home.path(), &["control", "list", "--json"]);
    assert_eq!(status, Some(0));
    let list: Value = serde_json::from_str(&out).unwrap();
    assert!(list["ports"].is_array() && list["broken_maps"].is_array(), "{list}");
    let (status, out, _) = run(home.path(), &["control", "actions"]);
    assert_eq!(status, Some(0));
    assert!(out.contains("blackout held") && out.contains("param N|NAME"), "{out}");
}

#[test]
fn a_monitor_prints_what_arrives_and_what_it_would_do() {
    let home = tempfile::tempdir().unwrap();
    let mut command = galvo(home.path(), &["control", "monitor", "--osc", "127.0.0.1:0", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = told.map_while(Result::ok).find_map(|line| {
        let at = line.strip_prefix("listening to OSC on ")?.split(' ').next()?;
        Some(at.to_owned())
    });
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"/galvo/blackout\0,T\0\0", address.unwrap()).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let heard: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(heard["does"], "blackout", "{heard}");
}

#[test]
fn hands_from_outside_that_cannot_be_had_are_told_before_the_show() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let demo = root("assets/demo.ogg");
    let base = ["play", &demo, "--audio", "none", "--headless", "--duration", "1"];
    for (more, told) in [
        (["--osc", at.as_str()], "choose another address or port"),
        (["--map", "missing.toml"], "missing.toml"),
        (["--artnet", "nowhere at all"], "is no address"),
    ] {
        let args: Vec<&str> = base.iter().copied().chain(more).collect();
        let (status, _, error) = run(home.path(), &args);
        assert_eq!(status, Some(1), "{more:?}");
        assert!(error.contains(told), "{more:?}: {error}");
    }
}
