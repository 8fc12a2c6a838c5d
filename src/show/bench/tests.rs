use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::pattern::board::{DrawingAt, Owner};
use crate::show::disk::{Job, MayWait, Workers};
use crate::show::edit::PresetEdit;

/// What a disk has to do, and whether it hangs.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
struct DiskState {
    jobs: VecDeque<(JobId, PresetJob)>,
    hangs: bool,
}

impl Workers<PresetJob> for Disk {
    fn begin(&mut self, id: JobId, job: PresetJob) -> Result<(), PresetJob> {
        self.0.lock().unwrap().jobs.push_back((id, job));
        Ok(())
    }

    fn done(&mut self) -> Option<Done<PresetAnswer>> {
        let mut disk = self.0.lock().unwrap();
        if disk.hangs {
            return None;
        }
        let (id, job) = disk.jobs.pop_front()?;
        Some(Done { id, answer: Some(job.run(&MayWait::here())) })
    }

    fn wait(&mut self, _: Duration) -> Option<Done<PresetAnswer>> {
        self.done()
    }
}

struct Hand {
    folder: TempDir,
    presets: PresetBench,
    disk: Disk,
    jobs: JobQueue<PresetJob>,
    heard: Vec<Heard>,
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
        let disk = Disk::default();
        Self {
            folder,
            presets: PresetBench::new(library, preset),
            jobs: JobQueue::new("presets", Box::new(disk.clone())),
            disk,
            heard: Vec::new(),
            now: HostTime::from_nanos(0),
        }
    }

    fn hang(&self, hangs: bool) {
        self.disk.0.lock().unwrap().hangs = hangs;
    }

    /// Lets the disk do what it can.
    fn work(&mut self) {
        let refused = self.presets.ask(&mut self.jobs, self.now);
        self.heard.extend(refused);
        loop {
            let done = self.jobs.done(self.now);
            if done.is_empty() {
                return;
            }
            self.heard.extend(done.into_iter().filter_map(|done| self.presets.hear(done)));
        }
    }

    /// Looks at the files.
    fn reload(&mut self) -> Option<Heard> {
        self.presets.look(&mut self.jobs, self.now);
        let done = self.jobs.done(self.now).pop()?;
        self.presets.hear(done)
    }

    #[allow(clippy::needless_pass_by_value, reason = "wishes are made where they are told")]
    fn tell(&mut self, wish: Command) -> Outcome {
        self.now = self.now.plus_secs_f64(5.0);
        let outcome = self.presets.obey(&wish, self.now).unwrap();
        self.work();
        outcome
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

    fn at(&self, file: &str) -> PathBuf {
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
    bench.tell(Command::SavePreset);
    assert!(matches!(bench.heard.last(), Some(Heard::Told(text)) if text.contains("saved")));
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
    assert!(matches!(bench.reload(), Some(Heard::Followed(_))));
    assert!(bench.radius() == 0.125 && bench.presets.view().text.contains("0.125"));
    assert_eq!(bench.reload(), None);
    fs::write(&path, "version = 1\nname = \"Mine\"\ngenerator = \"cirle\"\n").unwrap();
    assert_eq!(bench.reload(), Some(Heard::Changed));
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

#[test]
fn what_is_changed_while_it_is_being_saved_is_changed_when_it_is_saved() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    bench.hang(true);
    bench.tell(Command::SavePreset);
    let view = bench.presets.view();
    assert!(view.changed && view.saving, "it is not saved before the disk says so");
    bench.tell(radius(0.25));
    bench.hang(false);
    bench.work();
    let view = bench.presets.view();
    assert!(view.changed && !view.saving && bench.radius() == 0.25);
    assert!(fs::read_to_string(bench.at("mine.toml")).unwrap().contains("radius = 0.75"));
    bench.tell(Command::RevertPreset);
    assert!(bench.radius() == 0.75 && !bench.presets.view().changed);
}

#[test]
fn a_save_that_hangs_while_another_preset_plays_is_noted_where_it_belongs() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    bench.hang(true);
    bench.tell(Command::SavePreset);
    bench.tell(select("Other"));
    assert!(bench.entry("Mine").unwrap().changed && bench.entry("Mine").unwrap().saving);
    assert!(!bench.presets.view().changed);
    bench.hang(false);
    bench.work();
    let mine = bench.entry("Mine").unwrap();
    assert!(!mine.changed && !mine.saving && mine.preset.unwrap().params["radius"] == 0.75);
    assert_eq!(bench.presets.view().name, "Other");
    bench.tell(select("Mine"));
    assert!(bench.radius() == 0.75 && !bench.presets.view().changed);
}

#[test]
fn a_save_that_the_disk_refuses_leaves_the_change_and_says_so() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    bench.hang(true);
    bench.tell(Command::SavePreset);
    fs::remove_file(bench.at("mine.toml")).unwrap();
    fs::create_dir_all(bench.at("mine.toml/x")).unwrap();
    bench.hang(false);
    bench.work();
    let Some(Heard::Refused(text)) = bench.heard.last() else { panic!("{:?}", bench.heard) };
    assert!(text.starts_with("Mine is not saved and stays as you changed it: "), "{text}");
    let view = bench.presets.view();
    assert!(view.changed && !view.saving && bench.radius() == 0.75);
}

#[test]
fn a_new_name_for_a_preset_that_is_being_saved_loses_nothing() {
    let mut bench = Hand::new();
    bench.tell(radius(0.75));
    bench.hang(true);
    bench.tell(Command::SavePreset);
    bench.tell(Command::RenamePreset { from: "Mine".into(), to: "Ours".into() });
    bench.hang(false);
    bench.work();
    let text = fs::read_to_string(bench.at("mine.toml")).unwrap();
    assert!(text.contains("name = \"Ours\"") && text.contains("radius = 0.75"), "{text}");
    let view = bench.presets.view();
    assert!(!view.changed && view.stored_name == "Ours" && bench.radius() == 0.75);
    assert_eq!(bench.reload(), None, "what is known is what is there");
}

#[test]
fn acts_that_the_disk_refuses_are_taken_out_of_what_can_be_taken_back() {
    let mut bench = Hand::new();
    fs::remove_file(bench.at("other.toml")).unwrap();
    fs::create_dir_all(bench.at("other.toml/x")).unwrap();
    bench.tell(Command::DeletePreset("Other".into()));
    assert!(bench.entry("Other").is_some() && bench.presets.undo_act().is_empty());
    bench.tell(Command::RenamePreset { from: "Other".into(), to: "Else".into() });
    assert!(bench.entry("Other").is_some() && bench.entry("Else").is_none());
    let refused = |heard: &&Heard| matches!(heard, Heard::Refused(_));
    assert_eq!(bench.heard.iter().filter(refused).count(), 2, "{:?}", bench.heard);
    assert!(!bench.presets.view().can_undo);
}

#[test]
fn a_disk_that_does_not_answer_takes_so_many_acts_and_no_more() {
    let mut bench = Hand::new();
    bench.hang(true);
    for _ in 0..MAX_UNDONE {
        bench.tell(Command::SavePreset);
    }
    assert!(bench.refused(&Command::SavePreset).contains("has not answered for 32 acts"));
    assert_eq!(bench.reload(), None, "nor is it looked at");
    bench.tell(radius(0.75));
    assert!(bench.radius() == 0.75, "what needs no disk goes on");
    bench.hang(false);
    bench.work();
    assert!(bench.presets.view().changed);
    bench.tell(Command::SavePreset);
    assert!(!bench.presets.view().changed);
}
