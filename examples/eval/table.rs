//! The figures as tables.

use std::fmt::Write as _;
use std::path::Path;

use super::corpus::sound::RATE;
use super::corpus::{Group, Piece};
use super::metrics::{mean, quantile};
use super::score::Score;

/// Scores of every tracker on every piece.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<(&'static str, &'static str, Group, Score)>);

impl Rows {
    pub(crate) fn add(&mut self, tracker: &'static str, piece: &Piece, score: Score) {
        self.0.push((tracker, piece.name, piece.group, score));
    }

    pub(crate) fn print_pieces(&self) {
        println!(
            "{:<26} {:<11}   beat F   CMLt   AMLt  any F  down F  onset F  lock s  beats/min",
            "piece", "tracker"
        );
        for (tracker, piece, _, s) in &self.0 {
            let lock = s.lock_s.map_or("–".to_owned(), |s| format!("{s:.1}"));
            println!(
                "{piece:<26} {tracker:<11}   {:>6.3} {:>6.3} {:>6.3} {:>6.3}  {:>6.3}   {:>6.3} {lock:>7} {:>10.1}",
                s.beat_f,
                s.cml_t,
                s.aml_t,
                s.any_level_f,
                s.downbeat_f.unwrap_or(f64::NAN),
                s.onset_f,
                s.beats_per_minute
            );
        }
        println!();
    }

    pub(crate) fn print_groups(&self) {
        let mut trackers: Vec<&str> = Vec::new();
        for row in &self.0 {
            if !trackers.contains(&row.0) {
                trackers.push(row.0);
            }
        }
        for group in [Group::Grid, Group::Main, Group::HeldOut] {
            self.print_group(group, &trackers);
        }
        println!("not music, false alarms per minute (beats, onsets)");
        for (tracker, piece, _, s) in self.0.iter().filter(|row| row.2 == Group::NotMusic) {
            println!(
                "  {piece:<20} {tracker:<11} {:>6.1} {:>6.1}",
                s.beats_per_minute, s.onsets_per_minute
            );
        }
    }

    fn print_group(&self, group: Group, trackers: &[&str]) {
        let of = |tracker: &str| -> Vec<&Score> {
            self.0
                .iter()
                .filter(|row| row.0 == tracker && row.2 == group)
                .map(|row| &row.3)
                .collect()
        };
        let pieces = of(trackers[0]).len();
        println!("{}, {pieces} pieces", group.name());
        let heads: String = trackers.iter().fold(String::new(), |mut line, tracker| {
            let _ = write!(line, "{tracker:>18}");
            line
        });
        println!("  {:<36}{heads}", "");
        let line = |what: &str, figure: &dyn Fn(&[&Score]) -> String| {
            let figures: String = trackers.iter().fold(String::new(), |mut line, tracker| {
                let _ = write!(line, "{:>18}", figure(&of(tracker)));
                line
            });
            println!("  {what:<36}{figures}");
        };
        let average = |pick: fn(&Score) -> f64| {
            move |scores: &[&Score]| {
                format!("{:.3}", mean(&scores.iter().map(|s| pick(s)).collect::<Vec<_>>()))
            }
        };
        line("beat F ±70 ms", &average(|s| s.beat_f));
        line("CMLt", &average(|s| s.cml_t));
        line("AMLt", &average(|s| s.aml_t));
        line("beat F, any level", &average(|s| s.any_level_f));
        line("downbeat F ±70 ms", &|scores| {
            let told: Vec<f64> = scores.iter().filter_map(|s| s.downbeat_f).collect();
            if told.is_empty() { "–".to_owned() } else { format!("{:.3}", mean(&told)) }
        });
        line("onset F ±50 ms", &average(|s| s.onset_f));
        line("onset F ±25 ms", &average(|s| s.onset_f_25));
        line("tempo within 4 % / octave allowed", &|scores| {
            let share =
                |pick: fn(&&Score) -> f64| mean(&scores.iter().map(pick).collect::<Vec<_>>());
            format!("{:.2} / {:.2}", share(|s| s.tempo_right), share(|s| s.tempo_octave))
        });
        line("first lock, median / p80 (never)", &|scores| {
            let mut locks: Vec<f64> = scores.iter().filter_map(|s| s.lock_s).collect();
            let never = scores.len() - locks.len();
            format!(
                "{:.1} / {:.1} s ({never})",
                quantile(&mut locks, 0.5),
                quantile(&mut locks, 0.8)
            )
        });
        let steps =
            |scores: &[&Score]| scores.iter().filter_map(|s| s.recovery_s).collect::<Vec<_>>();
        if trackers.iter().any(|tracker| !steps(&of(tracker)).is_empty()) {
            line("after a step of tempo, each", &|scores| {
                let each: Vec<_> = steps(scores).iter().map(|s| format!("{s:.1} s")).collect();
                each.join(" ")
            });
        }
        line("beat error, median / |p50| / |p95|", &|scores| {
            let mut errors: Vec<f64> =
                scores.iter().flat_map(|s| s.beat_errors_s.clone()).collect();
            let median = quantile(&mut errors, 0.5);
            let mut sizes: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
            let (p50, p95) = (quantile(&mut sizes, 0.5), quantile(&mut sizes, 0.95));
            format!("{:+.1}/{:.1}/{:.1} ms", median * 1e3, p50 * 1e3, p95 * 1e3)
        });
        line("onset decided after, p50 / p90", &|scores| {
            let mut late: Vec<f64> = scores.iter().flat_map(|s| s.latencies_s.clone()).collect();
            if late.is_empty() {
                return "–".to_owned();
            }
            format!(
                "{:.1} / {:.1} ms",
                quantile(&mut late, 0.5) * 1e3,
                quantile(&mut late, 0.9) * 1e3
            )
        });
        let drops =
            |scores: &[&Score]| scores.iter().filter_map(|s| s.drop_found).collect::<Vec<_>>();
        if trackers.iter().any(|tracker| !drops(&of(tracker)).is_empty()) {
            line("drops within one beat", &|scores| {
                let found = drops(scores);
                if found.is_empty() {
                    return "–".to_owned();
                }
                format!("{:.0} of {}", found.iter().sum::<f64>(), found.len())
            });
        }
        line("work, ms per second of sound", &average(|s| s.work * 1e3));
        println!();
    }
}

/// Keeps a piece as `NAME.wav`, with its beats and downbeats in `NAME.beats`.
pub(crate) fn write_piece(folder: &Path, piece: &Piece) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let name = piece.name.replace([' ', ','], "_");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(folder.join(format!("{name}.wav")), spec)?;
    for sample in &piece.stereo {
        wav.write_sample((sample * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16)?;
    }
    wav.finalize()?;
    let beats: String = piece.beats.iter().fold(String::new(), |mut text, beat| {
        let of_bar = if piece.downbeats.contains(beat) { 1 } else { 2 };
        let _ = writeln!(text, "{beat:.4}\t{of_bar}");
        text
    });
    std::fs::write(folder.join(format!("{name}.beats")), beats)?;
    Ok(())
}
