//! Tracks one after the other and parts round and round: to the sample, with one flow of media time.
#![allow(clippy::single_range_in_vec_init, reason = "runs of frames are ranges")]

use std::path::{Path, PathBuf};

use galvo::audio::{Decoder, NoTap, Player, PlayerOutput, SHORTEST_LOOP};
use galvo::time::MediaTime;

const RATE: u32 = 48_000;

/// A mono ramp from `from` that rises by one 24-bit step per frame: a sample tells its track and frame.
fn ramp(folder: &Path, from: i32, frames: i32, rate: u32) -> PathBuf {
    let path = folder.join(format!("ramp-{from}-{frames}-{rate}.wav"));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    (from..from + frames).for_each(|value| writer.write_sample(value).unwrap());
    writer.finalize().unwrap();
    path
}

fn value_of(sample: f32) -> i64 {
    (f64::from(sample) * 8_388_608.0).round() as i64
}

fn at_frame(frame: i64) -> MediaTime {
    MediaTime::from_frames(frame, RATE)
}

struct Playing {
    player: Player,
    feeder: galvo::audio::Feeder,
    output: PlayerOutput,
}

impl Playing {
    fn of(path: &Path) -> Self {
        let (mut player, feeder, output) = Player::with_feeder(RATE, Box::new(NoTap));
        player.load(path).unwrap();
        player.play();
        Self { player, feeder, output }
    }

    /// Renders `frames` frames; media time must flow on without a gap or a jump.
    fn hear(&mut self, frames: usize) -> Vec<i64> {
        let mut heard = Vec::new();
        let mut media = None;
        let mut patience = true;
        let mut out = [0.0; 2 * 160];
        while heard.len() < frames {
            self.feeder.work();
            let rendered = self.output.render(&mut out);
            if !rendered.playing {
                // Right after a seek the ring is full of old sound, which this render threw away.
                if heard.is_empty() && std::mem::take(&mut patience) {
                    continue;
                }
                break;
            }
            let begins = rendered.media.to_frames(RATE);
            assert!(media.is_none_or(|expected| expected == begins), "{media:?} {begins}");
            media = Some(begins + 160);
            heard.extend(out.as_chunks::<2>().0.iter().map(|frame| value_of(frame[0])));
        }
        heard
    }
}

fn assert_runs(heard: &[i64], runs: &[std::ops::Range<i64>]) {
    let expected = runs.iter().cloned().flatten();
    let least: i64 = runs.iter().map(|run| run.end - run.start).take(1).sum();
    assert!(heard.len() as i64 >= least, "{} frames heard", heard.len());
    for (index, (heard, expected)) in heard.iter().zip(expected).enumerate() {
        assert_eq!(*heard, expected, "frame {index}");
    }
}

/// The next track follows the last frame of the one before with its first: no frame is lost, none is added, media time
/// flows on, and place, length and name are those of the track that is heard.
#[test]
fn a_queue_plays_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut playing = Playing::of(&ramp(folder.path(), 0, 70_001, RATE));
    playing.player.queue(Decoder::open(&ramp(folder.path(), 1_000_000, 33_333, RATE)).unwrap());
    playing.player.queue(Decoder::open(&ramp(folder.path(), 2_000_000, 90_000, RATE)).unwrap());
    assert_eq!(playing.player.queued(), 2);
    let names: Vec<String> = playing.player.queued_locations().map(ToString::to_string).collect();
    assert!(names[0].contains("1000000") && names[1].contains("2000000"), "{names:?}");
    let heard = playing.hear(110_000);
    assert_runs(&heard, &[0..70_001, 1_000_000..1_033_333, 2_000_000..2_010_000]);
    let player = &playing.player;
    let here = heard.len() as i64 - 103_334;
    assert_eq!(player.position().to_frames(RATE), here);
    assert_eq!(player.duration(), Some(at_frame(90_000)));
    assert_eq!((player.queued(), player.epoch()), (0, 1));
    assert!(player.location().unwrap().to_string().contains("2000000"));
    // A seek is one in the track that is heard.
    playing.player.seek(at_frame(50_000));
    assert_runs(&playing.hear(30_000), &[2_050_000..2_080_000]);
    playing.hear(usize::MAX);
    assert!(playing.player.ended());
    assert_eq!(playing.player.decoder_underruns(), 0);
}

/// While the next track is decoded already, a seek still goes back in the one that is heard; and one can go on to the
/// next before its time.
#[test]
fn a_seek_near_the_end_stays_in_the_track_that_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let mut playing = Playing::of(&ramp(folder.path(), 0, 60_000, RATE));
    playing.player.queue(Decoder::open(&ramp(folder.path(), 1_000_000, 60_000, RATE)).unwrap());
    playing.hear(40_000);
    playing.player.seek(at_frame(10_000));
    assert_runs(&playing.hear(60_000), &[10_000..60_000, 1_000_000..1_010_000]);
    playing.player.seek(at_frame(0));
    assert_runs(&playing.hear(1_000), &[1_000_000..1_001_000]);
    assert!(!playing.player.next_track());
    let mut playing = Playing::of(&ramp(folder.path(), 0, 60_000, RATE));
    playing.player.queue(Decoder::open(&ramp(folder.path(), 1_000_000, 60_000, RATE)).unwrap());
    playing.hear(5_000);
    assert!(playing.player.next_track());
    assert_runs(&playing.hear(1_000), &[1_000_000..1_001_000]);
}

/// A track that was queued is taken back, and another one put in its place, while the first plays on to the sample: up to
/// half a second before its end nothing tells that there was another plan.
#[test]
fn a_track_that_is_taken_back_is_never_heard_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let replaced = ramp(folder.path(), 1_000_000, 60_000, RATE);
    let instead = ramp(folder.path(), 2_000_000, 60_000, RATE);
    for begun in [0, 20_000, 50_000, 70_000] {
        let mut playing = Playing::of(&ramp(folder.path(), 0, 100_000, RATE));
        let number = playing.player.queue(Decoder::open(&replaced).unwrap());
        let mut heard = playing.hear(begun);
        assert!(playing.player.unqueue(number));
        assert!(!playing.player.unqueue(number), "it is not there any more");
        assert_eq!(playing.player.queued(), 0);
        playing.player.queue(Decoder::open(&instead).unwrap());
        heard.extend(playing.hear(130_000 - begun));
        assert_runs(&heard, &[0..100_000, 2_000_000..2_030_000]);
        assert_eq!((playing.player.epoch(), playing.player.decoder_underruns()), (1, 0));
    }
}

/// Where a resampler stands between two tracks, what was heard of the first is what it is alone, bit by bit.
#[test]
fn a_track_that_is_taken_back_has_not_touched_the_end_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let first = ramp(folder.path(), 0, 66_150, 44_100);
    let mut alone = Playing::of(&first);
    let mut playing = Playing::of(&first);
    let next = ramp(folder.path(), 1_000_000, 60_000, 44_100);
    let number = playing.player.queue(Decoder::open(&next).unwrap());
    let mut heard = playing.hear(40_000);
    assert!(playing.player.unqueue(number));
    heard.extend(playing.hear(usize::MAX));
    assert_eq!(heard, alone.hear(usize::MAX));
    assert!(playing.player.ended() && playing.player.queued() == 0);
}

/// In the last half second the next track is on its way already: what is heard pauses for a moment, goes on at the same
/// frame, and the track that was taken back is not heard all the same.
#[test]
fn even_at_the_last_moment_a_track_that_is_taken_back_is_not_heard() {
    let folder = tempfile::tempdir().unwrap();
    let mut playing = Playing::of(&ramp(folder.path(), 0, 100_000, RATE));
    let next = |from| Decoder::open(&ramp(folder.path(), from, 60_000, RATE)).unwrap();
    let number = playing.player.queue(next(1_000_000));
    playing.player.queue(next(2_000_000));
    playing.hear(99_840);
    assert!(playing.player.unqueue(number));
    assert_eq!((playing.player.epoch(), playing.player.queued()), (2, 1));
    assert_runs(&playing.hear(10_000), &[99_840..100_000, 2_000_000..2_009_840]);
    let heard = playing.player.track_number();
    assert!(!playing.player.unqueue(heard), "what is heard is not to come");
}

/// A track that is queued shortly before the end of the last one follows it without a gap.
#[test]
fn a_track_may_be_queued_late() {
    let folder = tempfile::tempdir().unwrap();
    let mut playing = Playing::of(&ramp(folder.path(), 0, 100_000, RATE));
    let mut heard = playing.hear(75_200);
    playing.player.queue(Decoder::open(&ramp(folder.path(), 1_000_000, 60_000, RATE)).unwrap());
    heard.extend(playing.hear(50_000));
    assert_runs(&heard, &[0..100_000, 1_000_000..1_025_200]);
    assert_eq!((playing.player.epoch(), playing.player.decoder_underruns()), (1, 0));
}

/// Tracks of other rates follow each other to within a frame.
#[test]
fn tracks_of_different_rates_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut playing = Playing::of(&ramp(folder.path(), 0, 44_100, 44_100));
    playing.player.queue(Decoder::open(&ramp(folder.path(), 1_000_000, 48_000, RATE)).unwrap());
    let heard = playing.hear(usize::MAX);
    let second = heard.iter().position(|value| *value >= 900_000).unwrap();
    assert!((47_990..=48_010).contains(&second), "{second}");
    let music = heard.iter().filter(|value| **value >= 1_000_000).count();
    assert_eq!(music, 48_000);
}

/// A loop is exact to the sample, round and round, and media time flows on through it.
#[test]
fn a_loop_is_exact_to_the_sample() {
    let folder = tempfile::tempdir().unwrap();
    let mut playing = Playing::of(&ramp(folder.path(), 0, 400_000, RATE));
    playing.hear(320);
    playing.player.set_loop(Some((at_frame(100_007), at_frame(123_456))));
    let heard = playing.hear(200_000);
    let round = 100_007..123_456;
    assert_runs(&heard, &[320..123_456, round.clone(), round.clone(), round.clone(), round]);
    let position = playing.player.position().to_frames(RATE);
    assert_eq!(position, heard.last().unwrap() + 1);
    assert_eq!(playing.player.loop_region(), Some((at_frame(100_007), at_frame(123_456))));
    // It ends where it is, and the music goes on.
    playing.player.set_loop(None);
    let on = playing.hear(50_000);
    assert_runs(&on, &[position..position + 50_000]);
}

/// A loop set when its end is near, passed, or the whole track; shorter than any loop.
#[test]
fn a_loop_takes_hold_wherever_the_sound_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut playing = Playing::of(&ramp(folder.path(), 0, 100_000, RATE));
    playing.hear(30_080);
    playing.player.set_loop(Some((at_frame(20_000), at_frame(31_000))));
    assert_runs(&playing.hear(12_000), &[30_080..31_000, 20_000..31_000]);
    playing.player.set_loop(Some((at_frame(1_000), at_frame(9_000))));
    assert_runs(&playing.hear(10_000), &[1_000..9_000, 1_000..3_000]);
    let here = playing.player.position().to_frames(RATE);
    playing.player.set_loop(Some((at_frame(90_000), at_frame(900_000))));
    assert_runs(&playing.hear(120_000), &[here..100_000, 90_000..100_000, 90_000..100_000]);
    playing.player.set_loop(Some((at_frame(50_000), at_frame(50_001))));
    let (start, end) = playing.player.loop_region().unwrap();
    assert_eq!(end.since(start), SHORTEST_LOOP);
}
