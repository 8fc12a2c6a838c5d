//! What the program costs the machine: its share of the processor, its memory.

use std::time::Duration;

use crate::time::{HostTime, process_time};

/// Time between two looks, over which the share is the mean.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the program costs the machine; `None` where this system does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MachineView {
    /// Processor time of the last second: 1 is one core at work all the time.
    pub cores: Option<f32>,
    /// Memory in use, bytes.
    pub memory_bytes: Option<u64>,
    /// Runs of points that taps wanted and did not get, all projectors; a hidden preview gets none.
    pub tap_lost: u64,
    /// Processors of the machine.
    pub processors: usize,
}

/// Looks once a second.
#[derive(Debug, Default)]
pub(super) struct MachineWatch {
    last: Option<(HostTime, Option<Duration>)>,
    view: MachineView,
}

impl MachineWatch {
    /// Looks again if it is time; `tap_lost` is asked for only then.
    pub(super) fn look(&mut self, now: HostTime, tap_lost: impl FnOnce() -> u64) -> MachineView {
        match self.last {
            Some((at, _)) if now.since(at) < LOOK_EVERY => return self.view,
            Some((at, before)) => {
                let spent = process_time();
                self.view.cores = before.zip(spent).map(|(before, spent)| {
                    spent.saturating_sub(before).as_secs_f32() / now.since(at).as_secs_f32()
                });
                self.last = Some((now, spent));
            }
            None => {
                self.last = Some((now, process_time()));
                self.view.processors =
                    std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            }
        }
        self.view.memory_bytes = memory_bytes();
        self.view.tap_lost = tap_lost();
        self.view
    }
}

#[cfg(target_os = "linux")]
fn memory_bytes() -> Option<u64> {
    resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

#[cfg(not(target_os = "linux"))]
fn memory_bytes() -> Option<u64> {
    None
}

/// Resident memory in the words of Linux, see proc_pid_status(5).
#[cfg(any(target_os = "linux", test))]
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_the_words_of_linux() {
        let status = "Name:\tgalvo\nVmPeak:\t  999 kB\nVmRSS:\t  123456 kB\nThreads:\t9\n";
        assert_eq!(resident(status), Some(126_418_944));
        for odd in ["", "VmRSS:", "VmRSS: x kB", "VmRSS: 99999999999999999999 kB"] {
            assert_eq!(resident(odd), None, "{odd}");
        }
    }

    #[test]
    fn it_looks_once_a_second() {
        let mut watch = MachineWatch::default();
        let at = |ms: i64| HostTime::from_nanos(ms * 1_000_000);
        let mut asked = Vec::new();
        for ms in [0, 16, 500, 999, 1_000, 1_016, 2_100] {
            watch.look(at(ms), || {
                asked.push(ms);
                asked.len() as u64
            });
        }
        assert_eq!(asked, [0, 1_000, 2_100]);
        let view = watch.look(at(2_200), || 99);
        assert_eq!(view.tap_lost, 3);
        assert!(view.processors > 0);
        if cfg!(target_os = "linux") {
            assert!(view.cores.is_some_and(|cores| (0.0..1_000.0).contains(&cores)), "{view:?}");
            assert!(view.memory_bytes.is_some_and(|bytes| bytes > 1 << 20), "{view:?}");
        }
    }
}
