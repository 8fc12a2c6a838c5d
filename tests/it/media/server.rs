//! A web server of the tests, with trouble on demand. It listens on loopback until it is dropped.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use galvo::time::{Clock, SystemClock};

/// What is wrong with one answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// This status, and no file.
    Status(u16),
    /// The head comes so much later.
    Delay(Duration),
    /// The connection is closed after so many bytes of the body.
    CutAfter(usize),
    /// So many bytes of the body, then nothing for a while.
    StallAfter(usize),
    /// Another range than the one asked for, with these words.
    ContentRange(&'static str),
    /// The body in pieces of this many bytes, a millisecond apart.
    Slow(usize),
    /// The whole file, whatever was asked for.
    IgnoresRange,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    /// Counted from 0.
    pub(crate) number: usize,
}

type Trouble = Box<dyn Fn(&Request) -> Fault + Send + Sync>;

/// What the server serves and how.
pub(crate) struct Site {
    pub(crate) body: Mutex<Vec<u8>>,
    /// Another body for what has this path.
    pub(crate) other: Option<(&'static str, Vec<u8>)>,
    pub(crate) etag: Mutex<Option<String>>,
    pub(crate) content_type: &'static str,
    /// Answers without `Content-Length`.
    pub(crate) hides_length: bool,
    pub(crate) trouble: Trouble,
    pub(crate) log: Mutex<Vec<Request>>,
    pub(crate) at_once: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
}

impl Site {
    pub(crate) fn of(body: Vec<u8>) -> Self {
        Self::with_trouble(body, |_| Fault::None)
    }

    pub(crate) fn with_trouble(
        body: Vec<u8>,
        trouble: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        Self {
            body: Mutex::new(body),
            other: None,
            etag: Mutex::new(Some("\"one\"".into())),
            content_type: "application/octet-stream",
            hides_length: false,
            trouble: Box::new(trouble),
            log: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) site: Arc<Site>,
    address: SocketAddr,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(site: Site) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (site, closing) = (Arc::new(site), Arc::new(AtomicBool::new(false)));
        let (its_site, its_closing) = (Arc::clone(&site), Arc::clone(&closing));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if its_closing.load(Ordering::SeqCst) {
                    return;
                }
                let (site, closing) = (Arc::clone(&its_site), Arc::clone(&its_closing));
                std::thread::spawn(move || {
                    // Whoever asked may be gone.
                    serve(&site, &closing, stream).ok();
                });
            }
        });
        Self { site, address, closing, thread: Some(thread) }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn read_request(stream: &TcpStream, number: usize) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut range = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("range")
        {
            range = Some(value.trim().to_owned());
        }
    }
    Ok(Request { method, path, range, number })
}

fn serve(site: &Site, closing: &AtomicBool, mut stream: TcpStream) -> std::io::Result<()> {
    let request = {
        let number = site.log.lock().unwrap().len();
        let request = read_request(&stream, number)?;
        let mut log = site.log.lock().unwrap();
        let request = Request { number: log.len(), ..request };
        log.push(request.clone());
        request
    };
    let at_once = site.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    site.most_at_once.fetch_max(at_once, Ordering::SeqCst);
    answer(site, closing, &request, &mut stream, UnderWay(site))
}

/// A request that is counted as under way.
struct UnderWay<'a>(&'a Site);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Writes the bytes. Before the last one the request is counted out: who has it may ask for the next at once.
fn send(mut stream: &TcpStream, bytes: &[u8], counted: UnderWay<'_>) -> std::io::Result<()> {
    let (first, last) = bytes.split_at(bytes.len().saturating_sub(1));
    stream.write_all(first)?;
    drop(counted);
    stream.write_all(last)
}

fn answer(
    site: &Site,
    closing: &AtomicBool,
    request: &Request,
    stream: &mut TcpStream,
    counted: UnderWay<'_>,
) -> std::io::Result<()> {
    let fault = (site.trouble)(request);
    let wait = |time: Duration| SystemClock.sleep_until(SystemClock.now() + time);
    if let Fault::Delay(time) = fault {
        wait(time);
    }
    if let Fault::Status(status) = fault {
        return write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let body = match &site.other {
        Some((path, other)) if request.path == *path => other.clone(),
        _ => site.body.lock().unwrap().clone(),
    };
    let asked = request.range.as_deref().filter(|_| fault != Fault::IgnoresRange).map(|range| {
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let first: usize = first.parse().unwrap();
        first..(last.parse::<usize>().unwrap() + 1).min(body.len())
    });
    let (status, part, content_range) = match asked {
        Some(range) if range.start < body.len() => {
            let told = format!("bytes {}-{}/{}", range.start, range.end - 1, body.len());
            ("206 Partial Content", range, Some(told))
        }
        Some(_) => ("416 X", 0..0, Some(format!("bytes */{}", body.len()))),
        None => ("200 OK", 0..body.len(), None),
    };
    let content_range = match fault {
        Fault::ContentRange(told) if content_range.is_some() => Some(told.to_owned()),
        _ => content_range,
    };
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n")?;
    write!(stream, "Content-Type: {}\r\n", site.content_type)?;
    if let Some(etag) = &*site.etag.lock().unwrap() {
        write!(stream, "ETag: {etag}\r\n")?;
    }
    if let Some(told) = content_range {
        write!(stream, "Content-Range: {told}\r\n")?;
    }
    if !site.hides_length {
        write!(stream, "Content-Length: {}\r\n", part.len())?;
    }
    write!(stream, "\r\n")?;
    if request.method == "HEAD" {
        return Ok(());
    }
    let bytes = &body[part];
    match fault {
        Fault::CutAfter(most) => send(stream, &bytes[..most.min(bytes.len())], counted),
        Fault::StallAfter(most) => {
            stream.write_all(&bytes[..most.min(bytes.len())])?;
            while !closing.load(Ordering::SeqCst) {
                wait(Duration::from_millis(20));
            }
            Ok(())
        }
        Fault::Slow(piece) => bytes.chunks(piece).try_for_each(|piece| {
            wait(Duration::from_millis(1));
            stream.write_all(piece)
        }),
        _ => send(stream, bytes, counted),
    }
}
