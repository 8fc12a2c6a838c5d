//! The direction of dependencies: a module may use only modules that stand above it.

use std::fs;
use std::path::{Path, PathBuf};

/// Top-level modules from the words down to the surfaces. Within one layer the order counts too.
const CHAIN: [&str; 25] = [
    "point", "time", "realtime", "frame", // words: data, atomics, preallocated memory
    "wire", "format", "analysis", "pattern", "path", "safety", // pure: values and bytes
    "media", "audio", "mask", "dac", "control", // edges: devices, sockets, files, threads
    "stream", "show", "record", // engine: when and what
    "gui", "cli", "main", "lib", // surfaces: a snapshot in, commands out
    "tests", "benches", "examples",
];

/// Words a layer must not contain, with the reason.
const FORBIDDEN: [(&[&str], &[&str], &str); 4] = [
    (
        &["point", "frame"],
        &["std::net", "std::fs", "cpal::", "rusb::", "egui::", "SystemClock"],
        "words know no device and no file",
    ),
    (
        &["wire", "format", "analysis", "pattern", "path", "safety"],
        &["std::net", "std::fs", "std::thread", "cpal::", "rusb::", "egui::", "SystemClock"],
        "pure layers turn values into values",
    ),
    (
        &["stream", "show"],
        &["egui::", "eframe::", "rusb::", "cpal::"],
        "the engine draws no widgets",
    ),
    (
        &["gui"],
        &["crate::dac", "crate::audio", "crate::stream", "std::net", "cpal::", "rusb::"],
        "a surface reads a snapshot and sends commands",
    ),
];

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a readable source folder") {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&root).expect("a file below src");
            let first = relative.components().next().expect("a name").as_os_str();
            let module = first.to_string_lossy().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).expect("a text file");
            (module, relative.to_owned(), text)
        })
        .collect()
}

/// The lines that are program, neither comment nor test, with their numbers. What stands below `#[cfg(test)]` is left
/// out as far as the one item goes, and no further.
fn program_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut test_item: Option<(usize, bool)> = None;
    let indent = |line: &str| line.len() - line.trim_start().len();
    text.lines()
        .enumerate()
        .filter(move |(_, line)| {
            if let Some((own_indent, is_begun)) = test_item {
                let is_attribute = !is_begun && line.trim_start().starts_with("#[");
                let is_short = !is_begun && line.ends_with([';', ',']);
                let is_short = is_short || (!is_begun && line.ends_with("{}"));
                let is_end = is_begun
                    && indent(line) == own_indent
                    && line.trim_start().starts_with(['}', ')', ']']);
                test_item =
                    if is_short || is_end { None } else { Some((own_indent, !is_attribute)) };
                return false;
            }
            if line.trim() == "#[cfg(test)]" {
                test_item = Some((indent(line), false));
                return false;
            }
            !line.trim_start().starts_with("//")
        })
        .map(|(index, line)| (index + 1, line))
}

#[test]
fn a_test_item_hides_itself_and_nothing_below_it() {
    let text = "use a;\n#[cfg(test)]\nuse b;\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    use c;\n\n    fn f() {\n    }\n}\n\
                // d\nuse e;\nimpl X {\n    #[cfg(test)]\n    fn g() {\n        h\n    }\n    fn i() {}\n}\n#[cfg(test)]\nmod j;\nuse k;\n";
    let seen: Vec<_> = program_lines(text).map(|(_, line)| line.trim()).collect();
    assert_eq!(seen, ["use a;", "use e;", "impl X {", "fn i() {}", "}", "use k;"]);
}

/// The names in `use std::{…}`, whole or over lines, as if each were written out.
fn is_used(text: &str, module: &str) -> bool {
    let program: String = program_lines(text).map(|(_, line)| line.trim()).collect();
    let in_braces = program.split("std::{").skip(1).any(|rest| {
        let names = rest.split('}').next().unwrap_or_default();
        names.split([',', '{']).any(|name| name.trim().split("::").next() == Some(module))
    });
    in_braces || program.contains(&format!("std::{module}"))
}

#[test]
fn a_module_in_braces_is_seen() {
    for text in ["use std::fs;", "use std::{io, fs};", "use std::{\n    io,\n    fs::File,\n};"] {
        assert!(is_used(text, "fs"), "{text}");
    }
    assert!(!is_used("use std::{io, fmt};\nuse crate::fs;\n// std::fs", "fs"));
}

fn rank(module: &str) -> Option<usize> {
    CHAIN.iter().position(|name| *name == module)
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let own = rank(&module).unwrap_or_else(|| panic!("{module} has no place in the chain"));
        for (number, line) in program_lines(&text) {
            for piece in line.split("crate::").skip(1) {
                let end = piece.find(|c: char| !c.is_alphanumeric() && c != '_');
                let used = &piece[..end.unwrap_or(piece.len())];
                if rank(used).is_some_and(|rank| rank > own) {
                    wrong.push(format!("{}:{number}: {module} uses {used}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_layer_keeps_to_what_it_may_hold() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        for (modules, words, reason) in FORBIDDEN {
            if !modules.contains(&module.as_str()) {
                continue;
            }
            for (number, line) in program_lines(&text) {
                for word in words.iter().filter(|word| line.contains(**word)) {
                    wrong.push(format!("{}:{number}: {word} ({reason})", path.display()));
                }
            }
            for word in words.iter().filter_map(|word| word.strip_prefix("std::")) {
                if is_used(&text, word) {
                    wrong.push(format!("{}: std::{word} ({reason})", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Who touches files in `show`, beside `disk`: the program's own memory is read from the kernel, which never hangs.
const SHOW_FILES: [&str; 1] = ["show/machine.rs"];

/// Words that wait for a disk.
const WAITING: [&str; 14] = [
    "fs::",
    "File::",
    "OpenOptions",
    ".exists()",
    ".is_file()",
    "MayWait",
    "disk::files",
    "in_time",
    "read_playlist",
    "write_playlist",
    "open_media",
    "Library::open",
    "Mountings::open",
    "library::load",
];

#[test]
fn the_director_touches_no_file_and_in_the_show_the_disk_alone_does() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let name = path.to_string_lossy().replace('\\', "/");
        let is_disk = name.starts_with("show/disk/") || SHOW_FILES.contains(&name.as_str());
        let is_disk = is_disk || name.ends_with("/tests.rs");
        if module == "show" && !is_disk && is_used(&text, "fs") {
            wrong.push(format!("{name}: std::fs"));
        }
        if name == "show/director.rs" || name.starts_with("show/director/") {
            for (number, line) in program_lines(&text) {
                for word in WAITING.iter().filter(|word| line.contains(**word)) {
                    wrong.push(format!(
                        "{name}:{number}: {word} (the show thread waits for no disk)"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_clock_module_reads_the_clock() {
    let reads = ["Instant::now(", "SystemTime::now(", "thread::sleep("];
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if module != "time" && reads.iter().any(|read| line.contains(read)) {
                wrong.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_safety_builds_a_safe_chunk() {
    for (module, path, text) in sources() {
        let builds = program_lines(&text).any(|(_, line)| line.contains("SafeChunk::new("));
        assert!(module == "safety" || !builds, "{} builds a SafeChunk", path.display());
    }
}
