//! HTTP: ranges, retries, time-outs, and servers that break the rules.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use galvo::media::{
    Http, HttpEvent, HttpParams, HttpSource, Location, Source, StreamError, StreamSource,
    SyncReader, SyncReaderParams, TransportError, WaitOutcome,
};
use galvo::time::{Clock, SystemClock};

use super::server::{Fault, Server, Site};
use super::{open_http, pattern, runtime};

const MIB: usize = 1 << 20;

async fn whole(source: &Arc<HttpSource>) -> Result<Vec<u8>, TransportError> {
    let mut reader = source.reader(0);
    let mut all = Vec::new();
    let mut buf = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buf).await? {
            0 => return Ok(all),
            read => all.extend_from_slice(&buf[..read]),
        }
    }
}

async fn failure_of(url: &str, params: HttpParams) -> TransportError {
    let opened = StreamSource::<Http>::open(Location::Url(url.to_owned()), params).await;
    match opened {
        Err(StreamError::Source(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn impatient() -> HttpParams {
    HttpParams { silence: Duration::from_millis(300), ..HttpParams::default() }
}

/// KS-25, KS-28, AS-24, AS-25, AS-26, AS-27: ranges of 1 MiB, at most four at once, in the form of the standard, joined in order.
#[test]
fn a_file_comes_in_ranges_of_a_mebibyte_four_at_once() {
    let bytes = pattern(9 * MIB + 77);
    let server = Server::start(Site::with_trouble(bytes.clone(), |request| {
        // The earlier a range, the later it comes.
        Fault::Delay(Duration::from_millis(50_u64.saturating_sub(5 * request.number as u64)))
    }));
    runtime().block_on(async {
        let source = open_http(&server.url("a"), HttpParams::default()).await;
        assert!(whole(&source).await.unwrap() == bytes);
        assert!(source.is_complete());
    });
    let mut ranges: Vec<_> = server.site.requests().into_iter().filter_map(|r| r.range).collect();
    ranges.sort();
    let mut expected: Vec<_> = (0..10)
        .map(|k| format!("bytes={}-{}", k * MIB, ((k + 1) * MIB - 1).min(9 * MIB + 76)))
        .collect();
    // The first request is made before the length is known.
    expected.sort();
    assert_eq!(ranges, expected);
    let at_once = server.site.most_at_once.load(std::sync::atomic::Ordering::SeqCst);
    assert!((2..=4).contains(&at_once), "{at_once} at once");
}

/// AS-22, AS-26, AS-31, AS-50: as many at once as the reader wishes, from the start and while it loads.
#[test]
fn a_reader_says_how_many_ranges_come_at_once() {
    let server = Server::start(Site::with_trouble(pattern(9 * MIB), |_| {
        Fault::Delay(Duration::from_millis(30))
    }));
    let most = || server.site.most_at_once.load(std::sync::atomic::Ordering::SeqCst);
    runtime().block_on(async {
        let params = HttpParams { ranges_at_once: 1, ..HttpParams::default() };
        let source = open_http(&server.url("a"), params).await;
        assert_eq!(source.wait_range(0..3 * MIB as u64).await.unwrap(), WaitOutcome::Ready);
        assert_eq!(most(), 1);
        source.set_ranges_at_once(100);
        assert!(whole(&source).await.unwrap() == pattern(9 * MIB));
        assert!((2..=4).contains(&most()), "{} at once", most());
    });
}

/// Three retries after 250, 500 and 1000 ms, told as events; the fourth failure is final.
#[test]
fn faults_are_tried_again_three_times() {
    let server = Server::start(Site::with_trouble(pattern(1000), |request| {
        if request.number < 3 { Fault::Status(503) } else { Fault::None }
    }));
    let began = SystemClock.now();
    runtime().block_on(async {
        let source = open_http(&server.url("a"), HttpParams::default()).await;
        assert!(whole(&source).await.unwrap() == pattern(1000));
    });
    assert!(SystemClock.now().since(began) >= Duration::from_millis(1750));
    assert_eq!(server.site.requests().len(), 4);

    let server = Server::start(Site::with_trouble(pattern(1000), |_| Fault::Status(500)));
    let url = server.url("a.mp3");
    let failed = runtime().block_on(failure_of(&url, HttpParams::default()));
    assert_eq!(failed, TransportError::Server { url, status: 500 });
    assert_eq!(server.site.requests().len(), 4);
}

/// A refusal is not tried again, and says what it is.
#[test]
fn refusals_are_final_and_name_their_cure() {
    for (status, words) in [(404, "There is nothing at"), (403, "refuses"), (410, "nothing at")] {
        let server = Server::start(Site::with_trouble(pattern(10), move |_| Fault::Status(status)));
        let failed = runtime().block_on(failure_of(&server.url("a.mp3"), HttpParams::default()));
        assert!(failed.to_string().contains(words), "{failed}");
        assert_eq!(server.site.requests().len(), 1);
    }
    let nobody = runtime().block_on(failure_of("http://127.0.0.1:1/a.mp3", HttpParams::default()));
    println!("{nobody}");
    assert!(matches!(nobody, TransportError::Unreachable { .. }));
    let nonsense = runtime().block_on(failure_of("http://", HttpParams::default()));
    println!("{nonsense}");
    assert!(matches!(nonsense, TransportError::Address { .. }));
    let empty = Server::start(Site::of(Vec::new()));
    let failed = runtime().block_on(failure_of(&empty.url("a"), HttpParams::default()));
    assert!(matches!(failed, TransportError::Empty(_)), "{failed}");
}

/// A connection that is cut goes on where it broke off.
#[test]
fn what_was_cut_goes_on_where_it_broke_off() {
    let bytes = pattern(3 * MIB);
    let server = Server::start(Site::with_trouble(bytes.clone(), |request| {
        if request.number % 2 == 0 { Fault::CutAfter(700_000) } else { Fault::None }
    }));
    runtime().block_on(async {
        let source = open_http(&server.url("a"), HttpParams::default()).await;
        assert!(whole(&source).await.unwrap() == bytes);
    });
    let asked = server.site.requests();
    let resumed = |r: &&super::server::Request| {
        r.range.as_deref().is_some_and(|r| r.starts_with("bytes=700000-"))
    };
    assert!(asked.iter().any(|r| resumed(&r)), "{asked:?}");
}

/// Silence is a failure that has a name, at the head of an answer and within its body.
#[test]
fn a_server_that_falls_silent_is_given_up() {
    let server = Server::start(Site::with_trouble(pattern(3 * MIB), |_| Fault::StallAfter(5000)));
    runtime().block_on(async {
        let source = open_http(&server.url("a"), impatient()).await;
        assert_eq!(source.wait_range(0..5000).await.unwrap(), WaitOutcome::Ready);
        // Each try brings 5000 bytes: that is progress, and no failure.
        assert_eq!(source.wait_range(0..9000).await.unwrap(), WaitOutcome::Ready);
    });
    let server = Server::start(Site::with_trouble(pattern(10), |_| Fault::StallAfter(0)));
    runtime().block_on(async {
        let source = open_http(&server.url("a"), impatient()).await;
        let failed = source.wait_range(0..10).await.unwrap_err();
        assert!(matches!(failed, StreamError::Source(TransportError::Silent { .. })), "{failed}");
        // Asked again, it is tried again.
        let requests = server.site.requests().len();
        source.wait_range(0..10).await.unwrap_err();
        assert!(server.site.requests().len() > requests);
    });
}

/// Servers without ranges, with wrong ones, or that forget them in the midst, give the right bytes all the same.
#[test]
fn servers_without_honest_ranges_are_read_from_the_start() {
    let bytes = pattern(3 * MIB + 5);
    let troubles: [fn(usize) -> Fault; 5] = [
        |_| Fault::IgnoresRange,
        |_| Fault::ContentRange("bytes 7-1048582/3145733"),
        |_| Fault::ContentRange("bytes 0-1048575/*"),
        |_| Fault::ContentRange("nonsense"),
        |number| if number == 2 { Fault::IgnoresRange } else { Fault::None },
    ];
    for (kind, trouble) in troubles.into_iter().enumerate() {
        let server = Server::start(Site::with_trouble(bytes.clone(), move |request| {
            // A plain request is answered honestly.
            if request.range.is_some() { trouble(request.number) } else { Fault::None }
        }));
        runtime().block_on(async {
            let location = Location::Url(server.url("a"));
            let opened = StreamSource::<Http>::open(location, HttpParams::default()).await.unwrap();
            let mut events = opened.events();
            let source = opened.into_inner();
            assert!(whole(&source).await.unwrap() == bytes, "kind {kind}");
            if kind == 4 {
                assert_eq!(events.recv().await.unwrap(), HttpEvent::NoRanges);
            }
        });
    }
}

/// A file that becomes another one while it is read is not mixed with it.
#[test]
fn a_file_that_changes_while_it_is_read_is_found_out() {
    let server = Server::start(Site::with_trouble(pattern(8 * MIB), |request| {
        if request.number == 0 { Fault::None } else { Fault::Delay(Duration::from_millis(300)) }
    }));
    runtime().block_on(async {
        let source = open_http(&server.url("a"), HttpParams::default()).await;
        *server.site.etag.lock().unwrap() = Some("\"two\"".into());
        let failed = source.wait_range(0..8 * MIB as u64).await.unwrap_err();
        assert!(matches!(failed, StreamError::Source(TransportError::Changed(_))), "{failed}");
    });
}

/// A seek fetches its target before all else, and a place far ahead does not wait for what lies before it.
#[test]
fn a_seek_fetches_its_target_first() {
    let bytes = pattern(40 * MIB);
    let server = Server::start(Site::with_trouble(bytes.clone(), |_| Fault::Slow(50_000)));
    let runtime = runtime();
    let source = runtime.block_on(open_http(&server.url("a"), HttpParams::default()));
    let params =
        SyncReaderParams { runtime: Some(runtime.handle().clone()), ..SyncReaderParams::default() };
    let mut reader = SyncReader::new(Arc::clone(&source), params).unwrap();
    let mut buf = [0; 1000];
    let far = 37 * MIB + 1234;
    reader.seek(SeekFrom::Start(far as u64)).unwrap();
    reader.read_exact(&mut buf).unwrap();
    assert_eq!(buf, bytes[far..far + 1000]);
    assert!(!source.is_complete());
    let asked = server.site.requests();
    println!("{} requests until the target was there", asked.len());
    assert!(asked.len() <= 8, "{asked:?}");
}
