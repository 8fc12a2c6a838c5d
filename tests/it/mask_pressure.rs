//! Mask streams that cannot keep up: work stays bounded, and nobody waits who must not.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use galvo::format::asvp::FormatError;
use galvo::format::mask_stream::{MaskStream, Scratch};
use galvo::format::outlines::{Outlines, Place};
use galvo::mask::source::MemorySource;
use galvo::mask::{Builder, ErrorCode, RangeSource};

use crate::masks::PATIENT;

const FRAMES: usize = 5000;

/// What the test holds back and what it sees.
#[derive(Debug, Default)]
struct Brake {
    state: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    held: bool,
    decoding: usize,
    hints: Vec<usize>,
    stuck: bool,
    given_up: usize,
}

impl Brake {
    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn wait_until(&self, is_so: impl Fn(&Seen) -> bool) {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, PATIENT, |seen| !is_so(seen));
        let (state, late) = waited.unwrap();
        assert!(!late.timed_out(), "{state:?}");
    }
}

/// A stream of one byte a frame, whose decoding can be held back.
#[derive(Debug)]
struct Braked(Arc<Brake>);

impl MaskStream for Braked {
    fn form(&self) -> &'static str {
        "BRAKED"
    }

    fn frames(&self) -> usize {
        FRAMES
    }

    fn range(&self, index: usize) -> Option<Range<u64>> {
        (index < FRAMES).then(|| index as u64..index as u64 + 1)
    }

    fn warnings(&self) -> &[String] {
        &[]
    }

    fn decode(
        &self,
        _index: usize,
        _block: &mut [u8],
        _scratch: &mut Scratch,
        outlines: &mut Outlines,
    ) -> Result<(), FormatError> {
        self.0.change(|seen| seen.decoding += 1);
        let state = self.0.state.lock().unwrap();
        drop(self.0.changed.wait_while(state, |seen| seen.held).unwrap());
        self.0.change(|seen| seen.decoding -= 1);
        outlines.push([(0, 0), (9, 0), (9, 9)].map(|(x, y)| Place::new(x, y)));
        Ok(())
    }
}

/// The bytes of [`Braked`]; hears how many ranges are wanted at once.
#[derive(Debug)]
struct Hearing(MemorySource<Vec<u8>>, Arc<Brake>);

impl RangeSource for Hearing {
    fn len(&self) -> Result<u64, String> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String> {
        self.0.read_at(offset, out)
    }

    fn set_ranges_at_once(&self, ranges: usize) {
        self.1.change(|seen| seen.hints.push(ranges));
    }
}

/// Bytes of [`Braked`], of which those from 1000 on do not come; a read of them ends when it is given up.
#[derive(Debug)]
struct Stuck(MemorySource<Vec<u8>>, Arc<Brake>);

impl RangeSource for Stuck {
    fn len(&self) -> Result<u64, String> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String> {
        let state = self.1.state.lock().unwrap();
        let given_up = state.given_up;
        let waits = |seen: &mut Seen| seen.stuck && seen.given_up == given_up && offset >= 1000;
        let state = self.1.changed.wait_while(state, waits).unwrap();
        if state.given_up > given_up {
            return Err("the read was given up".into());
        }
        drop(state);
        self.0.read_at(offset, out)
    }

    fn give_up_reads(&self) {
        self.1.change(|seen| seen.given_up += 1);
    }
}

/// AS-38: reads that a jump made unwanted do not hold up what is wanted now, and who still waits for one gets it
/// when its bytes come.
#[test]
fn reads_that_wait_for_ever_give_way_to_what_is_wanted_now() {
    let brake = Arc::new(Brake::default());
    brake.change(|seen| seen.stuck = true);
    let masks = Builder::default().worker_threads(2).decode(2).build().unwrap();
    let source = Stuck(MemorySource::new(vec![0; FRAMES]), Arc::clone(&brake));
    masks.load_stream(Box::new(Braked(Arc::clone(&brake))), Arc::new(source));
    for asked in (1000..4000).step_by(200) {
        let late = masks.frame(asked, Duration::from_millis(1)).unwrap_err();
        assert_eq!(late.code, ErrorCode::Timeout, "{late}");
    }
    let patient = std::thread::spawn({
        let masks = masks.clone();
        move || masks.frame(4500, PATIENT)
    });
    for asked in [10, 700, 300] {
        assert!(masks.frame(asked, PATIENT).is_ok(), "{}", masks.last_error());
    }
    assert_eq!(masks.counters().failures, 0);
    brake.change(|seen| seen.stuck = false);
    assert!(patient.join().unwrap().is_ok());
}

/// AS-09, AS-22, AS-31, AS-37, AS-41, AS-102: while decoding hangs, the source is told to read one range at a time,
/// what waits stays bounded however often somebody asks, every request is answered in its time, and after it all goes
/// on at full width.
#[test]
fn decoding_that_hangs_throttles_reading_and_locks_nobody_out() {
    let brake = Arc::new(Brake::default());
    brake.change(|seen| seen.held = true);
    let bytes = MemorySource::new(vec![0; FRAMES]);
    let masks = Builder::default().worker_threads(2).decode(2).build().unwrap();
    let source = Hearing(bytes, Arc::clone(&brake));
    masks.load_stream(Box::new(Braked(Arc::clone(&brake))), Arc::new(source));
    brake.wait_until(|seen| seen.decoding == 2);
    // More frames than may wait.
    for asked in (0..700).map(|ask| ask * 7) {
        assert!(masks.try_frame(asked + 1).is_none());
        let late = masks.frame(asked, Duration::from_millis(1)).unwrap_err();
        assert_eq!(late.code, ErrorCode::Timeout);
    }
    brake.wait_until(|seen| seen.hints.last() == Some(&1));
    let read = masks.counters().bytes_read;
    // What may wait, and the runs that were under way when it was full.
    assert!((256..=512 + 4 * 64).contains(&read), "{read} frames read");
    assert_eq!(masks.counters().decoded, 0);
    brake.change(|seen| seen.held = false);
    assert!(masks.frame(4999, PATIENT).is_ok());
    brake.wait_until(|seen| seen.hints.last() == Some(&4));
}
