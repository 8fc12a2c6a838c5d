//! Real threads on a real disk, where a pipe stands for a disk that does not answer.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use galvo::show::snapshot::Desk;
use galvo::show::{self, Command, QueueEdit, ShowHandle};
use galvo::time::{Clock, SystemClock};

use super::rig::{config, desk, wait};
use super::scenario::{demo, wav};

/// Opening it waits for whoever opens the other end.
fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

fn is_told(desk: &mut ShowHandle, words: &str) {
    wait(desk, words, |seen| seen.notices.iter().any(|notice| notice.text.contains(words)));
}

#[test]
fn a_list_that_hangs_holds_no_track_and_no_stop_is_told_and_is_named_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk(folder.path());
    desk.send(Command::Open(demo()));
    wait(&mut desk, "a track", |seen| !seen.transport.title.is_empty());
    // What is written beside the list before it takes its name.
    let beside = folder.path().join("set.m3u8.new");
    pipe(&beside);
    desk.send(Command::QueueEdit(QueueEdit::Save(folder.path().join("set.m3u8"))));
    desk.send(Command::Stop);
    wait(&mut desk, "the stop", |seen| seen.safety.stopped);
    desk.send(Command::Open(wav(folder.path(), 30.0, |_| 0.1)));
    wait(&mut desk, "another track", |seen| seen.transport.title == "sound.wav");
    is_told(&mut desk, "set.m3u8: the disk has not answered");
    assert!(desk.snapshot().disk_waits.iter().any(|wait| wait.what.contains("set.m3u8")));
    let from = SystemClock.now();
    let report = desk.finish().unwrap();
    let named = &report.not_written;
    assert!(named.iter().any(|what| what.contains("set.m3u8")), "{named:?}");
    assert!(SystemClock.now().since(from) >= Duration::from_secs(2), "it was waited for");
    // Lets the thread go that was left behind.
    drop(fs::File::open(&beside));
}

#[test]
fn pipes_in_place_of_files_are_refused_and_hold_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("presets")).unwrap();
    for name in ["rig.toml", "presets/mine.toml", "a.wav", "set.m3u"] {
        pipe(&folder.path().join(name));
    }
    let mut desk = desk(folder.path());
    is_told(&mut desk, "rig.toml cannot be read (it is no ordinary file)");
    desk.send(Command::Open(folder.path().join("a.wav")));
    is_told(&mut desk, "a.wav is not an ordinary file");
    desk.send(Command::Open(folder.path().join("set.m3u")));
    is_told(&mut desk, "set.m3u is not an ordinary file");
    drop(desk);
    pipe(&folder.path().join("projectors.toml"));
    let error = show::start(&config(folder.path()), None).unwrap_err().to_string();
    assert!(error.contains("projectors.toml: it is no ordinary file"), "{error}");
}
