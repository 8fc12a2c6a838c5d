//! `galvo presets`

use std::path::Path;

use anyhow::bail;
use serde::Serialize;

use super::args::PresetsAction;
use crate::show::library::{self, Library, default_user_dir};

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    description: &'a str,
    bundled: bool,
}

#[derive(Serialize)]
struct Judged {
    file: String,
    ok: bool,
    error: Option<String>,
}

pub(super) fn presets(action: PresetsAction) -> anyhow::Result<()> {
    match action {
        PresetsAction::List { json } => list(json),
        PresetsAction::Show { name } => show(&name),
        PresetsAction::Validate { files, json } => {
            validate(files.iter().map(std::path::PathBuf::as_path), json)
        }
    }
}

fn list(json: bool) -> anyhow::Result<()> {
    let library = Library::open(default_user_dir());
    let entries = library.entries();
    if json {
        let listed: Vec<_> = entries
            .iter()
            .map(|e| Listed { name: &e.name, description: &e.description, bundled: e.bundled })
            .collect();
        println!("{}", serde_json::to_string_pretty(&listed)?);
    } else {
        let width = entries.iter().map(|e| e.name.chars().count()).max().unwrap_or(0);
        for entry in &entries {
            let whose = if entry.bundled { "" } else { "  (yours)" };
            println!("{:width$}  {}{whose}", entry.name, entry.description);
        }
    }
    for broken in library.broken() {
        eprintln!("warning: {broken}");
    }
    Ok(())
}

fn show(name: &str) -> anyhow::Result<()> {
    let path = Path::new(name);
    let preset = if path.is_file() {
        library::load(path)?
    } else {
        (*Library::open(default_user_dir()).get(name)?).clone()
    };
    print!("{}", preset.to_toml()?);
    Ok(())
}

fn validate<'a>(files: impl Iterator<Item = &'a Path>, json: bool) -> anyhow::Result<()> {
    let judged: Vec<_> = files
        .map(|file| {
            let error = library::load(file).err().map(|error| error.to_string());
            Judged { file: file.display().to_string(), ok: error.is_none(), error }
        })
        .collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&judged)?);
    } else {
        for one in &judged {
            println!("{}", one.error.clone().unwrap_or_else(|| format!("{}: ok", one.file)));
        }
    }
    let wrong = judged.iter().filter(|one| !one.ok).count();
    if wrong > 0 {
        bail!("{wrong} of {} files cannot be used as presets", judged.len());
    }
    Ok(())
}
