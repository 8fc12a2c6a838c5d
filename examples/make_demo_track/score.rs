//! What is played when: tempo, sections, chords, melody.

use std::fmt::Write;

/// Beats per minute.
pub(crate) const BPM: f64 = 126.0;
/// Beats per bar.
pub(crate) const BEATS_PER_BAR: usize = 4;
/// Seconds that the last sounds may ring.
pub(crate) const TAIL_S: f64 = 2.5;

/// A part of the piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Arpeggio and a soft kick, opening.
    Intro,
    /// Drums, bass and chords.
    Groove,
    /// The groove with the melody.
    Verse,
    /// No drums: pads and the melody alone.
    Break,
    /// Snare roll, rising noise, the filter opens.
    Build,
    /// Everything.
    Drop,
    /// Everything leaves.
    Outro,
}

/// The sections and their bars.
pub(crate) const SECTIONS: [(Section, usize); 7] = [
    (Section::Intro, 4),
    (Section::Groove, 8),
    (Section::Verse, 8),
    (Section::Break, 8),
    (Section::Build, 4),
    (Section::Drop, 8),
    (Section::Outro, 4),
];

/// MIDI notes of the four chords, one bar each: F major 7, G 6, A minor 9, E minor 7.
pub(crate) const CHORDS: [[u8; 4]; 4] =
    [[53, 60, 64, 69], [55, 59, 62, 64], [57, 59, 60, 64], [52, 59, 62, 67]];
/// The roots below them.
pub(crate) const ROOTS: [u8; 4] = [29, 31, 33, 28];

/// A note of the melody: its beat within eight bars, its length in beats, its MIDI note.
pub(crate) const MELODY: [(f64, f64, u8); 34] = [
    (0.0, 1.0, 76),
    (1.0, 0.5, 72),
    (1.5, 0.5, 69),
    (2.0, 1.5, 72),
    (3.5, 0.5, 74),
    (4.0, 1.0, 74),
    (5.0, 0.5, 71),
    (5.5, 0.5, 67),
    (6.0, 1.5, 71),
    (7.5, 0.5, 72),
    (8.0, 0.75, 72),
    (8.75, 0.75, 71),
    (9.5, 1.25, 69),
    (11.0, 1.0, 76),
    (12.0, 1.0, 74),
    (13.0, 0.5, 71),
    (13.5, 0.5, 67),
    (14.0, 1.75, 71),
    (16.0, 1.0, 76),
    (17.0, 0.5, 72),
    (17.5, 0.5, 69),
    (18.0, 1.5, 72),
    (19.5, 0.5, 74),
    (20.0, 1.0, 74),
    (21.0, 0.5, 71),
    (21.5, 0.5, 74),
    (22.0, 1.5, 79),
    (23.5, 0.5, 74),
    (24.0, 0.75, 76),
    (24.75, 0.75, 79),
    (25.5, 1.25, 81),
    (27.0, 1.0, 76),
    (28.0, 1.5, 74),
    (30.0, 1.75, 71),
];

/// Bars of the whole piece.
pub(crate) fn bars() -> usize {
    SECTIONS.iter().map(|(_, bars)| bars).sum()
}

/// The first bar of a section.
pub(crate) fn first_bar(section: Section) -> usize {
    SECTIONS.iter().take_while(|(s, _)| *s != section).map(|(_, bars)| bars).sum()
}

/// The section of a bar, and how far through the section the bar is, 0..1.
pub(crate) fn section_of(bar: usize) -> (Section, f32) {
    let mut first = 0;
    for (section, bars) in SECTIONS {
        if bar < first + bars {
            return (section, (bar - first) as f32 / bars as f32);
        }
        first += bars;
    }
    (Section::Outro, 1.0)
}

/// Seconds from the start to a beat.
pub(crate) fn seconds(beat: f64) -> f64 {
    beat * 60.0 / BPM
}

/// Length of the piece, seconds.
pub(crate) fn length_s() -> f64 {
    seconds((bars() * BEATS_PER_BAR) as f64) + TAIL_S
}

/// Frequency of a MIDI note, hertz.
pub(crate) fn hertz(note: u8) -> f32 {
    440.0 * ((f32::from(note) - 69.0) / 12.0).exp2()
}

/// The truth about the beats: one line per beat with its time in seconds and its place in the bar (1 is the
/// downbeat); where a section starts its name follows.
pub(crate) fn beats_text() -> String {
    let mut text = format!("# {BPM} beats per minute; time in seconds, beat of the bar, section\n");
    for beat in 0..bars() * BEATS_PER_BAR {
        let (bar, of_bar) = (beat / BEATS_PER_BAR, beat % BEATS_PER_BAR);
        let (section, _) = section_of(bar);
        let _ = write!(text, "{:.6}\t{}", seconds(beat as f64), of_bar + 1);
        if of_bar == 0 && first_bar(section) == bar {
            let _ = write!(text, "\t{}", format!("{section:?}").to_lowercase());
        }
        text.push('\n');
    }
    text
}
