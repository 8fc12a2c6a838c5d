//! The instrument that plays, and the one that is about to: how one preset follows another.
//!
//! A change begins at once, on the next beat or on the next bar, and takes as many beats as it was given: the one
//! figure grows into the other, with their light, size and turn. Real-time: instruments come in and go out whole,
//! and nothing is freed here.

use crate::analysis::Features;
use crate::pattern::modulation::beats;
use crate::pattern::morph::morph;
use crate::pattern::{Figure, Instrument, Shade, Sight};
use crate::time::MediaTime;

/// When a change of presets begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// At once.
    #[default]
    Now,
    /// On the next beat.
    Beat,
    /// On the first beat of the next bar.
    Bar,
}

/// How one preset follows another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transition {
    /// When it begins.
    pub begin: Begin,
    /// How long it takes, beats; 0 is a cut.
    pub beats: f32,
}

impl Transition {
    /// At once and hard.
    pub const CUT: Self = Self { begin: Begin::Now, beats: 0.0 };
    /// What an operator's choice of a preset does where nothing else is set: at once, over one beat.
    pub const QUICK: Self = Self { begin: Begin::Now, beats: 1.0 };
    /// Longest transition, beats.
    pub const MAX_BEATS: f32 = 64.0;
}

/// How far a change of presets is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Change {
    /// There is none: what was chosen last is drawn.
    #[default]
    Done,
    /// What was chosen waits for its beat or bar.
    Cued,
    /// It grows out of the last one: 0 just begun, 1 there.
    Growing(f32),
}

/// A bar is waited for at most this long: without a beat none would come.
const MOST_WAIT_S: f32 = 4.0;

#[derive(Clone, Copy, Debug)]
enum State {
    /// One plays; what else is there has left.
    Playing,
    /// The other one waits for its moment.
    Waiting { transition: Transition, waited_s: f32, last_beat: f32, last_bar: f32 },
    /// The other one leaves.
    Fading { begun: f64, beats: f32 },
}

/// Which figure was drawn last.
#[derive(Clone, Copy, Debug)]
enum Drawn {
    Figure,
    Mixed,
    Beside,
    Crossed,
}

/// What is drawn for one picture costs at most so many times what a picture may cost: two, not three.
const MOST_SHARES: f32 = 2.0;

/// See the module.
#[derive(Debug)]
pub struct Deck {
    playing: Box<Instrument>,
    other: Option<Box<Instrument>>,
    state: State,
    /// 0 the one that leaves, 1 the one that plays.
    way: f32,
    figure: Figure,
    leaving: Figure,
    mixed: Figure,
    /// The other side of the crossfader.
    beside: Option<Box<Instrument>>,
    crossfade: f32,
    beside_figure: Figure,
    crossed: Figure,
    drawn: Drawn,
    /// What the last picture cost, as parts of what a picture may cost.
    share: f32,
}

impl Deck {
    /// Plays `instrument`. Takes all memory it will need.
    #[must_use]
    pub fn new(instrument: Box<Instrument>) -> Self {
        Self {
            playing: instrument,
            other: None,
            state: State::Playing,
            way: 1.0,
            figure: Instrument::figure(),
            leaving: Instrument::figure(),
            mixed: Instrument::figure(),
            beside: None,
            crossfade: 0.0,
            beside_figure: Instrument::figure(),
            crossed: Instrument::figure(),
            drawn: Drawn::Figure,
            share: 0.0,
        }
    }

    /// Lets `next` follow. What it leaves in `next` is to be freed elsewhere: an instrument that has left, or one that
    /// never came to play.
    pub fn change(&mut self, next: &mut Option<Box<Instrument>>, transition: Transition) {
        std::mem::swap(&mut self.other, next);
        self.way = 1.0;
        // Phases before the first look lie beyond every real one.
        let (last_beat, last_bar) = (f32::MIN, f32::MIN);
        self.state = State::Waiting { transition, waited_s: 0.0, last_beat, last_bar };
        if self.other.is_none() {
            self.state = State::Playing;
        }
    }

    /// Lays `next` on the other side of the crossfader, or nothing: the same preset goes on where it was. What it leaves in
    /// `next` is to be freed elsewhere.
    pub fn lay_beside(&mut self, next: &mut Option<Box<Instrument>>) {
        if let (Some(next), Some(beside)) = (next.as_mut(), &mut self.beside) {
            next.inherit(beside);
        }
        std::mem::swap(&mut self.beside, next);
    }

    /// The crossfader: 0 what plays, 1 the other side.
    pub const fn set_crossfade(&mut self, fade: f32) {
        self.crossfade = fade;
    }

    /// How far the crossfader is; 0 with nothing on its other side.
    const fn fade(&self) -> f32 {
        if self.beside.is_some() { self.crossfade } else { 0.0 }
    }

    /// Puts `next`, an edited one, in place of the instrument that was chosen last: it goes on where that one was, and so
    /// does a change under way. What it leaves in `next` is to be freed elsewhere.
    pub fn replace(&mut self, next: &mut Option<Box<Instrument>>) {
        let Some(edited) = next else { return };
        let chosen = match (&self.state, &mut self.other) {
            (State::Waiting { .. }, Some(coming)) => coming,
            _ => &mut self.playing,
        };
        edited.inherit(chosen);
        std::mem::swap(chosen, edited);
    }

    /// How far the change to the instrument that was chosen last is.
    #[must_use]
    pub fn progress(&self) -> Change {
        match self.state {
            State::Playing => Change::Done,
            State::Waiting { .. } => Change::Cued,
            State::Fading { .. } => Change::Growing(self.way),
        }
    }

    /// Sets a parameter of the instrument that plays, or of the one that is about to.
    pub fn set_param(&mut self, index: usize, value: f32) {
        match (&self.state, &mut self.other) {
            (State::Waiting { .. }, Some(coming)) => coming.set_param(index, value),
            _ => self.playing.set_param(index, value),
        }
    }

    /// Shows the mask stream at the moment of the next frame to whatever draws it.
    pub fn see(&mut self, sight: Sight<'_>) {
        self.playing.see(sight);
        if let Some(other) = &mut self.other {
            other.see(sight);
        }
    }

    /// Draws the frame seen at `media`, `dt` seconds after the last one.
    pub fn draw(&mut self, features: &Features, media: MediaTime, dt: f32) -> &Figure {
        self.advance(features, media, dt);
        let fade = self.fade();
        self.share = 0.0;
        if let (Some(beside), true) = (&mut self.beside, fade > 0.0) {
            beside.draw(features, media, dt, &mut self.beside_figure);
            self.share += beside.share();
        }
        self.drawn = if fade >= 1.0 {
            Drawn::Beside
        } else {
            let mixed = self.draw_this_side(features, media, dt);
            let this_side = if mixed { &self.mixed } else { &self.figure };
            match (fade > 0.0, mixed) {
                (false, false) => Drawn::Figure,
                (false, true) => Drawn::Mixed,
                (true, _) => {
                    self.crossed.clear();
                    morph(this_side, &self.beside_figure, fade, &mut self.crossed);
                    Drawn::Crossed
                }
            }
        };
        self.drawn()
    }

    /// The figure that was drawn last.
    #[must_use]
    pub const fn drawn(&self) -> &Figure {
        match self.drawn {
            Drawn::Figure => &self.figure,
            Drawn::Mixed => &self.mixed,
            Drawn::Beside => &self.beside_figure,
            Drawn::Crossed => &self.crossed,
        }
    }

    /// What it cost at most, as parts of what a picture may cost: see [`crate::pattern::cost`]; 0 before the first.
    #[must_use]
    pub const fn share(&self) -> f32 {
        self.share
    }

    /// Draws what plays; true if it is mixed with what leaves. Three that are dear are too much for one picture: then what
    /// leaves is gone at once.
    fn draw_this_side(&mut self, features: &Features, media: MediaTime, dt: f32) -> bool {
        self.playing.draw(features, media, dt, &mut self.figure);
        self.share += self.playing.share();
        let (State::Fading { .. }, Some(other)) = (self.state, &mut self.other) else {
            return false;
        };
        if self.share + other.share() > MOST_SHARES {
            return false;
        }
        self.share += other.share();
        other.draw(features, media, dt, &mut self.leaving);
        self.mixed.clear();
        morph(&self.leaving, &self.figure, eased(self.way), &mut self.mixed);
        true
    }

    /// Light, size and turn at one moment.
    #[must_use]
    pub fn shade(&self, features: &Features, media: MediaTime) -> Shade {
        let playing = self.playing.shade(features, media);
        let this_side = match (self.state, &self.other) {
            (State::Fading { .. }, Some(other)) => {
                other.shade(features, media).towards(playing, eased(self.way))
            }
            _ => playing,
        };
        match &self.beside {
            Some(beside) if self.crossfade > 0.0 => {
                this_side.towards(beside.shade(features, media), self.crossfade)
            }
            _ => this_side,
        }
    }

    fn advance(&mut self, features: &Features, media: MediaTime, dt: f32) {
        let now = beats(features, media);
        match &mut self.state {
            State::Playing => {}
            State::Waiting { transition, waited_s, last_beat, last_bar } => {
                let (beat, bar) = (features.beat.phase, features.beat.bar_phase);
                let wraps = |phase: f32, last: f32| last - phase > 0.3;
                let has_come = match transition.begin {
                    Begin::Now => true,
                    Begin::Beat => wraps(beat, *last_beat) || wraps(bar, *last_bar),
                    Begin::Bar => wraps(bar, *last_bar),
                };
                *waited_s += dt;
                (*last_beat, *last_bar) = (beat, bar);
                // Silence and pause have no beat, and an operator wants to see what was chosen.
                if has_come || features.silent || *waited_s > MOST_WAIT_S {
                    let beats = if features.silent { 0.0 } else { transition.beats };
                    self.state = State::Fading { begun: now, beats };
                    if let Some(coming) = &mut self.other {
                        std::mem::swap(&mut self.playing, coming);
                    }
                    self.way = 0.0;
                    self.end_if_over(now, now, beats);
                }
            }
            State::Fading { begun, beats } => {
                let (begun, beats) = (*begun, *beats);
                self.end_if_over(now, begun, beats);
            }
        }
    }

    fn end_if_over(&mut self, now: f64, begun: f64, beats: f32) {
        let gone = (now - begun) as f32;
        // A seek, or a tempo found anew, ends a transition that it would make longer or shorter.
        if beats <= 0.0 || !(0.0..beats).contains(&gone) || gone + 1e-3 < self.way * beats {
            self.state = State::Playing;
            self.way = 1.0;
        } else {
            self.way = gone / beats;
        }
    }
}

/// Slow at both ends.
fn eased(way: f32) -> f32 {
    way * way * (3.0 - 2.0 * way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Preset;
    use crate::pattern::cost::fit;

    /// A still ring of a radius, with a brightness.
    fn ring(radius: f32, brightness: f32) -> Box<Instrument> {
        let text = format!(
            "version = 1\nname = \"R\"\ngenerator = \"circle\"\n[params]\nradius = {radius}\nbreath = 0\n\
             wobble = 0\nfizz = 0\n[look]\nbrightness = {brightness}\n"
        );
        Box::new(Instrument::new(&Preset::parse(&text).unwrap()).unwrap())
    }

    /// Music of 120 beats a minute.
    fn at(second: f64) -> (Features, MediaTime) {
        let media = MediaTime::from_secs_f64(second);
        let mut features = Features { at: media, silent: false, ..Features::default() };
        let beats = second * 2.0;
        features.beat.bpm = 120.0;
        features.beat.confidence = 1.0;
        features.beat.phase = beats.fract() as f32;
        features.beat.bar_phase = (beats / 4.0).fract() as f32;
        features.beat.count = beats as u32;
        (features, media)
    }

    fn radius(deck: &mut Deck, second: f64) -> f32 {
        let (features, media) = at(second);
        let figure = deck.draw(&features, media, 0.02);
        let stroke = figure.strokes()[0];
        figure.vertices_of(&stroke).iter().map(|v| v.x.hypot(v.y)).fold(0.0, f32::max)
    }

    /// When the first frame differs from the old ring, and when the last one is the new one.
    fn change_of(transition: Transition, from: f64) -> (f64, f64) {
        let mut deck = Deck::new(ring(0.3, 1.0));
        radius(&mut deck, from - 0.02);
        deck.change(&mut Some(ring(0.8, 0.5)), transition);
        let (mut begins, mut ends) = (None, None);
        for frame in 0..500 {
            let second = from + f64::from(frame) * 0.02;
            let radius = radius(&mut deck, second);
            if radius > 0.305 {
                begins.get_or_insert(second);
            }
            if radius > 0.799 {
                ends.get_or_insert(second);
            }
        }
        (begins.unwrap(), ends.unwrap())
    }

    /// A ring that costs all that a picture may cost.
    fn dear(radius: f32) -> Box<Instrument> {
        let text = format!(
            "version = 1\nname = \"R\"\ngenerator = \"circle\"\n[params]\nradius = {radius}\nbreath = 0\n\
             wobble = 0\nfizz = 0\n"
        );
        let preset = Preset::parse(&text).unwrap();
        let units = fit(&preset, u64::MAX).unwrap().units;
        Box::new(Instrument::within(&preset, units).unwrap())
    }

    #[test]
    fn two_dear_presets_are_mixed_and_of_three_the_one_that_leaves_is_gone_at_once() {
        let mut deck = Deck::new(dear(0.3));
        radius(&mut deck, 1.0);
        assert!((deck.share() - 1.0).abs() < 1e-3, "{}", deck.share());
        deck.change(&mut Some(dear(0.8)), Transition { begin: Begin::Now, beats: 8.0 });
        let mixed = radius(&mut deck, 1.1);
        assert!((0.29..0.7).contains(&mixed), "they are mixed: {mixed}");
        assert!((deck.share() - 2.0).abs() < 1e-3, "{}", deck.share());
        deck.lay_beside(&mut Some(dear(0.5)));
        deck.set_crossfade(0.01);
        let crossed = radius(&mut deck, 1.2);
        assert!(crossed > 0.75, "of three, what leaves is gone: {crossed}");
        assert!((deck.share() - 2.0).abs() < 1e-3, "{}", deck.share());
    }

    #[test]
    fn a_cut_is_there_with_the_next_frame() {
        assert_eq!(change_of(Transition::CUT, 1.1), (1.1, 1.1));
    }

    #[test]
    fn a_change_waits_for_the_beat_or_the_bar() {
        let (begins, _) = change_of(Transition { begin: Begin::Beat, beats: 0.0 }, 1.1);
        assert!((begins - 1.5).abs() < 0.021, "{begins}");
        let (begins, _) = change_of(Transition { begin: Begin::Bar, beats: 0.0 }, 1.1);
        assert!((begins - 2.0).abs() < 0.021, "{begins}");
    }

    #[test]
    fn a_fade_takes_its_beats_and_never_jumps() {
        let (begins, ends) = change_of(Transition { begin: Begin::Bar, beats: 4.0 }, 1.1);
        assert!((2.0..2.3).contains(&begins) && (3.8..4.05).contains(&ends), "{begins} {ends}");
        let mut deck = Deck::new(ring(0.3, 1.0));
        let mut last = radius(&mut deck, 0.98);
        deck.change(&mut Some(ring(0.8, 0.5)), Transition { begin: Begin::Now, beats: 2.0 });
        for frame in 0..80 {
            let radius = radius(&mut deck, 1.0 + f64::from(frame) * 0.02);
            assert!(radius >= last - 1e-4 && radius - last < 0.03, "{last} {radius}");
            last = radius;
        }
    }

    #[test]
    fn light_fades_with_the_figure() {
        let mut deck = Deck::new(ring(0.3, 1.0));
        radius(&mut deck, 1.0);
        deck.change(&mut Some(ring(0.8, 0.5)), Transition { begin: Begin::Now, beats: 2.0 });
        radius(&mut deck, 1.0);
        radius(&mut deck, 1.5);
        let (features, media) = at(1.5);
        assert!((deck.shade(&features, media).gain - 0.75).abs() < 1e-3);
    }

    #[test]
    fn silence_changes_at_once() {
        let mut deck = Deck::new(ring(0.3, 1.0));
        deck.change(&mut Some(ring(0.8, 1.0)), Transition { begin: Begin::Bar, beats: 8.0 });
        let figure = deck.draw(&Features::default(), MediaTime::ZERO, 0.0);
        let stroke = figure.strokes()[0];
        assert!(figure.vertices_of(&stroke)[0].x > 0.75);
    }

    #[test]
    fn without_a_bar_the_change_comes_all_the_same() {
        let mut deck = Deck::new(ring(0.3, 1.0));
        deck.change(&mut Some(ring(0.8, 1.0)), Transition { begin: Begin::Bar, beats: 0.0 });
        let features = Features { silent: false, ..Features::default() };
        let mut frames = 0;
        while {
            let figure = deck.draw(&features, MediaTime::ZERO, 0.02);
            let stroke = figure.strokes()[0];
            figure.vertices_of(&stroke)[0].x < 0.5
        } {
            frames += 1;
            assert!(frames < 300);
        }
        assert!(frames > 150);
    }

    #[test]
    fn a_seek_ends_a_fade_and_a_second_change_gives_the_first_back() {
        let mut deck = Deck::new(ring(0.3, 1.0));
        let mut next = Some(ring(0.8, 1.0));
        deck.change(&mut next, Transition { begin: Begin::Now, beats: 16.0 });
        assert!(next.is_none(), "nothing has left yet");
        radius(&mut deck, 10.0);
        assert!(radius(&mut deck, 10.4) < 0.5);
        assert!(radius(&mut deck, 2.0) > 0.79, "the place it began at lies ahead");
        let mut next = Some(ring(0.5, 1.0));
        deck.change(&mut next, Transition::CUT);
        assert!(next.is_some(), "the first one comes out");
        assert!((radius(&mut deck, 2.1) - 0.5).abs() < 0.01);
    }

    #[test]
    fn the_crossfader_leads_from_the_one_to_the_other_and_back() {
        let mut deck = Deck::new(ring(0.2, 1.0));
        deck.set_crossfade(1.0);
        assert!((radius(&mut deck, 1.0) - 0.2).abs() < 0.01, "there is no other side yet");
        let mut next = Some(ring(0.8, 0.5));
        deck.lay_beside(&mut next);
        assert!(next.is_none());
        for (fade, seen, gain) in
            [(0.0, 0.2, 1.0), (0.5, 0.5, 0.75), (1.0, 0.8, 0.5), (0.25, 0.35, 0.875)]
        {
            deck.set_crossfade(fade);
            assert!((radius(&mut deck, 1.1) - seen).abs() < 0.01, "{fade}");
            let (features, media) = at(1.1);
            assert!((deck.shade(&features, media).gain - gain).abs() < 1e-3, "{fade}");
        }
        deck.set_crossfade(1.0);
        let mut other = Some(ring(0.4, 1.0));
        deck.change(&mut other, Transition::CUT);
        assert!((radius(&mut deck, 1.2) - 0.8).abs() < 0.01, "the hidden side changes unseen");
        deck.set_crossfade(0.0);
        assert!((radius(&mut deck, 1.3) - 0.4).abs() < 0.01);
        let mut none = None;
        deck.lay_beside(&mut none);
        assert!(none.is_some(), "what was beside comes out");
    }

    #[test]
    fn an_edited_instrument_takes_the_place_of_the_one_that_was_chosen() {
        let mut deck = Deck::new(ring(0.3, 1.0));
        radius(&mut deck, 1.1);
        let mut edited = Some(ring(0.5, 1.0));
        deck.replace(&mut edited);
        assert!(edited.is_some(), "the one before comes out");
        assert!((radius(&mut deck, 1.12) - 0.5).abs() < 0.01);
        deck.change(&mut Some(ring(0.8, 1.0)), Transition { begin: Begin::Bar, beats: 0.0 });
        assert_eq!(deck.progress(), Change::Cued);
        deck.replace(&mut Some(ring(0.6, 1.0)));
        assert!((radius(&mut deck, 1.14) - 0.5).abs() < 0.01, "it still waits for its bar");
        assert_eq!(deck.progress(), Change::Cued);
        assert!((radius(&mut deck, 2.02) - 0.6).abs() < 0.01);
        assert_eq!(deck.progress(), Change::Done);
    }

    #[test]
    fn a_parameter_reaches_the_instrument_that_is_about_to_play() {
        let mut deck = Deck::new(ring(0.3, 1.0));
        radius(&mut deck, 1.1);
        deck.change(&mut Some(ring(0.8, 1.0)), Transition { begin: Begin::Bar, beats: 0.0 });
        deck.set_param(0, 0.6);
        assert!((radius(&mut deck, 1.12) - 0.3).abs() < 0.01);
        assert!((radius(&mut deck, 2.02) - 0.6).abs() < 0.01);
    }
}
