//! galvo's ears on a piece.

use galvo::analysis::{Analyser, SectionKind, TrackAnalyser};
use galvo::time::{MediaTime, SystemClock};

use super::corpus::sound::RATE;
use super::metrics;

/// What a tracker heard in a piece.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Beats, seconds.
    pub(crate) beats: Vec<f64>,
    /// First beats of bars, seconds, if it tells them.
    pub(crate) downbeats: Option<Vec<f64>>,
    /// Onsets, seconds.
    pub(crate) onsets: Vec<f64>,
    /// When each onset was decided, seconds; empty if it is not known.
    pub(crate) decided: Vec<f64>,
    /// Tempo, beats per minute.
    pub(crate) bpm: f64,
    /// Drops, seconds, if it tells them.
    pub(crate) drops: Option<Vec<f64>>,
    /// Seconds of work.
    pub(crate) work_s: f64,
}

/// The causal analyser: nothing here knew what came after it.
pub(crate) fn live(stereo: &[f32]) -> Heard {
    const BLOCK: usize = 64;
    let mut analyser = Analyser::new(RATE);
    let (mut heard, mut downbeats) = (Heard::default(), Vec::new());
    let mut before = *analyser.latest();
    let began = SystemClock::read();
    for (n, block) in stereo.chunks(2 * BLOCK).enumerate() {
        let media = MediaTime::from_frames((n * BLOCK) as i64, RATE);
        let end = (n * BLOCK + block.len() / 2) as f64 / f64::from(RATE);
        analyser.push(media, block, &mut |now| {
            if now.onset.count > before.onset.count {
                heard.onsets.push(now.onset.last.as_secs_f64());
                heard.decided.push(end);
            }
            if now.beat.count > before.beat.count && now.beat.bpm > 0.0 {
                let ago_s = f64::from(now.beat.phase) * 60.0 / f64::from(now.beat.bpm);
                heard.beats.push(now.at.as_secs_f64() - ago_s);
                if now.beat.bar_phase < 0.25 {
                    downbeats.push(now.at.as_secs_f64() - ago_s);
                }
            }
            before = *now;
        });
    }
    heard.work_s = SystemClock::read().since(began).as_secs_f64();
    heard.downbeats = Some(downbeats);
    heard.bpm = metrics::tempo_of(metrics::since(&heard.beats, 5.0));
    heard
}

/// The analyser of whole files.
pub(crate) fn file(stereo: &[f32]) -> Heard {
    let began = SystemClock::read();
    let mut analyser = TrackAnalyser::new(RATE);
    analyser.push(stereo);
    let track = analyser.finish();
    let work_s = SystemClock::read().since(began).as_secs_f64();
    let seconds = |at: MediaTime| at.as_secs_f64();
    let downbeats = track.beats().iter().filter(|beat| beat.of_bar == 1);
    let drops = track.sections().iter().filter(|section| section.kind == SectionKind::Drop);
    Heard {
        beats: track.beats().iter().map(|beat| seconds(beat.at)).collect(),
        downbeats: Some(downbeats.map(|beat| seconds(beat.at)).collect()),
        onsets: track.onsets().iter().map(|onset| seconds(onset.at)).collect(),
        bpm: f64::from(track.bpm()),
        drops: Some(drops.map(|section| seconds(section.from)).collect()),
        work_s,
        ..Heard::default()
    }
}
