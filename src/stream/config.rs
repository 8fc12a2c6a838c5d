//! How a stream is run: rates, buffers, and what happens when points are missing.

use std::time::Duration;

use crate::dac::Capabilities;

/// The share of the queue that a target may take: above it a full queue and a short buffer would wait for
/// each other.
const TARGET_SHARE: f64 = 0.8;

/// What is shown when the producer has too few points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnderrunPolicy {
    /// The last chunk once more. Its light goes on, so never the default.
    RepeatLast,
    /// Dark, at the last position.
    #[default]
    Blank,
    /// Dark, at the centre of the field.
    Park,
    /// The stream ends, dark.
    Stop,
}

/// Who decides when points are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// A fixed tick: the producer is asked every `tick_interval`, for as many points as are missing.
    #[default]
    Tick,
    /// The buffer's level: the producer is asked as soon as the level falls below the target. The lowest
    /// latency, at irregular times.
    Level,
}

/// How a stream is run. [`Stream::tick`](super::Stream::tick) and `submit` may be driven from outside by
/// any clock; `tick_interval` and `pacing` matter to [`run_fill`](super::run_fill) alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// Points per second; 30 000.
    pub pps: u32,
    /// Time between two questions to the producer; 10 ms.
    pub tick_interval: Duration,
    /// Time of points to keep ahead of the mirrors; 40 ms.
    pub target_buffer: Duration,
    /// Below this time of points it is urgent; 10 ms.
    pub min_buffer: Duration,
    /// What is shown when points are missing; `Blank`.
    pub underrun_policy: UnderrunPolicy,
    /// How long queued points may take to play out at the end; 1 s. Zero: not at all.
    pub drain_timeout: Duration,
    /// Dark time at the start, after a reconnect and after arming; 1 ms.
    pub startup_blank: Duration,
    /// How much later colours come than positions, because mirrors are slower than diodes; 0. What mirrors lag by:
    /// [`GalvoProfile::lag`](crate::path::GalvoProfile::lag).
    pub colour_delay: Duration,
    /// Who decides when points are asked for; `Tick`.
    pub pacing: Pacing,
    /// A lower limit of points per chunk than the device's own, if set.
    pub max_points_per_chunk: Option<usize>,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self::new(30_000)
    }
}

/// A configuration that cannot work, and what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The device cannot be asked for this rate.
    #[error("a rate of {pps} points per second is not possible here: choose {min} to {max}")]
    Rate {
        /// What was asked for.
        pps: u32,
        /// Lowest rate of the device.
        min: u32,
        /// Highest rate of the device.
        max: u32,
    },
    /// Ticks below a millisecond cannot be kept.
    #[error("a tick of {0:?} is too short: choose 1 ms or more")]
    Tick(Duration),
    /// The target is empty or below the minimum.
    #[error(
        "the target buffer ({target:?}) must be above zero and no less than the minimum ({min:?})"
    )]
    Buffers {
        /// The target asked for.
        target: Duration,
        /// The minimum asked for.
        min: Duration,
    },
    /// A chunk of no points.
    #[error("a chunk must hold at least one point: raise max_points_per_chunk")]
    EmptyChunk,
    /// The colours cannot come that late.
    #[error("a colour delay of {0:?} is too long: choose {max:?} or less", max = StreamConfig::MAX_COLOUR_DELAY)]
    ColourDelay(Duration),
}

impl StreamConfig {
    /// The longest colour delay that may be set.
    pub const MAX_COLOUR_DELAY: Duration = Duration::from_millis(10);

    /// The defaults, at `pps` points per second.
    #[must_use]
    pub const fn new(pps: u32) -> Self {
        Self {
            pps,
            tick_interval: Duration::from_millis(10),
            target_buffer: Duration::from_millis(40),
            min_buffer: Duration::from_millis(10),
            underrun_policy: UnderrunPolicy::Blank,
            drain_timeout: Duration::from_secs(1),
            startup_blank: Duration::from_millis(1),
            colour_delay: Duration::ZERO,
            pacing: Pacing::Tick,
            max_points_per_chunk: None,
        }
    }

    /// With another time between questions.
    #[must_use]
    pub const fn with_tick_interval(mut self, interval: Duration) -> Self {
        self.tick_interval = interval;
        self
    }

    /// With another target level.
    #[must_use]
    pub const fn with_target_buffer(mut self, target: Duration) -> Self {
        self.target_buffer = target;
        self
    }

    /// With another urgent level.
    #[must_use]
    pub const fn with_min_buffer(mut self, min: Duration) -> Self {
        self.min_buffer = min;
        self
    }

    /// With another underrun policy.
    #[must_use]
    pub const fn with_underrun_policy(mut self, policy: UnderrunPolicy) -> Self {
        self.underrun_policy = policy;
        self
    }

    /// With another limit on playing out at the end.
    #[must_use]
    pub const fn with_drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// With another dark time at the start.
    #[must_use]
    pub const fn with_startup_blank(mut self, blank: Duration) -> Self {
        self.startup_blank = blank;
        self
    }

    /// With colours that come later than positions.
    #[must_use]
    pub const fn with_colour_delay(mut self, delay: Duration) -> Self {
        self.colour_delay = delay;
        self
    }

    /// With another pacing.
    #[must_use]
    pub const fn with_pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = pacing;
        self
    }

    /// With at most `points` per chunk, if the device allows more.
    #[must_use]
    pub const fn with_max_points_per_chunk(mut self, points: usize) -> Self {
        self.max_points_per_chunk = Some(points);
        self
    }

    /// Says what cannot work on a device of these capabilities.
    pub fn check(&self, capabilities: &Capabilities) -> Result<(), ConfigError> {
        let (min, max) = (capabilities.min_pps.max(1), capabilities.max_pps);
        if self.pps < min || self.pps > max {
            return Err(ConfigError::Rate { pps: self.pps, min, max });
        }
        if self.tick_interval < Duration::from_millis(1) {
            return Err(ConfigError::Tick(self.tick_interval));
        }
        if self.target_buffer.is_zero() || self.target_buffer < self.min_buffer {
            let (target, min) = (self.target_buffer, self.min_buffer);
            return Err(ConfigError::Buffers { target, min });
        }
        if self.chunk_points(capabilities) == 0 {
            return Err(ConfigError::EmptyChunk);
        }
        if self.colour_delay > Self::MAX_COLOUR_DELAY {
            return Err(ConfigError::ColourDelay(self.colour_delay));
        }
        Ok(())
    }

    /// Points in one chunk at most: the device's limit, or the lower one of this configuration.
    #[must_use]
    pub fn chunk_points(&self, capabilities: &Capabilities) -> usize {
        let own = self.max_points_per_chunk.unwrap_or(usize::MAX);
        capabilities.max_points_per_chunk.min(own)
    }

    /// The target as points at `pps`, capped at 80 % of a queue of `queue_points`.
    #[must_use]
    pub fn target_points(&self, pps: u32, queue_points: usize) -> u64 {
        let cap = (queue_points as f64 * TARGET_SHARE).floor().max(1.0) as u64;
        points_in(self.target_buffer, pps).min(cap)
    }

    /// The urgent level as points at `pps`, never above the target.
    #[must_use]
    pub fn min_points(&self, pps: u32, queue_points: usize) -> u64 {
        points_in(self.min_buffer, pps).min(self.target_points(pps, queue_points))
    }

    /// Host queue that suits this configuration: two targets at the device's highest rate, and never less
    /// than two chunks.
    #[must_use]
    pub fn queue_points(&self, capabilities: &Capabilities) -> usize {
        let chunk = self.chunk_points(capabilities);
        let target = points_in(self.target_buffer, capabilities.max_pps) as usize;
        (2 * target).clamp(2 * chunk, 1 << 20)
    }
}

/// Points that last `time` at `pps`, rounded up: too few would be an underrun.
#[must_use]
pub fn points_in(time: Duration, pps: u32) -> u64 {
    let scaled = time.as_nanos() * u128::from(pps);
    u64::try_from(scaled.div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
}

/// How long `points` last at `pps`.
#[must_use]
pub fn time_of(points: u64, pps: u32) -> Duration {
    let nanos = u128::from(points) * 1_000_000_000 / u128::from(pps.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dac::Delivery;

    fn capabilities() -> Capabilities {
        Capabilities {
            delivery: Delivery::Fifo,
            max_points_per_chunk: 1799,
            capacity_points: Some(1799),
            min_pps: 1,
            max_pps: 100_000,
            reports_queue: true,
            suggested_buffer: Duration::from_millis(40),
            least_points: 0,
            start_moves_relay: false,
        }
    }

    /// LS-21: 10 ms ticks, 40 ms target, 10 ms minimum; dark when points are missing.
    #[test]
    fn the_defaults_are_those_of_the_proposal() {
        let config = StreamConfig::default();
        assert_eq!(config.tick_interval, Duration::from_millis(10));
        assert_eq!(config.target_buffer, Duration::from_millis(40));
        assert_eq!(config.min_buffer, Duration::from_millis(10));
        assert_eq!(config.underrun_policy, UnderrunPolicy::Blank);
        assert_eq!(config.drain_timeout, Duration::from_secs(1));
        assert_eq!(config.startup_blank, Duration::from_millis(1));
        assert_eq!(config.pacing, Pacing::Tick);
    }

    /// LS-22: every field has its builder.
    #[test]
    fn each_builder_sets_its_own_field() {
        let ms = Duration::from_millis;
        let config = StreamConfig::new(20_000)
            .with_tick_interval(ms(5))
            .with_target_buffer(ms(20))
            .with_min_buffer(ms(4))
            .with_underrun_policy(UnderrunPolicy::Park)
            .with_drain_timeout(Duration::ZERO)
            .with_startup_blank(ms(2))
            .with_colour_delay(ms(1))
            .with_pacing(Pacing::Level)
            .with_max_points_per_chunk(100);
        let spelled = StreamConfig {
            pps: 20_000,
            tick_interval: ms(5),
            target_buffer: ms(20),
            min_buffer: ms(4),
            underrun_policy: UnderrunPolicy::Park,
            drain_timeout: Duration::ZERO,
            startup_blank: ms(2),
            colour_delay: ms(1),
            pacing: Pacing::Level,
            max_points_per_chunk: Some(100),
        };
        assert_eq!(config, spelled);
    }

    /// LS-31 ⚠7: a tick below 1 ms is refused, and so is every other nonsense.
    #[test]
    fn nonsense_is_refused_with_its_cure() {
        let caps = capabilities();
        let refused = |config: StreamConfig| config.check(&caps).unwrap_err().to_string();
        let good = StreamConfig::default();
        assert_eq!(good.check(&caps), Ok(()));
        assert!(
            refused(good.with_tick_interval(Duration::from_micros(999))).contains("1 ms or more")
        );
        assert!(refused(StreamConfig::new(0)).contains("choose 1 to 100000"));
        assert!(refused(StreamConfig::new(100_001)).contains("choose 1 to 100000"));
        assert!(refused(good.with_target_buffer(Duration::ZERO)).contains("above zero"));
        assert!(refused(good.with_min_buffer(Duration::from_millis(41))).contains("no less"));
        assert!(refused(good.with_max_points_per_chunk(0)).contains("at least one point"));
        assert!(
            refused(good.with_colour_delay(Duration::from_millis(11))).contains("10ms or less")
        );
    }

    /// Design 4.7: a target above the queue is capped at 80 % of it.
    #[test]
    fn a_target_above_the_queue_is_capped_at_four_fifths_of_it() {
        let config = StreamConfig::new(30_000).with_target_buffer(Duration::from_millis(500));
        assert_eq!(config.target_points(30_000, 1000), 800);
        assert_eq!(config.target_points(30_000, 100_000), 15_000);
        assert_eq!(config.min_points(30_000, 100), 80);
    }

    /// LS-10: times become points rounded up, points become times rounded down.
    #[test]
    fn times_become_points_rounded_up() {
        assert_eq!(points_in(Duration::from_millis(10), 30_000), 300);
        assert_eq!(points_in(Duration::from_nanos(1), 30_000), 1);
        assert_eq!(points_in(Duration::from_micros(100), 30_001), 4);
        assert_eq!(points_in(Duration::ZERO, 30_000), 0);
        assert_eq!(time_of(300, 30_000), Duration::from_millis(10));
        assert_eq!(time_of(1, 3), Duration::from_nanos(333_333_333));
    }
}
