//! Recording while the show runs: a thread that writes what the projectors get, as fast as the disk takes it.
//!
//! It looks at a bounded ring of each projector; what does not fit is lost to the recording, counted, and told.
//! Nobody waits for it: the light does not know that it is there.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};
use thiserror::Error;

use super::draft::{Draft, DraftError};
use super::reel::{MOST_BYTES, Reel, ReelEnd, Tally};
use crate::format::FileKind;
use crate::frame::FrameReceiver;
use crate::show::disk::END_PATIENCE;
use crate::show::recorder::{MadeFile, Recorded};
use crate::time::{Clock, HostTime};

/// How often the rings are looked at: a small part of what they hold.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Why nothing is recorded.
#[derive(Debug, Error)]
pub enum RecordError {
    /// No file can be made there.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The file refuses at once.
    #[error(transparent)]
    Reel(#[from] ReelEnd),
}

/// What was recorded when a recording is over.
#[derive(Debug, Default)]
pub struct Done {
    /// Its files.
    pub made: Vec<MadeFile>,
    /// What went wrong, a sentence each.
    pub trouble: Vec<String>,
    /// Runs of points that did not fit.
    pub lost: u64,
}

/// What is recorded, and where it goes.
#[derive(Debug)]
pub struct RecordOrder {
    /// The folder of the files.
    pub folder: Arc<PathBuf>,
    /// What their names begin with.
    pub stem: String,
    /// ILDA or CSV.
    pub kind: FileKind,
    /// Who is recorded, each in a file of its own.
    pub projectors: Vec<Recorded>,
}

/// Files that are being written, worked on by whoever calls [`Self::step`].
#[derive(Debug)]
pub struct Recording {
    tracks: Vec<Track>,
    tallies: Arc<Tallies>,
    end: Option<ReelEnd>,
}

#[derive(Debug)]
struct Track {
    sent: FrameReceiver,
    reel: Reel<std::fs::File>,
    draft: Draft,
}

/// The figures of a recording, for whoever looks on.
#[derive(Debug, Default)]
pub struct Tallies {
    bytes: AtomicU64,
    frames: AtomicU64,
    points: AtomicU64,
    lost: AtomicU64,
}

impl Tallies {
    /// Bytes, ILDA frames and points written; runs of points lost.
    #[must_use]
    pub fn read(&self) -> [u64; 4] {
        [&self.bytes, &self.frames, &self.points, &self.lost].map(|n| n.load(Ordering::Relaxed))
    }
}

impl Recording {
    /// Makes a file for each projector.
    ///
    /// # Errors
    /// A file cannot be made: then there is none.
    pub fn begin(order: RecordOrder) -> Result<Self, RecordError> {
        let RecordOrder { folder, stem, kind, projectors } = order;
        let several = projectors.len() > 1;
        let mut tracks = Vec::with_capacity(projectors.len());
        for Recorded { projector, sent } in projectors {
            let stem = if several { format!("{stem} {}", plain(&projector)) } else { stem.clone() };
            let (draft, file) = Draft::new_in(&folder, &stem, kind.ending())?;
            let reel = Reel::new(file, kind, MOST_BYTES)?;
            tracks.push(Track { sent, reel, draft });
        }
        Ok(Self { tracks, tallies: Arc::default(), end: None })
    }

    /// Writes what has come. False once no more is written: the projectors are gone, or a file refuses.
    pub fn step(&mut self) -> bool {
        let mut is_fed = false;
        for track in &mut self.tracks {
            // Asked before the look: what was sent before the end is still found.
            is_fed |= track.sent.is_connected();
            while self.end.is_none()
                && let Some(run) = track.sent.try_recv()
            {
                self.end = track.reel.take(&run.view()).err();
            }
        }
        self.tell();
        is_fed && self.end.is_none()
    }

    /// The figures.
    #[must_use]
    pub fn tallies(&self) -> Arc<Tallies> {
        Arc::clone(&self.tallies)
    }

    fn tell(&self) {
        let tallies = self.tracks.iter().map(|track| (track.reel.tally(), track.sent.dropped()));
        let sum = tallies.fold(Tally::default(), |sum, (tally, dropped)| Tally {
            bytes: sum.bytes + tally.bytes,
            frames: sum.frames + tally.frames,
            points: sum.points + tally.points,
            // A gap is seen once a later run comes; the ring knows at once.
            lost: sum.lost + tally.lost.max(dropped),
            ..sum
        });
        let told = &self.tallies;
        for (into, value) in [
            (&told.bytes, sum.bytes),
            (&told.frames, sum.frames),
            (&told.points, sum.points),
            (&told.lost, sum.lost),
        ] {
            into.store(value, Ordering::Relaxed);
        }
    }

    /// Closes the files; each gets its name. A file in which nothing is goes away.
    #[must_use]
    pub fn finish(mut self) -> Done {
        self.step();
        let mut done = Done { lost: self.tallies.read()[3], ..Done::default() };
        let mut end = self.end.map(|end| end.to_string());
        for Track { mut reel, draft, .. } in self.tracks {
            if let Err(error) = reel.finish() {
                end.get_or_insert_with(|| error.to_string());
            }
            let Tally { bytes, points, seconds, .. } = reel.tally();
            drop(reel);
            if points == 0 {
                continue;
            }
            match draft.finish() {
                Ok(path) => {
                    done.made.push(MadeFile { path, bytes, seconds, ended_early: end.clone() });
                }
                Err(error) => done.trouble.push(error.to_string()),
            }
        }
        if done.made.is_empty() && done.trouble.is_empty() && end.is_none() {
            let text = "nothing was recorded: no projector took points; is the sound device alive?";
            done.trouble.push(text.to_owned());
        }
        done.trouble.extend(end);
        done
    }
}

/// What of a projector's name can be in the name of a file.
fn plain(name: &str) -> String {
    let usual = |c: char| if c.is_alphanumeric() || "-._".contains(c) { c } else { '-' };
    let plain: String = name.chars().map(usual).take(60).collect();
    plain.trim_matches(['-', '.']).to_owned()
}

/// A recording on a thread of its own. Dropping it ends it: files get their names, but a disk that does not answer is
/// not waited for.
#[derive(Debug)]
pub struct Recorder {
    tallies: Arc<Tallies>,
    stop: Arc<AtomicBool>,
    /// When the disk answered last, ns of host time.
    answered_ns: Arc<AtomicI64>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the thread; what goes wrong on it is told when it is over.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(order: RecordOrder, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let tallies = Arc::<Tallies>::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, told) = (Arc::clone(&stop), Arc::clone(&tallies));
        let answered_ns = Arc::new(AtomicI64::new(clock.now().as_nanos()));
        let answered = Arc::clone(&answered_ns);
        let (tell, done) = bounded(1);
        let work = move || {
            let over = match Recording::begin(order) {
                Ok(recording) => {
                    let mut recording = Recording { tallies: told, ..recording };
                    while !stopped.load(Ordering::Acquire) && recording.step() {
                        answered.store(clock.now().as_nanos(), Ordering::Relaxed);
                        clock.sleep_until(clock.now() + LOOK_EVERY);
                    }
                    recording.finish()
                }
                Err(error) => Done { trouble: vec![error.to_string()], ..Done::default() },
            };
            // Nobody may be there any more to be told.
            drop(tell.send(over));
        };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(work);
        Ok(Self { tallies, stop, answered_ns, done, thread: Some(thread?) })
    }

    /// The figures so far.
    #[must_use]
    pub fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// How long the disk has not answered.
    #[must_use]
    pub fn silent_for(&self, now: HostTime) -> Duration {
        now.since(HostTime::from_nanos(self.answered_ns.load(Ordering::Relaxed)))
    }

    /// Asks it to end, and waits so long for its files to get their names; false if the disk has not answered.
    pub fn end_within(&mut self, patience: Duration) -> bool {
        self.stop();
        let is_over = !matches!(self.done.recv_timeout(patience), Err(RecvTimeoutError::Timeout));
        if let Some(thread) = self.thread.take()
            && is_over
        {
            drop(thread.join());
        }
        is_over
    }

    /// Asks it to end. Never waits.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// What was recorded, once it is over. Never waits.
    #[must_use]
    pub fn poll(&self) -> Option<Done> {
        match self.done.try_recv() {
            Ok(done) => Some(done),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                let text = "the recorder failed; what it wrote lies beside the other recordings";
                Some(Done { trouble: vec![text.to_owned()], ..Done::default() })
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Its files get their names before the program ends, if the disk answers.
        if self.thread.is_some() && !self.end_within(END_PATIENCE) {
            tracing::error!("the recording is not whole: the disk did not answer before the end");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::format::ilda::{Point, ReadOptions, read};
    use crate::frame::{self, FrameMeta, FrameProducer, TapPoint};
    use crate::point::LaserPoint;
    use crate::time::{StreamInstant, SystemClock};

    fn projector(depth: usize) -> (FrameProducer, FrameReceiver) {
        let (producer, taps) = frame::producer(frame::DEFAULT_SLOTS, Arc::new(SystemClock));
        let sent = taps.ring_tap(TapPoint::Sent, depth, 1).unwrap();
        (producer, sent)
    }

    fn send(producer: &mut FrameProducer, k: u64) -> Vec<LaserPoint> {
        let points: Vec<_> = (0..150).map(|n| LaserPoint::blank(n as f32 / 150.0, 0.1)).collect();
        let start = StreamInstant(k * 150);
        let meta = FrameMeta { start, pps: 30_000, ..FrameMeta::at(TapPoint::Sent) };
        producer.publish(&points, meta);
        points
    }

    fn order(home: &Path, kind: FileKind, projectors: Vec<(&str, FrameReceiver)>) -> RecordOrder {
        let of = |(name, sent): (&str, FrameReceiver)| Recorded { projector: name.into(), sent };
        let projectors = projectors.into_iter().map(of).collect();
        RecordOrder { folder: Arc::new(home.to_owned()), stem: "show".into(), kind, projectors }
    }

    #[test]
    fn a_full_ring_loses_what_does_not_fit_and_says_how_much() {
        let home = tempfile::tempdir().unwrap();
        let (mut producer, sent) = projector(64);
        let order = order(home.path(), FileKind::Ilda, vec![("sim:", sent)]);
        let mut recording = Recording::begin(order).unwrap();
        for k in 0..100 {
            send(&mut producer, k);
        }
        assert!(recording.step());
        assert_eq!(recording.tallies().read()[3], 36);
        let last = send(&mut producer, 100);
        let done = recording.finish();
        assert_eq!((done.made.len(), done.trouble.len(), done.lost), (1, 0, 36));
        let bytes = fs::read(&done.made[0].path).unwrap();
        assert_eq!(done.made[0].bytes, bytes.len() as u64);
        let points: Vec<_> = read(&bytes, ReadOptions::default())
            .unwrap()
            .frames
            .iter()
            .flat_map(|frame| frame.points.clone())
            .collect();
        assert_eq!(points.len(), 65 * 150);
        let last: Vec<_> = last.iter().map(Point::from_laser).collect();
        assert_eq!(points[64 * 150..], last);
    }

    #[test]
    fn every_projector_has_a_file_of_its_own_with_its_name() {
        let home = tempfile::tempdir().unwrap();
        let (mut a, sent_a) = projector(8);
        let (mut b, sent_b) = projector(8);
        let projectors = vec![("etherdream://10.0.0.4", sent_a), ("sim:../2", sent_b)];
        let recording = Recording::begin(order(home.path(), FileKind::Csv, projectors)).unwrap();
        send(&mut a, 0);
        send(&mut b, 0);
        let done = recording.finish();
        let names: Vec<_> =
            done.made.iter().map(|m| m.path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["show etherdream---10.0.0.4.csv", "show sim-..-2.csv"]);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_recording_ends_with_its_projectors_and_nothing_leaves_no_file() {
        let home = tempfile::tempdir().unwrap();
        let (producer, sent) = projector(8);
        let order = order(home.path(), FileKind::Ilda, vec![("sim:", sent)]);
        let recorder = Recorder::start(order, Arc::new(SystemClock)).unwrap();
        drop(producer);
        let done = recorder.done.recv().unwrap();
        assert!(done.made.is_empty() && done.trouble[0].contains("nothing was recorded"));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_recorder_that_is_dropped_names_its_files() {
        let home = tempfile::tempdir().unwrap();
        let (mut producer, sent) = projector(8);
        let order = order(home.path(), FileKind::Ilda, vec![("sim:", sent)]);
        let recorder = Recorder::start(order, Arc::new(SystemClock)).unwrap();
        send(&mut producer, 0);
        drop(recorder);
        assert!(
            read(&fs::read(home.path().join("show.ild")).unwrap(), ReadOptions::default()).is_ok()
        );
    }
}
