//! The first generator: a band. Drums from patterns of sixteenths, bass, chords and a tune, in many styles, tempi
//! and ways of playing.

use std::f32::consts::TAU;

use super::sound::{Canvas, Dice, hertz};
use super::{Group, Piece};

/// How the tempo goes, beats per minute.
#[derive(Clone, Copy, Debug)]
enum Tempo {
    Fixed(f64),
    /// From one to the other over the whole piece.
    Ramp(f64, f64),
    /// From one to the other at half of the piece.
    Step(f64, f64),
    /// Sways by a share, once in eight beats, and wanders.
    Rubato(f64, f64),
}

/// Which hits a bar has: one character a sixteenth, `x` loud, `o` soft.
#[derive(Clone, Copy, Debug)]
struct Groove {
    kick: &'static str,
    snare: &'static str,
    hat: &'static str,
    /// Beats per bar.
    metre: usize,
}

const FOUR: Groove = Groove {
    kick: "x...x...x...x...",
    snare: "....x.......x...",
    hat: "..x...x...x...x.",
    metre: 4,
};
const ROCK: Groove = Groove {
    kick: "x.......x.x.....",
    snare: "....x.......x...",
    hat: "x.o.x.o.x.o.x.o.",
    metre: 4,
};
const BREAK: Groove = Groove {
    kick: "x.x.......x.....",
    snare: "....x..o.o..x..o",
    hat: "x.x.x.x.x.x.x.x.",
    metre: 4,
};
const HALF: Groove = Groove {
    kick: "x.....o.........",
    snare: "........x.......",
    hat: "x.x.x.x.x.x.xoxo",
    metre: 4,
};
const LATIN: Groove = Groove {
    kick: "x..x..x...x.x...",
    snare: "...o..o....o..o.",
    hat: "x.xxx.xxx.xxx.xx",
    metre: 4,
};
const WALTZ: Groove =
    Groove { kick: "x...........", snare: "....o...o...", hat: "x...x...x...", metre: 3 };
const FIVE: Groove = Groove {
    kick: "x.....x.....x.......",
    snare: "....x.......o...x...",
    hat: "x.x.x.x.x.x.x.x.x.x.",
    metre: 5,
};
const SEVEN: Groove = Groove {
    kick: "x.......x.......x...........",
    snare: "....x.......x...........x...",
    hat: "x.x.x.x.x.x.x.x.x.x.x.x.x.x.",
    metre: 7,
};
const NONE: Groove = Groove { kick: "", snare: "", hat: "", metre: 4 };

#[derive(Clone, Copy, Debug)]
struct Song {
    name: &'static str,
    group: Group,
    groove: Groove,
    tempo: Tempo,
    /// Where the second eighth of a beat lies: 0.5 straight, 0.667 triplets.
    swing: f64,
    /// Deviation of every hit, seconds.
    loose_s: f64,
    /// Bars without drums: from, to.
    silent_drums: Option<(usize, usize)>,
    /// The bar of a drop, after a break and a build-up.
    drop_bar: Option<usize>,
    /// Peak of the finished sound.
    peak: f32,
    /// Amplitude of noise below it.
    hiss: f32,
    room: f32,
}

const PLAIN: Song = Song {
    name: "",
    group: Group::Main,
    groove: ROCK,
    tempo: Tempo::Fixed(120.0),
    swing: 0.5,
    loose_s: 0.004,
    silent_drums: None,
    drop_bar: None,
    peak: 0.8,
    hiss: 0.0,
    room: 0.1,
};

const SONGS: [Song; 22] = [
    Song {
        name: "house 124",
        group: Group::Grid,
        groove: FOUR,
        tempo: Tempo::Fixed(124.0),
        loose_s: 0.0,
        drop_bar: Some(16),
        ..PLAIN
    },
    Song {
        name: "techno 136",
        group: Group::Grid,
        groove: FOUR,
        tempo: Tempo::Fixed(136.0),
        loose_s: 0.0,
        drop_bar: Some(20),
        ..PLAIN
    },
    Song {
        name: "drum and bass 174",
        group: Group::Grid,
        groove: BREAK,
        tempo: Tempo::Fixed(174.0),
        loose_s: 0.0,
        drop_bar: Some(24),
        ..PLAIN
    },
    Song {
        name: "half-time 70",
        group: Group::Grid,
        groove: HALF,
        tempo: Tempo::Fixed(70.0),
        loose_s: 0.0,
        drop_bar: Some(8),
        ..PLAIN
    },
    Song {
        name: "breakbeat 128",
        group: Group::Grid,
        groove: BREAK,
        tempo: Tempo::Fixed(128.0),
        loose_s: 0.0,
        ..PLAIN
    },
    Song { name: "rock 96", tempo: Tempo::Fixed(96.0), loose_s: 0.008, ..PLAIN },
    Song { name: "rock 152", tempo: Tempo::Fixed(152.0), loose_s: 0.006, ..PLAIN },
    Song { name: "shuffle 112", tempo: Tempo::Fixed(112.0), swing: 0.64, ..PLAIN },
    Song { name: "swing 168", tempo: Tempo::Fixed(168.0), swing: 0.62, ..PLAIN },
    Song { name: "latin 104", groove: LATIN, tempo: Tempo::Fixed(104.0), ..PLAIN },
    Song { name: "waltz 138", groove: WALTZ, tempo: Tempo::Fixed(138.0), ..PLAIN },
    Song { name: "five four 132", groove: FIVE, tempo: Tempo::Fixed(132.0), ..PLAIN },
    Song { name: "seven four 118", groove: SEVEN, tempo: Tempo::Fixed(118.0), ..PLAIN },
    Song { name: "ramp 100 to 140", tempo: Tempo::Ramp(100.0, 140.0), ..PLAIN },
    Song { name: "step 110 to 122", groove: FOUR, tempo: Tempo::Step(110.0, 122.0), ..PLAIN },
    Song { name: "step 126 to 100", tempo: Tempo::Step(126.0, 100.0), ..PLAIN },
    Song { name: "rubato 88", tempo: Tempo::Rubato(88.0, 0.06), loose_s: 0.010, ..PLAIN },
    Song {
        name: "break of 8 bars",
        groove: FOUR,
        tempo: Tempo::Fixed(126.0),
        silent_drums: Some((10, 18)),
        ..PLAIN
    },
    Song { name: "no drums 92", groove: NONE, tempo: Tempo::Fixed(92.0), loose_s: 0.008, ..PLAIN },
    Song {
        name: "no drums 126",
        groove: NONE,
        tempo: Tempo::Fixed(126.0),
        loose_s: 0.006,
        ..PLAIN
    },
    Song { name: "rock 116, -30 dB", tempo: Tempo::Fixed(116.0), peak: 0.025, ..PLAIN },
    Song {
        name: "rock 108, noise and hall",
        tempo: Tempo::Fixed(108.0),
        hiss: 0.08,
        room: 0.9,
        ..PLAIN
    },
];

/// Length of a piece, seconds, about.
const SECONDS: f64 = 60.0;

pub(super) fn pieces() -> Vec<Piece> {
    SONGS.iter().enumerate().map(|(n, song)| play(song, n as u64 + 1)).collect()
}

/// The time of every beat from the first to past the end.
fn beat_times(song: &Song, dice: &mut Dice) -> Vec<f64> {
    let (mut at, mut wander, mut times) = (0.75, 0.0, Vec::new());
    while at < SECONDS - 1.0 {
        times.push(at);
        let share = at / SECONDS;
        let bpm = match song.tempo {
            Tempo::Fixed(bpm) => bpm,
            Tempo::Ramp(from, to) => from + (to - from) * share,
            Tempo::Step(from, to) => {
                if share < 0.5 {
                    from
                } else {
                    to
                }
            }
            Tempo::Rubato(bpm, depth) => {
                wander = 0.8 * wander + 0.2 * depth * dice.bell();
                bpm * (1.0
                    + depth * (times.len() as f64 / 8.0 * std::f64::consts::TAU).sin()
                    + wander)
            }
        };
        at += 60.0 / bpm;
    }
    times
}

struct Player<'a> {
    song: &'a Song,
    beats: &'a [f64],
    canvas: Canvas,
    dice: Dice,
}

impl Player<'_> {
    /// The time of a place in the piece, beats.
    fn time(&mut self, beat: f64) -> Option<f64> {
        let whole = beat.floor() as usize;
        let (from, to) = (*self.beats.get(whole)?, *self.beats.get(whole + 1)?);
        let part = beat.fract();
        let swing = self.song.swing;
        let swung = if part < 0.5 {
            part * 2.0 * swing
        } else {
            swing + (part - 0.5) * 2.0 * (1.0 - swing)
        };
        Some(from + (to - from) * swung + self.song.loose_s * self.dice.bell())
    }

    fn kick(&mut self, at: f64, gain: f32) {
        let mut phase = 0.0_f32;
        self.canvas.attack(at);
        self.canvas.paint(at, 0.3, 0.0, |t| {
            phase += (50.0 + 140.0 * (-t / 0.03).exp()) / 44_100.0;
            gain * (TAU * phase).sin() * (-t / 0.11).exp() * (t / 0.001).min(1.0)
        });
    }

    fn snare(&mut self, at: f64, gain: f32) {
        let mut dice = self.dice.clone();
        self.canvas.attack(at);
        self.canvas.paint(at, 0.25, 0.1, |t| {
            let rattle = 0.5 * dice.noise() * (-t / 0.07).exp();
            gain * (rattle + 0.5 * (TAU * 187.0 * t).sin() * (-t / 0.05).exp())
        });
    }

    fn hat(&mut self, at: f64, gain: f32) {
        let mut dice = self.dice.clone();
        let mut last = 0.0;
        self.canvas.attack(at);
        self.canvas.paint(at, 0.12, -0.3, |t| {
            let noise = dice.noise();
            let high = noise - last;
            last = noise;
            0.3 * gain * high * (-t / 0.025).exp()
        });
    }

    /// A tone with eight partials.
    fn tone(&mut self, at: f64, length: f64, hz: f32, gain: f32, attack_s: f32, pan: f32) {
        self.canvas.attack(at);
        let decay = length as f32 * 0.7;
        self.canvas.paint(at, length, pan, |t| {
            let wave: f32 = (1..=6)
                .map(|k| {
                    (TAU * hz * k as f32 * t).sin() / (k * k) as f32
                        * (-t * k as f32 / (4.0 * decay)).exp()
                })
                .sum();
            let end = ((length as f32 - t) / 0.02).clamp(0.0, 1.0);
            gain * wave * (t / attack_s).min(1.0) * (-t / decay).exp() * end
        });
    }

    fn hits(&mut self, bar: usize, pattern: &str, hit: impl Fn(&mut Self, f64, f32)) {
        let first = (bar * self.song.groove.metre) as f64;
        for (step, mark) in pattern.chars().enumerate() {
            let gain = match mark {
                'x' => 0.9,
                'o' => 0.35,
                _ => continue,
            };
            if let Some(at) = self.time(first + step as f64 / 4.0) {
                let gain = gain * (1.0 + 0.1 * self.dice.noise());
                hit(self, at, gain);
            }
        }
    }
}

fn play(song: &Song, seed: u64) -> Piece {
    let mut dice = Dice::new(seed);
    let beats = beat_times(song, &mut dice);
    let metre = song.groove.metre;
    let mut player = Player { song, beats: &beats, canvas: Canvas::new(SECONDS), dice };
    let roots = [[0, 5, 7, 5], [0, 8, 3, 10], [0, 3, 5, 7]][seed as usize % 3];
    let tonic = 45 + (seed * 5 % 12) as i32;
    for bar in 0..beats.len() / metre {
        let root = tonic + roots[bar % 4];
        let (broken, building) = match song.drop_bar {
            Some(drop) => (bar + 8 >= drop && bar < drop, bar + 4 >= drop && bar < drop),
            None => (song.silent_drums.is_some_and(|(from, to)| (from..to).contains(&bar)), false),
        };
        if !broken {
            player.hits(bar, song.groove.kick, Player::kick);
            player.hits(bar, song.groove.snare, |p, at, gain| p.snare(at, 0.7 * gain));
            player.hits(bar, song.groove.hat, |p, at, gain| p.hat(at, 0.7 * gain));
        }
        if building {
            player.hits(bar, &"x".repeat(4 * metre), |p, at, gain| p.snare(at, 0.4 * gain));
        }
        let first = (bar * metre) as f64;
        let drumless = song.groove.kick.is_empty();
        for beat in 0..metre {
            // Bass on the beat and sometimes between.
            for (offset, chance) in [(0.0, 0.9), (0.5, 0.5)] {
                if !broken
                    && player.dice.unit() < chance
                    && let Some(at) = player.time(first + beat as f64 + offset)
                {
                    player.tone(at, 0.3, hertz(root - 12), 0.35, 0.004, 0.0);
                }
            }
            // Chords on the first beat, and a comp.
            let struck = beat == 0 || player.dice.unit() < if drumless { 0.7 } else { 0.3 };
            if struck && let Some(at) = player.time(first + beat as f64) {
                for step in [12, 15 + i32::from(seed.is_multiple_of(2)), 19] {
                    player.tone(at, 0.9, hertz(root + step), 0.12, 0.006, 0.2);
                }
            }
            // The tune wanders over the scale.
            for eighth in [0.0, 0.5] {
                if player.dice.unit() < 0.4 {
                    let step = [0, 3, 5, 7, 10, 12][player.dice.below(6)];
                    if let Some(at) = player.time(first + beat as f64 + eighth) {
                        player.tone(at, 0.5, hertz(tonic + 24 + step), 0.16, 0.008, -0.4);
                    }
                }
            }
        }
    }
    let mut canvas = player.canvas;
    canvas.reverberate(song.room * 0.5);
    canvas.hiss(song.hiss, seed);
    let (stereo, onsets) = canvas.finish(song.peak);
    let last = onsets.last().copied().unwrap_or_default();
    let drop = song.drop_bar.and_then(|bar| beats.get(bar * metre).copied());
    let step = matches!(song.tempo, Tempo::Step(..))
        .then(|| beats.iter().copied().find(|&t| t >= SECONDS / 2.0));
    let beats: Vec<f64> = beats.into_iter().filter(|&t| t <= last + 0.05).collect();
    let downbeats = beats.iter().step_by(metre).copied().collect();
    Piece {
        name: song.name,
        group: song.group,
        stereo,
        beats,
        downbeats,
        onsets,
        drop,
        step: step.flatten(),
    }
}
