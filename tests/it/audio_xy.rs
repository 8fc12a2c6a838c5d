//! Points as sound, on a clock that plays the card's part.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::dac::audio_xy::{AudioXy, SoftwareCard, XyOptions};
use galvo::dac::{DacError, LinkControl, LinkStats, Worker, WorkerParts, open, reports, spawn};
use galvo::point::{Colour, LaserPoint};
use galvo::safety::{Arm, Gate, queue};
use galvo::time::{Clock, StreamInstant, SystemClock};

#[test]
fn a_show_runs_without_a_sound_card() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let lit_frames = Arc::new(AtomicUsize::new(0));
    let (into, count) = (Arc::clone(&heard), Arc::clone(&lit_frames));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let card =
        SoftwareCard::new(Arc::clone(&clock)).heard_by(Arc::new(move |samples: &[f32]| {
            let lit = samples.chunks(6).filter(|frame| frame[2] > 0.0).count();
            count.fetch_add(lit, Ordering::Relaxed);
            into.lock().unwrap().extend_from_slice(samples);
        }));
    let options = XyOptions::parse("channels=xyrgbi&rate=96000").unwrap();
    let backend = AudioXy::over("audio-xy://none", Box::new(card), options, Arc::clone(&clock));
    let arm = Arm::new();
    let (mut sender, receiver) = queue(3000, 64, 500, arm.clone());
    let (report_tx, _reports) = reports(64);
    let worker = Worker::new(WorkerParts {
        backend: Box::new(backend),
        receiver,
        arm: arm.clone(),
        reports: report_tx,
        control: LinkControl::new(30_000),
        stats: LinkStats::default(),
        clock: Arc::clone(&clock),
        seed: 1,
    });
    let handle = spawn(worker, Arc::clone(&clock)).unwrap();
    let mut gate = Gate::new(arm.clone());
    let mut sent = 0_u64;
    let lit = || lit_frames.load(Ordering::Relaxed);
    let deadline = clock.now() + Duration::from_secs(20);
    while lit() < 48_000 && clock.now() < deadline {
        let now = clock.now();
        arm.beat(now);
        if !arm.is_armed() {
            // A pause of a busy machine disarms: that is as it should be.
            arm.arm(now).unwrap();
        }
        while sender.free_points() >= 250 {
            let mut points: Vec<LaserPoint> = (sent..sent + 250)
                .map(|n| {
                    let (y, x) = (n as f32 / 300.0 * std::f32::consts::TAU).sin_cos();
                    LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE)
                })
                .collect();
            let chunk = gate.pass(now, &mut points, StreamInstant(sent), 30_000);
            if !sender.push(&chunk) {
                break;
            }
            sent += 250;
        }
        clock.sleep_until(now + Duration::from_millis(2));
    }
    assert!(lit() >= 48_000);
    assert!(handle.close(Duration::from_secs(3)));
    let samples = heard.lock().unwrap();
    for frame in samples.chunks(6).filter(|frame| frame[2] > 0.0) {
        let radius = frame[0].hypot(frame[1]);
        assert!((0.49..0.51).contains(&radius), "light off the circle: {frame:?}");
    }
    let last = samples.chunks(6).last().unwrap();
    assert_eq!(last[2..], [0.0; 4], "the end is dark");
}

#[test]
fn a_card_that_is_not_there_is_told_with_what_to_do() {
    let clock = Arc::new(SystemClock);
    let uri = "audio-xy://no such card?channels=xyrgb";
    let mut backend = open(uri, &[], clock).unwrap();
    let error = backend.connect(SystemClock.now()).unwrap_err();
    let sentence = error.to_string();
    assert!(matches!(error, DacError::BadAddress(_) | DacError::Gone { .. }), "{sentence}");
    assert!(sentence.contains("no such card"), "{sentence}");
    assert_eq!(backend.name(), uri);
}
