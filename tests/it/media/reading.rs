//! The streaming library itself: sources, the reader, the worker.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use galvo::media::{
    Http, HttpParams, Interrupt, LocalFile, Location, MediaInfo, Memory, MemorySource,
    PrefetchConsumer, PrefetchSource, PrefetchWorker, PrefetchedItem, ReadOutcome, Source,
    StreamControl, StreamError, StreamMsg, StreamResult, StreamSource, Superseded, SyncReader,
    SyncReaderParams, TransportError, WaitOutcome,
};
use galvo::realtime::no_alloc;
use galvo::time::{Clock, SystemClock};
use tokio::sync::Semaphore;

use super::server::{Fault, Server, Site};
use super::{Dice, in_file, in_memory, open_http, pattern, runtime, small_buffer};

/// What every source must do.
async fn keeps_the_contract(source: &impl Source, bytes: &[u8]) {
    let len = bytes.len() as u64;
    let ready = |range: Range<u64>| async move { source.wait_range(range).await.unwrap() };
    let mut buf = [0; 1000];
    for at in [0, 1, len / 2, len - 1000, len - 1] {
        assert_eq!(ready(at..at + 1000).await, WaitOutcome::Ready, "{at}");
        let read = source.read_at(at, &mut buf).await.unwrap();
        assert_eq!(read as u64, 1000.min(len - at));
        assert_eq!(buf[..read], bytes[at as usize..at as usize + read]);
    }
    assert_eq!(source.len(), Some(len));
    for at in [len, len + 1, u64::MAX - 5] {
        assert_eq!(ready(at..at.saturating_add(9)).await, WaitOutcome::Eof);
        assert_eq!(source.read_at(at, &mut buf).await.unwrap(), 0);
    }
}

/// KS-01, KS-04, KS-08, KS-09, KS-10: memory, file and network are one behaviour. A range that crosses the end is
/// ready once all up to the end is there (trap 3).
#[test]
fn all_sources_keep_one_contract() {
    let bytes = pattern(300_000);
    runtime().block_on(async {
        keeps_the_contract(&*in_memory(&bytes), &bytes).await;
        keeps_the_contract(&*in_file(&bytes).1, &bytes).await;
        let server = Server::start(Site::of(bytes.clone()));
        keeps_the_contract(&*open_http(&server.url("a"), HttpParams::default()).await, &bytes)
            .await;
        let mut site = Site::with_trouble(bytes.clone(), |_| Fault::IgnoresRange);
        site.hides_length = true;
        let server = Server::start(site);
        let source = open_http(&server.url("a"), HttpParams::default()).await;
        assert_eq!(source.wait_range(299_999..400_000).await.unwrap(), WaitOutcome::Ready);
        assert_eq!(source.wait_range(300_000..400_000).await.unwrap(), WaitOutcome::Eof);
        keeps_the_contract(&*source, &bytes).await;
    });
}

/// KS-06, KS-13, KS-14, KS-15: every documented name is there, and all kinds open alike.
#[test]
fn the_documented_names_open_every_kind_alike() {
    let server = Server::start(Site::of(pattern(5000)));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pattern(5000)).unwrap();
    let address = server.url("a.ogg");
    let memory = Location::Memory { name: "a.mp3".into(), bytes: pattern(5000).into() };
    runtime().block_on(async {
        let a = StreamSource::<Memory>::open(memory, ()).await.unwrap().into_inner();
        let b = StreamSource::<LocalFile>::open(file.path(), ()).await.unwrap().into_inner();
        let opened = StreamSource::<Http>::open(&*address, HttpParams::default());
        let opened = opened.await.unwrap();
        let _events = opened.events();
        let c = opened.into_inner();
        assert_eq!((a.len(), b.len(), c.len()), (Some(5000), Some(5000), Some(5000)));
        assert_eq!(a.media_info(), MediaInfo::from_extension("mp3"));
        assert_eq!(c.media_info(), MediaInfo::from_extension("ogg"));
        let mut reader = SyncReader::new(c, SyncReaderParams::default()).unwrap();
        let mut all = Vec::new();
        let read = tokio::task::spawn_blocking(move || reader.read_to_end(&mut all).map(|_| all));
        assert_eq!(read.await.unwrap().unwrap(), pattern(5000));
        let mut stored = c_reader(&server).await;
        let mut first = [0; 3];
        assert_eq!(stored.read(&mut first).await.unwrap(), 3);
        assert_eq!(first, pattern(3)[..]);
    });
}

async fn c_reader(server: &Server) -> galvo::media::Reader {
    open_http(&server.url("b"), HttpParams::default()).await.reader(0)
}

/// Reads and seeks at random, beside a slice that does the same.
fn seeks_like_a_slice(mut reader: SyncReader<impl Source>, bytes: &[u8], turns: usize, seed: u64) {
    let mut dice = Dice(seed);
    let mut at = 0_usize;
    let mut buf = vec![0; 40_000];
    for turn in 0..turns {
        match dice.below(4) {
            0 => {
                at = dice.below(bytes.len() as u64 + 1) as usize;
                reader.seek(SeekFrom::Start(at as u64)).unwrap();
            }
            1 => {
                // Near by: mostly within what is fetched.
                let to =
                    (at as i64 + dice.below(20_000) as i64 - 10_000).clamp(0, bytes.len() as i64);
                let by = to - at as i64;
                at = to as usize;
                assert_eq!(reader.seek(SeekFrom::Current(by)).unwrap(), to as u64);
            }
            2 => {
                let want = dice.below(40_000) as usize;
                let there = want.min(bytes.len() - at);
                reader.read_exact(&mut buf[..there]).unwrap();
                assert!(buf[..there] == bytes[at..at + there], "turn {turn} at {at}");
                at += there;
            }
            _ => {
                let want = 1 + dice.below(300) as usize;
                let read = reader.read(&mut buf[..want]).unwrap();
                assert!(read > 0 || at == bytes.len());
                assert!(buf[..read] == bytes[at..at + read], "turn {turn} at {at}");
                at += read;
            }
        }
    }
}

/// KS-02, KS-03, KS-16, KS-17, KS-18: after a seek nothing of an old place is ever read.
#[test]
fn a_hundred_thousand_random_seeks_and_reads_are_those_of_a_slice() {
    let bytes = pattern(1_500_000);
    let runtime = runtime();
    let params = || SyncReaderParams { runtime: Some(runtime.handle().clone()), ..small_buffer() };
    let reader = SyncReader::new(in_memory(&bytes), params()).unwrap();
    seeks_like_a_slice(reader, &bytes, 80_000, 1);
    let (_file, source) = in_file(&bytes);
    seeks_like_a_slice(SyncReader::new(source, params()).unwrap(), &bytes, 15_000, 2);
    let server = Server::start(Site::with_trouble(bytes.clone(), |request| {
        if request.number % 3 == 1 { Fault::CutAfter(100_000) } else { Fault::Slow(30_000) }
    }));
    let source = runtime.block_on(open_http(&server.url("a"), HttpParams::default()));
    seeks_like_a_slice(SyncReader::new(source, params()).unwrap(), &bytes, 5_000, 3);
}

/// A source that gives what it is allowed to, and counts.
struct Slow {
    inner: MemorySource,
    allowed: Semaphore,
    reads: AtomicUsize,
    fails: AtomicBool,
}

impl Slow {
    fn new(len: usize, allowed: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: MemorySource::new(pattern(len)),
            allowed: Semaphore::new(allowed),
            reads: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
        })
    }
}

impl Source for Slow {
    type Error = TransportError;

    async fn wait_range(&self, range: Range<u64>) -> StreamResult<WaitOutcome, TransportError> {
        self.allowed.acquire().await.unwrap().forget();
        if self.fails.load(Ordering::SeqCst) {
            return Err(StreamError::Source(TransportError::NotFound("it".into())));
        }
        self.inner.wait_range(range).await
    }

    async fn read_at(&self, offset: u64, buf: &mut [u8]) -> StreamResult<usize, TransportError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.read_at(offset, buf).await
    }

    fn len(&self) -> Option<u64> {
        self.inner.len()
    }
}

fn cpu_time_of_this_thread() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

/// KS-19. Trap: `Ok(0)` is the end alone: `try_read` says `Pending`, and `read` parks without spinning.
#[test]
fn waiting_is_parked_and_not_taken_for_the_end() {
    let source = Slow::new(10_000, 0);
    let params = SyncReaderParams { patience: Duration::from_millis(400), ..small_buffer() };
    let mut reader = SyncReader::new(Arc::clone(&source), params).unwrap();
    let mut buf = [0; 100];
    assert_eq!(reader.try_read(&mut buf), Ok(ReadOutcome::Pending));
    let (cpu, wall) = (cpu_time_of_this_thread(), SystemClock.now());
    assert_eq!(reader.read(&mut buf).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(SystemClock.now().since(wall) >= Duration::from_millis(400));
    let cpu = cpu_time_of_this_thread().saturating_sub(cpu);
    println!("{cpu:?} of CPU for 400 ms of waiting");
    assert!(cpu < Duration::from_millis(40), "{cpu:?}");
    source.allowed.add_permits(1);
    assert_eq!(reader.read(&mut buf).unwrap(), 100);
    assert_eq!(buf, pattern(100)[..]);
}

/// KS-05, KS-12, KS-20: a fast source and a slow reader: as much is fetched as the buffer holds.
#[test]
fn a_slow_reader_holds_a_fast_source_back() {
    let source = Slow::new(4 << 20, Semaphore::MAX_PERMITS);
    let runtime = runtime();
    let params = SyncReaderParams { runtime: Some(runtime.handle().clone()), ..small_buffer() };
    let mut reader = SyncReader::new(Arc::clone(&source), params).unwrap();
    let mut one = [0; 1];
    for turn in 0..20 {
        reader.seek(SeekFrom::Start(turn * 100_000)).unwrap();
        let before = source.reads.load(Ordering::SeqCst);
        reader.read_exact(&mut one).unwrap();
        // Whatever time it has: three pieces wait, one is held, one may be under way, one of before.
        SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(5));
        let fetched = source.reads.load(Ordering::SeqCst) - before;
        assert!(fetched <= 6, "{fetched} pieces ahead");
    }
}

/// KS-07. Trap: a failure is no end: it arrives as itself, again and again, and the next read tries anew.
#[test]
fn a_failure_arrives_as_itself_and_can_be_got_over() {
    let source = Slow::new(10_000, Semaphore::MAX_PERMITS);
    source.fails.store(true, Ordering::SeqCst);
    let mut reader = SyncReader::new(Arc::clone(&source), small_buffer()).unwrap();
    let mut buf = [0; 100];
    for _ in 0..3 {
        let failed = reader.read(&mut buf).unwrap_err();
        let inner = failed.get_ref().unwrap().downcast_ref::<StreamError<TransportError>>();
        assert_eq!(inner, Some(&StreamError::Source(TransportError::NotFound("it".into()))));
    }
    source.fails.store(false, Ordering::SeqCst);
    // A try that began before may still tell of it once.
    let read = reader.read(&mut buf).or_else(|_| reader.read(&mut buf));
    assert_eq!((read.unwrap(), &buf[..]), (100, &pattern(100)[..]));
}

/// KS-26, KS-27. Trap: seeking past the end is refused, and from an unknown end as well.
#[test]
fn impossible_seeks_are_refused_with_their_reason() {
    struct Endless;
    impl Source for Endless {
        type Error = TransportError;
        async fn wait_range(&self, _: Range<u64>) -> StreamResult<WaitOutcome, TransportError> {
            Ok(WaitOutcome::Ready)
        }
        async fn read_at(&self, _: u64, buf: &mut [u8]) -> StreamResult<usize, TransportError> {
            Ok(buf.len())
        }
        fn len(&self) -> Option<u64> {
            None
        }
    }
    fn reason(failed: &std::io::Error) -> StreamError<TransportError> {
        failed.get_ref().unwrap().downcast_ref::<StreamError<TransportError>>().unwrap().clone()
    }
    let mut reader = SyncReader::new(in_memory(&pattern(100)), small_buffer()).unwrap();
    for to in [SeekFrom::Start(101), SeekFrom::Current(-1), SeekFrom::End(1), SeekFrom::End(-101)] {
        let failed = reader.seek(to).unwrap_err();
        assert_eq!(
            (failed.kind(), reason(&failed)),
            (ErrorKind::InvalidInput, StreamError::InvalidSeek)
        );
    }
    assert_eq!(reader.seek(SeekFrom::End(0)).unwrap(), 100);
    assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
    let mut endless = SyncReader::new(Arc::new(Endless), small_buffer()).unwrap();
    let failed = endless.seek(SeekFrom::End(0)).unwrap_err();
    assert_eq!(reason(&failed), StreamError::UnknownLength);
    assert_eq!(endless.seek(SeekFrom::Start(1 << 40)).unwrap(), 1 << 40);
}

/// Trap: a seek inside the buffer keeps it.
#[test]
fn a_seek_within_what_is_fetched_fetches_nothing() {
    let source = Slow::new(24 << 10, Semaphore::MAX_PERMITS);
    let mut reader = SyncReader::new(Arc::clone(&source), small_buffer()).unwrap();
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    let reads = source.reads.load(Ordering::SeqCst);
    let bytes = pattern(24 << 10);
    let mut buf = [0; 50];
    for at in [20_000_usize, 9_000, 24_000, 8192] {
        reader.seek(SeekFrom::Start(at as u64)).unwrap();
        reader.read_exact(&mut buf).unwrap();
        assert_eq!(buf, bytes[at..at + 50]);
    }
    assert_eq!(source.reads.load(Ordering::SeqCst), reads);
}

/// Trap: a seek inside an async task neither blocks nor panics; and reading ahead takes nothing from the heap.
#[test]
fn seeks_are_safe_in_async_code_and_reading_takes_no_heap() {
    let bytes = pattern(2 << 20);
    runtime().block_on(async {
        let mut reader = SyncReader::new(in_memory(&bytes), small_buffer()).unwrap();
        let mut buf = vec![0; 5000];
        let mut pending = 0;
        for turn in 0..400_u64 {
            let at = turn * 4999 % (2 << 20);
            reader.seek_to(at).unwrap();
            loop {
                let (outcome, touched) = no_alloc::watch(|| reader.try_read(&mut buf));
                assert_eq!(touched, 0);
                match outcome.unwrap() {
                    ReadOutcome::Bytes(n) => {
                        assert!(buf[..n.get()] == bytes[at as usize..at as usize + n.get()]);
                        break;
                    }
                    ReadOutcome::Pending => pending += 1,
                    ReadOutcome::Eof => panic!("no end here"),
                }
                tokio::task::yield_now().await;
            }
        }
        println!("{pending} times not yet");
    });
}

/// A parked read ends for a newer wish, and goes on after it.
#[test]
fn an_interrupt_ends_a_parked_read() {
    let source = Slow::new(10_000, 0);
    let interrupt = Interrupt::default();
    let params = SyncReaderParams { interrupt: interrupt.clone(), ..small_buffer() };
    let mut reader = SyncReader::new(Arc::clone(&source), params).unwrap();
    let thread = std::thread::spawn(move || {
        let failed = reader.read(&mut [0; 10]).unwrap_err();
        (failed.get_ref().unwrap().is::<Superseded>(), reader)
    });
    interrupt.raise();
    let (superseded, mut reader) = thread.join().unwrap();
    assert!(superseded);
    interrupt.lower();
    source.allowed.add_permits(1);
    assert_eq!(reader.read(&mut [0; 10]).unwrap(), 10);
}

/// Numbers instead of bytes, with an event on every tenth.
struct Numbers {
    at: u64,
}

impl PrefetchSource for Numbers {
    type Chunk = u64;
    type Event = &'static str;
    type Error = ();

    fn seek(&mut self, place: u64) {
        self.at = place;
    }

    async fn next(&mut self) -> Result<StreamMsg<u64, &'static str>, ()> {
        self.at += 1;
        match self.at {
            50 => Ok(StreamMsg::Event("fifty")),
            100 => Ok(StreamMsg::Control(StreamControl::End)),
            777 => Err(()),
            at => Ok(StreamMsg::Data(at)),
        }
    }
}

async fn next_of(
    consumer: &mut PrefetchConsumer<Numbers>,
) -> Result<StreamMsg<PrefetchedItem<u64>, &'static str>, StreamError<()>> {
    loop {
        if let Some(msg) = consumer.try_next()? {
            return Ok(msg);
        }
        tokio::task::yield_now().await;
    }
}

/// KS-21, KS-22, KS-23, KS-24: pieces of any kind, each with its epoch; the end is an empty piece; events and failures
/// come in their place.
#[test]
fn the_worker_carries_any_kind_of_piece_in_order_with_its_epoch() {
    runtime().block_on(async {
        let (worker, mut consumer) = PrefetchWorker::new(Numbers { at: 0 }, 4);
        let working = tokio::spawn(worker.run());
        for expected in (1..50).chain(51..100) {
            if expected == 51 {
                assert_eq!(next_of(&mut consumer).await, Ok(StreamMsg::Event("fifty")));
            }
            let item = PrefetchedItem { data: expected, epoch: 0, is_eof: false };
            assert_eq!(next_of(&mut consumer).await, Ok(StreamMsg::Data(item)));
        }
        let end = PrefetchedItem { data: 0, epoch: 0, is_eof: true };
        assert_eq!(next_of(&mut consumer).await, Ok(StreamMsg::Data(end)));
        assert_eq!(consumer.try_next(), Ok(None));
        // Only the newest of many seeks counts; armed ones need no system call.
        for to in 200..300 {
            consumer.arm(to);
        }
        let ((), touched) = no_alloc::watch(|| consumer.arm(700));
        assert_eq!((touched, consumer.epoch()), (0, 101));
        let item = PrefetchedItem { data: 701, epoch: 101, is_eof: false };
        assert_eq!(next_of(&mut consumer).await, Ok(StreamMsg::Data(item)));
        assert_eq!(consumer.seek(776), 102);
        for _ in 0..3 {
            assert_eq!(next_of(&mut consumer).await, Err(StreamError::Source(())));
        }
        consumer.seek(5);
        assert!(matches!(next_of(&mut consumer).await, Ok(StreamMsg::Data(i)) if i.data == 6));
        drop(consumer);
        working.await.unwrap();
        let (worker, mut consumer) = PrefetchWorker::new(Numbers { at: 0 }, 4);
        drop(worker);
        assert_eq!(consumer.try_next(), Err(StreamError::ChannelClosed));
    });
}
