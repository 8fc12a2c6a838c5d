//! The arrangement: which voice plays when, and how the stems are mixed.

use super::score::{self, BEATS_PER_BAR, CHORDS, MELODY, ROOTS, Section};
use super::voices::{self, Filter, Noise, Note, Shape};
use super::{SAMPLE_RATE, Stereo, drums, effects};

/// Plays the whole score.
pub(crate) fn mix() -> Stereo {
    let kicks_s = kick_times();
    let mut drums_stem = empty();
    let mut drum_room = empty();
    drum_parts(&mut drums_stem, &mut drum_room);
    let mut kick_stem = empty();
    for (n, &start_s) in kicks_s.iter().enumerate() {
        drums::kick(&mut kick_stem, start_s, if n < 16 { 0.70 } else { 0.86 });
    }

    let mut bass = bass_part();
    effects::duck(&mut bass, &kicks_s, 0.85);
    let mut chords = chord_part();
    effects::duck(&mut chords, &kicks_s, 0.68);
    let mut arp = arpeggio_part();
    effects::duck(&mut arp, &kicks_s, 0.35);
    let mut lead = lead_part();
    effects::duck(&mut lead, &kicks_s, 0.22);
    let mut noises = noise_part();
    effects::duck(&mut noises, &kicks_s, 0.4);

    let mut echo_send = empty();
    add(&mut echo_send, &arp, 0.50);
    add(&mut echo_send, &lead, 0.42);
    let mut echo = effects::echo(&echo_send, score::seconds(0.75), 0.42);
    effects::duck(&mut echo, &kicks_s, 0.3);

    let mut room_send = drum_room;
    add(&mut room_send, &chords, 0.22);
    add(&mut room_send, &arp, 0.20);
    add(&mut room_send, &lead, 0.26);
    add(&mut room_send, &noises, 0.30);
    add(&mut room_send, &echo, 0.30);
    let mut room = effects::reverb(&room_send, 2.4);
    effects::duck(&mut room, &kicks_s, 0.45);

    let mut out = empty();
    add(&mut out, &kick_stem, 0.56);
    add(&mut out, &drums_stem, 1.25);
    add(&mut out, &bass, 0.36);
    add(&mut out, &chords, 0.37);
    add(&mut out, &arp, 0.46);
    add(&mut out, &lead, 0.33);
    add(&mut out, &noises, 0.60);
    add(&mut out, &echo, 0.36);
    add(&mut out, &room, 0.36);
    cut_rumble(&mut out);
    out
}

fn empty() -> Stereo {
    vec![[0.0; 2]; (score::length_s() * f64::from(SAMPLE_RATE)).ceil() as usize]
}

fn add(to: &mut Stereo, stem: &[[f32; 2]], gain: f32) {
    for (y, x) in to.iter_mut().zip(stem) {
        y[0] += gain * x[0];
        y[1] += gain * x[1];
    }
}

fn cut_rumble(mix: &mut Stereo) {
    let mut filters = [Filter::new(28.0, 0.7), Filter::new(28.0, 0.7)];
    for frame in mix {
        *frame = [filters[0].high(frame[0]), filters[1].high(frame[1])];
    }
}

fn beat_of(bar: usize, beat: f64) -> f64 {
    (bar * BEATS_PER_BAR) as f64 + beat
}

fn sections() -> impl Iterator<Item = (usize, Section, f32)> {
    (0..score::bars()).map(|bar| {
        let (section, way) = score::section_of(bar);
        (bar, section, way)
    })
}

/// Four on the floor, except in the break and the build.
fn kick_times() -> Vec<f64> {
    let mut times = Vec::new();
    for (bar, section, _) in sections() {
        if matches!(section, Section::Break | Section::Build) {
            continue;
        }
        for beat in 0..BEATS_PER_BAR {
            times.push(score::seconds(beat_of(bar, beat as f64)));
        }
    }
    times
}

fn drum_parts(dry: &mut Stereo, room: &mut Stereo) {
    let mut noise = Noise::new(11);
    let mut seed = 1_000;
    for (bar, section, way) in sections() {
        let at = |beat: f64| score::seconds(beat_of(bar, beat));
        let full = matches!(section, Section::Groove | Section::Verse | Section::Drop);
        let late =
            section == Section::Intro && way >= 0.5 || section == Section::Outro && way < 0.5;
        if full || section == Section::Outro && way < 0.5 {
            for beat in [1.0, 3.0] {
                seed += 10;
                drums::clap(dry, at(beat), 0.62, seed);
                drums::clap(room, at(beat), 0.24, seed);
            }
        }
        if full || late {
            for sixteenth in 0..16 {
                seed += 10;
                let beat = f64::from(sixteenth) * 0.25;
                // Every other sixteenth a little late: a light swing.
                let swing = if sixteenth % 2 == 1 { 0.018 } else { 0.0 };
                let pan = 0.5 + 0.22 * noise.next();
                if sixteenth % 4 == 2 {
                    drums::hat(dry, at(beat), 0.34, 0.085, 0.46, seed);
                } else if full {
                    let soft = 0.15 + 0.05 * noise.next();
                    drums::hat(dry, at(beat + swing), soft, 0.022, pan, seed);
                }
            }
        }
        if section == Section::Build {
            snare_roll(dry, room, bar, way, &mut seed);
        }
    }
    for section in [Section::Groove, Section::Verse, Section::Drop, Section::Break] {
        let start_s = score::seconds(beat_of(score::first_bar(section), 0.0));
        let gain = if section == Section::Drop { 0.55 } else { 0.34 };
        drums::crash(dry, start_s, gain, 500);
        drums::crash(room, start_s, 0.5 * gain, 500);
    }
}

/// Quarters, eighths, sixteenths, and a beat of nothing before the drop.
fn snare_roll(dry: &mut Stereo, room: &mut Stereo, bar: usize, way: f32, seed: &mut u32) {
    let steps = if way < 0.25 {
        4
    } else if way < 0.5 {
        8
    } else {
        16
    };
    let last_bar = way > 0.7;
    for step in 0..steps {
        let beat = 4.0 * f64::from(step) / f64::from(steps);
        if last_bar && beat >= 3.0 {
            break;
        }
        let way = way + 0.25 * beat as f32 / 4.0;
        let accent = if beat.fract() == 0.0 { 1.0 } else { 0.72 };
        *seed += 10;
        let start_s = score::seconds(beat_of(bar, beat));
        let gain = accent * (0.16 + 0.24 * way);
        drums::snare(dry, start_s, gain, way, *seed);
        drums::snare(room, start_s, 0.5 * gain, way, *seed);
    }
}

fn bass_part() -> Stereo {
    let mut stem = empty();
    let note = |bar: usize, sixteenth: f64, length: f64, gain: f32, up: u8| Note {
        start_s: score::seconds(beat_of(bar, sixteenth * 0.25)),
        length_s: score::seconds(length) as f32,
        hertz: score::hertz(ROOTS[bar % 4] + 12 * up),
        gain,
    };
    for (bar, section, way) in sections() {
        match section {
            Section::Groove | Section::Verse => {
                let brightness = if section == Section::Groove { 420.0 } else { 620.0 };
                for (sixteenth, length, gain, up) in [
                    (2.0, 0.42, 1.0, 0),
                    (6.0, 0.42, 1.0, 0),
                    (9.0, 0.20, 0.7, 1),
                    (10.0, 0.42, 1.0, 0),
                    (14.0, 0.30, 1.0, 0),
                    (15.0, 0.20, 0.75, 1),
                ] {
                    voices::bass(&mut stem, note(bar, sixteenth, length, gain, up), brightness);
                }
            }
            Section::Drop => {
                for step in 0..16 {
                    if step % 4 == 0 {
                        continue;
                    }
                    let (gain, up) = if step % 4 == 2 { (1.0, 0) } else { (0.75, (step / 8) % 2) };
                    let n = note(bar, f64::from(step), 0.21, gain, up as u8);
                    voices::bass(&mut stem, n, 1_000.0);
                }
            }
            Section::Break if way >= 0.5 => {
                voices::bass(&mut stem, note(bar, 0.0, 3.8, 0.4, 0), 160.0);
            }
            Section::Outro if way < 0.75 => {
                for sixteenth in [2.0, 6.0, 10.0, 14.0] {
                    voices::bass(&mut stem, note(bar, sixteenth, 0.42, 0.9, 0), 260.0);
                }
            }
            _ => {}
        }
    }
    stem
}

/// Cut-off of the chords' filter over the piece: bars and hertz, in between exponential.
const CHORD_FILTER: [(f32, f32); 12] = [
    (0.0, 450.0),
    (4.0, 2_200.0),
    (12.0, 4_200.0),
    (20.0, 5_500.0),
    (20.01, 1_400.0),
    (26.0, 4_500.0),
    (28.0, 1_500.0),
    (31.9, 13_000.0),
    (32.0, 11_000.0),
    (40.0, 13_000.0),
    (40.01, 6_000.0),
    (44.0, 350.0),
];

fn along(points: &[(f32, f32)], bar: f32) -> f32 {
    let after = points.iter().position(|(b, _)| *b > bar).unwrap_or(points.len() - 1).max(1);
    let ((b0, y0), (b1, y1)) = (points[after - 1], points[after]);
    let share = ((bar - b0) / (b1 - b0)).clamp(0.0, 1.0);
    y0 * (y1 / y0).powf(share)
}

fn chord_part() -> Stereo {
    let mut stem = empty();
    for (bar, section, _) in sections() {
        // The rhythm of the chords: beat and length.
        let rhythm: &[(f64, f64)] = match section {
            Section::Intro | Section::Break | Section::Outro => &[(0.0, 3.9)],
            Section::Groove | Section::Verse => &[(0.0, 1.4), (1.5, 1.4), (3.0, 0.9)],
            Section::Build => &[(0.0, 0.9), (1.0, 0.9), (2.0, 0.9), (3.0, 0.7)],
            Section::Drop => &[(0.0, 0.7), (0.75, 0.7), (1.5, 0.9), (2.5, 0.9), (3.5, 0.45)],
        };
        let slow = rhythm.len() == 1;
        let shape = Shape { attack: if slow { 0.12 } else { 0.006 }, release: 0.22 };
        for (voice, &midi) in CHORDS[bar % 4].iter().enumerate() {
            for &(beat, length) in rhythm {
                let note = Note {
                    start_s: score::seconds(beat_of(bar, beat)),
                    length_s: score::seconds(length) as f32,
                    hertz: score::hertz(midi),
                    gain: if slow { 0.36 } else { 0.52 },
                };
                let seed = (bar * 100 + voice * 10) as u32 + (beat * 4.0) as u32;
                voices::stack(&mut stem, note, shape, seed);
            }
        }
    }
    filtered(&mut stem);
    stem
}

fn filtered(stem: &mut Stereo) {
    let bar_s = score::seconds(BEATS_PER_BAR as f64);
    let mut low = [Filter::new(300.0, 0.9); 2];
    let mut thin = [Filter::new(170.0, 0.7); 2];
    for (n, frame) in stem.iter_mut().enumerate() {
        if n % 32 == 0 {
            let bar = n as f64 / f64::from(SAMPLE_RATE) / bar_s;
            for filter in &mut low {
                filter.tune(along(&CHORD_FILTER, bar as f32));
            }
        }
        for c in 0..2 {
            frame[c] = thin[c].high(low[c].low(frame[c]));
        }
    }
}

fn arpeggio_part() -> Stereo {
    /// Which chord tone each sixteenth plays; 4 and up are an octave higher.
    const STEPS: [usize; 16] = [0, 2, 4, 1, 3, 5, 2, 4, 6, 3, 5, 2, 7, 4, 3, 1];
    let mut stem = empty();
    for (bar, section, way) in sections() {
        let (brightness, gain) = match section {
            Section::Intro => (1_200.0 + 2_800.0 * way, 0.7),
            Section::Groove => (3_200.0, 0.5),
            Section::Verse => (3_800.0, 0.45),
            Section::Break => (1_500.0 + 2_500.0 * way, 0.5),
            Section::Build => (3_000.0 + 6_000.0 * way, 0.6),
            Section::Drop => (8_000.0, 0.62),
            Section::Outro => (3_600.0 * (1.0 - 0.7 * way), 0.65),
        };
        for (sixteenth, &step) in STEPS.iter().enumerate() {
            if section == Section::Build && way > 0.7 && sixteenth >= 12 {
                continue;
            }
            let midi = CHORDS[bar % 4][step % 4] + 12 * (1 + step as u8 / 4);
            let accent = if sixteenth % 4 == 0 { 1.0 } else { 0.78 };
            let note = Note {
                start_s: score::seconds(beat_of(bar, sixteenth as f64 * 0.25)),
                length_s: 0.1,
                hertz: score::hertz(midi),
                gain: gain * accent,
            };
            let pan = if sixteenth % 2 == 0 { 0.34 } else { 0.66 };
            voices::pluck(&mut stem, note, brightness, pan);
        }
    }
    stem
}

fn lead_part() -> Stereo {
    let mut stem = empty();
    for (section, gain, stacked) in
        [(Section::Verse, 0.62, false), (Section::Break, 0.40, false), (Section::Drop, 0.62, true)]
    {
        let first = beat_of(score::first_bar(section), 0.0);
        for (n, &(beat, length, midi)) in MELODY.iter().enumerate() {
            let note = Note {
                start_s: score::seconds(first + beat),
                length_s: (score::seconds(length) * 0.92) as f32,
                hertz: score::hertz(midi),
                gain,
            };
            voices::lead(&mut stem, note);
            if stacked {
                let shape = Shape { attack: 0.008, release: 0.12 };
                voices::stack(&mut stem, Note { gain: 0.5, ..note }, shape, 9_000 + n as u32);
            }
        }
    }
    stem
}

fn noise_part() -> Stereo {
    let mut stem = empty();
    let build_s = score::seconds(beat_of(score::first_bar(Section::Build), 0.0));
    let drop_s = score::seconds(beat_of(score::first_bar(Section::Drop), 0.0));
    let before_drop_s = drop_s - score::seconds(1.0);
    drums::riser(&mut stem, build_s, (before_drop_s - build_s) as f32, 0.42);
    for section in [Section::Groove, Section::Verse] {
        let start_s = score::seconds(beat_of(score::first_bar(section), -4.0));
        drums::riser(&mut stem, start_s, score::seconds(4.0) as f32, 0.12);
    }
    drums::boom(&mut stem, score::seconds(beat_of(score::first_bar(Section::Break), 0.0)), 0.5);
    drums::boom(&mut stem, drop_s, 0.35);
    stem
}
