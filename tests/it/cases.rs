//! Inputs that were once judged wrong, with the right value of each: `tests/cases/cases.toml`, which `tests/cases/README.md` explains.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

/// Numbers of JSON are right within this share.
const NEAR: f64 = 0.01;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    command: Vec<String>,
    right: String,
    exit: i32,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    json: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(folder().join("cases.toml")).unwrap();
    toml::from_str::<Cases>(&text).unwrap().case
}

/// What a case comes to now, in words, and what of it is wrong.
fn judge(case: &Case) -> (String, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    fs::copy(folder().join(&case.file), home.path().join(&case.file)).unwrap();
    let words = case.command.iter().map(|word| if word == "FILE" { &case.file } else { word });
    let mut command = Command::new(env!("CARGO_BIN_EXE_galvo"));
    command.args(words).current_dir(home.path()).stdin(Stdio::null());
    for name in ["HOME", "XDG_CONFIG_HOME", "APPDATA"] {
        command.env(name, home.path());
    }
    let output = command.env_remove("RUST_LOG").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, told) = (text(&output.stdout), text(&output.stdout) + &text(&output.stderr));
    let status = output.status.code();
    let mut now = status.map_or("ended by a signal".to_owned(), |code| format!("exit {code}"));
    let mut wrong = Vec::new();
    if status != Some(case.exit) {
        wrong.push(format!("it ends with {status:?}, right is {}: {told}", case.exit));
    }
    for part in case.says.iter().filter(|part| !told.contains(*part)) {
        wrong.push(format!("it does not say \"{part}\": {told}"));
    }
    for part in case.never.iter().filter(|part| told.contains(*part)) {
        wrong.push(format!("it says \"{part}\": {told}"));
    }
    let json: Value = serde_json::from_str(&out).unwrap_or(Value::Null);
    for (pointer, right) in &case.json {
        let is = json.pointer(pointer).cloned().unwrap_or(Value::Null);
        let _ = write!(now, ", {}: {is}", pointer.trim_start_matches('/'));
        if !is_right(&is, right) {
            wrong.push(format!("{pointer} is {is}, right is {right}"));
        }
    }
    (now, wrong)
}

fn is_right(is: &Value, right: &toml::Value) -> bool {
    let number = right.as_float().or_else(|| right.as_integer().map(|whole| whole as f64));
    match (number, is.as_f64()) {
        (Some(right), Some(is)) => (is - right).abs() <= NEAR * right.abs(),
        _ => serde_json::to_value(right).is_ok_and(|right| right == *is),
    }
}

/// Each case has its right value. The table is what `make cases` prints.
#[test]
fn every_case_has_its_right_value() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (now, faults) = judge(&case);
        let mark = if faults.is_empty() { "right" } else { "WRONG" };
        println!(
            "{mark}  {} {}\n       right: {}\n       now:   {now}",
            case.file,
            case.command.join(" "),
            case.right
        );
        wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", case.file)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file of the folder that no case is about would prove nothing.
#[test]
fn every_file_has_a_case() {
    let cases = cases();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_table = ["README.md", "cases.toml"].contains(&name.as_str());
        assert!(is_table || cases.iter().any(|case| case.file == name), "{name}");
    }
}
