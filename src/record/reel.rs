//! One recording of one projector: points become the bytes of a file, which is whole after every step.
//!
//! Bytes are counted as written once all of a frame, or all rows of a run, are. Where the file refuses in between, the
//! rest of them is cut off again, so that what was recorded before can be read.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use thiserror::Error;

use super::export::points_of;
use super::rows;
use crate::format::{FileKind, ilda};
use crate::frame::FrameView;
use crate::path::ColourDelayUndone;
use crate::point::LaserPoint;

/// ILDA frames a second of a recording: what a player shows each for.
pub(super) const RECORDED_FPS: u32 = 25;
/// The largest file: no more fits on the drives that shows travel on, bytes.
pub(super) const MOST_BYTES: u64 = 4_000_000_000;

/// Why a recording ended by itself.
#[derive(Debug, Error)]
pub enum ReelEnd {
    /// The file has its largest size.
    #[error(
        "the recording ended: the file has 4 GB, the most that every drive takes; start another"
    )]
    Full,
    /// An ILDA file counts no more frames.
    #[error("the recording ended: an ILDA file holds 65535 frames; start another")]
    TooManyFrames,
    /// The disk refuses.
    #[error(
        "the recording ended: the file could not be written ({0}); make room, or choose another place"
    )]
    Io(#[from] io::Error),
}

/// A file that grows at its end, and can be cut.
pub(super) trait Tape {
    /// Writes all of `bytes` at a place.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Leaves nothing beyond `len` bytes.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

impl Tape for File {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.write_all(bytes)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Reel<T> {
    tape: T,
    film: Film,
    bytes: Vec<u8>,
    len: u64,
    most: u64,
    points: u64,
    seconds: f64,
    next: Option<u64>,
    lost: u64,
    /// The tape refused: nothing is added any more.
    broken: bool,
}

#[derive(Debug)]
enum Film {
    Rows,
    Frames {
        writer: ilda::Writer,
        frame: ilda::Frame,
        /// Where the headers of the frames stand.
        heads: Vec<u64>,
        /// A player lets colours wait for its own mirrors.
        undone: ColourDelayUndone,
        drawn: Vec<LaserPoint>,
    },
}

impl<T: Tape> Reel<T> {
    /// Begins a file of `kind` on an empty tape; what is not ILDA becomes rows. It ends at `most` bytes.
    pub(super) fn new(tape: T, kind: FileKind, most: u64) -> Result<Self, ReelEnd> {
        let film = if kind == FileKind::Ilda {
            Film::Frames {
                writer: ilda::Writer::new(ilda::Dimensions::Two, ilda::Frames::MOST),
                frame: ilda::Frame { company: "galvo".into(), ..ilda::Frame::default() },
                heads: Vec::new(),
                undone: ColourDelayUndone::default(),
                drawn: Vec::new(),
            }
        } else {
            Film::Rows
        };
        let bytes = Vec::new();
        let mut reel = Self {
            tape,
            film,
            bytes,
            len: 0,
            most,
            points: 0,
            seconds: 0.0,
            next: None,
            lost: 0,
            broken: false,
        };
        if matches!(reel.film, Film::Rows) {
            reel.bytes.extend(rows::HEAD);
            reel.write()?;
        }
        Ok(reel)
    }

    /// Takes in a run of points.
    pub(super) fn take(&mut self, run: &FrameView<'_>) -> Result<(), ReelEnd> {
        let meta = run.meta();
        let next = self.next.replace(meta.sequence + 1).unwrap_or(meta.sequence);
        self.lost += meta.sequence.saturating_sub(next);
        let pps = meta.pps.max(1);
        self.seconds += run.points().len() as f64 / f64::from(pps);
        self.points += run.points().len() as u64;
        let Film::Frames { undone, drawn, .. } = &mut self.film else {
            for (k, point) in (0_u64..).zip(run.points()) {
                let nanos = k * 1_000_000_000 / u64::from(pps);
                let at_ns = meta.plays_at.as_nanos().saturating_add(nanos as i64);
                let at_ns = u64::try_from(at_ns).unwrap_or(0);
                rows::append(&mut self.bytes, at_ns, meta.start.0 + k, point);
            }
            return self.write();
        };
        if meta.sequence > next {
            *undone = ColourDelayUndone::default();
        }
        drawn.clear();
        drawn.extend_from_slice(run.points());
        undone.apply(drawn, meta.colour_delay_points as usize);
        for at in 0..run.points().len() {
            let Film::Frames { writer, frame, drawn, .. } = &mut self.film else { break };
            frame.points.push(ilda::Point::from_laser(&drawn[at]));
            let wanted = points_of(writer.written() as u64, RECORDED_FPS, pps);
            let wanted = wanted.clamp(2, ilda::MAX_FRAME_POINTS as u64);
            if frame.points.len() as u64 >= wanted {
                self.write_frame()?;
            }
        }
        Ok(())
    }

    fn write_frame(&mut self) -> Result<(), ReelEnd> {
        let Film::Frames { writer, frame, heads, .. } = &mut self.film else { return Ok(()) };
        if writer.written() == ilda::MAX_FRAMES {
            return Err(ReelEnd::TooManyFrames);
        }
        frame.name = format!("{:08}", writer.written());
        if writer.frame(frame, &mut self.bytes).is_err() {
            return Err(ReelEnd::TooManyFrames);
        }
        frame.points.clear();
        heads.push(self.len);
        let written = self.write();
        if written.is_err()
            && let Film::Frames { heads, .. } = &mut self.film
        {
            heads.pop();
        }
        self.broken |= written.is_err();
        written
    }

    /// Writes what waits, whole or not at all.
    fn write(&mut self) -> Result<(), ReelEnd> {
        let len = self.len + self.bytes.len() as u64;
        // The header that closes an ILDA file must fit too.
        if len + CLOSING_BYTES > self.most {
            self.bytes.clear();
            return Err(ReelEnd::Full);
        }
        let written = self.tape.write_at(self.len, &self.bytes);
        self.bytes.clear();
        match written {
            Ok(()) => {
                self.len = len;
                Ok(())
            }
            Err(error) => {
                // If the cut fails too, readers find the whole frames before the broken one.
                drop(self.tape.cut(self.len));
                Err(error.into())
            }
        }
    }

    /// Writes what is left and closes the file. After an error what was recorded before can be read.
    pub(super) fn finish(&mut self) -> Result<(), ReelEnd> {
        let rest = matches!(&self.film, Film::Frames { frame, .. } if !frame.points.is_empty());
        let last = if rest && !self.broken { self.write_frame() } else { Ok(()) };
        let closed = self.close();
        last.and(closed)
    }

    fn close(&mut self) -> Result<(), ReelEnd> {
        let Film::Frames { writer, heads, .. } = &mut self.film else { return Ok(()) };
        if heads.is_empty() {
            return Ok(());
        }
        let mut closing = Vec::new();
        writer.close(&mut closing);
        if self.tape.write_at(self.len, &closing).is_err() {
            // A full disk: the last frame makes room for the header that closes the file.
            let last = if heads.len() > 1 { heads.pop() } else { None };
            self.len = last.unwrap_or(self.len);
            self.tape.cut(self.len)?;
            self.tape.write_at(self.len, &closing)?;
        }
        // Now the count is known that every header says.
        let Ok(count) = ilda::Frames::new(heads.len()) else { return Ok(()) };
        for head in heads.iter().chain(std::iter::once(&self.len)) {
            self.tape.write_at(head + ilda::COUNT_AT as u64, &count.to_bytes())?;
        }
        self.len += closing.len() as u64;
        Ok(())
    }

    /// Written so far.
    pub(super) const fn tally(&self) -> Tally {
        let frames = match &self.film {
            Film::Frames { heads, .. } => heads.len() as u64,
            Film::Rows => 0,
        };
        let Self { len: bytes, points, seconds, lost, .. } = *self;
        Tally { bytes, frames, points, seconds, lost }
    }
}

const CLOSING_BYTES: u64 = 32;

/// What a recording holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) bytes: u64,
    /// ILDA frames.
    pub(super) frames: u64,
    pub(super) points: u64,
    pub(super) seconds: f64,
    /// Runs that never came.
    pub(super) lost: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ilda::{Drawing, Point, ReadOptions, Warning, read};
    use crate::frame::{FrameMeta, TapPoint};
    use crate::path::ColourDelay;
    use crate::point::Colour;
    use crate::time::{HostTime, StreamInstant};

    const PPS: u32 = 30_000;

    /// A disk of so many bytes.
    #[derive(Debug, Default)]
    struct Disk {
        held: Vec<u8>,
        room: usize,
    }

    impl Tape for Disk {
        fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
            let at = at as usize;
            let fits = bytes.len().min(self.room.saturating_sub(at));
            self.held.resize(self.held.len().max(at + fits), 0);
            self.held[at..at + fits].copy_from_slice(&bytes[..fits]);
            if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }

        fn cut(&mut self, len: u64) -> io::Result<()> {
            self.held.truncate(len as usize);
            Ok(())
        }
    }

    fn disk(room: usize) -> Disk {
        Disk { held: Vec::new(), room }
    }

    /// Run `k` of 150 points each, all different.
    fn run(k: u64) -> (Vec<LaserPoint>, FrameMeta) {
        let point = |index: u64| {
            let along = (index % 1_999) as f32 / 1_999.0;
            let point =
                LaserPoint::lit(along * 2.0 - 1.0, 0.3 - along, Colour::hsv(along, 1.0, 1.0));
            if index.is_multiple_of(7) { point.blanked() } else { point }
        };
        let start = k * 150;
        let meta = FrameMeta {
            sequence: k,
            start: StreamInstant(start),
            plays_at: HostTime::from_nanos(start as i64 * 1_000_000_000 / i64::from(PPS)),
            pps: PPS,
            ..FrameMeta::at(TapPoint::Sent)
        };
        ((start..start + 150).map(point).collect(), meta)
    }

    fn take(reel: &mut Reel<Disk>, k: u64) -> Result<(), ReelEnd> {
        let (points, meta) = run(k);
        reel.take(&FrameView::new(&points, meta))
    }

    fn recorded(drawing: &Drawing) -> Vec<Point> {
        drawing.frames.iter().flat_map(|frame| frame.points.clone()).collect()
    }

    fn sent(runs: impl Iterator<Item = u64>) -> Vec<Point> {
        runs.flat_map(|k| run(k).0).map(|point| Point::from_laser(&point)).collect()
    }

    #[test]
    fn an_ilda_recording_read_back_is_what_was_sent() {
        let mut reel = Reel::new(disk(1 << 24), FileKind::Ilda, MOST_BYTES).unwrap();
        for k in 0..101 {
            take(&mut reel, k).unwrap();
        }
        reel.finish().unwrap();
        assert_eq!(reel.tally().bytes, reel.tape.held.len() as u64);
        let drawing = read(&reel.tape.held, ReadOptions::default()).unwrap();
        assert_eq!(drawing.warnings, [], "counts, marks and end are right");
        assert_eq!(recorded(&drawing), sent(0..101));
        let lengths: Vec<_> = drawing.frames.iter().map(|frame| frame.points.len()).collect();
        assert!(lengths[..12].iter().all(|len| *len == 1_200), "{lengths:?}");
        assert_eq!(reel.tally().frames, 13);
    }

    /// What the projector gets late, a player of the file delays by itself.
    #[test]
    fn an_ilda_recording_holds_each_colour_where_it_was_drawn_and_rows_hold_it_where_it_was_sent() {
        let mut delay = ColourDelay::with_capacity(8);
        delay.set(127.0, PPS);
        let mut ilda = Reel::new(disk(1 << 24), FileKind::Ilda, MOST_BYTES).unwrap();
        let mut rows = Reel::new(disk(1 << 24), FileKind::Csv, MOST_BYTES).unwrap();
        for k in 0..16 {
            let (mut points, meta) = run(k);
            delay.apply(&mut points);
            let meta = FrameMeta { colour_delay_points: 4, ..meta };
            ilda.take(&FrameView::new(&points, meta)).unwrap();
            rows.take(&FrameView::new(&points, meta)).unwrap();
        }
        ilda.finish().unwrap();
        rows.finish().unwrap();
        let drawing = recorded(&read(&ilda.tape.held, ReadOptions::default()).unwrap());
        assert_eq!(drawing[4..], sent(0..16)[..2_396]);
        let text = String::from_utf8(rows.tape.held).unwrap();
        let row: Vec<f32> =
            text.lines().nth(101).unwrap().split(',').map(|n| n.parse().unwrap()).collect();
        let points = run(0).0;
        assert!((row[2] - points[100].x).abs() < 1e-5, "the position of point 100");
        assert_eq!(row[4], f32::from(points[96].r), "and the colour of point 96");
    }

    #[test]
    fn a_recording_as_rows_has_every_point_with_its_moment() {
        let mut reel = Reel::new(disk(1 << 24), FileKind::Csv, MOST_BYTES).unwrap();
        for k in [0, 1, 5] {
            take(&mut reel, k).unwrap();
        }
        reel.finish().unwrap();
        let text = String::from_utf8(reel.tape.held).unwrap();
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(rows[0], "host_ns,index,x,y,r,g,b,i");
        assert_eq!(rows.len(), 451);
        assert!(rows[300].starts_with("9966666,299,"), "{}", rows[300]);
        assert!(rows[301].starts_with("25000000,750,"), "{}", rows[301]);
    }

    #[test]
    fn what_never_came_is_counted() {
        let mut reel = Reel::new(disk(1 << 24), FileKind::Csv, MOST_BYTES).unwrap();
        for k in [3, 4, 9, 10] {
            take(&mut reel, k).unwrap();
        }
        let tally = reel.tally();
        assert_eq!((tally.lost, tally.points), (4, 600));
        assert!((tally.seconds - 0.02).abs() < 1e-9);
    }

    /// Wherever a full disk strikes, the file can be read, and holds a beginning of what was sent.
    #[test]
    fn a_full_disk_leaves_a_file_that_can_be_read() {
        for room in (10_000..60_000).step_by(977) {
            let mut reel = Reel::new(disk(room), FileKind::Ilda, MOST_BYTES).unwrap();
            let end = (0..1_000).find_map(|k| take(&mut reel, k).err()).unwrap();
            assert!(matches!(end, ReelEnd::Io(_)) && end.to_string().contains("make room"));
            drop(reel.finish());
            let drawing = read(&reel.tape.held, ReadOptions::default()).unwrap();
            assert_eq!(drawing.warnings, [], "{room}");
            let points = recorded(&drawing);
            assert_eq!(points, sent(0..1_000)[..points.len()]);
            assert!(points.len() * 8 + 3 * 9_700 > room, "{} points in {room}", points.len());

            let mut reel = Reel::new(disk(room), FileKind::Csv, MOST_BYTES).unwrap();
            assert!((0..1_000).any(|k| take(&mut reel, k).is_err()));
            drop(reel.finish());
            let text = String::from_utf8(reel.tape.held).unwrap();
            assert!(text.ends_with('\n') && text.lines().all(|row| row.split(',').count() == 8));
        }
    }

    #[test]
    fn a_recording_that_is_killed_can_still_be_read() {
        let mut reel = Reel::new(disk(1 << 24), FileKind::Ilda, MOST_BYTES).unwrap();
        for k in 0..100 {
            take(&mut reel, k).unwrap();
        }
        let drawing = read(&reel.tape.held, ReadOptions::default()).unwrap();
        assert_eq!(recorded(&drawing), sent(0..96)[..]);
        assert!(drawing.warnings.contains(&Warning::Truncated));
    }

    #[test]
    fn the_largest_size_is_kept_and_told() {
        for kind in [FileKind::Ilda, FileKind::Csv] {
            let mut reel = Reel::new(disk(1 << 24), kind, 100_000).unwrap();
            let end = (0..10_000).find_map(|k| take(&mut reel, k).err()).unwrap();
            assert!(matches!(end, ReelEnd::Full), "{end}");
            drop(reel.finish());
            let size = reel.tape.held.len();
            assert!((85_000..=100_000).contains(&size), "{size}");
        }
    }

    #[test]
    fn an_ilda_recording_ends_with_the_frames_that_the_format_can_count() {
        let mut reel = Reel::new(disk(1 << 24), FileKind::Ilda, MOST_BYTES).unwrap();
        let slow = FrameMeta { pps: 1, ..FrameMeta::at(TapPoint::Sent) };
        let two = [LaserPoint::CENTRE; 2];
        let end = (0..).find_map(|_| reel.take(&FrameView::new(&two, slow)).err()).unwrap();
        assert!(matches!(end, ReelEnd::TooManyFrames));
        drop(reel.finish());
        let drawing = read(&reel.tape.held, ReadOptions::default()).unwrap();
        assert_eq!((drawing.frames.len(), drawing.warnings), (65_535, vec![]));
    }

    #[test]
    fn a_recording_of_nothing_is_an_empty_file() {
        let mut reel = Reel::new(disk(1 << 24), FileKind::Ilda, MOST_BYTES).unwrap();
        reel.finish().unwrap();
        assert_eq!((reel.tally(), reel.tape.held.len()), (Tally::default(), 0));
    }
}
