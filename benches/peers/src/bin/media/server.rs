//! A plain web server with ranges on the loopback interface, as slow as it is told to be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::time::{Clock, HostTime, SystemClock};

const CHUNK_BYTES: usize = 16 << 10;
const BYTES_PER_SECOND: f64 = 20e6;
/// What a chunk may be late without being made up for.
const BURST: Duration = Duration::from_millis(5);

/// How the server treats those who ask.
#[derive(Clone, Copy)]
pub struct Manners {
    /// Wait before each answer.
    pub latency: Duration,
    /// So many bytes are sent in all, then every connection stays open and silent.
    pub silent_after: u64,
}

/// What it did.
#[derive(Default)]
pub struct Counts {
    /// Bytes of bodies handed to the network.
    pub sent: AtomicU64,
    /// Requests answered.
    pub requests: AtomicU64,
}

struct Served {
    file: Arc<[u8]>,
    manners: Manners,
    counts: Arc<Counts>,
    /// When the line is free for the next chunk, of any connection.
    line_free: Mutex<HostTime>,
}

/// Serves `file` from a thread until the process ends; gives its address.
pub fn serve(file: Arc<[u8]>, manners: Manners) -> std::io::Result<(String, Arc<Counts>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/music.wav", listener.local_addr()?);
    let counts = Arc::new(Counts::default());
    let line_free = Mutex::new(SystemClock::read());
    let served = Arc::new(Served { file, manners, counts: Arc::clone(&counts), line_free });
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let served = Arc::clone(&served);
            // A listener that hangs up in the midst of an answer is no fault.
            std::thread::spawn(move || served.answer_all(stream).ok());
        }
    });
    Ok((url, counts))
}

impl Served {
    fn answer_all(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut requests = BufReader::new(stream.try_clone()?);
        while let Some(asked) = read_request(&mut requests)? {
            let now = SystemClock::read();
            SystemClock.sleep_until(now.plus_secs_f64(self.manners.latency.as_secs_f64()));
            self.counts.requests.fetch_add(1, Ordering::Relaxed);
            let len = self.file.len();
            let status = if asked.is_some() { "206 Partial Content" } else { "200 OK" };
            let range = asked.unwrap_or(0..len);
            let range = range.start.min(len)..range.end.min(len);
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: audio/wav\r\nAccept-Ranges: bytes\r\nETag: \"1\"\r\n\
                 Content-Length: {}\r\n",
                range.len()
            )?;
            if status.starts_with("206") {
                let last = range.end.saturating_sub(1);
                write!(stream, "Content-Range: bytes {}-{last}/{len}\r\n", range.start)?;
            }
            stream.write_all(b"\r\n")?;
            for chunk in self.file[range].chunks(CHUNK_BYTES) {
                if self.counts.sent.load(Ordering::Relaxed) >= self.manners.silent_after {
                    // Until the other side hangs up.
                    return requests.read(&mut [0]).map(drop);
                }
                self.wait_for_line(chunk.len());
                stream.write_all(chunk)?;
                self.counts.sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn wait_for_line(&self, bytes: usize) {
        let free = {
            let mut free = self.line_free.lock().expect("no one panics with it");
            let earliest = SystemClock::read().plus_secs_f64(-BURST.as_secs_f64());
            *free = (*free).max(earliest).plus_secs_f64(bytes as f64 / BYTES_PER_SECOND);
            *free
        };
        SystemClock.sleep_until(free);
    }
}

/// The range asked for, if one is; `None` when the other side hung up.
fn read_request(from: &mut impl BufRead) -> std::io::Result<Option<Option<Range<usize>>>> {
    let mut range = None;
    let mut line = String::new();
    loop {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let told = line.trim().to_ascii_lowercase();
        if told.is_empty() {
            return Ok(Some(range));
        }
        if let Some((first, last)) =
            told.strip_prefix("range: bytes=").and_then(|range| range.split_once('-'))
        {
            let end = last.parse().map_or(usize::MAX, |last: usize| last + 1);
            range = first.parse().ok().map(|first| first..end);
        }
    }
}
