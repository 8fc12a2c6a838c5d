//! Choosing, changing, comparing and keeping presets on the desk, over real presets.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Pos2, Rect, vec2};
use egui_kittest::kittest::Queryable;
use galvo::gui::{App, FileChooser};
use galvo::pattern::modulation::Source;
use galvo::show::deck::{Begin, Change};
use galvo::show::{Command, Desk as _, PresetEdit, Side, Transition};
use tempfile::TempDir;

use super::Window;
use super::fake_desk::FakeDesk;

/// A window over the real presets and one of the user's, "Mine", which is at work.
struct Desk {
    window: Window,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self::of([1280.0, 800.0])
    }

    fn of(size: [f32; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "# my own\nversion = 1\nname = \"Mine\"\ngenerator = \"circle\"\n\n[params]\nradius = 0.5\n\n\
                    [[modulate]]\nparam = \"radius\"\nsource = \"bass\"\ndepth = 0.3\n";
        std::fs::write(folder.path().join("mine.toml"), text).unwrap();
        let desk = FakeDesk::new().with_presets(folder.path(), "Mine");
        let window = Window::at(desk, size, |desk| App::new(desk, FileChooser::asking(|| None)));
        Self { window, folder }
    }

    fn preset(&self) -> std::sync::Arc<galvo::pattern::Preset> {
        self.window.desk.state().seen.preset.preset.clone().unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.window.desk.state().seen.presets.iter().any(|entry| entry.name == name)
    }

    fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            if letter == ' ' {
                self.window.h.key_press(Key::Space);
            }
            self.window.h.event(egui::Event::Text(letter.to_string()));
            self.window.h.run_steps(1);
        }
    }

    fn set(&mut self, role: Role, label: &str, value: f64) {
        self.window.h.get_by_role_and_label(role, label).set_value_accesskit(value);
        self.window.h.run_steps(3);
    }

    /// Opens a menu or a list and chooses.
    fn choose(&mut self, role: Role, list: &str, entry: &str) {
        self.window.h.get_by_role_and_label(role, list).click();
        self.window.h.run_steps(3);
        self.window.h.get_by_label(entry).click();
        self.window.h.run_steps(4);
    }
}

#[test]
fn a_click_or_a_number_takes_a_preset_and_a_bank_is_nine_of_them() {
    let mut desk = Desk::new();
    let names: Vec<String> =
        desk.window.desk.state().seen.presets.iter().map(|entry| entry.name.clone()).collect();
    desk.window.press(Modifiers::NONE, Key::Num3);
    desk.window.press(Modifiers::NONE, Key::PageDown);
    desk.window.press(Modifiers::NONE, Key::Num1);
    let taken = |name: &String| Command::SelectPreset(name.clone());
    assert_eq!(desk.window.sent(), [taken(&names[2]), taken(&names[9])]);
    assert_eq!(desk.preset().name, names[9]);
}

#[test]
fn the_grid_shows_a_lit_picture_of_a_preset_in_sight() {
    let mut desk = Desk::new();
    let mut brightest = 0;
    // The artist draws in its own time, one picture after the other.
    for _ in 0..200 {
        for _ in 0..20 {
            desk.window.h.step();
            std::thread::yield_now();
        }
        let card = desk.window.rect(Role::Button, "Mine");
        let ring = Rect::from_center_size(card.center() - vec2(0.0, 10.0), vec2(80.0, 60.0));
        brightest = desk.window.brightest(ring);
        if brightest > 300 {
            break;
        }
    }
    assert!(brightest > 300, "{brightest}");
}

#[test]
fn a_card_tells_that_its_preset_is_cued_and_the_transition_is_set_below_the_grid() {
    let mut desk = Desk::new();
    desk.window.desk.state().seen.change = Change::Cued;
    desk.window.h.run_steps(2);
    desk.choose(Role::ComboBox, "Change of presets", "Bar");
    let sent = desk.window.sent();
    assert!(
        matches!(sent.as_slice(), [Command::SetTransition(Transition { begin: Begin::Bar, .. })]),
        "{sent:?}"
    );
    desk.window.click("Shuffle");
    assert_eq!(desk.window.sent(), [Command::SetShuffle(true)]);
}

#[test]
fn a_preset_is_made_copied_renamed_and_deleted_and_comes_back() {
    let mut desk = Desk::new();
    desk.choose(Role::Button, "New", "Duplicate…");
    desk.window.click("Duplicate");
    assert!(desk.has("Mine 2") && desk.preset().name == "Mine 2");
    desk.choose(Role::Button, "New", "Rename…");
    desk.window.press(Modifiers::COMMAND, Key::A);
    desk.type_text("Twin");
    desk.window.press(Modifiers::NONE, Key::Enter);
    assert!(desk.has("Twin") && !desk.has("Mine 2"));
    desk.choose(Role::Button, "New", "Delete…");
    desk.window.click("Delete");
    assert!(!desk.has("Twin"));
    assert_eq!(std::fs::read_dir(desk.folder.path()).unwrap().count(), 1);
    desk.window.click("Take back");
    assert!(desk.has("Twin"));
    desk.choose(Role::Button, "New", "New preset…");
    desk.window.press(Modifiers::NONE, Key::Enter);
    assert!(desk.has("My preset") && desk.preset().generator == "circle");
}

#[test]
fn what_came_with_galvo_is_neither_renamed_nor_deleted() {
    let mut desk = Desk::new();
    desk.window.press(Modifiers::NONE, Key::Num1);
    desk.window.sent();
    desk.window.click("New");
    desk.window.h.get_by_label("Delete…").click();
    desk.window.h.run_steps(3);
    assert!(desk.window.h.query_by_label("Delete").is_none(), "nothing is asked");
    assert_eq!(desk.window.sent(), []);
}

#[test]
fn what_moves_a_value_is_set_beside_it() {
    let mut desk = Desk::new();
    desk.window.click("radius movers");
    desk.set(Role::SpinButton, "radius mover 1 depth", 60.0);
    assert!((desk.preset().modulate[0].depth - 0.6).abs() < 1e-6);
    desk.choose(Role::ComboBox, "radius mover 1 source", "lfo");
    let row = desk.preset().modulate[0].clone();
    assert_eq!((row.source, row.every_beats), (Source::Lfo, Some(4.0)));
    desk.choose(Role::ComboBox, "radius mover 1 wave", "saw");
    desk.window.click("+ Add a mover");
    assert_eq!(desk.preset().modulate.len(), 2);
    desk.window.click("Remove radius mover 1");
    assert_eq!(desk.preset().modulate.len(), 1);
    for _ in 0..5 {
        desk.window.press(Modifiers::COMMAND, Key::Z);
    }
    let preset = desk.preset();
    assert_eq!((preset.modulate.len(), preset.modulate[0].depth), (1, 0.3));
}

#[test]
fn effects_layers_and_colours_are_changed_on_the_desk() {
    let mut desk = Desk::of([1280.0, 2400.0]);
    desk.choose(Role::ComboBox, "Add an effect", "kaleidoscope");
    assert_eq!(desk.preset().effects[0].effect, "kaleidoscope");
    desk.set(Role::Slider, "Effect 1: kaleidoscope, sides", 8.0);
    assert_eq!(desk.preset().effects[0].params["sides"], 8.0);
    desk.choose(Role::ComboBox, "Add a layer", "star");
    assert_eq!(desk.preset().layers[0].generator, "star");
    desk.choose(Role::ComboBox, "Layer 1 mode", "morph");
    desk.window.click("More colours");
    assert_eq!(desk.preset().colour.colours.len(), 2);
    desk.choose(Role::ComboBox, "Run", "angle");
    desk.window.click("Remove layer 1");
    assert!(desk.preset().layers.is_empty());
    desk.window.click("Remove Effect 1: kaleidoscope");
    assert!(desk.preset().effects.is_empty());
    desk.window.h.check_accessibility();
}

#[test]
fn two_sides_are_compared_and_chance_is_one_step() {
    let mut desk = Desk::new();
    desk.set(Role::Slider, "radius", 0.9);
    desk.window.click("Side B");
    assert_eq!(desk.preset().params["radius"], 0.5);
    desk.window.click("Side A");
    assert_eq!(desk.preset().params["radius"], 0.9);
    desk.window.click("Copy to the other side");
    assert!(!desk.window.desk.state().seen.preset.sides_differ);
    let before = desk.preset();
    desk.window.click("Randomise");
    assert_ne!(desk.preset(), before);
    desk.window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(desk.preset(), before);
    desk.window.click("Revert");
    assert_eq!(desk.preset().params["radius"], 0.5);
    assert_eq!(desk.window.desk.state().seen.preset.side, Side::A);
}

#[test]
fn what_is_typed_plays_as_soon_as_it_is_right_and_a_mistake_is_marked_and_waits() {
    let mut desk = Desk::new();
    desk.window.h.get_by_label("Text").click();
    desk.window.h.run_steps(4);
    let field = |desk: &Desk| {
        desk.window.h.get_by_role_and_label(Role::MultilineTextInput, "Preset text").value()
    };
    assert!(field(&desk).unwrap().starts_with("# my own\nversion = 1"));
    desk.window.h.get_by_role_and_label(Role::MultilineTextInput, "Preset text").focus();
    desk.window.h.run_steps(2);
    desk.window.press(Modifiers::COMMAND, Key::A);
    let text = "version = 1\nname = \"Mine\"\ngenerator = \"star\"\n";
    desk.window.h.event(egui::Event::Paste(text.into()));
    desk.window.h.run_steps(4);
    assert_eq!(desk.preset().generator, "star");
    desk.window.press(Modifiers::COMMAND, Key::A);
    desk.window.h.event(egui::Event::Paste(text.replace("star", "starr")));
    desk.window.h.run_steps(4);
    assert_eq!(desk.preset().generator, "star", "the last good one stays");
    assert!(desk.window.h.query_by_label_contains("Line 3, column").is_some());
    assert!(desk.window.h.query_by_label_contains("did you mean `star`?").is_some());
    desk.window.h.check_accessibility();
    desk.set(Role::Slider, "copies", 3.0);
    assert!(field(&desk).unwrap().contains("starr"), "a control does not undo what is typed");
    desk.window.click("Discard");
    let shown = field(&desk).unwrap();
    assert!(shown.contains("copies = 3") && !shown.contains("starr"), "{shown}");
    desk.set(Role::Slider, "copies", 2.0);
    assert!(field(&desk).unwrap().contains("copies = 2"), "and in step again");
}

#[test]
fn a_formula_has_its_own_texts_with_marks_and_names() {
    let mut desk = Desk::new();
    let name = desk.window.desk.state().seen.presets.iter().find_map(|entry| {
        let preset = entry.preset.as_ref()?;
        (preset.formula.is_some() && preset.layers.is_empty()).then(|| entry.name.clone())
    });
    desk.window.desk.send(Command::SelectPreset(name.unwrap()));
    desk.window.h.get_by_label("Text").click();
    desk.window.h.run_steps(4);
    desk.window.click("Point formula");
    desk.window.h.get_by_role_and_label(Role::MultilineTextInput, "Point formula text").focus();
    desk.window.h.run_steps(2);
    desk.window.press(Modifiers::COMMAND, Key::A);
    desk.window.h.event(egui::Event::Paste("x = i\ny = bss".into()));
    desk.window.h.run_steps(4);
    assert!(desk.window.h.query_by_label_contains("Line 2, column 5").is_some());
    desk.window.press(Modifiers::COMMAND, Key::A);
    desk.window.h.event(egui::Event::Paste("x = i\ny = ".into()));
    desk.window.h.run_steps(4);
    desk.window.h.get_by_role_and_label(Role::TextInput, "Search names").focus();
    desk.window.h.run_steps(2);
    desk.type_text("onset");
    desk.window.click("onset");
    assert_eq!(desk.preset().formula.as_ref().unwrap().point, "x = i\ny = onset");
    desk.window.h.check_accessibility();
}

/// Pictures to look at while the looks are worked on: `GALVO_LOOKS=folder`.
#[test]
#[ignore = "writes pictures to the folder in GALVO_LOOKS"]
fn looks_of_the_presets() {
    let folder = std::path::PathBuf::from(std::env::var("GALVO_LOOKS").unwrap());
    for (size, name) in [([1280.0, 800.0], "1280"), ([1920.0, 1080.0], "1920")] {
        let mut desk = Desk::of(size);
        desk.window.desk.state().seen.transport.playing = true;
        let save = |desk: &mut Desk, what: &str| {
            for _ in 0..400 {
                desk.window.h.step();
                std::thread::yield_now();
            }
            desk.window
                .h
                .render()
                .unwrap()
                .save(folder.join(format!("{name}-{what}.png")))
                .unwrap();
        };
        save(&mut desk, "presets");
        desk.window.click("radius movers");
        desk.choose(Role::ComboBox, "radius mover 1 source", "steps");
        desk.window.desk.state().seen.change = Change::Growing(0.6);
        desk.choose(Role::Button, "New", "Duplicate…");
        desk.window.h.event(egui::Event::PointerMoved(Pos2::new(640.0, 300.0)));
        save(&mut desk, "movers");
        desk.window.click("Cancel");
        for name in ["Tesseract", "Mandala"] {
            desk.window.desk.state().seen.preset = std::sync::Arc::default();
            desk.window.desk.send(Command::SelectPreset(name.into()));
            desk.window.desk.send(Command::EditPreset(PresetEdit::Seed(7)));
        }
        desk.window.desk.state().seen.change = Change::Cued;
        save(&mut desk, "other");
        desk.window.h.get_by_label("Text").click();
        desk.window.h.run_steps(4);
        desk.window.h.get_by_role_and_label(Role::MultilineTextInput, "Preset text").focus();
        desk.window.h.run_steps(2);
        desk.window.h.event(egui::Event::Text("oops ".into()));
        save(&mut desk, "text");
    }
}

#[test]
fn favourites_get_their_star_by_click_or_key_come_first_and_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.toml");
    std::fs::write(&file, "safety_notes_read = true").unwrap();
    let open = || {
        let file = file.clone();
        Window::over([1280.0, 800.0], |desk| {
            App::new(desk, FileChooser::asking(|| None)).remembered_in(file)
        })
    };
    let mut window = open();
    let names: Vec<String> =
        window.desk.state().seen.presets.iter().map(|entry| entry.name.clone()).collect();
    window.click(&format!("Favourite {}", names[3]));
    window.h.get_by_role_and_label(Role::Button, &format!("Favourite {}", names[1])).focus();
    window.h.run_steps(1);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.sent(), [], "a star takes no preset");
    let taken = |name: &String| Command::SelectPreset(name.clone());
    window.press(Modifiers::NONE, Key::Num1);
    assert_eq!(window.sent(), [taken(&names[0])]);
    window.click("Favourites first");
    window.press(Modifiers::NONE, Key::Num1);
    window.press(Modifiers::NONE, Key::Num2);
    window.press(Modifiers::NONE, Key::Num3);
    assert_eq!(window.sent(), [taken(&names[1]), taken(&names[3]), taken(&names[0])]);
    let place = |window: &Window, name: &str| window.rect(Role::Button, name).min;
    assert!(place(&window, &names[3]).y <= place(&window, &names[0]).y);
    window.wait(1.5);
    drop(window);

    let mut window = open();
    window.press(Modifiers::NONE, Key::Num2);
    assert_eq!(window.sent(), [taken(&names[3])]);
    window.click(&format!("Favourite {}", names[1]));
    window.press(Modifiers::NONE, Key::Num1);
    assert_eq!(window.sent(), [taken(&names[3])]);
}
