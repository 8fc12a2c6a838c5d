//! The demands on streaming (LS, LR), on the frame pool (DP), on media streams (KS) and on mask streams (AS): each is
//! named by the test that proves it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Demands that no test can show, each with the reason.
const UNTESTED: [(&str, &str); 13] = [
    ("LS-06", "a statement of the documentation: see `time::StreamInstant`"),
    ("LS-66", "superseded by LR-03: there is no blocking write"),
    (
        "LR-07",
        "a demand on the documentation: `docs/architecture.md`, `docs/sync.md`, the docs of `stream`",
    ),
    ("LR-09", "a judgement of a reader"),
    ("LR-19", "nothing was released before"),
    (
        "DP-30",
        "a figure: `benches/frame.rs` prints it, `docs/decisions/0002-frame-pool.md` keeps it",
    ),
    ("DP-38", "a demand on the documentation"),
    ("KS-29", "HLS is settled to be possible, not built: `media::SourceFactory` is its place"),
    (
        "AS-32",
        "settled: files are read, not mapped: `docs/decisions/0007-files-are-read-not-mapped.md`",
    ),
    ("AS-33", "as AS-32: a file is read at offsets, a run of frames of up to 1 MiB in one piece"),
    (
        "AS-92",
        "left open there: warnings and refusals are events of `tracing`, whose subscriber the program picks",
    ),
    ("AS-103", "as AS-32"),
    ("AS-105", "figures: `benches/mask.rs` prints them, `docs/performance.md` keeps them"),
];

/// Numbers that the table LS leaves out.
const GAPS: [std::ops::RangeInclusive<u32>; 4] = [25..=30, 47..=50, 60..=60, 72..=80];

/// Every trap under the tables has a regression test that names it.
const TRAPS: [&str; 15] = [
    "Trap: fractional decay",
    "Trap: phantom points",
    "Trap: double-counted reports",
    "Trap: ticks below a millisecond",
    "Trap: `Starved` does not spin",
    "Trap: a refused chunk is retried byte for byte",
    "Trap: a target above the ring",
    "Trap: a rate of 0",
    "Trap: waits are sliced",
    "Trap: `Ok(0)` is the end alone",
    "Trap: a failure is no end",
    "Trap: seeking past the end is refused",
    "Trap: a seek inside the buffer keeps it",
    "Trap: a seek inside an async task",
    "Trap: a codec is told by its whole name",
];

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

fn sources(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in folders {
        rust_files(&root.join(folder), &mut files);
    }
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// The doc comments of all tests, `proptest!` ones included, one string each.
fn docs_of_tests() -> Vec<String> {
    let mut docs = Vec::new();
    for (_, text) in sources(&["src", "tests/it", "tests/loom/src"]) {
        let mut doc = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(said) = line.strip_prefix("///") {
                doc.push_str(said);
            } else if line == "#[test]" {
                docs.push(std::mem::take(&mut doc));
            } else if !line.starts_with("#[") {
                doc.clear();
            }
        }
    }
    docs
}

/// Row ids in a text: "LS-41" and the like.
fn ids(text: &str) -> impl Iterator<Item = String> + '_ {
    ["LS-", "LR-", "DP-", "KS-", "AS-"].into_iter().flat_map(move |table| {
        text.match_indices(table).filter_map(move |(at, _)| {
            let digits = text[at + 3..].bytes().take_while(u8::is_ascii_digit).count();
            (digits >= 2).then(|| text[at..at + 3 + digits].to_owned())
        })
    })
}

#[test]
fn every_demand_is_named_by_a_test_or_has_a_reason_why_not() {
    let proven: BTreeSet<String> = docs_of_tests().iter().flat_map(|doc| ids(doc)).collect();
    let untested: BTreeSet<&str> = UNTESTED.iter().map(|(id, _)| *id).collect();
    let is_gap = |n: &u32| GAPS.iter().any(|gap| gap.contains(n));
    let streaming = (1..=87).filter(|n| !is_gap(n)).map(|n| format!("LS-{n:02}"));
    let review = (1..=20).map(|n| format!("LR-{n:02}"));
    let pool = (1..=38).map(|n| format!("DP-{n:02}"));
    let media = (1..=31).map(|n| format!("KS-{n:02}"));
    let masks = [1..=55, 61..=76, 81..=92, 101..=107].into_iter().flatten();
    let masks = masks.map(|n| format!("AS-{n:02}"));
    let missing: Vec<String> = streaming
        .chain(review)
        .chain(pool)
        .chain(media)
        .chain(masks)
        .filter(|id| !proven.contains(id) && !untested.contains(id.as_str()))
        .collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}

#[test]
fn every_trap_has_its_own_regression_test() {
    let docs = docs_of_tests();
    for trap in TRAPS {
        let tests = docs.iter().filter(|doc| doc.contains(trap)).count();
        assert_eq!(tests, 1, "{trap}");
    }
}

/// LS-23, LS-24, LS-46, LR-03, DP-28: old names, doubled interfaces, the blocking mode and the speed factor are not
/// built, and nothing is deprecated.
#[test]
fn what_was_to_be_left_out_is_not_there() {
    let names = [
        "ChunkRequest",
        "ChunkResult",
        "next_request",
        "subscribe_frames",
        "take_frame_receiver",
        "speed_factor",
        "#[deprecated",
        "_v2(",
        "_v2:",
    ];
    for (path, text) in sources(&["src"]) {
        for name in names {
            assert!(!text.contains(name), "{name} in {}", path.display());
        }
    }
}

/// LR-08: the original had 128 tests.
#[test]
fn there_are_more_tests_than_the_original_had() {
    assert!(docs_of_tests().len() > 128);
}
