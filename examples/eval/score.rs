//! From what was heard to figures, and means of them over pieces.

use super::corpus::Piece;
use super::metrics::{self, BEAT_WINDOW_S, ONSET_WINDOW_S};
use super::ours::Heard;

/// Beats before this are for finding the tempo, seconds.
const SETTLED_S: f64 = 5.0;

/// The figures of one tracker on one piece.
#[derive(Debug)]
pub(crate) struct Score {
    pub(crate) beat_f: f64,
    pub(crate) cml_t: f64,
    pub(crate) aml_t: f64,
    pub(crate) any_level_f: f64,
    pub(crate) downbeat_f: Option<f64>,
    pub(crate) onset_f: f64,
    pub(crate) onset_f_25: f64,
    pub(crate) tempo_right: f64,
    pub(crate) tempo_octave: f64,
    pub(crate) lock_s: Option<f64>,
    /// From a step of the tempo until the beat is held again.
    pub(crate) recovery_s: Option<f64>,
    /// Found minus true, of beats that match, seconds.
    pub(crate) beat_errors_s: Vec<f64>,
    /// Decision minus true, of onsets that match, seconds.
    pub(crate) latencies_s: Vec<f64>,
    /// Drop found within one beat: 1 or 0; `None` where there is none.
    pub(crate) drop_found: Option<f64>,
    pub(crate) beats_per_minute: f64,
    pub(crate) onsets_per_minute: f64,
    /// Seconds of work for a second of sound.
    pub(crate) work: f64,
}

pub(crate) fn score(piece: &Piece, heard: &Heard, seconds: f64) -> Score {
    let found = metrics::since(&heard.beats, SETTLED_S);
    let truth = metrics::since(&piece.beats, SETTLED_S);
    let last = truth.last().map_or(f64::INFINITY, |t| t + BEAT_WINDOW_S);
    let found = &found[..found.partition_point(|&t| t <= last)];
    let (tempo_right, tempo_octave) =
        metrics::tempo_is_right(heard.bpm, metrics::tempo_of(&piece.beats));
    let flag = |right: bool| if right { 1.0 } else { 0.0 };
    let onset_pairs = metrics::matches(&heard.onsets, &piece.onsets, ONSET_WINDOW_S);
    let beat = piece.beats.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
    Score {
        beat_f: metrics::f_measure(found, truth, BEAT_WINDOW_S),
        cml_t: metrics::cml_t(found, truth),
        aml_t: metrics::aml_t(found, truth),
        any_level_f: metrics::any_level_f(found, truth),
        downbeat_f: heard.downbeats.as_ref().map(|downbeats| {
            let truth = metrics::since(&piece.downbeats, SETTLED_S);
            metrics::f_measure(metrics::since(downbeats, SETTLED_S), truth, BEAT_WINDOW_S)
        }),
        onset_f: metrics::f_measure(&heard.onsets, &piece.onsets, ONSET_WINDOW_S),
        onset_f_25: metrics::f_measure(&heard.onsets, &piece.onsets, ONSET_WINDOW_S / 2.0),
        tempo_right: flag(tempo_right),
        tempo_octave: flag(tempo_octave),
        lock_s: metrics::first_lock_s(&heard.beats, &piece.beats),
        recovery_s: piece.step.and_then(|step| {
            metrics::first_lock_s(&heard.beats, metrics::since(&piece.beats, step))
        }),
        beat_errors_s: metrics::matches(found, truth, BEAT_WINDOW_S)
            .into_iter()
            .map(|(f, t)| found[f] - truth[t])
            .collect(),
        latencies_s: onset_pairs
            .into_iter()
            .filter_map(|(f, t)| Some(heard.decided.get(f)? - piece.onsets[t]))
            .collect(),
        drop_found: piece
            .drop
            .zip(heard.drops.as_ref())
            .map(|(drop, drops)| flag(drops.iter().any(|found| (found - drop).abs() <= beat))),
        beats_per_minute: heard.beats.len() as f64 * 60.0 / seconds,
        onsets_per_minute: heard.onsets.len() as f64 * 60.0 / seconds,
        work: heard.work_s / seconds,
    }
}
