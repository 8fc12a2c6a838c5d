//! The body of the sound card's callback, as a value that knows no sound card. Real-time safe: all memory is
//! taken at construction, nothing waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::channels::XyOptions;
use super::resampler::Beam;
use crate::audio::AudioClock;
use crate::realtime::{LatestReader, LatestWriter, RingReceiver, RingSender, latest, ring};
use crate::time::HostTime;

/// Frames that may wait for the callback: this part of a second.
const RING_SECONDS: f64 = 0.5;
/// After running empty, it begins again with so much in the ring, seconds.
const RESERVE_SECONDS: f64 = 0.02;
/// A start is dark for at least so long: positions settle before light, seconds.
const SETTLE_SECONDS: f64 = 0.001;
/// No card has less than this of what it was given still to play; some do not tell.
const LEAST_LATENCY: Duration = Duration::from_millis(10);
/// A beam that nothing can switch off rests where it is for so long, then goes to the centre, seconds.
const REST_SECONDS: f64 = 0.02;
/// The way to the centre takes so long, seconds.
const PARK_SECONDS: f64 = 0.003;

/// What the callback has played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Played {
    /// Frames of the stream given out before the last period.
    pub frames: u64,
    /// When the next one after these is on the wire.
    pub at: HostTime,
    /// True while frames of the stream are given out.
    pub running: bool,
}

/// Words that both sides see.
#[derive(Debug, Default)]
struct Shared {
    /// Frames before this shall not be played any more.
    flush_to: AtomicU64,
    underflows: AtomicU32,
    last_callback: AtomicI64,
    called: AtomicBool,
    closing: AtomicBool,
    /// A start is dark for so long, microseconds.
    settle_us: AtomicU32,
}

/// The driver's ends.
#[derive(Debug)]
pub struct Feed {
    /// Where frames go.
    pub frames: RingSender<Beam>,
    played: LatestReader<Played>,
    shared: Arc<Shared>,
}

impl Feed {
    /// What was played last.
    pub fn played(&mut self) -> Played {
        *self.played.read()
    }

    /// Frames before `frames` shall not be played any more.
    pub fn flush_to(&self, frames: u64) {
        self.shared.flush_to.fetch_max(frames, Ordering::AcqRel);
    }

    /// Mirrors that were anywhere have come to rest after so long: a start is dark until then.
    pub fn settles_within(&self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.shared.settle_us.store(micros, Ordering::Relaxed);
    }

    /// Times the ring ran empty.
    #[must_use]
    pub fn underflows(&self) -> u32 {
        self.shared.underflows.load(Ordering::Relaxed)
    }

    /// When the card called last; `None` if it never has.
    #[must_use]
    pub fn last_callback(&self) -> Option<HostTime> {
        let called = self.shared.called.load(Ordering::Acquire);
        called.then(|| HostTime::from_nanos(self.shared.last_callback.load(Ordering::Relaxed)))
    }

    /// The end: dark, and to the centre.
    pub fn close(&self) {
        self.shared.closing.store(true, Ordering::Release);
    }
}

/// The body of the callback.
#[derive(Debug)]
pub struct XyCallback {
    options: XyOptions,
    always_lit: bool,
    sample_rate: f64,
    frames: RingReceiver<Beam>,
    played: LatestWriter<Played>,
    shared: Arc<Shared>,
    clock: AudioClock,
    /// Frames given out, of the stream and fillers.
    position: i64,
    /// Frames of the stream taken from the ring.
    taken: u64,
    running: bool,
    /// Times it began to give out frames.
    starts: u32,
    /// Frames still to be dark after a start.
    settling: u32,
    /// Where the beam is.
    held: (f32, f32),
    /// Frames since the last light.
    rested: u32,
    tone_phase: f64,
}

impl XyCallback {
    /// For a card at `sample_rate` frames per second.
    #[must_use]
    pub fn new(options: XyOptions, sample_rate: u32) -> (Self, Feed) {
        let rate = f64::from(sample_rate.max(1));
        let (frames_in, frames) = ring((rate * RING_SECONDS) as usize);
        let (played_in, played) = latest(Played::default());
        let shared = Arc::new(Shared::default());
        let callback = Self {
            always_lit: options.is_always_lit(),
            options,
            sample_rate: rate,
            frames,
            played: played_in,
            shared: Arc::clone(&shared),
            clock: AudioClock::new(sample_rate),
            position: 0,
            taken: 0,
            running: false,
            starts: 0,
            settling: 0,
            held: (0.0, 0.0),
            rested: 0,
            tone_phase: 0.0,
        };
        (callback, Feed { frames: frames_in, played, shared })
    }

    /// Times it began to give out frames of the stream: what was before has nothing to do with what follows.
    #[must_use]
    pub const fn starts(&self) -> u32 {
        self.starts
    }

    /// Fills the card's buffer, `channels` interleaved. `now` is when the callback runs, `latency` from then
    /// until the first frame is on the wire.
    pub fn run(&mut self, out: &mut [f32], channels: usize, now: HostTime, latency: Duration) {
        let channels = channels.max(1);
        let at = self.clock.update(self.position, out.len() / channels, now, latency);
        self.flush();
        self.notice_a_pause(now, out.len() / channels, latency);
        // At least what the next two calls take.
        let reserve = (self.sample_rate * RESERVE_SECONDS) as usize;
        let reserve = reserve.max(2 * out.len() / channels).min(self.frames.capacity() / 2);
        let closing = self.shared.closing.load(Ordering::Acquire);
        if !self.running && !closing && self.frames.len() >= reserve {
            self.running = true;
            let asked = f64::from(self.shared.settle_us.load(Ordering::Relaxed)) * 1e-6;
            self.settling = (self.sample_rate * asked.max(SETTLE_SECONDS)).ceil() as u32;
            self.starts = self.starts.wrapping_add(1);
        }
        self.played.write(Played { frames: self.taken, at, running: self.running });
        for frame in out.chunks_mut(channels) {
            let (beam, tone) = self.next(closing);
            self.options.lay(&beam, tone, frame);
        }
        self.position += (out.len() / channels) as i64;
        self.shared.last_callback.store(now.as_nanos(), Ordering::Relaxed);
        self.shared.called.store(true, Ordering::Release);
    }

    /// A card that was not served for longer than what it had has been silent meanwhile: what follows is a beginning.
    fn notice_a_pause(&mut self, now: HostTime, frames: usize, latency: Duration) {
        let last = HostTime::from_nanos(self.shared.last_callback.load(Ordering::Relaxed));
        let covered =
            Duration::from_secs_f64(frames as f64 / self.sample_rate) + latency.max(LEAST_LATENCY);
        if self.running && now.since(last) > covered {
            self.running = false;
            self.shared.underflows.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&mut self) {
        let flush_to = self.shared.flush_to.load(Ordering::Acquire);
        if self.taken < flush_to {
            let wanted = usize::try_from(flush_to - self.taken).unwrap_or(usize::MAX);
            self.taken += self.frames.skip(wanted) as u64;
            self.running = false;
        }
    }

    fn next(&mut self, closing: bool) -> (Beam, f32) {
        if closing {
            self.park();
            return (Beam::dark(self.held.0, self.held.1), 0.0);
        }
        let taken = if self.running { self.frames.pop() } else { None };
        let Some(mut beam) = taken else {
            if self.running {
                self.running = false;
                self.shared.underflows.fetch_add(1, Ordering::Relaxed);
            }
            self.rest();
            return (Beam::dark(self.held.0, self.held.1), 0.0);
        };
        self.taken += 1;
        if self.settling > 0 {
            self.settling -= 1;
            beam = Beam::dark(beam.x, beam.y);
        }
        if self.always_lit && beam.is_dark() {
            // The way itself would be seen: the beam waits where it was, and then jumps.
            self.rest();
            beam = Beam::dark(self.held.0, self.held.1);
        } else {
            self.held = (beam.x, beam.y);
            self.rested = 0;
        }
        (beam, self.tone())
    }

    fn rest(&mut self) {
        self.rested = self.rested.saturating_add(1);
        // A spot that stands still burns a screen less in the centre than a jump there would show.
        if self.always_lit && f64::from(self.rested) > self.sample_rate * REST_SECONDS {
            self.park();
        }
    }

    fn park(&mut self) {
        let step = (1.0 / (PARK_SECONDS * self.sample_rate)) as f32;
        let nearer = |v: f32| v - v.clamp(-step, step);
        self.held = (nearer(self.held.0), nearer(self.held.1));
    }

    fn tone(&mut self) -> f32 {
        self.tone_phase = (self.tone_phase + 1000.0 / self.sample_rate).fract();
        if self.tone_phase < 0.5 { 1.0 } else { -1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn rig(channels: &str) -> (XyCallback, Feed) {
        XyCallback::new(XyOptions::parse(&format!("channels={channels}")).unwrap(), RATE)
    }

    fn lit(x: f32) -> Beam {
        Beam { x, y: x, r: 1.0, g: 1.0, b: 1.0, i: 1.0 }
    }

    fn run(callback: &mut XyCallback, now: &mut HostTime, frames: usize) -> Vec<[f32; 5]> {
        let mut out = vec![9.0; frames * 5];
        for period in out.chunks_mut(256 * 5) {
            callback.run(period, 5, *now, Duration::from_millis(5));
            let frames = period.len() as u64 / 5;
            *now += Duration::from_nanos(frames * 1_000_000_000 / u64::from(RATE));
        }
        out.chunks(5).map(|frame| [frame[0], frame[1], frame[2], frame[3], frame[4]]).collect()
    }

    #[test]
    fn it_starts_dark_with_a_reserve_and_counts_what_it_played() {
        let (mut callback, mut feed) = rig("xyrgb");
        let mut now = HostTime::ZERO;
        assert!(run(&mut callback, &mut now, 256).iter().all(|frame| *frame == [0.0; 5]));
        feed.frames.push_slice(&vec![lit(0.5); 900]);
        run(&mut callback, &mut now, 256);
        assert!(!feed.played().running, "less than 20 ms is no reserve");
        feed.frames.push_slice(&[lit(0.5); 300]);
        let out = run(&mut callback, &mut now, 256);
        assert!(out[..48].iter().all(|frame| *frame == [0.5, 0.5, 0.0, 0.0, 0.0]));
        assert!(out[48..].iter().all(|frame| *frame == [0.5, 0.5, 1.0, 1.0, 1.0]));
        run(&mut callback, &mut now, 256);
        let played = feed.played();
        assert_eq!((played.frames, played.running), (256, true));
        let expected = Duration::from_millis(768 / 48 + 5);
        assert!(played.at.since(HostTime::ZERO).abs_diff(expected) < Duration::from_micros(1));
    }

    #[test]
    fn a_start_is_dark_for_as_long_as_the_mirrors_need() {
        let (mut callback, mut feed) = rig("xyrgb");
        let mut now = HostTime::ZERO;
        feed.settles_within(Duration::from_millis(2));
        feed.frames.push_slice(&vec![lit(0.5); 1000]);
        let out = run(&mut callback, &mut now, 1000);
        let dark = out.iter().take_while(|frame| frame[2] == 0.0).count();
        assert_eq!((dark, callback.starts()), (96, 1));
        // The ring ran empty, and what was pushed meanwhile knows nothing of it.
        run(&mut callback, &mut now, 500);
        feed.frames.push_slice(&vec![lit(-0.5); 1000]);
        let out = run(&mut callback, &mut now, 1000);
        let dark = out.iter().take_while(|frame| frame[2] == 0.0).count();
        assert_eq!((dark, callback.starts()), (96, 2));
    }

    #[test]
    fn a_card_that_was_silent_for_a_while_begins_anew_in_the_dark() {
        let (mut callback, mut feed) = rig("xyrgb");
        let mut now = HostTime::ZERO;
        feed.frames.push_slice(&vec![lit(0.5); 4000]);
        run(&mut callback, &mut now, 1024);
        assert_eq!(run(&mut callback, &mut now, 256)[0][2], 1.0);
        now += Duration::from_millis(40);
        let out = run(&mut callback, &mut now, 256);
        let dark = out.iter().take_while(|frame| frame[2] == 0.0).count();
        assert_eq!((dark, callback.starts(), feed.underflows()), (48, 2, 1));
        // A callback that is a little late is no pause.
        now += Duration::from_millis(8);
        assert_eq!(run(&mut callback, &mut now, 256)[0][2], 1.0);
    }

    #[test]
    fn running_empty_holds_the_place_in_the_dark_and_is_counted_once() {
        let (mut callback, mut feed) = rig("xyrgb");
        let mut now = HostTime::ZERO;
        feed.frames.push_slice(&vec![lit(0.5); 1000]);
        run(&mut callback, &mut now, 1000);
        let out = run(&mut callback, &mut now, 500);
        assert!(out.iter().all(|frame| *frame == [0.5, 0.5, 0.0, 0.0, 0.0]));
        run(&mut callback, &mut now, 500);
        assert_eq!((feed.underflows(), feed.played().frames), (1, 1000));
    }

    #[test]
    fn a_flush_is_dark_from_the_next_period_on() {
        let (mut callback, mut feed) = rig("xyrgb");
        let mut now = HostTime::ZERO;
        feed.frames.push_slice(&vec![lit(0.5); 4000]);
        run(&mut callback, &mut now, 1000);
        feed.flush_to(4000);
        let out = run(&mut callback, &mut now, 500);
        assert!(out.iter().all(|frame| frame[2] == 0.0 && frame[0] == 0.5));
        assert_eq!((feed.played().frames, feed.underflows()), (4000, 0));
        feed.frames.push_slice(&vec![lit(-0.5); 1000]);
        assert!(run(&mut callback, &mut now, 100)[99][2] == 1.0);
    }

    #[test]
    fn a_scope_shows_no_dark_way_and_parks_after_a_rest() {
        let (mut callback, mut feed) = rig("xy---");
        let mut now = HostTime::ZERO;
        let mut frames = vec![lit(0.5); 1000];
        frames.extend((0..10).map(|n| Beam::dark(0.5 - n as f32 * 0.1, 0.0)));
        frames.extend([lit(-0.5); 90]);
        feed.frames.push_slice(&frames);
        let out = run(&mut callback, &mut now, 1100);
        assert!(out.iter().skip(48).all(|frame| frame[0].abs() == 0.5), "jumps only");
        assert_eq!(out.iter().filter(|frame| frame[0] == -0.5).count(), 90);
        let out = run(&mut callback, &mut now, 2000);
        assert_eq!((out[900][0], out[1999][0]), (-0.5, 0.0));
        let largest = out.windows(2).map(|w| (w[1][0] - w[0][0]).abs()).fold(0.0, f32::max);
        assert!(largest <= 1.0 / 144.0 + 1e-6, "a ramp of 3 ms, not a jump: {largest}");
    }

    #[test]
    fn the_enable_tone_runs_only_while_points_flow() {
        let (mut callback, mut feed) = rig("xyrgt");
        let mut now = HostTime::ZERO;
        assert!(run(&mut callback, &mut now, 96).iter().all(|frame| frame[4] == 0.0));
        feed.frames.push_slice(&vec![lit(0.5); 1200]);
        let out = run(&mut callback, &mut now, 1152);
        let edges = out.windows(2).filter(|w| w[0][4] < 0.0 && w[1][4] > 0.0).count();
        assert!((23..=24).contains(&edges), "{edges} periods of 1 ms in 24 ms");
        run(&mut callback, &mut now, 96);
        assert!(run(&mut callback, &mut now, 96).iter().all(|frame| frame[4] == 0.0));
    }

    #[test]
    fn closing_goes_dark_and_to_the_centre() {
        let (mut callback, mut feed) = rig("xyrgb");
        let mut now = HostTime::ZERO;
        feed.frames.push_slice(&vec![lit(1.0); 2000]);
        run(&mut callback, &mut now, 1000);
        feed.close();
        let out = run(&mut callback, &mut now, 1000);
        assert!(out.iter().all(|frame| frame[2..] == [0.0; 3]));
        assert_eq!(out[999][..2], [0.0, 0.0]);
    }

    #[test]
    fn the_callback_never_touches_the_heap() {
        let (mut callback, mut feed) = rig("xyrgb");
        let mut out = vec![0.0; 256 * 5];
        let mut now = HostTime::ZERO;
        for round in 0..100 {
            feed.frames.push_slice(&[lit(0.5); 240]);
            let ((), touched) = crate::realtime::no_alloc::watch(|| {
                callback.run(&mut out, 5, now, Duration::from_millis(5));
            });
            assert_eq!(touched, 0, "round {round}");
            now += Duration::from_micros(5333);
        }
        assert!(feed.underflows() > 0, "running empty is part of it");
    }
}
