//! Measures how well light meets sound on a real sound system: `make sync-check`.
//!
//! Clicks are played into a sink whose monitor can be heard. First galvo's own output promises when each will be
//! heard, and its own capture says when it was: the difference is the bias of this sound system's time stamps. Then
//! `galvo play` plays them with a preset that flashes on onsets, a simulated projector records its virtual mirrors,
//! and every flash is compared with the click that was heard. All times are CLOCK_MONOTONIC.
//!
//! `sync_check GALVO [SECONDS]`; exit status 1 if a goal is missed.
#![allow(clippy::print_stdout, reason = "a report is what this program makes")]

mod clicks;
mod distribution;
mod light;
mod listen;
mod promise;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use galvo::time::{Clock, SystemClock};

use distribution::Distribution;
use listen::Ear;
use promise::Mouth;

/// Where the sound is heard.
const INPUT: &str = "monitor";
/// The preset that flashes.
const PRESET: &str = "tests/data/flash-on-onset.toml";
/// A flash and a click further apart are not the same, seconds.
const SAME: f64 = 0.2;
/// Length of the measurement of the bias, seconds.
const BIAS_SECONDS: f64 = 25.0;
/// Clocks settle in the first seconds of a stream, which are left out.
const SETTLING: f64 = 5.0;
/// Runs in which the sound may pause for so long that the dead-man takes the light away.
const ATTEMPTS: u32 = 4;
/// Goals, ms: the median of light against sound, and how far from it 90 % of the flashes lie.
const GOALS: [f64; 2] = [2.0, 5.0];

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let galvo = args.next().context("say where galvo is: sync_check target/release/galvo")?;
    let seconds: f64 = args.next().map_or(Ok(60.0), |s| s.parse())?;
    let folder = tempfile::tempdir()?;
    let bias = measure_bias(folder.path())?;
    println!("sound: heard − promised: {bias}");
    println!("{}", bias.histogram());

    let mut attempts = 0;
    let raw = loop {
        attempts += 1;
        match measure_light(&galvo, folder.path(), seconds)? {
            Some(raw) => break raw,
            None if attempts < ATTEMPTS => println!("the light was taken away: measured anew"),
            None => bail!("the sound pauses again and again: this machine is too busy to measure"),
        }
    };
    println!("light − sound, as heard: {raw}");
    println!("{}", raw.histogram());
    let declared = bias.quantile(0.5);
    let meant = raw.shifted(declared);
    println!(
        "bias of this sound system: {declared:+.2} ms (in --offset-ms, if the capture is to be believed)"
    );
    println!("light − sound, bias taken out: {meant}");
    println!("within 5 ms: {:.1} %", 100.0 * meant.share_within(5.0));
    let [median, p95] = GOALS;
    let centre = meant.quantile(0.5);
    let wide = (meant.quantile(0.95) - centre).max(centre - meant.quantile(0.05));
    if centre.abs() > median || wide > p95 {
        bail!("the goals are missed: |median| ≤ {median} ms, 90 % within {p95} ms of it");
    }
    println!("the goals are met: |median| ≤ {median} ms, 90 % within {p95} ms of it");
    Ok(())
}

/// What is heard, minus what was promised.
fn measure_bias(folder: &Path) -> anyhow::Result<Distribution> {
    let file = folder.join("bias.wav");
    clicks::write(&file, BIAS_SECONDS)?;
    let ear = Ear::open(INPUT).context("start a sound server first: scripts/sound-server.sh")?;
    wait(2.0);
    let mouth = Mouth::open(&file)?;
    if !mouth.is_audible() {
        bail!("there is no sound device to measure");
    }
    println!("played on: {}; heard from: {}", mouth.name(), ear.name());
    while !mouth.is_over() {
        wait(0.1);
    }
    wait(1.0);
    let (promised, heard) = (mouth.take(), ear.take());
    println!("{} clicks promised, {} heard", promised.len(), heard.len());
    pair(&heard, &promised)
}

/// What is seen, minus what is heard; `None` if the light was taken away before the end.
fn measure_light(galvo: &str, folder: &Path, seconds: f64) -> anyhow::Result<Option<Distribution>> {
    let (file, points) = (folder.join("clicks.wav"), folder.join("points.csv"));
    clicks::write(&file, seconds)?;
    let ear = Ear::open(INPUT)?;
    wait(2.0);
    let mut simulator = Ended(
        Command::new(galvo)
            .args(["simulate", "ether-dream", "--listen", "127.0.0.1:0", "--record"])
            .arg(&points)
            .arg("--duration")
            .arg((seconds + 8.0).to_string())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let out = simulator.0.stdout.take().context("the simulator says nothing")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    let uri = line.split_whitespace().last().context("the simulator did not start")?.to_owned();
    let report = folder.join("report.json");
    let played = Command::new(galvo)
        .arg("play")
        .arg(&file)
        .args(["--headless", "--arm", "--master", "100", "--preset", PRESET, "--dac", &uri])
        .arg("--report")
        .arg(&report)
        .stdout(Stdio::null())
        .status()?;
    if !played.success() {
        bail!("galvo play failed");
    }
    wait(1.0);
    let heard = ear.take();
    simulator.0.wait()?;
    let seen = light::flashes(&points)?;
    println!(
        "{} clicks played, {} heard, {} flashes seen",
        clicks::times(seconds).len(),
        heard.len(),
        seen.len()
    );
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report)?)?;
    let names = ["audio_device", "device_underflows", "underruns", "xruns", "sync_ms", "trips"];
    println!("its own report: {}", names.map(|name| format!("{name} {}", report[name])).join(", "));
    let taken_away = report["trips"]
        .as_array()
        .is_some_and(|trips| trips.iter().any(|trip| trip["reason"] != "disarmed by the operator"));
    if taken_away { Ok(None) } else { pair(&seen, &heard).map(Some) }
}

/// Each of `late` minus the nearest of `early`, ms, after the clocks have settled.
fn pair(late: &[f64], early: &[f64]) -> anyhow::Result<Distribution> {
    let begin = early.first().copied().unwrap_or(0.0) + SETTLING;
    let nearest = |at: f64| {
        let distance = |other: &f64| (at - other).abs();
        early.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    };
    let errors: Vec<_> = late
        .iter()
        .filter_map(|&at| Some((at, at - nearest(at)?)))
        .filter(|&(at, error)| at >= begin && error.abs() < SAME)
        .map(|(at, error)| (at, error * 1e3))
        .collect();
    if errors.len() < 10 {
        bail!("only {} moments could be compared", errors.len());
    }
    Ok(Distribution::new(errors))
}

/// A program that does not outlive this one.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn wait(seconds: f64) {
    SystemClock.sleep_until(SystemClock.now() + Duration::from_secs_f64(seconds));
}
