//! Faults of a virtual device, from one line of text and a seed.

use std::time::Duration;

use crate::dac::transport::LossPlan;

/// What goes wrong, and when. Times count from the first datagram of points.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// What happens to datagrams.
    pub network: LossPlan,
    /// The network is gone for three seconds, each time after this much of streaming.
    pub cut: Option<Duration>,
    /// The buffer is lost every so often.
    pub underflow: Option<Duration>,
    /// The interlock opens for a moment, once.
    pub interlock: Option<Duration>,
    /// The device's clock is off by this many millionths.
    pub ppm: f64,
}

/// A fault specification that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{part}\" is no fault: use loss=5%, duplicates=1%, delay=30ms, jitter=10ms, cut=10s, underflow=5s, interlock=8s, ppm=500 or seed=1, separated by commas"
)]
pub struct FaultSpecError {
    /// The part that is wrong.
    part: String,
}

impl Faults {
    /// Reads `loss=5%,duplicates=1%,delay=30ms,jitter=10ms,cut=10s,underflow=5s,interlock=8s,ppm=500,seed=1`;
    /// each is optional.
    pub fn parse(spec: &str) -> Result<Self, FaultSpecError> {
        let mut faults = Self::default();
        for part in spec.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            faults.set(part).ok_or_else(|| FaultSpecError { part: part.to_owned() })?;
        }
        Ok(faults)
    }

    fn set(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=')?;
        match name {
            "loss" => self.network.loss = share(value)?,
            "duplicates" => self.network.duplicates = share(value)?,
            "delay" => self.network.delay = duration(value)?,
            "jitter" => self.network.jitter = duration(value)?,
            "seed" => self.network.seed = value.parse().ok()?,
            "cut" => self.cut = Some(duration(value)?),
            "underflow" => self.underflow = Some(duration(value)?),
            "interlock" => self.interlock = Some(duration(value)?),
            "ppm" => self.ppm = value.parse().ok().filter(|ppm: &f64| ppm.abs() <= 100_000.0)?,
            _ => return None,
        }
        Some(())
    }
}

/// "5%" as 0.05.
fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
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
        let spec = "loss=5%, duplicates=1%,delay=30ms,jitter=10ms,cut=10s,underflow=5s,interlock=8s,\
                    ppm=-500,seed=7";
        let ms = Duration::from_millis;
        let expected = Faults {
            network: LossPlan {
                loss: 0.05,
                duplicates: 0.01,
                delay: ms(30),
                jitter: ms(10),
                seed: 7,
            },
            cut: Some(ms(10_000)),
            underflow: Some(ms(5_000)),
            interlock: Some(ms(8_000)),
            ppm: -500.0,
        };
        assert_eq!(Faults::parse(spec), Ok(expected));
        assert_eq!(Faults::parse(""), Ok(Faults::default()));
    }

    #[test]
    fn nonsense_is_named_with_the_cure() {
        for spec in ["fast", "loss=5", "loss=101%", "delay=3", "cut=-1s", "cut=nans", "ppm=inf"] {
            let error = Faults::parse(spec).unwrap_err().to_string();
            assert!(error.contains(spec) && error.contains("loss=5%"), "{error}");
        }
    }
}
