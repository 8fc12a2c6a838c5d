//! Listening to a whole file: what it finds on the demo track, that it agrees with the live analyser, and
//! `galvo analyze`.

use std::path::Path;
use std::process::Command;

use galvo::analysis::{SectionKind, Track, TrackAnalyser};
use galvo::realtime::no_alloc;
use galvo::time::MediaTime;
use serde_json::Value;

use super::analysis::{analyse, asset, demo, nearest, seeded_noise, true_beats};

fn listen(rate: u32, stereo: &[f32], block: usize) -> Track {
    let mut analyser = TrackAnalyser::new(rate);
    stereo.chunks(2 * block).for_each(|part| analyser.push(part));
    analyser.finish()
}

/// The first seconds of the demo track.
fn beginning(seconds: usize) -> (u32, Vec<f32>) {
    let (rate, mut stereo) = demo();
    stereo.truncate(2 * seconds * rate as usize);
    (rate, stereo)
}

#[test]
fn the_whole_demo_track_is_found_beat_by_beat_with_its_bars_and_its_drop() {
    let (rate, stereo) = demo();
    let track = listen(rate, &stereo, 4096);
    let truth = true_beats();
    let found = || track.beats().iter().map(|beat| beat.at.as_secs_f64());
    let hits = truth.iter().filter(|b| nearest(found(), b.time_s).abs() <= 0.02).count();
    let downbeats = || track.beats().iter().filter(|b| b.of_bar == 1).map(|b| b.at.as_secs_f64());
    let bars = truth.iter().filter(|b| b.of_bar == 1);
    let barred = bars.clone().filter(|b| nearest(downbeats(), b.time_s).abs() <= 0.02).count();
    let drop = truth.iter().find(|b| b.section == "drop").expect("the demo drops").time_s;
    let drops: Vec<f64> = track
        .sections()
        .iter()
        .filter(|section| section.kind == SectionKind::Drop)
        .map(|section| section.from.as_secs_f64())
        .collect();
    println!(
        "{hits} of {} beats, {} found; {barred} of {} bars; {:.3} bpm, constant {}; {:.1} LUFS; drop at {drop:.2}: {drops:.2?}; {:?}",
        truth.len(),
        track.beats().len(),
        bars.count(),
        track.bpm(),
        track.constant_tempo(),
        track.integrated_lufs(),
        track.sections().iter().map(|s| (s.from.as_secs_f64(), s.kind)).collect::<Vec<_>>()
    );
    assert!(hits + 2 >= truth.len(), "{hits} of {}", truth.len());
    assert!(track.beats().len() <= truth.len() + 4, "{} beats", track.beats().len());
    assert!(track.constant_tempo());
    assert!(drops.len() == 1 && (drops[0] - drop).abs() < 0.5, "{drops:?}");
    what_is_to_come_is_known_ahead(&track);
}

fn what_is_to_come_is_known_ahead(track: &Track) {
    let drop = track.sections().iter().find(|s| s.kind == SectionKind::Drop).expect("a drop").from;
    let before = track.features_at(drop.plus_secs_f64(-3.0)).song;
    assert!((before.drop_in_s - 3.0).abs() < 1e-3, "{before:?}");
    assert!(before.next_in_s <= before.drop_in_s);
    let at = track.features_at(drop.plus_secs_f64(0.01)).song;
    assert_eq!(at.section, SectionKind::Drop);
}

#[test]
fn the_same_sound_is_the_same_track_in_any_blocks_and_on_any_thread() {
    let (rate, stereo) = beginning(15);
    let part = stereo.as_slice();
    let here = listen(rate, part, 1 << 20).to_bytes();
    let there = std::thread::scope(|scope| {
        let threads: Vec<_> = [1, 333, 8192]
            .map(|block| scope.spawn(move || listen(rate, part, block).to_bytes()))
            .into();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(there.iter().all(|bytes| *bytes == here));
}

/// Both ears on the same sound: levels within a step of what is kept, attacks at the same moments, and the beat that
/// the live ear has come to believe within 35 ms of that of the whole.
#[test]
fn live_and_whole_agree_within_the_declared_latency() {
    let (rate, stereo) = beginning(45);
    let frames = analyse(rate, &stereo);
    let track = listen(rate, &stereo, 4096);
    let last = frames.last().unwrap();
    assert_eq!(track.onsets().len(), last.onset.count as usize);
    let (mut compared, mut apart) = (0, 0);
    for live in &frames {
        let whole = track.features_at(live.at);
        assert!((whole.level - live.level).abs() <= 0.003, "{}", live.at);
        assert!((whole.bands.bass - live.bands.bass).abs() <= 0.003, "{}", live.at);
        assert!((whole.bands.treble - live.bands.treble).abs() <= 0.003, "{}", live.at);
        assert!((whole.level_db - live.level_db).abs() <= 0.3, "{}", live.at);
        let (a, b) = (whole.loudness, live.loudness);
        assert!((a.momentary_lufs - b.momentary_lufs).abs() <= 0.16, "{}", live.at);
        if live.beat.bpm > 0.0 && live.at.as_secs_f64() > 6.0 && whole.beat.bpm > 0.0 {
            let phase = f64::from(whole.beat.phase - live.beat.phase);
            let off_s = (phase - phase.round()) * 60.0 / f64::from(whole.beat.bpm);
            compared += 1;
            apart += usize::from(off_s.abs() > 0.035);
        }
    }
    println!("{apart} of {compared} frames more than 35 ms apart in the beat");
    assert!(compared > 3_500 && apart * 50 <= compared, "{apart} of {compared}");
}

#[test]
fn a_look_up_touches_no_memory_and_a_minute_of_track_is_small() {
    let (rate, stereo) = beginning(20);
    let track = listen(rate, &stereo, 4096);
    let minutes = track.duration().as_secs_f64() / 60.0;
    let per_minute = track.bytes() as f64 / minutes;
    println!(
        "{:.0} kB per minute, stored {:.0} kB",
        per_minute / 1e3,
        track.to_bytes().len() as f64 / minutes / 1e3
    );
    assert!(per_minute <= 350_000.0, "{per_minute}");
    let ((), touched) = no_alloc::watch(|| {
        for ms in -500..21_000 {
            let features = track.features_at(MediaTime::from_nanos(ms * 1_000_000));
            assert!(
                features.level <= 1.0 && features.beat.phase < 1.0 && features.beat.bar_phase < 1.0
            );
        }
    });
    assert_eq!(touched, 0);
}

#[test]
fn silence_and_noise_have_no_beats_in_whole() {
    assert!(listen(44_100, &vec![0.0; 2 * 44_100 * 30], 4096).beats().is_empty());
    assert!(listen(44_100, &seeded_noise(44_100 * 30, 0.3), 4096).beats().is_empty());
    assert!(listen(44_100, &[], 4096).beats().is_empty());
}

fn analyze(args: &[&str]) -> (bool, String, String) {
    run_analyze(Command::new(env!("CARGO_BIN_EXE_galvo")), args)
}

/// Where `taskset` is there; elsewhere as [`analyze`].
fn analyze_on_one_processor(args: &[&str]) -> (bool, String, String) {
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", "0", env!("CARGO_BIN_EXE_galvo")]);
    match Command::new("taskset").args(["-c", "0", "true"]).status() {
        Ok(status) if status.success() => run_analyze(pinned, args),
        _ => analyze(args),
    }
}

/// The program, in a home of its own.
fn run_analyze(mut program: Command, args: &[&str]) -> (bool, String, String) {
    let home = tempfile::tempdir().unwrap();
    let output = program.arg("analyze").args(args).env("HOME", home.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// The first seconds of the demo track as a file of its own.
fn cut(folder: &Path, seconds: usize) -> String {
    let (rate, stereo) = beginning(seconds);
    let path = folder.join("cut.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(&path, spec).unwrap();
    for sample in stereo {
        wav.write_sample(sample).unwrap();
    }
    wav.finalize().unwrap();
    path.display().to_string()
}

#[test]
fn galvo_analyze_tells_beats_bars_attacks_and_parts_as_json() {
    let demo = asset("demo.ogg").display().to_string();
    let (done, out, err) = analyze(&[&demo, "--json"]);
    assert!(done, "{err}");
    let heard: Value = serde_json::from_str(&out).unwrap();
    let truth = true_beats();
    let count = |name: &str| heard[name].as_array().unwrap().len();
    assert_eq!(heard["mode"], "file");
    assert!(count("beats").abs_diff(truth.len()) <= 4);
    assert!(count("downbeats") * 4 >= count("beats") - 4 && count("onsets") > 100);
    assert!(count("sections") >= 3);
}

/// Nothing in the answer is of the machine, the moment or the number of processors that may be used.
#[test]
fn galvo_analyze_says_the_same_every_time_by_either_ear() {
    let folder = tempfile::tempdir().unwrap();
    let cut = cut(folder.path(), 15);
    for ear in [&[] as &[&str], &["--live"]] {
        let args = [&[cut.as_str(), "--json"], ear].concat();
        let (done, out, err) = analyze(&args);
        assert!(done, "{err}");
        let heard: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(heard["mode"], if ear.is_empty() { "file" } else { "live" });
        assert!(heard["beats"].as_array().unwrap().len() > 20);
        assert_eq!(analyze(&args).1, out, "{ear:?}: twice the same");
        assert_eq!(analyze_on_one_processor(&args).1, out, "{ear:?}: the same on one processor");
    }
}

#[test]
fn galvo_analyze_writes_features_and_says_in_one_sentence_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let cut = cut(folder.path(), 15);
    let lines = folder.path().join("cut.features").display().to_string();
    let (done, out, err) = analyze(&[&cut, "--out", &lines]);
    assert!(done && out.contains("tempo") && out.contains("constant"), "{out}{err}");
    let text = std::fs::read_to_string(&lines).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert!(text.lines().count() >= 1_490 && first["spectrum"].as_array().unwrap().len() == 32);
    let stored = folder.path().join("cut.track").display().to_string();
    assert!(analyze(&[&cut, "--out", &stored]).0);
    assert!(Track::from_bytes(&std::fs::read(&stored).unwrap()).is_ok());
    for args in [
        &["none.wav"] as &[&str],
        &[&cut, "--out", "/none/there"],
        &[&cut, "--live", "--out", &stored],
    ] {
        let (done, _, err) = analyze(args);
        assert!(
            !done && err.starts_with("galvo: ") && err.trim_end().lines().count() == 1,
            "{err}"
        );
    }
}
