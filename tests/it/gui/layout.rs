//! Where the panes stand: shown, hidden, moved, kept from one show to the next.

use std::path::Path;

use egui::accesskit::Role;
use egui::{Event, Pos2, Rect, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use galvo::gui::{App, FileChooser};
use galvo::show::Command;

use super::Window;

const SIZE: [f32; 2] = [1280.0, 800.0];

fn kept_in(file: &Path) -> Window {
    let file = file.to_owned();
    Window::over(SIZE, |desk| App::new(desk, FileChooser::asking(|| None)).remembered_in(file))
}

impl Window {
    fn tick(&mut self, pane: &str) {
        self.click("View");
        self.h.get_by_role_and_label(Role::CheckBox, pane).click();
        self.h.run_steps(3);
        self.click("View");
        assert!(self.h.query_by_role(Role::CheckBox).is_none(), "the menu is closed");
    }

    fn has_tab(&self, pane: &str) -> bool {
        self.h.query_by_role_and_label(Role::Tab, pane).is_some()
    }

    /// Drags with the pointer, as slowly as a hand.
    fn drag(&mut self, from: Pos2, to: Pos2) {
        self.pointer(from, true);
        for step in 1..=12 {
            self.h.event(Event::PointerMoved(from + (to - from) * (step as f32 / 12.0)));
            self.h.run_steps(1);
        }
        self.pointer(to, false);
        self.h.run_steps(3);
    }
}

#[test]
fn a_pane_is_hidden_and_shown_by_the_view_menu() {
    let mut window = Window::new();
    assert!(window.has_tab("Presets"));
    window.tick("Presets");
    assert!(!window.has_tab("Presets"));
    assert!(window.h.query_by_role_and_label(Role::Button, "Scope circle").is_none());
    window.tick("Presets");
    assert!(window.has_tab("Presets"));
    assert_eq!(window.sent(), [], "the show is not asked");
}

#[test]
fn a_pane_is_hidden_by_its_own_menu() {
    let mut window = Window::new();
    window.h.get_by_role_and_label(Role::Tab, "Tempo").click_secondary();
    window.h.run_steps(3);
    window.click("Hide Tempo");
    assert!(!window.has_tab("Tempo"));
}

#[test]
fn the_safety_pane_can_be_moved_and_never_closed() {
    let mut window = Window::new();
    window.click("View");
    let tick = window.h.get_by_role_and_label(Role::CheckBox, "Safety");
    assert!(tick.accesskit_node().is_disabled());
    tick.click();
    window.h.run_steps(3);
    window.click("View");
    window.h.get_by_role_and_label(Role::Tab, "Safety").click_secondary();
    window.h.run_steps(3);
    assert!(window.h.get_by_label("Hide Safety").accesskit_node().is_disabled());
    window.pointer(Pos2::new(600.0, 300.0), true);
    window.pointer(Pos2::new(600.0, 300.0), false);

    let before = window.rect(Role::Button, "Arm…");
    let tab = window.rect(Role::Tab, "Safety").center();
    let presets = window.rect(Role::Tab, "Presets");
    window.drag(tab, presets.center() + vec2(presets.width(), 0.0));
    window.h.get_by_role_and_label(Role::Tab, "Safety").click();
    window.h.run_steps(3);
    let after = window.rect(Role::Button, "Arm…");
    assert!(after.left() < 300.0 && before.left() > 900.0, "{before:?} {after:?}");
}

#[test]
fn stop_is_whole_and_works_in_every_layout() {
    for hidden in ["Preview", "Presets", "Parameters", "Transport", "Sound", "Projectors"] {
        let mut window = Window::new();
        window.tick(hidden);
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(SIZE[0], SIZE[1]));
        let stop = window.rect(Role::Button, "STOP");
        assert!(screen.contains_rect(stop), "{hidden}: {stop:?}");
        window.pointer(stop.center(), true);
        assert_eq!(window.sent(), [Command::Stop], "{hidden}");
    }
}

#[test]
fn a_border_between_panes_is_dragged() {
    let mut window = Window::new();
    let before = window.rect(Role::Button, "Play").left();
    // Between the presets and the preview, at the height of the preview.
    let border = Pos2::new(249.0, 300.0);
    window.drag(border, border + vec2(80.0, 0.0));
    let after = window.rect(Role::Button, "Play").left();
    assert!((after - before - 80.0).abs() < 6.0, "{before} {after}");
}

#[test]
fn the_desk_comes_back_as_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.toml");
    let mut window = kept_in(&file);
    window.tick("Tempo");
    window.click("View");
    window.click("125 %");
    window.wait(1.5);
    drop(window);

    let mut window = kept_in(&file);
    assert!(!window.has_tab("Tempo") && window.has_tab("Presets"));
    assert!((window.h.ctx.zoom_factor() - 1.25).abs() < 1e-6);
    window.click("View");
    let reset = window.rect(Role::Button, "Reset layout");
    assert!(reset.bottom() < SIZE[1] / 1.25, "all of the menu is on the screen: {reset:?}");
    window.click("Reset layout");
    assert!(window.has_tab("Tempo"));
    assert!(window.close());
    drop(window);
    assert!(kept_in(&file).has_tab("Tempo"), "closing writes what was changed last");
}

#[test]
fn a_damaged_file_gives_the_standard_desk_and_one_notice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.toml");
    std::fs::write(&file, "layout = 12").unwrap();
    let mut window = kept_in(&file);
    assert!(window.has_tab("Presets") && window.has_tab("Tempo"));
    assert!(window.h.query_by_label_contains("is damaged").is_some());
    window.click("Dismiss notice 1");
    assert!(window.h.query_by_label_contains("is damaged").is_none());
    assert!(kept_in(&file).h.query_by_label_contains("is damaged").is_none(), "told once");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_of_once_and_the_desk_works() {
    let folder = tempfile::tempdir().unwrap();
    // A folder where the new file should be.
    std::fs::create_dir(folder.path().join("desk.toml.new")).unwrap();
    let mut window = kept_in(&folder.path().join("desk.toml"));
    window.tick("Tempo");
    window.wait(1.5);
    window.tick("Sound");
    window.wait(1.5);
    assert_eq!(window.h.query_all_by_label_contains("cannot be").count(), 1);
    assert!(!window.has_tab("Tempo") && !window.has_tab("Sound"));
}

#[test]
fn f11_asks_for_the_whole_screen() {
    let mut window = Window::new();
    window.h.key_down(egui::Key::F11);
    window.h.step();
    let commands = window.commands();
    assert!(commands.contains(&egui::ViewportCommand::Fullscreen(true)), "{commands:?}");
}
