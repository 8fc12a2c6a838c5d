//! The operator's hand on the beat: tap, nudge, half and double, resync, lock, a tempo of one's own, and running
//! on where no beat is heard. Whatever is done, the phase shown never jumps: it runs faster or slower for a moment.

use super::features::{Beat, below_one};
use crate::time::MediaTime;

/// Beats per minute that can be set.
pub const BPM_RANGE: std::ops::RangeInclusive<f64> = 20.0..=400.0;
/// How much faster or slower the phase runs to make up for a change, as a share of the tempo.
const SLEW: f64 = 0.4;
/// Wishes take effect so long after they are made, seconds: light up to then is drawn already.
const LEAD_S: f64 = 0.1;
/// Taps further apart than this begin anew, seconds.
const LONGEST_TAP_S: f64 = 2.5;
/// Taps that count at most.
const TAPS: usize = 8;
/// Taps from which a tempo is taken.
const ENOUGH_TAPS: usize = 3;
/// Beats of a bar where nothing else is known.
const BAR: f64 = 4.0;

/// What an operator may wish of the beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BeatWish {
    /// A beat is now. Three or more in a row set tempo and phase, and the beat runs by them.
    Tap,
    /// Later (positive) or earlier by so many ms.
    NudgeMs(f64),
    /// Half as many beats.
    Half,
    /// Twice as many beats.
    Double,
    /// A bar begins now.
    Resync,
    /// Keeps the present tempo whatever is heard.
    Lock,
    /// Runs at this tempo, beats per minute, whatever is heard; limited to [`BPM_RANGE`].
    SetBpm(f64),
    /// Follows what is heard again, as it is heard.
    Follow,
}

/// Where the beat that is shown comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BeatSource {
    /// From what is heard.
    #[default]
    Heard,
    /// No beat is heard (any more): it runs on at the last tempo.
    RunningOn,
    /// The operator's tempo.
    Held,
}

/// A beat that runs by itself: at `media` it was at `beats`, `bar` beats into a bar.
#[derive(Clone, Copy, Debug)]
struct Grid {
    media: MediaTime,
    beats: f64,
    bar: f64,
    bpm: f64,
    metre: f64,
}

impl Grid {
    fn at(&self, media: MediaTime) -> Place {
        let on = media.secs_since(self.media) * self.bpm / 60.0;
        Place { beats: self.beats + on, bar: self.bar + on, bpm: self.bpm, metre: self.metre }
    }
}

/// A place in the count of beats.
#[derive(Clone, Copy, Debug)]
struct Place {
    beats: f64,
    bar: f64,
    bpm: f64,
    metre: f64,
}

/// What was decided, from one moment on.
#[derive(Clone, Copy, Debug)]
struct Steering {
    /// Runs by itself instead of following.
    grid: Option<Grid>,
    /// The grid is the operator's wish, not want of a beat.
    held: bool,
    /// Beats shown for each that is heard.
    ratio: f64,
    /// Added to the beats heard, and to their place in the bar.
    offset: f64,
    bar_offset: f64,
    /// Still to be made up for, and from when on.
    slip: f64,
    slip_from: MediaTime,
}

/// Turns the beat that is heard into the one that is shown. Plain data; nothing here allocates.
#[derive(Clone, Debug)]
pub struct BeatSteering {
    now: Steering,
    /// Takes over at its moment.
    next: Option<(MediaTime, Steering)>,
    /// The last beat that was heard.
    last: Option<Grid>,
    taps: [MediaTime; TAPS],
    tapped: usize,
}

impl Default for BeatSteering {
    fn default() -> Self {
        Self::new()
    }
}

impl BeatSteering {
    /// Shows what is heard.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            now: Steering {
                grid: None,
                held: false,
                ratio: 1.0,
                offset: 0.0,
                bar_offset: 0.0,
                slip: 0.0,
                slip_from: MediaTime::ZERO,
            },
            next: None,
            last: None,
            taps: [MediaTime::ZERO; TAPS],
            tapped: 0,
        }
    }

    /// The beat to show at `media`, where `heard` is what is heard at that very moment.
    #[must_use]
    pub fn beat_at(&self, media: MediaTime, heard: &Beat) -> Beat {
        let steering = match &self.next {
            Some((from, next)) if media >= *from => next,
            _ => &self.now,
        };
        let Some(place) = steering.shown(media, self.heard(media, heard)) else { return *heard };
        let phase = place.beats - place.beats.floor();
        let bar = place.bar.rem_euclid(place.metre) / place.metre;
        let confidence = match (&steering.grid, heard.bpm > 0.0) {
            (None, true) => heard.confidence,
            _ if steering.held => 1.0,
            _ => 0.0,
        };
        Beat {
            bpm: place.bpm as f32,
            confidence,
            phase: below_one(phase as f32),
            bar_phase: below_one(bar as f32),
            count: place.beats.floor().clamp(0.0, f64::from(u32::MAX)) as u32,
            beats_per_bar: place.metre as u8,
        }
    }

    /// Takes in what is heard at `media`, once a period. `silent`: there is no sound at all.
    pub fn hear(&mut self, media: MediaTime, heard: &Beat, silent: bool) {
        if let Some((from, next)) = self.next
            && media >= from
        {
            self.now = next;
            self.next = None;
        }
        let place = place_of(heard);
        if self.next.is_none() && !self.now.held {
            match (self.now.grid, place) {
                // No beat any more: it runs on, and in silence it ends.
                (None, None) if !silent => self.run_on(media),
                (Some(_), None) if silent => self.now.grid = None,
                (Some(_), Some(_)) => {
                    let mut next = self.now;
                    next.grid = None;
                    self.plan(media, heard, next);
                }
                _ => {}
            }
        }
        self.last = match place {
            Some(place) => Some(grid_at(media, place)),
            None if silent => None,
            None => self.last,
        };
    }

    /// Another place in the music: what ran on ends; what the operator set stays.
    pub fn seek(&mut self) {
        if let Some((_, next)) = self.next.take() {
            self.now = next;
        }
        if !self.now.held {
            self.now.grid = None;
        }
        self.now.slip = 0.0;
        self.last = None;
        self.tapped = 0;
    }

    /// At `media` the ear changes from one that heard `before` to one that hears `after`: the phase shown stays.
    pub fn change_ear(&mut self, media: MediaTime, before: &Beat, after: &Beat) {
        let shown = |steering: &Steering, heard: &Beat| steering.shown(media, place_of(heard));
        for steering in
            [Some(&mut self.now), self.next.as_mut().map(|(_, next)| next)].into_iter().flatten()
        {
            if let (None, Some(old), Some(new)) =
                (steering.grid, shown(steering, before), shown(steering, after))
            {
                steering.continue_from(old, new, media.plus_secs_f64(LEAD_S));
            }
        }
    }

    /// Obeys at `media`, the moment heard when the wish was made, where `heard` is the beat.
    pub fn obey(&mut self, wish: BeatWish, media: MediaTime, heard: &Beat) {
        let at = self.planned_for(media);
        let here = self.heard(at, &heard.after(at.secs_since(media)));
        let mut next = self.next.map_or(self.now, |(_, next)| next);
        let shown = next.shown(at, here);
        match wish {
            BeatWish::Tap => {
                self.tap(media, heard);
                return;
            }
            BeatWish::NudgeMs(ms) => {
                let Some(shown) = shown else { return };
                let by = ms.clamp(-1_000.0, 1_000.0) / 1_000.0 * shown.bpm / 60.0;
                if ms.is_finite() {
                    next.shift(-by, -by);
                }
            }
            BeatWish::Half => next.scale(0.5, at),
            BeatWish::Double => next.scale(2.0, at),
            BeatWish::Resync => {
                let Some(shown) = shown else { return };
                // Of the wish's moment, not of the one at which it takes effect.
                let since = at.secs_since(media) * shown.bpm / 60.0;
                let beats = shown.beats - since;
                next.shift(beats.round() - beats, -(shown.bar - since));
            }
            BeatWish::Lock => {
                let Some(shown) = shown else { return };
                next.grid = Some(grid_at(at, shown));
                next.held = true;
            }
            BeatWish::SetBpm(bpm) => {
                if !bpm.is_finite() {
                    return;
                }
                let place = shown.unwrap_or(Place { beats: 0.0, bar: 0.0, bpm: 0.0, metre: BAR });
                let bpm = bpm.clamp(*BPM_RANGE.start(), *BPM_RANGE.end());
                next.grid = Some(grid_at(at, Place { bpm, ..place }));
                next.held = true;
            }
            BeatWish::Follow => {
                next = Steering { slip: 0.0, ..Self::new().now };
            }
        }
        self.plan(media, heard, next);
    }

    /// Where the beat that is shown at `media` comes from.
    #[must_use]
    pub fn source(&self) -> BeatSource {
        let steering = self.next.as_ref().map_or(&self.now, |(_, next)| next);
        match (steering.held, steering.grid) {
            (true, _) => BeatSource::Held,
            (false, Some(_)) => BeatSource::RunningOn,
            (false, None) => BeatSource::Heard,
        }
    }

    fn planned_for(&self, media: MediaTime) -> MediaTime {
        self.next.map_or_else(|| media.plus_secs_f64(LEAD_S), |(from, _)| from.max(media))
    }

    /// From its moment on `next` rules; the phase goes on from what is shown then.
    fn plan(&mut self, media: MediaTime, heard: &Beat, mut next: Steering) {
        let at = self.planned_for(media);
        let then = self.heard(at, &heard.after(at.secs_since(media)));
        let old = self.next.map_or(self.now, |(_, next)| next).shown(at, then);
        next.slip = 0.0;
        if let (Some(old), Some(new)) = (old, next.shown(at, then)) {
            next.continue_from(old, new, at);
        }
        self.next = Some((at, next));
    }

    fn run_on(&mut self, media: MediaTime) {
        let Some(last) = self.last else { return };
        // As it was shown, with what the operator did to it.
        if let Some(mut place) = self.now.shown(media, Some(last.at(media))) {
            place.beats -= self.now.slip_at(media, place.bpm);
            place.bar -= self.now.slip_at(media, place.bpm);
            self.now.grid = Some(grid_at(media, place));
        }
    }

    fn tap(&mut self, media: MediaTime, heard: &Beat) {
        let since = self.tapped.checked_sub(1).map(|last| media.secs_since(self.taps[last]));
        if since.is_some_and(|s| !(60.0 / BPM_RANGE.end()..LONGEST_TAP_S).contains(&s)) {
            self.tapped = 0;
        }
        if self.tapped == TAPS {
            self.taps.rotate_left(1);
            self.tapped -= 1;
        }
        self.taps[self.tapped] = media;
        self.tapped += 1;
        if self.tapped < ENOUGH_TAPS {
            return;
        }
        // The line through the taps: hands are uneven, and the mean of their errors is small.
        let count = self.tapped as f64;
        let first = self.taps[0];
        let times = || self.taps[..self.tapped].iter().map(|tap| tap.secs_since(first));
        let (mean_n, mean_t) = ((count - 1.0) / 2.0, times().sum::<f64>() / count);
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (n, t) in times().enumerate() {
            covariance += (n as f64 - mean_n) * (t - mean_t);
            variance += (n as f64 - mean_n).powi(2);
        }
        let period_s = covariance / variance;
        if period_s <= 0.0 {
            return;
        }
        let last_tap = first.plus_secs_f64(mean_t + mean_n * period_s);
        let mut next = self.next.map_or(self.now, |(_, next)| next);
        let at = self.planned_for(media);
        let here = self.heard(at, &heard.after(at.secs_since(media)));
        let (beats, bar, metre) = match next.shown(at, here) {
            Some(shown) => {
                let back = at.secs_since(last_tap) * shown.bpm / 60.0;
                ((shown.beats - back).round(), (shown.bar - back).round(), shown.metre)
            }
            None => (0.0, 0.0, BAR),
        };
        next.grid = Some(Grid { media: last_tap, beats, bar, bpm: 60.0 / period_s, metre });
        next.held = true;
        self.plan(media, heard, next);
    }

    /// The place that is heard; where nothing is, the last that was, gone on.
    fn heard(&self, media: MediaTime, heard: &Beat) -> Option<Place> {
        place_of(heard).or_else(|| self.last.map(|last| last.at(media)))
    }
}

impl Steering {
    /// The place shown where `heard` is heard.
    fn shown(&self, media: MediaTime, heard: Option<Place>) -> Option<Place> {
        let mut place = if let Some(grid) = &self.grid {
            grid.at(media)
        } else {
            let heard = heard?;
            // Bars are counted too, so that half as many beats have bars of their own.
            let bars = ((heard.beats - heard.bar).round() / heard.metre).floor();
            Place {
                beats: heard.beats * self.ratio + self.offset,
                bar: (heard.bar + heard.metre * bars) * self.ratio + self.bar_offset,
                bpm: heard.bpm * self.ratio,
                metre: heard.metre,
            }
        };
        let slip = self.slip_at(media, place.bpm);
        place.beats += slip;
        place.bar += slip;
        Some(place)
    }

    /// What of the slip is left at `media`.
    fn slip_at(&self, media: MediaTime, bpm: f64) -> f64 {
        let done = media.secs_since(self.slip_from).max(0.0) * SLEW * bpm / 60.0;
        self.slip.signum() * (self.slip.abs() - done).max(0.0)
    }

    /// Shows `old` where it would show `new`, and makes up for the phase between them from `from` on. The count
    /// goes on, the place in the bar follows.
    fn continue_from(&mut self, old: Place, new: Place, from: MediaTime) {
        let apart = old.beats - new.beats + self.slip;
        let whole = apart.round();
        self.shift(whole, 0.0);
        self.slip = apart - whole;
        self.slip_from = from;
    }

    fn shift(&mut self, beats: f64, bar: f64) {
        let (to_beats, to_bar) = match &mut self.grid {
            Some(grid) => (&mut grid.beats, &mut grid.bar),
            None => (&mut self.offset, &mut self.bar_offset),
        };
        *to_beats += beats;
        *to_bar += bar;
    }

    fn scale(&mut self, factor: f64, at: MediaTime) {
        match &mut self.grid {
            Some(grid) if BPM_RANGE.contains(&(grid.bpm * factor)) => {
                let here = grid.at(at);
                let place = Place {
                    beats: here.beats * factor,
                    bar: here.bar * factor,
                    bpm: here.bpm * factor,
                    metre: here.metre,
                };
                *grid = grid_at(at, place);
            }
            None if (0.25..=4.0).contains(&(self.ratio * factor)) => {
                self.ratio *= factor;
                self.offset *= factor;
                self.bar_offset *= factor;
            }
            _ => {}
        }
    }
}

fn grid_at(media: MediaTime, place: Place) -> Grid {
    let Place { beats, bar, bpm, metre } = place;
    Grid { media, beats, bar, bpm, metre }
}

fn place_of(beat: &Beat) -> Option<Place> {
    let metre = f64::from(beat.beats_per_bar.max(1));
    (beat.bpm > 0.0).then(|| Place {
        beats: f64::from(beat.count) + f64::from(beat.phase),
        bar: f64::from(beat.bar_phase) * metre,
        bpm: f64::from(beat.bpm),
        metre,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> MediaTime {
        MediaTime::from_secs_f64(seconds)
    }

    /// 120 beats per minute from time 0.
    fn heard(seconds: f64) -> Beat {
        let beats = 2.0 * seconds;
        Beat {
            bpm: 120.0,
            confidence: 0.8,
            phase: below_one((beats - beats.floor()) as f32),
            bar_phase: below_one((beats / 4.0 - (beats / 4.0).floor()) as f32),
            count: beats as u32,
            beats_per_bar: 4,
        }
    }

    /// Runs `hear` every 5 ms from 0 to `seconds` and gives the beat shown at each; `wishes` are made on the way.
    fn show(
        steering: &mut BeatSteering,
        seconds: f64,
        wishes: &[(f64, BeatWish)],
        ear: impl Fn(f64) -> Beat,
    ) -> Vec<(f64, Beat)> {
        let mut left = wishes.iter().peekable();
        (0..(seconds * 200.0) as i32)
            .map(|n| {
                let t = f64::from(n) * 0.005;
                steering.hear(at(t), &ear(t), false);
                while let Some((_, wish)) = left.next_if(|(when, _)| *when <= t) {
                    steering.obey(*wish, at(t), &ear(t));
                }
                (t, steering.beat_at(at(t), &ear(t)))
            })
            .collect()
    }

    fn assert_smooth(shown: &[(f64, Beat)]) {
        for pair in shown.windows(2) {
            let ((_, before), (t, now)) = (&pair[0], &pair[1]);
            if before.bpm <= 0.0 {
                continue;
            }
            let moved = f64::from(now.phase - before.phase).rem_euclid(1.0);
            let most = 1.5 * 0.005 * f64::from(before.bpm.max(now.bpm)) / 60.0;
            assert!(moved <= most, "at {t}: {moved} of a beat in 5 ms, {before:?} {now:?}");
            assert!(now.count >= before.count && now.count <= before.count + 1, "at {t}");
        }
    }

    fn last(shown: &[(f64, Beat)]) -> &Beat {
        &shown[shown.len() - 1].1
    }

    #[test]
    fn untouched_it_shows_what_is_heard() {
        for (t, beat) in show(&mut BeatSteering::new(), 5.0, &[], heard) {
            let true_beat = heard(t);
            assert!((beat.phase - true_beat.phase).abs() < 1e-5 && beat.count == true_beat.count);
            assert!((beat.bar_phase - true_beat.bar_phase).abs() < 1e-5);
        }
    }

    #[test]
    fn whatever_is_wished_the_phase_never_jumps() {
        use BeatWish::{Double, Follow, Half, Lock, NudgeMs, Resync, SetBpm, Tap};
        let wishes = [
            (1.00, NudgeMs(60.0)),
            (1.01, NudgeMs(60.0)),
            (2.13, Double),
            (3.40, Half),
            (3.45, Half),
            (5.00, Resync),
            (6.20, Follow),
            (7.00, Lock),
            (7.40, NudgeMs(-200.0)),
            (8.00, SetBpm(133.0)),
            (9.10, Tap),
            (9.50, Tap),
            (9.93, Tap),
            (10.31, Tap),
            (10.72, Tap),
            (12.00, Double),
            (13.00, Resync),
            (14.37, Follow),
        ];
        let shown = show(&mut BeatSteering::new(), 20.0, &wishes, heard);
        assert_smooth(&shown);
        let (t, beat) = shown[shown.len() - 1];
        assert!((beat.phase - heard(t).phase).abs() < 1e-4, "follows again");
    }

    #[test]
    fn a_nudge_moves_the_beat_by_as_much() {
        let mut steering = BeatSteering::new();
        let shown = show(&mut steering, 4.0, &[(1.0, BeatWish::NudgeMs(50.0))], heard);
        let (t, beat) = shown[shown.len() - 1];
        assert!((beat.phase - heard(t - 0.05).phase).abs() < 1e-4);
    }

    #[test]
    fn taps_set_tempo_and_phase_and_hold_them() {
        let mut steering = BeatSteering::new();
        let tap = |n: u32| (1.0 + 0.4 * f64::from(n) + 0.01 * f64::from(n % 3), BeatWish::Tap);
        let taps: Vec<_> = (0..8).map(tap).collect();
        let shown = show(&mut steering, 8.0, &taps, heard);
        assert_smooth(&shown);
        let beat = last(&shown);
        assert!((beat.bpm - 150.0).abs() < 2.0, "{beat:?}");
        assert_eq!((steering.source(), beat.confidence), (BeatSource::Held, 1.0));
        let on_tap =
            shown.iter().find(|(t, _)| *t >= 3.805 + 0.4).map(|(_, beat)| beat.phase).unwrap();
        assert!(!(0.06..=0.94).contains(&on_tap), "{on_tap}");
    }

    #[test]
    fn half_and_double_keep_beats_on_beats() {
        for (wish, bpm) in [(BeatWish::Half, 60.0), (BeatWish::Double, 240.0)] {
            let shown = show(&mut BeatSteering::new(), 6.0, &[(1.0, wish)], heard);
            let beat = last(&shown);
            assert_eq!(beat.bpm, bpm);
            for (t, beat) in &shown[900..] {
                if beat.phase < 0.01 {
                    assert!(
                        heard(*t).phase.min(1.0 - heard(*t).phase) < 0.02 || bpm > 120.0,
                        "{t}"
                    );
                }
            }
        }
    }

    #[test]
    fn resync_begins_a_bar_at_its_moment() {
        let mut steering = BeatSteering::new();
        let shown = show(&mut steering, 6.0, &[(1.30, BeatWish::Resync)], heard);
        let (_, beat) = shown.iter().find(|(t, _)| *t >= 1.30 + 4.0).unwrap();
        assert!(!(0.01..=0.99).contains(&beat.bar_phase), "{beat:?}");
    }

    #[test]
    fn a_beat_that_is_not_heard_any_more_runs_on_and_is_taken_up_smoothly() {
        let gone = |t: f64| {
            if (2.0..6.0).contains(&t) {
                Beat::default()
            } else {
                heard(if t < 6.0 { t } else { t + 0.13 })
            }
        };
        let mut steering = BeatSteering::new();
        let shown = show(&mut steering, 5.0, &[], gone);
        assert_eq!(steering.source(), BeatSource::RunningOn);
        let beat = last(&shown);
        assert_eq!((beat.bpm, beat.confidence), (120.0, 0.0));
        let shown = show(&mut BeatSteering::new(), 10.0, &[], gone);
        assert_smooth(&shown);
        let (t, beat) = shown[shown.len() - 1];
        assert!((beat.phase - gone(t).phase).abs() < 1e-4);
        steering.hear(at(5.0), &Beat::default(), true);
        assert_eq!(steering.beat_at(at(5.0), &Beat::default()).bpm, 0.0, "in silence it ends");
    }

    #[test]
    fn another_ear_goes_on_where_the_first_one_was() {
        let mut steering = BeatSteering::new();
        steering.hear(at(2.1), &heard(2.1), false);
        let before = steering.beat_at(at(2.1), &heard(2.1));
        steering.change_ear(at(2.1), &heard(2.1), &heard(2.2));
        let after = steering.beat_at(at(2.1), &heard(2.2));
        assert!((before.phase - after.phase).abs() < 1e-5, "{before:?} {after:?}");
        let later = steering.beat_at(at(4.0), &heard(4.1));
        assert!((later.phase - heard(4.1).phase).abs() < 1e-5);
    }
}
