//! How a show ends when the system asks for it: dark, with its report, whatever became of its terminal.
#![cfg(unix)]

use std::io::Read;

use super::*;

/// A polite wish to end.
fn signal(program: &Child, name: &str) {
    let kill = format!("kill -{name} {}", program.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// An armed show on a projector, lit.
fn lit_show(home: &Path, projector: &Projector, more: &[&str]) -> Command {
    let (demo, uri) = (root("assets/demo.ogg"), projector.uri());
    let mut args = vec!["play", &demo, "--start", "20", "--dac", &uri, "--headless", "--arm"];
    args.extend(["--audio", "none", "--report", "r.json"]);
    args.extend(more);
    galvo(home, &args)
}

/// When the last lit point of a recording was shown, ns of the host's clock.
fn last_light(path: &Path) -> i64 {
    let text = std::fs::read_to_string(path).unwrap();
    let lit = |line: &&str| line.split(',').skip(4).take(3).any(|colour| colour != "0");
    let last = text.lines().skip(1).filter(lit).last().unwrap();
    last.split(',').next().unwrap().parse().unwrap()
}

fn files_of_the_report(home: &Path) -> Vec<String> {
    let names = std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.starts_with("r.")).collect()
}

#[test]
fn ctrl_c_sigterm_and_sighup_end_a_show_dark_with_its_whole_report_and_status_0() {
    for name in ["INT", "TERM", "HUP"] {
        let home = tempfile::tempdir().unwrap();
        let mut projector = Projector::start(home.path(), "127.0.0.1:0", "p.csv").unwrap();
        let mut show = lit_show(home.path(), &projector, &[]).spawn().unwrap();
        let recording = home.path().join("p.csv");
        wait_for("light", || rows(&recording).1 > 2_000);
        signal(&show, name);
        let status = show.wait().unwrap();
        let ended = SystemClock.now().as_nanos();
        assert_eq!(status.code(), Some(0), "SIG{name}");
        // The simulator ends in its order too: its recording is whole.
        signal(&projector.child, name);
        assert_eq!(projector.child.wait().unwrap().code(), Some(0), "SIG{name}");
        let light = last_light(&recording);
        assert!(light <= ended, "SIG{name}: light {} ns after the end", light - ended);
        let report = report(&home.path().join("r.json"));
        assert!(report["per_stream"][0]["lit_points"].as_u64().unwrap() > 2_000);
        assert!(report["trips"].to_string().contains("disarmed by the operator"), "{report}");
        assert_eq!(files_of_the_report(home.path()), ["r.json"]);
    }
}

#[test]
fn a_show_whose_terminal_was_closed_ends_dark_with_its_whole_report() {
    let home = tempfile::tempdir().unwrap();
    let projector = Projector::start(home.path(), "127.0.0.1:0", "p.csv").unwrap();
    // Everything it says goes to where nobody reads any more, its log too.
    let mut show = lit_show(home.path(), &projector, &["-vv"]);
    let mut show = show.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((show.stdout.take(), show.stderr.take()));
    let recording = home.path().join("p.csv");
    wait_for("light", || rows(&recording).1 > 2_000);
    // By the system, and by the shell.
    signal(&show, "HUP");
    signal(&show, "HUP");
    assert_eq!(show.wait().unwrap().code(), Some(0));
    let report = report(&home.path().join("r.json"));
    assert!(report["per_stream"][0]["lit_points"].as_u64().unwrap() > 2_000);
}

/// A server that takes the connection and never answers: reading it was given up after 118 s.
#[test]
fn ctrl_c_while_an_address_opens_ends_it_at_once_and_the_wait_is_told() {
    let home = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/song.flac", silent.local_addr().unwrap());
    let args = ["play", &address, "--headless", "--audio", "none", "--report", "r.json"];
    let mut show = galvo(home.path(), &args).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(show.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(line.contains("waiting for its server") && line.contains("Ctrl-C ends it"), "{line}");
    assert!(line.contains(&address), "{line}");
    signal(&show, "INT");
    wait_for("the end", || show.try_wait().unwrap().is_some());
    assert_eq!(show.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("ended before the show began"), "{rest}");
    assert_eq!(files_of_the_report(home.path()), [""; 0], "there is nothing to report");
}

#[test]
fn an_analysis_that_is_ended_leaves_no_half_of_its_file() {
    let home = tempfile::tempdir().unwrap();
    let demo = root("assets/demo.ogg");
    let mut work = galvo(home.path(), &["analyze", &demo, "--out", "r.features"]).spawn().unwrap();
    wait_for("its file", || !files_of_the_report(home.path()).is_empty());
    signal(&work, "TERM");
    let left = |status| if status == Some(0) { vec!["r.features"] } else { vec![] };
    // On a fast machine it was done already.
    let status = work.wait().unwrap().code();
    assert!(matches!(status, Some(0 | 130)), "{status:?}");
    assert_eq!(files_of_the_report(home.path()), left(status));
}
