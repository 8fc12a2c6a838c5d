//! Music from the network: stream-download and galvo at the same servers; prints a table in Markdown.
//!
//! 50 MB of WAV come from a server of this process. Each run is a process of its own, so that its CPU time is its own, it
//! starts cold, and the sides take turns. Every first sample is compared with the one that was put into the file.

mod listeners;
mod server;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use galvo::time::{Clock, SystemClock};
use rustix::time::{ClockId, clock_gettime};

use self::listeners::{Fallible, Listener, Ours, Theirs};
use self::server::{Counts, Manners, serve};

const FRAMES: u64 = 12_500_000;
const RATE: u32 = 44_100;
/// The seek goes here, which no one has fetched by then.
const FAR_FRAME: u64 = FRAMES / 10 * 9;
const ROUNDS: usize = 3;
const WATCHED: Duration = Duration::from_secs(2);
/// No block for so long: the reader waits.
const STANDSTILL: Duration = Duration::from_millis(500);
const SILENT_AFTER: u64 = 4 << 20;
const SIDES: [&str; 2] = ["stream-download", "galvo"];

/// Both channels of a frame: no two neighbours are alike, so that a wrong place is seen.
fn sample(frame: u64) -> i16 {
    (frame.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as i16
}

fn wav() -> Arc<[u8]> {
    let data_bytes = u32::try_from(FRAMES * 4).expect("50 MB");
    let mut wav = Vec::with_capacity(44 + data_bytes as usize);
    wav.extend(b"RIFF");
    wav.extend((36 + data_bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1_u16, 2].map(u16::to_le_bytes).concat());
    wav.extend([RATE, RATE * 4].map(u32::to_le_bytes).concat());
    wav.extend([4_u16, 16].map(u16::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend(data_bytes.to_le_bytes());
    for frame in 0..FRAMES {
        let bytes = sample(frame).to_le_bytes();
        wav.extend([bytes, bytes].concat());
    }
    wav.into()
}

fn millis(nanos: i64) -> f64 {
    nanos as f64 / 1e6
}

/// CPU time of all threads of this process.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    millis(time.tv_sec * 1_000_000_000 + time.tv_nsec)
}

fn wait(span: Duration) {
    SystemClock.sleep_until(SystemClock::read().plus_secs_f64(span.as_secs_f64()));
}

/// Decodes until `frame` is out, and checks it.
fn play_to(listener: &mut dyn Listener, frame: u64) -> Fallible<()> {
    loop {
        let (first, sound) = listener.next()?;
        let Some(ahead) = frame.checked_sub(first) else {
            return Err(format!("frame {first} came for {frame}").into());
        };
        if let Some(heard) = sound.get(ahead as usize * 2) {
            let right = f32::from(sample(frame)) / 32_768.0;
            let is_right = (heard - right).abs() < 1.0 / 65_536.0;
            return is_right.then_some(()).ok_or_else(|| "a wrong sample".into());
        }
    }
}

/// One run of one side, in a process of its own: each line it prints is a reading.
fn listen(side: &str, what: &str, url: &str) -> Fallible<()> {
    let tell = |figures: &[f64]| {
        let text: Vec<_> = figures.iter().map(f64::to_string).collect();
        println!("{}", text.join(" "));
        std::io::stdout().flush()
    };
    let (began, cpu) = (SystemClock::read(), cpu_ms());
    let mut listener: Box<dyn Listener> = match side {
        "galvo" => Box::new(Ours::open(url)?),
        _ => Box::new(Theirs::open(url)?),
    };
    play_to(&mut *listener, 0)?;
    let took = millis(SystemClock::read().nanos_since(began));
    tell(&[took, cpu_ms() - cpu])?;
    match what {
        "play" => {
            let cpu = cpu_ms();
            wait(WATCHED);
            tell(&[cpu_ms() - cpu])?;
        }
        "seek" => {
            let began = SystemClock::read();
            listener.seek(FAR_FRAME)?;
            play_to(&mut *listener, FAR_FRAME)?;
            tell(&[millis(SystemClock::read().nanos_since(began))])?;
        }
        _ => {
            let blocks = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&blocks);
            std::thread::spawn(move || {
                while listener.next().is_ok() {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
            let mut before = u64::MAX;
            while before != blocks.load(Ordering::Relaxed) {
                before = blocks.load(Ordering::Relaxed);
                wait(STANDSTILL);
            }
            let cpu = cpu_ms();
            wait(WATCHED);
            let cpu = cpu_ms() - cpu;
            if before != blocks.load(Ordering::Relaxed) {
                return Err("it did not wait".into());
            }
            tell(&[cpu])?;
        }
    }
    // What still waits for the network is not waited for.
    std::process::exit(0);
}

/// A run as the server's process sees it.
struct Run {
    first_ms: f64,
    first_cpu_ms: f64,
    first_sent: u64,
    then: f64,
    then_sent: u64,
    requests: u64,
}

fn reading(from: &mut impl BufRead, counts: &Counts) -> Fallible<(Vec<f64>, u64)> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let sent = counts.sent.load(Ordering::Relaxed);
    Ok((line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?, sent))
}

fn run(side: &str, what: &str, file: &Arc<[u8]>, manners: Manners) -> Fallible<Run> {
    let (url, counts) = serve(Arc::clone(file), manners)?;
    let program = std::env::current_exe()?;
    let mut child: Child =
        Command::new(program).args([side, what, &url]).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?);
    let (first, first_sent) = reading(&mut lines, &counts)?;
    let (then, then_sent) = reading(&mut lines, &counts)?;
    let requests = counts.requests.load(Ordering::Relaxed);
    child.wait()?;
    let ([first_ms, first_cpu_ms], [then]) = (first.as_slice(), then.as_slice()) else {
        return Err(format!("{side} gave up: {what}").into());
    };
    let (first_ms, first_cpu_ms, then) = (*first_ms, *first_cpu_ms, *then);
    Ok(Run { first_ms, first_cpu_ms, first_sent, then, then_sent, requests })
}

/// The median, with the least and the most in brackets.
fn spread(runs: &[Run], figure: impl Fn(&Run) -> f64, digits: usize) -> String {
    let mut figures: Vec<f64> = runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    let [least, .., most] = figures[..] else { return String::new() };
    let median = figures[figures.len() / 2];
    format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
}

fn in_turns(what: &str, file: &Arc<[u8]>, manners: Manners) -> Fallible<[Vec<Run>; 2]> {
    let mut runs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (side, runs) in SIDES.iter().zip(&mut runs) {
            runs.push(run(side, what, file, manners)?);
        }
    }
    Ok(runs)
}

fn rows(what: &str, runs: &[Vec<Run>; 2], figure: impl Fn(&Run) -> f64 + Copy, digits: usize) {
    let [theirs, ours] = [0, 1].map(|side| spread(&runs[side], figure, digits));
    println!("| {what} | {theirs} | {ours} |");
}

fn compare() -> Fallible<()> {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("Load average at the start: {}\n", load.trim());
    println!(
        "| what, median of {ROUNDS} (least–most) | stream-download 0.24.5 | galvo |\n|---|---|---|"
    );
    let file = wav();
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    for latency_ms in [0, 200] {
        let latency = Duration::from_millis(latency_ms);
        let manners = Manners { latency, silent_after: u64::MAX };
        let name = format!("20 MB/s, {latency_ms} ms before an answer");
        let runs = in_turns("play", &file, manners)?;
        rows(&format!("{name}: first sample, ms"), &runs, |run| run.first_ms, 1);
        rows("… CPU time until then, ms", &runs, |run| run.first_cpu_ms, 1);
        rows("… sent until then, MB", &runs, |run| megabytes(run.first_sent), 2);
        rows(
            "… sent in the next 2 s, MB",
            &runs,
            |run| megabytes(run.then_sent - run.first_sent),
            1,
        );
        rows("… CPU time in these 2 s, nothing being read, ms", &runs, |run| run.then, 1);
        rows("… requests in all", &runs, |run| run.requests as f64, 0);
        let runs = in_turns("seek", &file, manners)?;
        rows("… a seek to 90 % right after → its first sample, ms", &runs, |run| run.then, 1);
        let sent = |run: &Run| megabytes(run.then_sent - run.first_sent);
        rows("… sent meanwhile, MB", &runs, sent, 2);
    }
    let manners = Manners { latency: Duration::ZERO, silent_after: SILENT_AFTER };
    let runs = in_turns("silence", &file, manners)?;
    rows(
        "silence after 4 MiB: CPU time of 2 s in which the reader waits, ms",
        &runs,
        |run| run.then,
        2,
    );
    Ok(())
}

fn main() -> Fallible<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [side, what, url] => listen(side, what, url),
        _ => compare(),
    }
}
