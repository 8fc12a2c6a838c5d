//! Faults of a virtual device, from one line of text and a seed.

use std::time::Duration;

/// What goes wrong, and when. Times count from the moment a client connects.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Answers come this much later.
    pub delay: Duration,
    /// And up to this much later again, at random.
    pub jitter: Duration,
    /// The share of datagrams that is lost, each way, 0 to 1. TCP loses none.
    pub loss: f64,
    /// The share of datagrams that arrives twice, each way.
    pub duplicates: f64,
    /// The share of datagrams that later ones overtake, each way.
    pub reorder: f64,
    /// The connection is cut after this time; again after each return.
    pub cut: Option<Duration>,
    /// Bytes are read slowly.
    pub slow: bool,
    /// The queue is lost every so often.
    pub underflow: Option<Duration>,
    /// The emergency stop input is pressed for a moment, once.
    pub estop: Option<Duration>,
    /// The device's clock is off by this many millionths.
    pub ppm: f64,
    /// Where the randomness begins.
    pub seed: u64,
}

/// A fault specification that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{part}\" is no fault: use delay=30ms, jitter=10ms, loss=5%, dup=1%, reorder=2%, cut=10s, slow, underflow=5s, estop=8s, ppm=500 or seed=1, separated by commas"
)]
pub struct FaultSpecError {
    /// The part that is wrong.
    part: String,
}

impl Faults {
    /// Reads `delay=30ms,jitter=10ms,loss=5%,dup=1%,reorder=2%,cut=10s,slow,underflow=5s,estop=8s,ppm=500,seed=1`;
    /// each is optional.
    pub fn parse(spec: &str) -> Result<Self, FaultSpecError> {
        let mut faults = Self::default();
        for part in spec.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            faults.set(part).ok_or_else(|| FaultSpecError { part: part.to_owned() })?;
        }
        Ok(faults)
    }

    fn set(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match (name, value) {
            ("slow", "") => self.slow = true,
            ("delay", _) => self.delay = duration(value)?,
            ("jitter", _) => self.jitter = duration(value)?,
            ("loss", _) => self.loss = share(value)?,
            ("dup", _) => self.duplicates = share(value)?,
            ("reorder", _) => self.reorder = share(value)?,
            ("cut", _) => self.cut = Some(duration(value)?),
            ("underflow", _) => self.underflow = Some(duration(value)?),
            ("estop", _) => self.estop = Some(duration(value)?),
            ("seed", _) => self.seed = value.parse().ok()?,
            ("ppm", _) => {
                self.ppm = value.parse().ok().filter(|ppm: &f64| ppm.abs() <= 100_000.0)?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// "5%" or "0.05".
fn share(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

/// "30ms" or "1.5s", at most a day.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s')?, 1.0),
    };
    let seconds: f64 = number.parse::<f64>().ok()? * unit;
    (0.0..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_specification_reads_as_written() {
        let spec = "delay=30ms, jitter=10ms,loss=5%,dup=0.5,reorder=2%,cut=10s,slow,underflow=5s,estop=8s,ppm=-500,seed=7";
        let expected = Faults {
            delay: Duration::from_millis(30),
            jitter: Duration::from_millis(10),
            loss: 0.05,
            duplicates: 0.5,
            reorder: 0.02,
            cut: Some(Duration::from_secs(10)),
            slow: true,
            underflow: Some(Duration::from_secs(5)),
            estop: Some(Duration::from_secs(8)),
            ppm: -500.0,
            seed: 7,
        };
        assert_eq!(Faults::parse(spec), Ok(expected));
        assert_eq!(Faults::parse(""), Ok(Faults::default()));
    }

    #[test]
    fn nonsense_is_named_with_the_cure() {
        for spec in [
            "fast",
            "loss=101%",
            "dup=nan",
            "delay",
            "delay=3",
            "cut=-1s",
            "cut=nans",
            "ppm=inf",
            "slow=1",
        ] {
            let error = Faults::parse(spec).unwrap_err().to_string();
            assert!(error.contains(spec) && error.contains("delay=30ms"), "{error}");
        }
    }
}
