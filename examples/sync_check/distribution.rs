//! A list of errors in milliseconds, as figures and as a histogram of text.

use std::fmt::{self, Write as _};

/// Errors with the moments they were seen at, ms and seconds.
#[derive(Debug, Default)]
pub(crate) struct Distribution(Vec<(f64, f64)>);

impl Distribution {
    pub(crate) fn new(mut errors: Vec<(f64, f64)>) -> Self {
        errors.sort_by(|a, b| a.1.total_cmp(&b.1));
        Self(errors)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The error below which a share of them lies, ms.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((share * last as f64).round() as usize).map_or(f64::NAN, |(_, ms)| *ms)
    }

    /// The same with `ms` added to each.
    pub(crate) fn shifted(&self, ms: f64) -> Self {
        Self(self.0.iter().map(|(at, error)| (*at, error + ms)).collect())
    }

    /// The share of errors that lie within so many ms of zero.
    pub(crate) fn share_within(&self, ms: f64) -> f64 {
        let within = self.0.iter().filter(|(_, error)| error.abs() <= ms).count();
        within as f64 / self.0.len().max(1) as f64
    }

    /// The slope of the errors over time, parts per million: the median of the slopes between pairs (Theil and Sen),
    /// which a few outliers do not turn.
    pub(crate) fn drift_ppm(&self) -> f64 {
        let pairs = self.0.iter().enumerate().flat_map(|(k, a)| {
            self.0[k + 1..].iter().filter(move |b| (b.0 - a.0).abs() > 5.0).map(move |b| (a, b))
        });
        let mut slopes: Vec<f64> = pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0) * 1e3).collect();
        slopes.sort_by(f64::total_cmp);
        slopes.get(slopes.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Rows of one millisecond.
    pub(crate) fn histogram(&self) -> String {
        let mut text = String::new();
        let (low, high) = (self.quantile(0.0).floor(), self.quantile(1.0).floor());
        let mut ms = low.max(-60.0);
        while ms <= high.min(60.0) {
            let n = self.0.iter().filter(|(_, error)| error.floor() == ms).count();
            if n > 0 {
                let bar = "#".repeat(n.min(80));
                // Text takes all that is written to it.
                writeln!(text, "  {ms:+4.0} … {:+4.0} ms {n:4} {bar}", ms + 1.0).ok();
            }
            ms += 1.0;
        }
        text
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "median {:+.2} ms, p5 {:+.2}, p95 {:+.2}, min {:+.2}, max {:+.2}, drift {:+.1} ppm, {} clicks",
            self.quantile(0.5),
            self.quantile(0.05),
            self.quantile(0.95),
            self.quantile(0.0),
            self.quantile(1.0),
            self.drift_ppm(),
            self.len()
        )
    }
}
