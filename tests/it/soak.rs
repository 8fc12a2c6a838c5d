//! Long runs on real sockets and real time: ignored unless asked for (`make soak`), since a busy machine breaks them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use galvo::dac::simulator::ether_dream::{Options, Server};
use galvo::dac::{WorkerHandle, WorkerParts, WorkerState, open, spawn};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{Arm, Gate};
use galvo::stream::{FillRequest, FillResult, Stream, StreamConfig, StreamControl, link};
use galvo::time::{Clock, SystemClock};

const PPS: u32 = 30_000;
const PROJECTORS: usize = 100;
/// A period of 256 frames at 48 kHz.
const PERIOD: Duration = Duration::from_nanos(5_333_333);
/// As in a show of a file.
const LOOKAHEAD: Duration = Duration::from_millis(100);

fn circle(request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
    let n = request.target_points.min(buffer.len());
    for (k, point) in buffer[..n].iter_mut().enumerate() {
        let turn = ((request.start.0 + k as u64) % 300) as f32 / 300.0;
        let (y, x) = (turn * std::f32::consts::TAU).sin_cos();
        *point = LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE);
    }
    FillResult::Filled(n)
}

/// Seconds of processor time of this process's threads, by their names. Linux only; empty elsewhere.
fn processor_seconds() -> BTreeMap<String, f64> {
    let mut spent = BTreeMap::new();
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return spent };
    for thread in threads.flatten() {
        let Ok(text) = std::fs::read_to_string(thread.path().join("stat")) else { continue };
        let Some((head, tail)) = text.rsplit_once(')') else { continue };
        let name = head.split_once('(').map_or("", |(_, name)| name).to_owned();
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|word| word.parse::<f64>().ok());
        // User and system time, in hundredths of a second on every Linux there is.
        let seconds = (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0;
        *spent.entry(name).or_default() += seconds;
    }
    spent
}

fn most_memory_mib() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Design §8: a hundred projectors from one process, on loopback at 30 kpps, and none runs dry.
/// `SOAK_SECONDS` says how long, 600 if it is not set.
#[test]
#[ignore = "ten minutes of a whole machine: make soak"]
fn soak_a_hundred_projectors_on_loopback() {
    let seconds: u64 =
        std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut shows: Vec<(Server, Stream, StreamControl, WorkerHandle)> = Vec::new();
    for seed in 0..PROJECTORS as u64 {
        let server = Server::start(any, Options::default(), Arc::clone(&clock)).unwrap();
        let uri = format!("ether-dream://{}", server.address());
        let backend = open(&uri, &[], Arc::clone(&clock)).unwrap();
        let presumed = backend.presumed();
        let config = StreamConfig::new(PPS).with_target_buffer(LOOKAHEAD);
        let arm = Arm::new();
        let (parts, device) = link(&config, &presumed, Gate::new(arm.clone()), arm.clone());
        let stream = Stream::new(config, &presumed, parts).unwrap();
        let worker = galvo::dac::Worker::new(WorkerParts {
            backend,
            receiver: device.receiver,
            arm,
            reports: device.reports,
            control: device.link,
            stats: device.stats,
            clock: Arc::clone(&clock),
            seed,
        });
        let handle = spawn(worker, Arc::clone(&clock)).unwrap();
        let control = stream.control();
        shows.push((server, stream, control, handle));
    }
    let begun = clock.now();
    let settled = begun + Duration::from_secs(5);
    let end = settled + Duration::from_secs(seconds);
    let counts = |shows: &[(Server, Stream, StreamControl, WorkerHandle)]| {
        let all = shows.iter().map(|(_, _, control, _)| control.stats().read());
        all.fold((0, 0, 0, 0), |sum, one| {
            let (points, underruns, underflows, reconnects) = sum;
            (
                points + one.points,
                underruns + one.underruns,
                underflows + one.device_underflows,
                reconnects + one.reconnects,
            )
        })
    };
    let mut before = None;
    let mut longest = Duration::ZERO;
    let mut due = begun;
    while clock.now() < end {
        let now = clock.now();
        for (_, stream, control, handle) in &mut shows {
            stream.fill_from(now, &mut { circle });
            if !control.is_armed() && handle.status().view().state == WorkerState::Ready {
                let _ = control.arm(now);
            }
        }
        longest = longest.max(clock.now().since(now));
        if before.is_none() && now >= settled {
            before = Some((counts(&shows), processor_seconds(), now));
            longest = Duration::ZERO;
        }
        due = (due + PERIOD).max(now);
        clock.sleep_until(due);
    }
    let after = counts(&shows);
    let (first, spent_before, from) = before.unwrap();
    let measured = clock.now().since(from).as_secs_f64();
    let ready =
        shows.iter().filter(|(_, _, _, handle)| handle.status().view().state == WorkerState::Ready);
    println!("{PROJECTORS} projectors at {PPS} points per second for {measured:.0} s on loopback");
    println!("ready at the end     {}", ready.count());
    let refused = shows.iter().filter(|show| show.3.status().is_priority_refused()).count();
    println!("real-time priority   refused to {refused} of {PROJECTORS} threads");
    println!("points per second    {:.0}", (after.0 - first.0) as f64 / measured);
    println!("underruns            {}", after.1 - first.1);
    println!("device underflows    {}", after.2 - first.2);
    println!("reconnects           {}", after.3 - first.3);
    println!("longest fill of all  {:.2} ms", longest.as_secs_f64() * 1e3);
    for (name, seconds) in processor_seconds() {
        let spent = seconds - spent_before.get(&name).copied().unwrap_or(0.0);
        if spent / measured >= 0.001 {
            println!("processor            {:6.2} cores  {name}", spent / measured);
        }
    }
    if let Some(memory) = most_memory_mib() {
        println!("memory at most       {memory:.0} MiB, simulators included");
    }
    for (server, stream, _, handle) in shows {
        drop(stream);
        assert!(handle.close(Duration::from_secs(5)));
        drop(server);
    }
    assert_eq!((after.2 - first.2, after.3 - first.3), (0, 0), "underflows and reconnects");
}
