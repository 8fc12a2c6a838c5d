//! Mask streams through the handle, as a program uses it: frames on time, errors by their codes, one stream
//! through every source.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use galvo::format::asvp::FormatError;
use galvo::format::asvp::write::Writer;
use galvo::format::asvr::{self, Key, KeyedName, Passphrase};
use galvo::format::mask_stream::{self, MaskStream, Scratch};
use galvo::format::outlines::{Outlines, Place};
use galvo::mask::source::{MemorySource, ReaderSource};
use galvo::mask::{
    Bitmap, Builder, Category, ErrorCode, MaskHandle, MaskSource, Output, RangeSource, Rate,
    StreamKey,
};
use galvo::realtime::no_alloc;
use galvo::time::{Clock, SystemClock};

/// Long enough for any machine, however busy.
pub(crate) const PATIENT: Duration = Duration::from_mins(1);

const A: &str = "41535650504c4e3101000000130000007801010800f7ff230000000000000001\
    200024140000007801011400ebff010000000c0000000a000a000a00000af60000f607140222";
const B: &str = "41535650504c4e31020000001b0000007801011000efff130000000000000031\
    0000000000000002c80045040000007801010400fbff0000000000040001220000007801012200ddff0300000008\
    0000000400000006000000040004000800f8081400140018000200040411600170";
const C: &str = "0000000000000000000000000b00000078da936680000000e0001c1400000078\
    da63646060e001622e3064e0fac6c0f00d0007140222";
pub(crate) const R: &str = "77d944bff2973bbb628435724171f39ac09524e81a3c9527e6499f8204dfe136\
    d0456d7784233e79fa96aa889af7ac0cf312096d1bbc9a67c7f80bfa15367ea0819e516946c5";

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

pub(crate) fn key(scene: u32) -> StreamKey {
    StreamKey {
        passphrase: Passphrase::new(std::array::from_fn(|k| k as u8)),
        name: KeyedName { scene, version: "1.5.0".into(), resource: "demo.asvr".into() },
    }
}

pub(crate) fn patient() -> Builder {
    Builder::default().timebox(PATIENT).worker_threads(2).decode(2)
}

fn small() -> MaskHandle {
    patient().plane((32, 32)).build().unwrap()
}

/// A square of side 20 whose left edge says which frame it is.
pub(crate) fn numbered(frames: u64) -> Writer {
    let mut writer = Writer::default();
    for frame in 0..frames {
        let left = (frame % 1000) as i32;
        let mut outlines = Outlines::default();
        let corner = |x, y| Place::new(left + x, 100 + y);
        outlines.push([corner(0, 0), corner(19, 0), corner(19, 19), corner(0, 19)]);
        writer.push(&outlines).unwrap();
    }
    writer
}

pub(crate) fn left_edge(picture: &Bitmap) -> Option<u64> {
    let set = picture.pixels().iter().position(|pixel| *pixel == 255)?;
    Some(set as u64 % u64::from(picture.width()))
}

/// AS-01, AS-03, AS-04, AS-10, AS-12, AS-16: the sheet's files over each source give the sheet's pictures.
#[test]
fn the_sheets_files_give_their_pictures_from_every_source() {
    let folder = tempfile::tempdir().unwrap();
    for (name, hex, frame, counts, area) in [
        ("a.asvp", A, 0, [121, 36, 9, 484, 8], 100.0),
        ("b.asvp", B, 1, [50, 18, 6, 200, 3], 32.0),
        ("c.asvp", C, 0, [121, 36, 9, 484, 8], 100.0),
        ("demo.asvr", R, 0, [121, 36, 9, 484, 8], 100.0),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes(hex)).unwrap();
        let reader = std::io::Cursor::new(bytes(hex));
        for source in [
            MaskSource::file(&path).unwrap(),
            MaskSource::memory(bytes(hex)),
            MaskSource::reader(reader, bytes(hex).len() as u64),
        ] {
            let masks = small();
            masks.load_source(&source.with_key(key(7))).unwrap();
            for ((w, h), count) in
                [(32, 32), (16, 16), (8, 8), (64, 64), (12, 5)].into_iter().zip(counts)
            {
                let picture = masks.get_frame(frame, w, h).unwrap();
                assert_eq!((picture.width(), picture.height()), (w, h));
                assert_eq!(picture.count(), count, "{name} {w}×{h}");
            }
            let strip = masks.get_triangle_strip_vertices(frame).unwrap();
            let vertices: Vec<_> = strip.chunks_exact(2).collect();
            let total: f32 = vertices
                .windows(3)
                .map(|v| {
                    ((v[1][0] - v[0][0]) * (v[2][1] - v[0][1])
                        - (v[2][0] - v[0][0]) * (v[1][1] - v[0][1]))
                        .abs()
                        / 2.0
                })
                .sum();
            assert!((total - area).abs() < 1e-3, "{name}: {total}");
            assert_eq!(masks.last_error().code, ErrorCode::None);
        }
    }
}

/// AS-69, AS-82, AS-85, AS-107: what is known of a stream, and the rate that is refused.
#[test]
fn metadata_says_what_is_known() {
    let masks = small();
    assert_eq!(masks.get_metadata(), None);
    masks.load_source(&MaskSource::memory(bytes(B))).unwrap();
    let known = masks.get_metadata().unwrap();
    assert_eq!((known.form, known.frames, known.bytes), ("ASVP", 2, 111));
    assert_eq!((known.width, known.height, known.rate.as_fps()), (32, 32, 60.0));
    masks.set_rate(Rate::new(60_000, 1001).unwrap());
    assert_eq!(masks.get_rate().to_string(), "60000/1001");
    assert!((masks.get_metadata().unwrap().duration_s - 2.0 * 1.001 / 60.0).abs() < 1e-12);
    for wrong in [0.0, -1.0, f64::NAN] {
        assert!(Rate::from_fps(wrong).is_err());
    }
    masks.load_source(&MaskSource::memory(bytes(C))).unwrap();
    assert_eq!(masks.get_metadata().unwrap().warnings.len(), 1);
}

/// AS-06, AS-18, AS-21, AS-83, AS-88, AS-89, AS-90: every way a stream can be wrong has its code, in its category.
#[test]
fn every_failure_has_its_code_and_names_its_category() {
    let changed = |hex: &str, changes: &[(usize, u8)]| {
        let mut file = bytes(hex);
        for &(at, byte) in changes {
            file[at] = byte;
        }
        file
    };
    let sum = [(50, 0x0d), (66, 7), (67, 0x24), (68, 2), (69, 0x23)];
    let past = [(23, 0x24), (31, 1), (32, 0x28), (33, 0), (34, 0x25)];
    let huge = [(35, 0xff), (36, 0xff), (37, 0xff), (38, 0xff)];
    for (file, code, category) in [
        (changed(A, &[(35, 0x15)]), ErrorCode::Decode, Category::Decode),
        (changed(A, &sum), ErrorCode::Decode, Category::Decode),
        (changed(A, &[(69, 0x23)]), ErrorCode::Decode, Category::Decode),
        (changed(A, &past), ErrorCode::Transport, Category::Io),
        (changed(A, &huge), ErrorCode::Decode, Category::Decode),
        (bytes(A)[..40].to_vec(), ErrorCode::Transport, Category::Io),
    ] {
        let masks = small();
        masks.load_source(&MaskSource::memory(file)).unwrap();
        assert_eq!(masks.get_frame(0, 8, 8), None);
        let error = masks.last_error();
        assert_eq!((error.code, error.category), (code, category), "{error}");
        assert!(error.message.starts_with(&format!("{category}: frame 0: ")), "{error}");
        masks.clear_error();
        assert_eq!(masks.last_error().code, ErrorCode::None);
    }
    for (file, key, code) in [
        (changed(A, &[(12, 255), (13, 255), (14, 255), (15, 255)]), None, ErrorCode::Decode),
        (bytes(A)[..20].to_vec(), None, ErrorCode::Transport),
        (Vec::new(), None, ErrorCode::Transport),
        (bytes(R), Some(key(8)), ErrorCode::Decode),
    ] {
        let mut source = MaskSource::memory(file);
        if let Some(key) = key {
            source = source.with_key(key);
        }
        let masks = small();
        let error = masks.load_source(&source).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert_eq!(masks.last_error(), error);
    }
    let missing = MaskSource::file("no such.asvp".as_ref()).unwrap_err();
    assert_eq!((missing.code, missing.category), (ErrorCode::Transport, Category::Io));
}

/// AS-81, AS-83, AS-86: what cannot be tried answers `NotReady`, and never the last frame instead.
#[test]
fn nothing_loaded_stopped_closed_and_past_the_end_are_not_ready() {
    let masks = small();
    let not_ready = |what: &str| {
        assert_eq!(masks.get_frame(u64::from(what.contains("frame 1")), 8, 8), None);
        let error = masks.last_error();
        assert_eq!(error.code, ErrorCode::NotReady);
        assert!(error.message.contains(what), "{error}");
        masks.clear_error();
    };
    not_ready("no mask stream");
    masks.load_source(&MaskSource::memory(bytes(A))).unwrap();
    assert!(masks.get_frame(0, 8, 8).is_some());
    not_ready("no frame 1");
    masks.stop();
    not_ready("stopped");
    masks.start();
    assert!(masks.get_frame(0, 8, 8).is_some());
    // An older error stays through a success.
    assert_eq!(masks.get_frame(7, 8, 8), None);
    assert!(masks.get_frame(0, 8, 8).is_some());
    assert_eq!(masks.last_error().code, ErrorCode::NotReady);
    masks.close();
    not_ready("no mask stream");
    // A stream without a frame loads, and has none.
    masks.load_source(&MaskSource::memory(Writer::default().plain())).unwrap();
    not_ready("the stream has 0");
}

/// AS-49, AS-61, AS-106: only what was chosen is made.
#[test]
fn only_the_chosen_outputs_are_made() {
    for output in [Output::Masks, Output::Triangles, Output::Both, Output::Outlines] {
        let masks = patient().plane((32, 32)).output(output).build().unwrap();
        masks.load_source(&MaskSource::memory(bytes(A))).unwrap();
        assert_eq!(masks.get_frame(0, 8, 8).is_some(), output.masks());
        assert_eq!(masks.get_triangle_strip_vertices(0).is_ok(), output.triangles());
        let frame = masks.frame(0, PATIENT).unwrap();
        assert_eq!(
            (frame.mask.is_some(), frame.strip.is_some()),
            (output.masks(), output.triangles())
        );
        assert_eq!(frame.outlines.places().len(), 5);
    }
}

/// Reads memory; while shut, a read waits. Remembers the offsets asked for.
#[derive(Debug)]
struct Gate {
    inner: MemorySource<Vec<u8>>,
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    shut: bool,
    broken: bool,
    reads: Vec<(u64, usize)>,
    waiting: usize,
}

impl Gate {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self {
            inner: MemorySource::new(bytes),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn change(&self, change: impl FnOnce(&mut GateState)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// Waits for reads to come to this; how it is then.
    fn wait_until(&self, is_so: impl Fn(&GateState) -> bool) -> usize {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, PATIENT, |state| !is_so(state));
        let (state, late) = waited.unwrap();
        assert!(!late.timed_out(), "{state:?}");
        state.waiting
    }
}

#[derive(Clone, Debug)]
struct Gated(Arc<Gate>);

impl RangeSource for Gated {
    fn len(&self) -> Result<u64, String> {
        self.0.inner.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, String> {
        self.0.change(|state| {
            state.reads.push((offset, out.len()));
            state.waiting += 1;
        });
        let state = self.0.state.lock().unwrap();
        let opened = self.0.changed.wait_while(state, |state| state.shut).unwrap();
        let broken = opened.broken;
        drop(opened);
        self.0.change(|state| state.waiting -= 1);
        if broken {
            return Err("the line is cut: plug it in".into());
        }
        self.0.inner.read_at(offset, out)
    }
}

/// Waits until something is so that nobody tells of.
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    let end = SystemClock.now() + PATIENT;
    while !is_so() {
        assert!(SystemClock.now() < end, "it took more than {PATIENT:?}");
        SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(1));
    }
}

/// AS-55: a frame that is late gives nothing and `Timeout`, not before the timebox; when it has come the next
/// call is a hit.
#[test]
fn a_late_frame_is_a_timeout_and_then_a_hit() {
    let gate = Gate::new(numbered(300).plain());
    let masks = Builder::default().build().unwrap();
    masks.load_source(&MaskSource::new(Gated(Arc::clone(&gate)))).unwrap();
    gate.change(|gate| gate.shut = true);
    let (clock, asked) = (SystemClock::read, 250);
    let begin = clock();
    assert_eq!(masks.get_frame(asked, 1024, 512), None);
    assert!(clock().since(begin) >= Duration::from_millis(11));
    let error = masks.last_error();
    assert_eq!((error.code, error.category), (ErrorCode::Timeout, Category::Scheduling));
    assert_eq!(masks.try_get(asked, 1024, 512), None);
    gate.change(|gate| gate.shut = false);
    assert!(masks.frame(asked, PATIENT).is_ok());
    let before = masks.counters();
    assert!(masks.get_frame(asked, 2048, 1024).is_some());
    let after = masks.counters();
    assert_eq!((after.hits, after.misses), (before.hits + 1, before.misses));
    assert!(after.timeouts >= 1 && after.stalls >= 1 && after.stalled_ns >= 11_000_000);
}

/// AS-26, AS-37, AS-38: with all readers but one busy with prefetch, the frame asked for is read next.
#[test]
fn a_frame_asked_for_is_read_while_prefetch_is_stuck() {
    let file = numbered(2000).plain();
    let read = &mut |range: Range<u64>| Ok(file[range.start as usize..range.end as usize].to_vec());
    let stream = mask_stream::open::<FormatError>(read, None).unwrap();
    let of_1500 = stream.range(1500).unwrap();
    let asked_for = (of_1500.start, (of_1500.end - of_1500.start) as usize);

    let gate = Gate::new(file);
    let masks = patient().build().unwrap();
    masks.load_source(&MaskSource::new(Gated(Arc::clone(&gate)))).unwrap();
    assert!(masks.frame(0, PATIENT).is_ok());
    gate.wait_until(|gate| gate.waiting == 0);
    gate.change(|gate| gate.shut = true);
    // A jump whose prefetch hangs.
    masks.seek(1000);
    gate.wait_until(|gate| gate.waiting > 0);
    gate.change(|gate| gate.reads.clear());
    let asked = std::thread::spawn(move || masks.frame(1500, PATIENT));
    let at_once = gate.wait_until(|gate| gate.reads.contains(&asked_for));
    assert!((2..=4).contains(&at_once), "{at_once} reads at once");
    gate.change(|gate| gate.shut = false);
    assert!(asked.join().unwrap().is_ok());
}

/// A line that is cut is a `Transport`, and what comes after it plays on.
#[test]
fn a_cut_line_is_a_transport_error_and_playing_goes_on_after_it() {
    let gate = Gate::new(numbered(3000).plain());
    let masks = patient().prefetch_frames(0).build().unwrap();
    masks.load_source(&MaskSource::new(Gated(Arc::clone(&gate)))).unwrap();
    assert!(masks.get_frame(10, 64, 32).is_some());
    gate.change(|gate| gate.broken = true);
    assert_eq!(masks.get_frame(2000, 64, 32), None);
    let error = masks.last_error();
    assert_eq!(error.code, ErrorCode::Transport);
    assert!(error.message.contains("plug it in"), "{error}");
    gate.change(|gate| gate.broken = false);
    assert!(masks.get_frame(2500, 64, 32).is_some());
    assert!(masks.get_frame(10, 64, 32).is_some());
}

/// AS-11, AS-17, AS-25, AS-53, AS-70, AS-101, AS-104: frames made ahead are hits, read many at a time; a hit
/// takes nothing from the heap, and the same picture again is the same picture.
#[test]
fn prefetched_frames_are_hits_without_an_allocation() {
    let masks = patient().plane((1024, 256)).build().unwrap();
    masks.load_source(&MaskSource::memory(numbered(400).plain())).unwrap();
    for frame in 0..130 {
        let picture = masks.get_frame(frame, 1024, 256).unwrap();
        assert_eq!(left_edge(&picture), Some(frame));
    }
    let counters = masks.counters();
    assert!(counters.reads < counters.decoded, "{counters:?}");
    // Everything up to 120 frames ahead comes by itself.
    eventually(|| masks.counters().decoded >= 250 && masks.try_frame(249).is_some());
    masks.seek(130);
    for frame in 130..150 {
        assert!(masks.frame(frame, PATIENT).is_ok());
    }
    for frame in 130..142 {
        drop(masks.get_frame(frame, 1024, 256));
    }
    let misses = masks.counters().misses;
    let ((), touched) = no_alloc::watch(|| {
        for frame in 142..150 {
            let first = masks.get_frame(frame, 1024, 256);
            let again = masks.get_frame(frame, 1024, 256);
            assert!(matches!((first, again), (Some(a), Some(b)) if Arc::ptr_eq(&a, &b)));
        }
    });
    assert_eq!((touched, masks.counters().misses), (0, misses));
}

/// AS-62, AS-63: 512 frames are kept, whatever is asked for.
#[test]
fn the_cache_never_holds_more_than_its_frames() {
    let masks = patient().plane((64, 64)).cache_frames(20).prefetch_frames(5).build().unwrap();
    masks.load_source(&MaskSource::memory(numbered(200).plain())).unwrap();
    for frame in (0..200).rev() {
        assert!(masks.frame(frame, PATIENT).is_ok());
    }
    let counters = masks.counters();
    assert!(counters.evictions + 20 >= counters.decoded, "{counters:?}");
    assert!(counters.decoded >= 200);
}

/// AS-05, AS-52: by its own clock, a handle shows what is due, and the last frame again while the next is late.
#[test]
fn the_handles_own_clock_shows_what_is_due_or_the_last_before_it() {
    let gate = Gate::new(numbered(900).plain());
    let masks = patient().plane((1024, 256)).rate(Rate::new(1, 1).unwrap()).build().unwrap();
    masks.load_source(&MaskSource::new(Gated(Arc::clone(&gate)))).unwrap();
    assert!(masks.frame(500, PATIENT).is_ok());
    let (shown, picture) = masks.current(1024, 256).unwrap();
    let due = masks.playhead();
    assert!((500..=due).contains(&shown));
    assert_eq!(left_edge(&picture), Some(shown));
    // The next frames are late: what was shown is shown again.
    gate.change(|gate| gate.shut = true);
    masks.seek(880);
    assert_eq!(masks.current(1024, 256).map(|(index, _)| index >= 500), Some(true));
    gate.change(|gate| gate.shut = false);
}

/// AS-87, AS-91, AS-43: errors stay with their handle, from eight threads at once.
#[test]
fn errors_never_show_on_another_handle() {
    let (good, bad) = (small(), small());
    let mut damaged = bytes(A);
    damaged[69] = 0x23;
    good.load_source(&MaskSource::memory(bytes(A))).unwrap();
    bad.load_source(&MaskSource::memory(damaged)).unwrap();
    std::thread::scope(|scope| {
        for k in 0..8 {
            let masks = if k % 2 == 0 { &good } else { &bad };
            scope.spawn(move || {
                for _ in 0..50 {
                    assert_eq!(masks.get_frame(0, 16, 16).is_some(), k % 2 == 0);
                }
            });
        }
    });
    assert_eq!(good.last_error().code, ErrorCode::None);
    assert_eq!(bad.last_error().code, ErrorCode::Decode);
}

/// AS-42, AS-43, AS-45: inside a runtime the handle uses it, its tasks stay on time, and it may be dropped there.
#[test]
fn inside_a_runtime_the_handle_works_on_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let masks = patient().build().unwrap();
        assert!(!masks.owns_its_runtime());
        masks.load_source(&MaskSource::memory(numbered(500).plain())).unwrap();
        let beats = tokio::spawn(async {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        for frame in 0..100 {
            assert!(masks.frame(frame, PATIENT).is_ok());
        }
        beats.await.unwrap();
        drop(masks);
    });
    assert!(small().owns_its_runtime());
}

/// A keyed stream of ours opens with its key and with no other, frame by frame.
#[test]
fn a_keyed_stream_of_ours_plays_with_its_key_alone() {
    let own = key(3);
    let file = asvr::emit(&numbered(20), &Key::derive(&own.passphrase, &own.name));
    let masks = patient().plane((1024, 256)).build().unwrap();
    masks.load_source(&MaskSource::memory(file.clone()).with_key(own)).unwrap();
    assert_eq!(masks.get_metadata().unwrap().form, "ASVR");
    for frame in [7, 0, 19] {
        assert_eq!(left_edge(&masks.get_frame(frame, 1024, 256).unwrap()), Some(frame));
    }
    let refused = masks.load_source(&MaskSource::memory(file)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Decode);
    // What was loaded before is still there.
    assert!(masks.get_frame(5, 64, 16).is_some());
}

/// A form of one square a frame: its left edge, one byte a frame, no header.
#[derive(Debug)]
struct Toy;

impl MaskStream for Toy {
    fn form(&self) -> &'static str {
        "TOY"
    }

    fn frames(&self) -> usize {
        9
    }

    fn range(&self, index: usize) -> Option<Range<u64>> {
        (index < 9).then(|| index as u64..index as u64 + 1)
    }

    fn warnings(&self) -> &[String] {
        &[]
    }

    fn decode(
        &self,
        _index: usize,
        block: &mut [u8],
        _scratch: &mut Scratch,
        outlines: &mut Outlines,
    ) -> Result<(), FormatError> {
        let left = i32::from(block[0]);
        outlines.push([(0, 0), (9, 0), (9, 9), (0, 9)].map(|(x, y)| Place::new(left + x, y)));
        Ok(())
    }
}

/// AS-02, AS-07: a new form is a type; scheduler, cache and handle do not know it.
#[test]
fn a_form_of_another_plays_through_the_same_handle() {
    let masks = patient().plane((256, 32)).build().unwrap();
    masks
        .load_stream(Box::new(Toy), Arc::new(MemorySource::new((100..109_u8).collect::<Vec<_>>())));
    for frame in [3, 8, 0] {
        let picture = masks.get_frame(frame, 256, 32).unwrap();
        assert_eq!(left_edge(&picture), Some(100 + frame));
    }
    assert_eq!(masks.get_metadata().unwrap().form, "TOY");
    assert_eq!(masks.get_frame(9, 8, 8), None);
}

/// AS-35: the buffer of a memory source is shared, not copied.
#[test]
fn a_callers_buffer_is_shared() {
    let shared: Arc<[u8]> = bytes(A).into();
    let masks = small();
    masks.load_source(&MaskSource::memory(Arc::clone(&shared))).unwrap();
    assert!(Arc::strong_count(&shared) >= 2);
    assert!(masks.get_frame(0, 8, 8).is_some());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes(A)).unwrap();
    assert_eq!(ReaderSource::open(file.path()).unwrap().len(), Ok(70));
}
