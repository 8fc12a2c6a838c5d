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
const FORBIDDEN: [(&[&str], &[&str], &str); 3] = [
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

/// The lines that are program, not comment, up to the file's own tests.
fn program_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line))
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
