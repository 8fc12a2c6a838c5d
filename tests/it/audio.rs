//! Playback from file to callback in virtual time, and the real threads around it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::audio::{
    AudioChoice, AudioError, FeederState, NoTap, OutputCallback, PcmTap, Period, PeriodSink,
    Player, Stretch, start_output,
};
use galvo::realtime::no_alloc;
use galvo::time::{HostTime, MediaTime};

const RATE: u32 = 48_000;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A mono ramp from 0 that rises by one 24-bit step per frame: a sample tells its frame.
fn ramp(folder: &Path, frames: i32) -> PathBuf {
    let path = folder.join(format!("ramp-{frames}.wav"));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..frames {
        writer.write_sample(frame).unwrap();
    }
    writer.finalize().unwrap();
    path
}

fn frame_of(sample: f32) -> i64 {
    (f64::from(sample) * 8_388_608.0).round() as i64
}

fn at_frame(frame: i64) -> MediaTime {
    MediaTime::from_frames(frame, RATE)
}

type Told = Arc<Mutex<Vec<(u32, Option<MediaTime>, Vec<f32>)>>>;

/// Writes down what the tap is told; a flush has no time.
struct Listener(Told);

impl PcmTap for Listener {
    fn pcm(&mut self, epoch: u32, media: MediaTime, stereo: &[f32]) {
        self.0.lock().unwrap().push((epoch, Some(media), stereo.to_vec()));
    }
    fn flush(&mut self, epoch: u32) {
        self.0.lock().unwrap().push((epoch, None, Vec::new()));
    }
    fn stretch(&mut self, _: Stretch) {}
}

#[test]
fn every_frame_comes_out_once_at_its_media_time() {
    let folder = tempfile::tempdir().unwrap();
    let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&ramp(folder.path(), 100_000)).unwrap();
    player.play();
    let mut out = [0.0; 2 * 300];
    let mut next = 0;
    loop {
        feeder.work();
        let rendered = output.render(&mut out);
        assert_eq!((rendered.playing, rendered.underrun), (true, false));
        assert_eq!(rendered.media.to_frames(RATE), next);
        for frame in out.as_chunks::<2>().0 {
            assert_eq!(frame[0], frame[1]);
            assert_eq!(frame_of(frame[0]), if next < 100_000 { next } else { 0 });
            next += 1;
        }
        if rendered.ended {
            break;
        }
    }
    assert_eq!(next, 100_200);
    assert!(player.ended() && !player.playing());
    assert_eq!(player.position().to_frames(RATE), 100_000);
    assert_eq!(player.duration(), Some(at_frame(100_000)));
    let after = output.render(&mut out);
    assert!(!after.playing && after.ended && out.iter().all(|s| *s == 0.0));
    player.play();
    feeder.work();
    assert!(output.render(&mut out).playing);
    assert_eq!(player.decoder_underruns(), 0);
}

#[test]
fn old_sound_is_never_rendered_after_a_seek() {
    let folder = tempfile::tempdir().unwrap();
    let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&ramp(folder.path(), 400_000)).unwrap();
    player.play();
    feeder.work();
    let mut out = [0.0; 512];
    let mut target = 7_u64;
    for turn in 0..500 {
        target = target.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let to = (target >> 33) as i64 % 390_000;
        player.seek(at_frame(to));
        assert_eq!(player.position().to_frames(RATE), to);
        if turn % 3 == 0 {
            // The decoder may turn round before the callback sees the seek.
            feeder.work();
        }
        // Old sound is thrown away. New sound may be there already; else media time waits at the target.
        let rendered = output.render(&mut out);
        assert!(!rendered.underrun);
        assert_eq!((rendered.media.to_frames(RATE), rendered.epoch), (to, player.epoch()));
        assert_eq!(frame_of(out[0]), if rendered.playing { to } else { 0 });
        let to = if rendered.playing { to + 256 } else { to };
        feeder.work();
        let rendered = output.render(&mut out);
        assert_eq!((rendered.playing, rendered.epoch), (true, player.epoch()));
        assert_eq!((rendered.media.to_frames(RATE), frame_of(out[0])), (to, to));
    }
    assert_eq!(player.decoder_underruns(), 0);
}

#[test]
fn media_time_stands_still_while_paused_and_goes_on_at_the_same_frame() {
    let folder = tempfile::tempdir().unwrap();
    let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&ramp(folder.path(), 100_000)).unwrap();
    let mut out = [0.0; 512];
    feeder.work();
    assert!(!output.render(&mut out).playing);
    player.play();
    output.render(&mut out);
    player.pause();
    for _ in 0..100 {
        let rendered = output.render(&mut out);
        assert!(!rendered.playing && !rendered.ended);
        assert_eq!(rendered.media, at_frame(256));
    }
    player.play();
    assert_eq!((output.render(&mut out).media, frame_of(out[0])), (at_frame(256), 256));
}

#[test]
fn a_late_decoder_is_silence_counted_and_media_time_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&ramp(folder.path(), 200_000)).unwrap();
    player.play();
    assert_eq!(feeder.work(), FeederState::Full);
    let mut out = [0.0; 2 * 256];
    let mut heard = 0;
    while output.render(&mut out).playing {
        heard += 256;
    }
    assert!((RATE as i64 - 256..=RATE as i64 + 256).contains(&heard), "{heard}");
    assert_eq!(player.decoder_underruns(), 1);
    for _ in 0..10 {
        let rendered = output.render(&mut out);
        assert!(!rendered.playing && out.iter().all(|s| *s == 0.0));
        assert_eq!(rendered.media.to_frames(RATE), heard);
    }
    feeder.work();
    let rendered = output.render(&mut out);
    assert_eq!((rendered.media.to_frames(RATE), frame_of(out[0])), (heard, heard));
    assert_eq!(player.decoder_underruns(), 1);
}

#[test]
fn the_tap_hears_everything_in_order_ahead_of_the_sound_and_before_the_volume() {
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let tap = Box::new(Listener(Arc::clone(&told)));
    let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, tap);
    player.load(&ramp(folder.path(), 60_000)).unwrap();
    player.set_volume(0.0);
    player.play();
    let mut out = [0.0; 2 * 256];
    for _ in 0..300 {
        feeder.work();
        output.render(&mut out);
        output.apply_volume(&mut out);
    }
    player.seek(at_frame(30_000));
    // The end is told once nothing else can follow it any more.
    for _ in 0..100 {
        feeder.work();
        output.render(&mut out);
    }
    let told = told.lock().unwrap();
    assert_eq!((told[0].0, told[0].1), (1, None));
    let mut next = 0;
    for (epoch, media, stereo) in &told[1..] {
        if media.is_none() {
            assert_eq!((*epoch, next), (2, 60_000));
            next = 30_000;
            continue;
        }
        assert_eq!(media.unwrap().to_frames(RATE), next);
        assert_eq!(frame_of(stereo[0]), next);
        next += stereo.len() as i64 / 2;
    }
    assert_eq!(next, 60_000);
}

#[test]
fn another_file_begins_at_its_start_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&ramp(folder.path(), 100_000)).unwrap();
    player.play();
    feeder.work();
    let mut out = [0.0; 512];
    output.render(&mut out);
    assert!(player.load(&folder.path().join("none.wav")).is_err());
    feeder.work();
    assert_eq!(output.render(&mut out).media, at_frame(256));
    player.load(&data("click.flac")).unwrap();
    output.render(&mut out);
    feeder.work();
    let rendered = output.render(&mut out);
    assert_eq!((rendered.media, rendered.epoch, rendered.playing), (MediaTime::ZERO, 2, true));
    assert_eq!(player.info().unwrap().tags.title.as_deref(), Some("Click and tone"));
}

#[test]
fn a_click_in_a_44_100_hz_file_is_heard_at_its_time_at_48_000_hz() {
    for name in ["click.flac", "click.mp3", "click.ogg", "click.m4a", "click-alac.m4a"] {
        let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, Box::new(NoTap));
        player.load(&data(name)).unwrap();
        player.play();
        let (mut weighted, mut total) = (0.0, 0.0);
        let mut out = [0.0; 2 * 256];
        loop {
            feeder.work();
            let rendered = output.render(&mut out);
            let first = rendered.media.as_secs_f64();
            for (index, frame) in out.as_chunks::<2>().0.iter().enumerate() {
                let time = first + index as f64 / f64::from(RATE);
                if (0.245..0.255).contains(&time) {
                    let power = f64::from(frame[0]).powi(2);
                    weighted += time * power;
                    total += power;
                }
            }
            if rendered.ended {
                break;
            }
        }
        let error_us = (weighted / total - 0.25) * 1e6;
        println!("{name}: {error_us:+.2} µs");
        assert!(error_us.abs() < 10.0, "{name}: {error_us} µs");
    }
}

#[test]
fn what_the_ear_gets_has_no_step_at_play_pause_and_seek() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dc.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    (0..100_000).for_each(|_| writer.write_sample(16_384_i16).unwrap());
    writer.finalize().unwrap();
    let (mut player, mut feeder, mut output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&path).unwrap();
    let mut ear = Vec::new();
    let mut hear = |periods: usize, player: &Player| {
        for _ in 0..periods {
            feeder.work();
            let mut out = [0.0; 2 * 128];
            let rendered = output.render(&mut out);
            assert!(!rendered.playing || rendered.ended || out.iter().all(|s| *s == 0.5));
            output.apply_volume(&mut out);
            ear.extend_from_slice(&out);
        }
        assert_eq!(player.decoder_underruns(), 0);
        *ear.last().unwrap()
    };
    player.play();
    assert!((hear(20, &player) - 0.5).abs() < 1e-6);
    player.pause();
    assert!(hear(20, &player).abs() < 1e-6);
    player.play();
    hear(20, &player);
    player.set_volume(0.5);
    assert!((hear(20, &player) - 0.25).abs() < 1e-6);
    player.seek(MediaTime::from_secs_f64(0.9));
    // To the end of the music and beyond.
    assert!(hear(60, &player).abs() < 1e-6);
    assert!(player.ended());
    let steepest =
        ear.as_chunks::<2>().0.windows(2).map(|w| (w[1][0] - w[0][0]).abs()).fold(0.0, f32::max);
    println!("steepest: {steepest} per frame");
    // A slope of 5 ms is 1/240 of the step per frame.
    assert!(steepest < 0.5 / 200.0, "{steepest}");
}

type Seen = Arc<Mutex<Vec<(Period, f32)>>>;

/// Keeps each period and its first sample, in memory taken beforehand.
struct Recorder(Seen);

impl PeriodSink for Recorder {
    fn period(&mut self, period: &Period, pcm: &[f32]) {
        assert_eq!(pcm.len(), 2 * period.frames);
        self.0.lock().unwrap().push((*period, pcm.first().copied().unwrap_or(0.0)));
    }
}

fn recorder() -> (Box<Recorder>, Seen) {
    let seen = Arc::new(Mutex::new(Vec::with_capacity(10_000)));
    (Box::new(Recorder(Arc::clone(&seen))), seen)
}

#[test]
fn the_callback_allocates_nothing_whatever_the_show_does() {
    let folder = tempfile::tempdir().unwrap();
    let (mut player, mut feeder, output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&ramp(folder.path(), 300_000)).unwrap();
    let (sink, seen) = recorder();
    let mut callback = OutputCallback::new(output, sink);
    let mut out = vec![0.0; 6 * 1500];
    let mut now = HostTime::from_secs_f64(1.0);
    for turn in 0..400 {
        match turn % 40 {
            0 => player.play(),
            10 => player.seek(at_frame(turn * 700)),
            20 => player.pause(),
            30 => callback.counters().note_xrun(),
            _ => {}
        }
        if turn % 7 != 0 {
            feeder.work();
        }
        let channels = [1, 2, 6][turn as usize % 3];
        let frames = [64, 512, 1500][turn as usize / 3 % 3];
        let buffer = &mut out[..channels * frames];
        let ((), touched) =
            no_alloc::watch(|| callback.run(buffer, channels, now, Duration::from_millis(20)));
        assert_eq!(touched, 0);
        now += Duration::from_nanos(frames as u64 * 1_000_000_000 / u64::from(RATE));
    }
    assert!(
        no_alloc::realtime_allocations().is_some(),
        "the guard counts nothing unless it is the allocator"
    );
    assert!(seen.lock().unwrap().len() > 400);
}

#[test]
fn long_buffers_are_told_in_parts_that_follow_each_other_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let (mut player, mut feeder, output) = Player::with_feeder(RATE, Box::new(NoTap));
    player.load(&ramp(folder.path(), 300_000)).unwrap();
    player.play();
    player.set_volume(0.1);
    let (sink, seen) = recorder();
    let mut callback = OutputCallback::new(output, sink);
    let latency = Duration::from_millis(30);
    for turn in 0..100 {
        feeder.work();
        let mut out = [7.0; 3 * 1000];
        let now = at_frame(turn * 1000).as_nanos();
        callback.run(&mut out, 3, HostTime::from_nanos(now), latency);
        assert!(out.as_chunks::<3>().0.iter().all(|frame| frame[2] == 0.0));
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 400);
    for (period, first) in seen.iter() {
        let frame = period.media.to_frames(RATE);
        // The sink hears the music itself, whatever the volume.
        assert_eq!(frame_of(*first), frame);
        let heard = period.heard_at.as_secs_f64() - 0.03;
        assert!((heard - period.media.as_secs_f64()).abs() < 1e-6);
        assert!(period.playing && period.frames <= 256);
    }
    assert_eq!(callback.counters().callbacks(), 100);
    assert_eq!(callback.counters().latency(), latency);
}

#[test]
fn the_software_clock_plays_a_file_to_its_end() {
    let (mut player, output) =
        Player::open(&data("click-short.aiff"), RATE, Box::new(NoTap)).unwrap();
    let (sink, seen) = recorder();
    player.play();
    let audio = start_output(AudioChoice::None, OutputCallback::new(output, sink)).unwrap();
    assert!(audio.is_software());
    assert_eq!(audio.description(), "software clock");
    assert!(audio.take_notices().is_empty(), "it was asked for");
    while !player.ended() {
        std::thread::yield_now();
    }
    drop(audio);
    let seen = seen.lock().unwrap();
    let played: usize = seen.iter().filter(|(p, _)| p.playing).map(|(p, _)| p.frames).sum();
    assert!((4800..4800 + 256).contains(&played), "{played}");
}

#[test]
fn an_unknown_device_is_refused_with_the_names_there_are() {
    let (_player, output) = Player::new(RATE, Box::new(NoTap)).unwrap();
    let (sink, _) = recorder();
    let choice = AudioChoice::Named("no such card".into());
    let error = start_output(choice, OutputCallback::new(output, sink)).unwrap_err();
    println!("{error}");
    assert!(matches!(error, AudioError::UnknownDevice { .. } | AudioError::NotBuilt));
}
