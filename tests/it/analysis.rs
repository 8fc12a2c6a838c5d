//! The causal analyser on the demo track, whose beats are known, and on what is no music.

use std::path::Path;

use galvo::analysis::{Analyser, Features};
use galvo::realtime::no_alloc;
use galvo::time::MediaTime;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::{FormatOptions, TrackType, probe::Hint};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

/// Beats before this are for finding the tempo.
const SETTLED_S: f64 = 6.0;

pub(crate) struct TrueBeat {
    pub(crate) time_s: f64,
    pub(crate) of_bar: u32,
    pub(crate) section: String,
}

pub(crate) fn asset(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name)
}

pub(crate) fn true_beats() -> Vec<TrueBeat> {
    let mut section = String::new();
    std::fs::read_to_string(asset("demo.beats.txt"))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            if let Some(name) = fields.get(2) {
                (*name).clone_into(&mut section);
            }
            TrueBeat {
                time_s: fields[0].parse().unwrap(),
                of_bar: fields[1].parse().unwrap(),
                section: section.clone(),
            }
        })
        .collect()
}

pub(crate) fn demo() -> (u32, Vec<f32>) {
    let file = std::fs::File::open(asset("demo.ogg")).unwrap();
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .unwrap();
    let track = format.default_track(TrackType::Audio).unwrap();
    let params = track.codec_params.as_ref().and_then(|p| p.audio()).unwrap();
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default())
        .unwrap();
    let (mut rate, mut stereo, mut packet_samples) = (0, Vec::new(), Vec::new());
    while let Some(packet) = format.next_packet().unwrap() {
        let decoded = decoder.decode(&packet).unwrap();
        assert_eq!(decoded.spec().channels().count(), 2);
        rate = decoded.spec().rate();
        decoded.copy_to_vec_interleaved(&mut packet_samples);
        stereo.extend_from_slice(&packet_samples);
    }
    (rate, stereo)
}

pub(crate) fn analyse(rate: u32, stereo: &[f32]) -> Vec<Features> {
    let mut analyser = Analyser::new(rate);
    let mut frames = Vec::with_capacity(stereo.len() / 2 * 100 / rate as usize + 1);
    for (n, block) in stereo.chunks(1024).enumerate() {
        let media = MediaTime::from_frames(512 * n as i64, rate);
        let ((), touched) = no_alloc::watch(|| {
            analyser.push(media, block, &mut |f| frames.push(*f));
        });
        assert_eq!(touched, 0, "the analyser touched the heap");
    }
    frames
}

/// The moments at which the beat count rises, interpolated by the phase, with the beat of the bar that begins.
fn beats_of(frames: &[Features]) -> Vec<(f64, u32)> {
    let mut beats = Vec::new();
    for pair in frames.windows(2) {
        let (before, now) = (&pair[0].beat, &pair[1].beat);
        if now.count > before.count && now.bpm > 0.0 {
            let ago_s = f64::from(now.phase) * 60.0 / f64::from(now.bpm);
            let of_bar = (now.bar_phase * 4.0) as u32 + 1;
            beats.push((pair[1].at.as_secs_f64() - ago_s, of_bar));
        }
    }
    beats
}

pub(crate) fn nearest(times: impl Iterator<Item = f64>, to: f64) -> f64 {
    times.map(|t| t - to).min_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(f64::INFINITY)
}

pub(crate) fn seeded_noise(frames: usize, amplitude: f32) -> Vec<f32> {
    let mut state = 0x2545_F491_u32;
    (0..2 * frames)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            amplitude * (state as f32 / (1_u32 << 31) as f32 - 1.0)
        })
        .collect()
}

#[test]
fn beats_of_the_demo_track_are_found_within_35_ms() {
    let (rate, stereo) = demo();
    let frames = analyse(rate, &stereo);
    let found = beats_of(&frames);
    let truth = true_beats();
    let settled: Vec<&TrueBeat> = truth.iter().filter(|b| b.time_s >= SETTLED_S).collect();
    let mut errors: Vec<f64> =
        settled.iter().map(|b| nearest(found.iter().map(|f| f.0), b.time_s)).collect();
    for section in ["intro", "groove", "verse", "break", "build", "drop", "outro"] {
        let of: Vec<f64> = settled
            .iter()
            .zip(&errors)
            .filter(|(b, _)| b.section == section)
            .map(|(_, e)| *e)
            .collect();
        let hits = of.iter().filter(|e| e.abs() <= 0.035).count();
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        println!("{section}: {hits} of {}, mean {:+.1} ms", of.len(), mean * 1e3);
    }
    let hits = errors.iter().filter(|e| e.abs() <= 0.035).count();
    let spurious = found
        .iter()
        .filter(|f| f.0 >= SETTLED_S && f.0 < truth[truth.len() - 1].time_s + 0.1)
        .filter(|f| nearest(truth.iter().map(|b| b.time_s), f.0).abs() > 0.035)
        .count();
    let downbeats = found
        .iter()
        .filter(|f| f.0 >= 20.0)
        .filter(|f| {
            let of = truth
                .iter()
                .min_by(|a, b| (a.time_s - f.0).abs().total_cmp(&(b.time_s - f.0).abs()))
                .unwrap();
            of.of_bar == f.1
        })
        .count();
    let late = found.iter().filter(|f| f.0 >= 20.0).count();
    errors.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    println!(
        "{hits} of {} beats, {spurious} spurious; |error| median {:.1} ms, p95 {:.1} ms; first beat at {:.2} s; \
         bar right on {downbeats} of {late}",
        settled.len(),
        errors[errors.len() / 2].abs() * 1e3,
        errors[errors.len() * 95 / 100].abs() * 1e3,
        found.first().map_or(f64::NAN, |f| f.0),
    );
    assert!(hits * 10 >= settled.len() * 9, "{hits} of {} beats", settled.len());
    assert!(spurious * 10 <= settled.len(), "{spurious} beats that are none");
}

#[test]
fn the_phase_never_jumps_while_the_beat_is_believed() {
    let (rate, stereo) = demo();
    let frames = analyse(rate, &stereo);
    for pair in frames.windows(2) {
        let (before, now) = (&pair[0].beat, &pair[1].beat);
        if before.bpm > 0.0 && now.bpm > 0.0 {
            let moved = (now.phase - before.phase).rem_euclid(1.0);
            let nominal = now.bpm / 6000.0;
            assert!(
                moved > 0.4 * nominal && moved < 1.7 * nominal,
                "at {}: {moved} of a beat in 10 ms, {nominal} expected",
                pair[1].at
            );
        }
    }
}

#[test]
fn kicks_of_the_demo_track_are_onsets() {
    let (rate, stereo) = demo();
    let frames = analyse(rate, &stereo);
    let onsets: Vec<f64> = frames
        .windows(2)
        .filter(|w| w[1].onset.count > w[0].onset.count)
        .map(|w| w[1].onset.last.as_secs_f64())
        .collect();
    let kicks: Vec<f64> = true_beats()
        .iter()
        .filter(|b| b.section != "break" && b.section != "build")
        .map(|b| b.time_s)
        .collect();
    let mut errors: Vec<f64> = kicks.iter().map(|&k| nearest(onsets.iter().copied(), k)).collect();
    let hits = errors.iter().filter(|e| e.abs() <= 0.025).count();
    errors.sort_by(f64::total_cmp);
    println!(
        "{hits} of {} kicks are onsets, error p5 {:+.1}, median {:+.1}, p95 {:+.1} ms; {} onsets",
        kicks.len(),
        errors[errors.len() / 20] * 1e3,
        errors[errors.len() / 2] * 1e3,
        errors[errors.len() * 19 / 20] * 1e3,
        onsets.len()
    );
    assert!(hits * 100 >= kicks.len() * 95, "{hits} of {}", kicks.len());
}

#[test]
fn silence_and_a_steady_tone_have_no_beats_and_no_onsets() {
    let rate = 44_100;
    let silence = vec![0.0; 2 * 30 * rate as usize];
    let last = *analyse(rate, &silence).last().unwrap();
    assert_eq!((last.onset.count, last.beat.count, last.silent), (0, 0, true));

    let tone: Vec<f32> = (0..30 * rate)
        .map(|n| {
            (n as f32 / rate as f32 / 0.1).min(1.0)
                * 0.3
                * (std::f32::consts::TAU * (n * 440 % rate) as f32 / rate as f32).sin()
        })
        .flat_map(|s| [s, s])
        .collect();
    let last = *analyse(rate, &tone).last().unwrap();
    // The beginning of the tone is an onset.
    assert!(last.onset.count <= 1, "{} onsets", last.onset.count);
    assert_eq!(last.beat.count, 0);
}

#[test]
fn noise_has_few_beats_and_onsets() {
    let rate = 44_100;
    for amplitude in [0.01, 0.3] {
        let frames = analyse(rate, &seeded_noise(60 * rate as usize, amplitude));
        let last = frames.last().unwrap();
        let highest = frames[1000..].iter().map(|f| f.beat.confidence).fold(0.0, f32::max);
        println!(
            "noise at {amplitude}: {} onsets and {} beats per minute, confidence up to {highest:.2}",
            last.onset.count, last.beat.count
        );
        assert!(last.onset.count <= 5, "{} onsets", last.onset.count);
        assert!(last.beat.count <= 10, "{} beats", last.beat.count);
    }
}
