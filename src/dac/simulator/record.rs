//! Writes what the virtual mirrors show to a CSV file, off the timing path.
//!
//! One row per point at its moment: `host_ns,index,x,y,r,g,b,i`. A recorder drops nothing: if the disk cannot
//! follow for seconds, the simulator waits for it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::playback::Recorder;
use crate::point::LaserPoint;
use crate::time::HostTime;

/// Rows handed over at once.
const BATCH: usize = 512;
/// Batches on their way: more than four seconds at 30 kpps.
const BATCHES: usize = 256;
/// Rows are handed over at least this often.
const HAND_OVER_EVERY: Duration = Duration::from_millis(50);

type Row = (HostTime, u64, LaserPoint);

/// A [`Recorder`] into a CSV file.
#[derive(Debug)]
pub struct CsvRecorder {
    batch: Vec<Row>,
    to_writer: Option<Sender<Vec<Row>>>,
    writer: Option<JoinHandle<()>>,
}

impl CsvRecorder {
    /// Creates the file and its writer thread.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(b"host_ns,index,x,y,r,g,b,i\n")?;
        file.flush()?;
        let (to_writer, rows) = bounded(BATCHES);
        let write = move || {
            if let Err(error) = write_rows(&mut file, &rows) {
                tracing::error!(%error, "the recording ends here: make room on the disk");
            }
        };
        let writer = std::thread::Builder::new().name("csv-recorder".into()).spawn(write)?;
        let batch = Vec::with_capacity(BATCH);
        Ok(Self { batch, to_writer: Some(to_writer), writer: Some(writer) })
    }

    fn hand_over(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        if let Some(to_writer) = &self.to_writer {
            // A writer that has ended has said why.
            drop(to_writer.send(batch));
        }
    }
}

fn write_rows(file: &mut impl Write, rows: &Receiver<Vec<Row>>) -> io::Result<()> {
    for batch in rows {
        for (at, index, p) in batch {
            let LaserPoint { x, y, r, g, b, i } = p;
            writeln!(file, "{},{index},{x:.6},{y:.6},{r},{g},{b},{i}", at.as_nanos())?;
        }
        if rows.is_empty() {
            file.flush()?;
        }
    }
    file.flush()
}

impl Recorder for CsvRecorder {
    fn shown(&mut self, at: HostTime, index: u64, point: &LaserPoint) {
        self.batch.push((at, index, *point));
        if self.batch.len() >= BATCH {
            self.hand_over();
        }
    }

    fn seen_until(&mut self, now: HostTime) {
        if self.batch.first().is_some_and(|(at, ..)| now.since(*at) >= HAND_OVER_EVERY) {
            self.hand_over();
        }
    }
}

impl Drop for CsvRecorder {
    fn drop(&mut self) {
        self.hand_over();
        self.to_writer = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    #[test]
    fn a_row_holds_the_moment_the_count_the_place_and_the_drives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.csv");
        let mut recorder = CsvRecorder::create(&path).unwrap();
        let red = LaserPoint::lit(0.5, -1.0, Colour::rgb(1.0, 0.0, 0.0));
        recorder.shown(HostTime::from_nanos(1234), 7, &red);
        drop(recorder);
        let text = std::fs::read_to_string(&path).unwrap();
        let rows = "host_ns,index,x,y,r,g,b,i\n1234,7,0.500000,-1.000000,65535,0,0,65535\n";
        assert_eq!(text, rows);
    }

    #[test]
    fn every_point_is_written_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.csv");
        let mut recorder = CsvRecorder::create(&path).unwrap();
        for index in 0..5_000 {
            recorder.shown(HostTime::from_nanos(index), index as u64, &LaserPoint::CENTRE);
        }
        drop(recorder);
        let text = std::fs::read_to_string(&path).unwrap();
        let indices: Vec<u64> = text
            .lines()
            .skip(1)
            .map(|row| row.split(',').nth(1).unwrap().parse().unwrap())
            .collect();
        assert!(indices.iter().copied().eq(0..5_000));
    }
}
