use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::pattern::board::{DrawingAt, Owner};
use crate::show::edit::PresetEdit;

struct Hand {
    folder: TempDir,
    presets: PresetBench,
    now: HostTime,
}

impl Hand {
    /// With the user's presets "Mine" and "Other", the first at work.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (file, name) in [("mine.toml", "Mine"), ("other.toml", "Other")] {
            let text = format!(
                "# {name}\nversion = 1\nname = \"{name}\"\ngenerator = \"circle\"\n\n[params]\nradius = 0.5\n"
            );
            fs::write(folder.path().join(file), text).unwrap();
        }
        let library = Library::open(Some(folder.path().to_owned()));
        let preset = library.get("Mine").unwrap();
        Self { folder, presets: PresetBench::new(library, preset), now: HostTime::from_nanos(0) }
    }

    #[allow(clippy::needless_pass_by_value, reason = "wishes are made where they are told")]
    fn tell(&mut self, wish: Command) -> Outcome {
        self.now = self.now.plus_secs_f64(5.0);
        self.presets.obey(&wish, self.now).unwrap()
    }

    fn refused(&mut self, wish: &Command) -> String {
        self.presets.obey(wish, self.now).unwrap_err().to_string()
    }

    fn radius(&self) -> f32 {
        self.presets.preset().params["radius"]
    }

    fn entry(&self, name: &str) -> Option<PresetEntry> {
        self.presets.entries().into_iter().find(|entry| entry.name == name)
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }

    fn at(&self, file: &str) -> std::path::PathBuf {
        Path::join(self.folder.path(), file)
    }
}

fn select(name: &str) -> Command {
    Command::SelectPreset(name.into())
}

fn radius(value: f32) -> Command {
    Command::SetParam { name: "radius".into(), value }
}

#[test]
fn unsaved_changes_wait_while_another_preset_plays() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    assert_eq!(bench.tell(select("Other")), Outcome::Taken);
    assert!(bench.radius() == 0.5 && !bench.presets.view().changed);
    let waiting = bench.entry("Mine").unwrap();
    assert!(waiting.changed && waiting.preset.unwrap().params["radius"] == 0.75);
    assert_eq!(bench.tell(select("Mine")), Outcome::Taken);
    assert!(bench.radius() == 0.75 && bench.presets.view().changed);
    assert_eq!(bench.tell(Command::Undo), Outcome::Edited);
    assert!(bench.radius() == 0.5 && !bench.entry("Mine").unwrap().changed);
    assert_eq!(bench.tell(select("Mine")), Outcome::Nothing, "it is at work");
    assert!(bench.refused(&select("Mien")).contains("did you mean `Mine`?"));
}

#[test]
fn an_edit_plays_without_beginning_anew_and_a_wrong_one_changes_nothing() {
    let mut bench = Hand::new();
    let value = PresetEdit::Value { owner: Owner::Look, name: "scale".into(), value: 0.5 };
    assert_eq!(bench.tell(Command::EditPreset(value.clone())), Outcome::Edited);
    assert_eq!(bench.tell(Command::EditPreset(value)), Outcome::Nothing, "the same again");
    let text = bench.presets.view().text.replace("scale", "scael");
    let error = bench.refused(&Command::EditPreset(PresetEdit::Text(text)));
    assert!(error.contains("line ") && error.contains("did you mean `scale`?"), "{error}");
    assert_eq!(bench.presets.preset().look.scale, 0.5);
    assert_eq!(bench.tell(Command::Compare), Outcome::Edited);
    assert_eq!(bench.presets.preset().look.scale, 1.0);
    assert_eq!(bench.tell(Command::Undo), Outcome::Edited);
    assert_eq!(bench.tell(Command::RevertPreset), Outcome::Edited);
    assert!(!bench.presets.view().changed);
}

#[test]
fn a_deleted_preset_comes_back_with_undo_whatever_its_file_held() {
    let mut bench = Hand::new();
    let text = fs::read_to_string(bench.at("other.toml")).unwrap();
    bench.tell(Command::DeletePreset("Other".into()));
    assert!(bench.entry("Other").is_none() && bench.files() == 1);
    assert_eq!(bench.presets.undo_act(), "deleted Other");
    bench.tell(Command::Undo);
    assert!(bench.entry("Other").is_some());
    assert_eq!(fs::read_to_string(bench.at("other.toml")).unwrap(), text);
    bench.tell(Command::Redo);
    assert!(bench.entry("Other").is_none());
    bench.tell(Command::Undo);
    let error = bench.refused(&Command::DeletePreset("Ember Ring".into()));
    assert!(error.contains("duplicate it"), "{error}");
}

#[test]
fn the_preset_at_work_plays_on_when_its_file_is_deleted() {
    let mut bench = Hand::new();
    assert_eq!(bench.tell(Command::DeletePreset("Mine".into())), Outcome::Nothing);
    assert!(bench.radius() == 0.5 && bench.presets.view().changed, "it is not stored any more");
    assert!(matches!(bench.tell(Command::SavePreset), Outcome::Told(_)));
    assert!(bench.entry("Mine").is_some() && !bench.presets.view().changed);
}

#[test]
fn acts_with_files_and_edits_are_taken_back_in_the_order_they_were_done() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    bench.tell(Command::DeletePreset("Other".into()));
    assert!(bench.presets.view().can_undo);
    bench.tell(Command::Undo);
    assert!(bench.entry("Other").is_some() && bench.radius() == 0.75);
    bench.tell(Command::DeletePreset("Other".into()));
    bench.tell(radius(0.25));
    assert_eq!(bench.presets.undo_act(), "", "the edit comes first");
    bench.tell(Command::Undo);
    bench.tell(Command::Undo);
    assert_eq!(bench.radius(), 0.5);
    bench.tell(Command::Undo);
    assert!(bench.entry("Other").is_some(), "then what was done with files");
}

#[test]
fn a_new_name_keeps_edits_file_and_comments_and_can_be_taken_back() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    let rename = |from: &str, to: &str| Command::RenamePreset { from: from.into(), to: to.into() };
    assert_eq!(bench.tell(rename("Mine", " Ours ")), Outcome::Nothing);
    assert!(bench.entry("Mine").is_none() && bench.entry("Ours").unwrap().changed);
    let view = bench.presets.view();
    assert_eq!((view.name.as_str(), view.stored_name.as_str()), ("Ours", "Ours"));
    assert!(view.text.starts_with("# Mine\nversion = 1\nname = \"Ours\""), "{}", view.text);
    assert!(bench.refused(&rename("Ours", "Other")).contains("already a preset named `Other`"));
    bench.tell(Command::Undo);
    assert!(bench.entry("Mine").unwrap().changed && bench.radius() == 0.75);
    bench.tell(Command::Redo);
    assert!(bench.entry("Ours").is_some() && bench.files() == 2);
}

#[test]
fn a_copy_of_the_preset_at_work_takes_its_changes_along() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    let copy = |of: &str, name: &str| Command::DuplicatePreset { of: of.into(), name: name.into() };
    assert_eq!(bench.tell(copy("Mine", "Twin")), Outcome::Edited);
    let view = bench.presets.view();
    assert!(view.stored_name == "Twin" && !view.changed && bench.radius() == 0.75);
    assert!(bench.entry("Mine").unwrap().changed, "and the first keeps them too");
    assert_eq!(bench.tell(copy("Ember Ring", "Ember Mine")), Outcome::Nothing);
    assert!(!bench.entry("Ember Mine").unwrap().bundled);
    assert!(bench.refused(&copy("Mine", "Ember Ring")).contains("already"));
    bench.tell(Command::Undo);
    assert!(bench.entry("Ember Mine").is_none());
}

#[test]
fn a_new_preset_of_every_generator_is_stored_and_taken() {
    let mut bench = Hand::new();
    for kind in catalog::GENERATORS {
        let wish =
            Command::NewPreset { name: format!("My {}", kind.id), generator: kind.id.into() };
        assert_eq!(bench.tell(wish), Outcome::Taken, "{}", kind.id);
        assert_eq!(bench.presets.preset().generator, kind.id);
        assert!(!bench.presets.view().changed);
    }
    assert_eq!(bench.files(), 2 + catalog::GENERATORS.len());
    let slip = Command::NewPreset { name: "X".into(), generator: "cirle".into() };
    assert!(bench.refused(&slip).contains("did you mean `circle`?"));
    let empty = Command::NewPreset { name: " ".into(), generator: "circle".into() };
    assert!(bench.refused(&empty).contains("`name`"));
}

#[test]
fn saving_keeps_comments_and_never_touches_what_came_with_galvo() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    bench.tell(Command::SavePreset);
    let text = fs::read_to_string(bench.at("mine.toml")).unwrap();
    assert!(text.starts_with("# Mine\n") && text.contains("radius = 0.75"), "{text}");
    bench.tell(select("Ember Ring"));
    bench.tell(Command::EditPreset(PresetEdit::Seed(99)));
    bench.tell(Command::SavePreset);
    assert!(!bench.entry("Ember Ring").unwrap().bundled && bench.files() == 3);
    bench.tell(Command::DeletePreset("Ember Ring".into()));
    assert!(bench.entry("Ember Ring").unwrap().bundled, "the bundled one is there as it was");
    bench.tell(select("Mine"));
    bench.tell(Command::SavePresetAs("Third".into()));
    assert_eq!(bench.presets.view().stored_name, "Third");
    assert!(bench.entry("Mine").is_some() && bench.entry("Third").is_some());
}

#[test]
fn a_file_that_changes_is_followed_and_its_edits_come_back_with_undo() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    let path = bench.at("mine.toml");
    let text = fs::read_to_string(&path).unwrap().replace("0.5", "0.125");
    fs::write(&path, &text).unwrap();
    assert!(matches!(bench.presets.reload(), Some(Outcome::Told(_))));
    assert!(bench.radius() == 0.125 && bench.presets.view().text.contains("0.125"));
    assert_eq!(bench.presets.reload(), None);
    fs::write(&path, "version = 1\nname = \"Mine\"\ngenerator = \"cirle\"\n").unwrap();
    assert_eq!(bench.presets.reload(), Some(Outcome::Nothing));
    assert!(bench.entry("Mine").unwrap().broken.unwrap().contains("line 3"));
    assert_eq!(bench.radius(), 0.125, "the last good one plays on");
    bench.tell(Command::Undo);
    assert_eq!(bench.radius(), 0.75);
}

#[test]
fn layers_and_effects_are_edited_through_the_same_door() {
    let mut bench = Hand::new();
    for edit in [
        PresetEdit::AddEffect { drawing: DrawingAt::First, effect: "mirror".into() },
        PresetEdit::AddLayer { generator: "star".into() },
        PresetEdit::Randomise { amount: 0.3, seed: 4 },
    ] {
        assert_eq!(bench.tell(Command::EditPreset(edit)), Outcome::Edited);
    }
    assert_eq!(bench.presets.view().groups.len(), 5, "colours and effect, layer and colours, look");
    for _ in 0..3 {
        assert_eq!(bench.tell(Command::Undo), Outcome::Edited);
    }
    assert!(!bench.presets.view().changed);
}
