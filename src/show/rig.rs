//! The projectors around a show: they are looked for, opened and run in the background, while the show goes on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, unbounded};

use super::projector::Projector;
use crate::dac::{self, Backend, DacError, FoundDevice, Watch, Worker, identity};
use crate::time::{Clock, HostTime};

/// How long a look around takes: three announcements of an Ether Dream, and every question asked more than once.
pub const LOOK_FOR: Duration = Duration::from_secs(4);
/// How long one that was named is looked for, to know it by more than its address.
const SEARCH: Duration = Duration::from_secs(2);
/// Time between two looks at what has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A driver for a projector that was asked for, not connected yet.
pub struct Reached {
    /// How it was asked for.
    pub uri: String,
    /// The driver, and what the projector is remembered by; or why there is none.
    pub made: Result<(Box<dyn Backend>, Option<String>), DacError>,
}

impl std::fmt::Debug for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reached").field("uri", &self.uri).finish_non_exhaustive()
    }
}

/// What a director needs of the world to change its projectors. No call waits.
pub trait Rig: Send {
    /// Begins to look around, anew.
    ///
    /// # Errors
    /// The system gives no more threads.
    fn find(&mut self) -> io::Result<()>;
    /// Looks no longer; what was found stays.
    fn stop_finding(&mut self);
    /// How far the look is, 0..1; `None` while nobody looks.
    fn finding(&self) -> Option<f32>;
    /// What the last look has found so far; `None` before the first.
    fn found(&self) -> Option<Arc<Vec<FoundDevice>>>;
    /// Begins to make a driver for the projector of this name.
    ///
    /// # Errors
    /// The system gives no more threads.
    fn reach(&mut self, uri: &str) -> io::Result<()>;
    /// A driver that was asked for and is there now.
    fn reached(&mut self) -> Option<Reached>;
    /// Runs the device thread of a projector.
    ///
    /// # Errors
    /// The system gives no more threads.
    fn run(&mut self, projector: &mut Projector, worker: Worker) -> io::Result<()>;
}

/// What is looked around with.
type MakeWatch = Arc<dyn Fn() -> Watch + Send + Sync>;

/// The real networks, the real USB bus, real threads.
pub struct SystemRig {
    clock: Arc<dyn Clock>,
    watch: MakeWatch,
    look: Option<Look>,
    reached: (Sender<Reached>, Receiver<Reached>),
}

/// One look around, on a thread of its own.
struct Look {
    begun: HostTime,
    state: Arc<LookState>,
}

#[derive(Default)]
struct LookState {
    found: ArcSwap<Vec<FoundDevice>>,
    stop: AtomicBool,
    over: AtomicBool,
}

/// Says that the look is over, however its thread ends.
struct OverAtLast(Arc<LookState>);

impl Drop for OverAtLast {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
    }
}

impl std::fmt::Debug for SystemRig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemRig").field("finding", &self.finding()).finish_non_exhaustive()
    }
}

impl SystemRig {
    /// Looks everywhere.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::watching(clock, Watch::start)
    }

    /// Looks with what `watch` makes.
    #[must_use]
    pub fn watching(
        clock: Arc<dyn Clock>,
        watch: impl Fn() -> Watch + Send + Sync + 'static,
    ) -> Self {
        Self { clock, watch: Arc::new(watch), look: None, reached: unbounded() }
    }
}

impl Drop for SystemRig {
    fn drop(&mut self) {
        self.stop_finding();
    }
}

impl Rig for SystemRig {
    fn find(&mut self) -> io::Result<()> {
        self.stop_finding();
        let state = Arc::new(LookState::default());
        let over = OverAtLast(Arc::clone(&state));
        let (clock, watch, begun) =
            (Arc::clone(&self.clock), Arc::clone(&self.watch), self.clock.now());
        let run = move || {
            let state = &over.0;
            let mut watch = watch();
            while !state.stop.load(Ordering::Acquire) && clock.now().since(begun) < LOOK_FOR {
                watch.look(clock.now());
                if !watch.changes().is_empty() {
                    state.found.store(Arc::new(watch.list()));
                }
                clock.sleep_until(clock.now() + LOOK_EVERY);
            }
        };
        std::thread::Builder::new().name("find projectors".into()).spawn(run)?;
        self.look = Some(Look { begun, state });
        Ok(())
    }

    fn stop_finding(&mut self) {
        // Its thread ends in its own time: a USB bus may answer late.
        if let Some(look) = &self.look {
            look.state.stop.store(true, Ordering::Release);
        }
    }

    fn finding(&self) -> Option<f32> {
        let look = self.look.as_ref()?;
        let state = &look.state;
        let is_over = state.over.load(Ordering::Acquire) || state.stop.load(Ordering::Acquire);
        let part = self.clock.now().secs_since(look.begun) / LOOK_FOR.as_secs_f64();
        (!is_over).then_some(part.clamp(0.0, 1.0) as f32)
    }

    fn found(&self) -> Option<Arc<Vec<FoundDevice>>> {
        self.look.as_ref().map(|look| look.state.found.load_full())
    }

    fn reach(&mut self, uri: &str) -> io::Result<()> {
        let uri = uri.to_owned();
        let known = self.found().unwrap_or_default();
        let (clock, told) = (Arc::clone(&self.clock), self.reached.0.clone());
        let run = move || {
            let made = make(&uri, &known, clock);
            // A show that is over needs none.
            drop(told.send(Reached { uri, made }));
        };
        std::thread::Builder::new().name("open projector".into()).spawn(run)?;
        Ok(())
    }

    fn reached(&mut self) -> Option<Reached> {
        self.reached.1.try_recv().ok()
    }

    fn run(&mut self, projector: &mut Projector, worker: Worker) -> io::Result<()> {
        projector.start(worker, Arc::clone(&self.clock))
    }
}

/// Makes a driver; looks for the projector before, where that tells more of it than `known` does.
fn make(
    uri: &str,
    known: &[FoundDevice],
    clock: Arc<dyn Clock>,
) -> Result<(Box<dyn Backend>, Option<String>), DacError> {
    let address = identity::at_its_address(uri);
    let is_known = identity::seen_as(&address, known).is_some();
    let seen = if identity::is_told_by_a_look(uri) && !is_known {
        dac::look_for(std::slice::from_ref(&address), SEARCH)
    } else {
        known.to_vec()
    };
    let backend = dac::open(uri, &seen, clock)?;
    Ok((backend, identity(&address, &seen)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SystemClock;
    use crate::wire::ether_dream::Announcement;
    use std::net::{Ipv4Addr, UdpSocket};

    #[test]
    fn what_is_found_appears_while_the_look_goes_on_and_stays_after_it_was_stopped() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ear = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mouth = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        mouth.connect(ear.local_addr().unwrap()).unwrap();
        let watch = move || Watch::over(ear.try_clone().unwrap(), None, None).unwrap();
        let mut rig = SystemRig::watching(Arc::clone(&clock), watch);
        assert!(rig.finding().is_none() && rig.found().is_none(), "nobody has looked");
        let told = Announcement {
            mac: [1, 2, 3, 4, 5, 6],
            capacity: 3899,
            max_pps: 100_000,
            ..Announcement::default()
        };
        mouth.send(&told.emit()).unwrap();
        rig.find().unwrap();
        // It has come long before the look is over; a machine that is held up gets another look.
        let found = loop {
            let found = rig.found().unwrap();
            if !found.is_empty() {
                break found;
            }
            if rig.finding().is_none() {
                mouth.send(&told.emit()).unwrap();
                rig.find().unwrap();
            }
            clock.sleep_until(clock.now() + Duration::from_millis(5));
        };
        assert_eq!(found[0].name, "Ether Dream 040506");
        assert!(rig.finding().is_none_or(|part| (0.0..=1.0).contains(&part)));
        rig.stop_finding();
        assert!(rig.finding().is_none());
        assert_eq!(rig.found().unwrap()[0], found[0]);
    }

    #[test]
    fn a_driver_is_made_in_the_background_or_refused_with_its_cure() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut rig = SystemRig::new(Arc::clone(&clock));
        rig.reach("sim:?ppm=5").unwrap();
        rig.reach("audio-xy:").unwrap();
        let mut reached = Vec::new();
        while reached.len() < 2 {
            reached.extend(rig.reached());
            clock.sleep_until(clock.now() + Duration::from_millis(1));
        }
        reached.sort_by(|a, b| b.uri.cmp(&a.uri));
        let (backend, id) = reached.remove(0).made.unwrap();
        assert_eq!((backend.name(), id.as_deref()), ("sim:?ppm=5", Some("sim:")));
        let refused = reached.remove(0).made.err().unwrap().to_string();
        assert!(refused.contains("audio-xy://default"), "{refused}");
    }
}
