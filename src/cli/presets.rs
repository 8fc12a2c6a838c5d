//! `galvo presets`

use std::path::Path;

use anyhow::bail;
use serde::Serialize;

use super::args::PresetsAction;
use crate::pattern::cost;
use crate::show::library::{self, Library, default_user_dir};

/// As many show every bundled preset whole.
const USUAL_PROJECTORS: usize = 16;

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
    /// What a picture costs, in units of `pattern::cost`.
    units: Option<u64>,
    /// Projectors that show it whole; on more it is drawn coarser.
    whole_on: Option<usize>,
}

impl Judged {
    fn of(file: &Path) -> Self {
        let shown = file.display().to_string();
        let judged = library::load(file).map(|preset| cost::fit(&preset, cost::budget(1)).ok());
        match judged {
            Ok(fit) => Self {
                file: shown,
                ok: true,
                error: None,
                units: fit.as_ref().map(|fit| fit.whole_units),
                whole_on: fit.map(|fit| cost::projectors_for(fit.whole_units)),
            },
            Err(error) => Self {
                file: shown,
                ok: false,
                error: Some(error.to_string()),
                units: None,
                whole_on: None,
            },
        }
    }

    /// For people. What even the largest usual rig shows whole is not worth a word.
    fn in_words(&self) -> String {
        let Self { file, error, whole_on, .. } = self;
        match (error, *whole_on) {
            (Some(error), _) => error.clone(),
            (None, Some(0)) => format!("{file}: ok, but so dear that it is always drawn coarser"),
            (None, Some(1)) => {
                format!("{file}: ok; drawn whole on one projector, coarser on more than one")
            }
            (None, Some(many)) if many < USUAL_PROJECTORS => {
                format!("{file}: ok; drawn whole on up to {many} projectors, coarser on more")
            }
            _ => format!("{file}: ok"),
        }
    }
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
    let judged: Vec<_> = files.map(Judged::of).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&judged)?);
    } else {
        for one in &judged {
            println!("{}", one.in_words());
        }
    }
    let wrong = judged.iter().filter(|one| !one.ok).count();
    if wrong > 0 {
        bail!("{wrong} of {} files cannot be used as presets", judged.len());
    }
    Ok(())
}
