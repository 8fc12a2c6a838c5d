//! What the desk says about light: true in every state, for eyes and for screen readers.

use egui::accesskit::{Live, Role};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use galvo::gui::FileChooser;
use galvo::path::Mounting;
use galvo::safety::TripReason;
use galvo::show::snapshot::{ProjectorState, ProjectorView};
use galvo::show::{Command, Installation, ZoneKind, ZoneSpec};

use super::Window;
use super::fake_desk::State;

const PROJECTOR: &str = "etherdream://192.168.1.40";

impl Window {
    /// Changes what the show is.
    fn now(&mut self, change: impl FnOnce(&mut State)) {
        change(&mut self.desk.state());
        self.h.run_steps(3);
    }

    /// What is told to a screen reader about light, and how urgently.
    fn told(&self) -> (String, Live) {
        let node = self.h.get_by_role(Role::Status);
        let node = node.accesskit_node();
        (node.label().unwrap_or_default(), node.live())
    }
}

fn arm(state: &mut State) {
    state.seen.safety.armed = true;
    state.seen.projectors.iter_mut().for_each(|one| one.armed = true);
}

#[test]
fn the_state_of_light_is_a_live_region_in_every_state() {
    let mut window = Window::new();
    let told = |words: &str, live| (words.to_owned(), live);
    assert_eq!(window.told(), told("DISARMED", Live::Polite));
    window.now(arm);
    assert_eq!(window.told(), told("ARMED: LIGHT IS ON", Live::Polite));
    window.press(Modifiers::NONE, Key::B);
    assert_eq!(window.told(), told("ARMED: BLACKOUT", Live::Assertive));
    window.press(Modifiers::NONE, Key::B);
    window.now(|state| state.seen.live.flash = true);
    assert_eq!(window.told(), told("ARMED: FLASH", Live::Polite));
    window.now(|state| {
        state.seen.live.flash = false;
        for number in [1, 2] {
            state.seen.projectors.push(ProjectorView {
                number,
                name: format!("sim:{number}"),
                armed: number == 1,
                state: ProjectorState::Ready,
                ..ProjectorView::default()
            });
        }
    });
    assert_eq!(window.told(), told("PARTLY LIT (2 of 3)", Live::Polite));
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.told(), told("STOPPED", Live::Assertive));
    window.now(|state| state.seen.projectors[0].state = ProjectorState::EmergencyStop);
    assert_eq!(window.told(), told("E-STOP", Live::Assertive));
    window.now(|state| {
        state.seen.projectors[0].state = ProjectorState::Ready;
        state.seen.safety.stopped = false;
        state.seen.safety.last_trip = Some(TripReason::SurfaceSilent);
    });
    let words = "WENT DARK BY ITSELF (the window stood still)";
    assert_eq!(window.told(), told(words, Live::Assertive));
    window.h.check_accessibility();
}

/// A blackout, by hand or by a lighting desk that fell silent, is no light, and the picture says so.
#[test]
fn the_preview_says_that_its_output_is_dark() {
    let mut window = Window::new();
    window.now(arm);
    let lit = banner_pixels(&mut window);
    window.press(Modifiers::NONE, Key::B);
    let dark = banner_pixels(&mut window);
    assert!(dark > lit + 100, "{lit} while lit, {dark} in a blackout");
}

/// Pixels below the title line that have the colour of the words of a blackout.
fn banner_pixels(window: &mut Window) -> usize {
    let picture = window.h.render().unwrap();
    let is_it = |[r, g, b, _]: [u8; 4]| {
        r.abs_diff(184) < 10 && g.abs_diff(160) < 10 && b.abs_diff(255) < 10
    };
    picture.enumerate_pixels().filter(|(_, y, pixel)| *y > 80 && is_it(pixel.0)).count()
}

fn with_zone(kind: ZoneKind) -> Installation {
    let zone = ZoneSpec { kind, ..ZoneSpec::default() };
    Installation { zones: vec![zone], ..Installation::default() }
}

/// A set-up pane over a projector with a keep-out zone, armed or not.
fn set_up(armed: bool) -> Window {
    let mut window = Window::new();
    window.now(|state| {
        state.seen.projectors[0].installation = with_zone(ZoneKind::Blocked).into();
        if armed {
            arm(state);
        }
    });
    window.click(&format!("Set up {PROJECTOR}"));
    window.sent();
    window
}

fn install(installation: Installation) -> Command {
    Command::Install { projector: PROJECTOR.into(), installation }
}

const ALL_THE_SAME: &str = "Let light there all the same";
const KEEP: &str = "Keep the set-up as it is";
const TAKE_BACK: &str = "Take back the last change of the set-up";

#[test]
fn one_click_never_takes_the_zones_of_a_lit_projector_away() {
    for act in ["Forget the set-up", "Remove zone 1"] {
        let mut window = set_up(true);
        window.reach(act);
        assert_eq!(window.sent(), [], "{act}: it is asked first");
        window.h.check_accessibility();
        window.reach(KEEP);
        assert_eq!(window.sent(), []);
        window.reach(act);
        window.reach(ALL_THE_SAME);
        assert_eq!(window.sent(), [install(Installation::default())], "{act}");
        // And back, which holds more light back: at once.
        window.reach(TAKE_BACK);
        assert_eq!(window.sent(), [install(with_zone(ZoneKind::Blocked))], "{act}");
    }
}

#[test]
fn a_stop_leaves_the_question_and_a_dark_projector_is_never_asked_for() {
    let mut window = set_up(true);
    window.reach("Remove zone 1");
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.sent(), [Command::Stop], "STOP is in nobody's way");
    assert!(window.h.query_by_label(ALL_THE_SAME).is_none());

    let mut window = set_up(false);
    window.reach("Remove zone 1");
    assert_eq!(window.sent(), [install(Installation::default())]);
}

#[test]
fn what_holds_more_light_back_is_not_asked_for_and_taking_it_back_is() {
    let mut window = set_up(true);
    window.reach("+ Keep-out");
    assert_eq!(window.sent().len(), 1);
    window.reach(TAKE_BACK);
    assert_eq!(window.sent(), [], "light may go where the new zone kept it out");
    window.reach(ALL_THE_SAME);
    assert_eq!(window.sent(), [install(with_zone(ZoneKind::Blocked))]);
}

#[test]
fn ctrl_z_in_the_set_up_pane_takes_back_the_set_up_and_elsewhere_the_preset() {
    let mut window = set_up(false);
    window.now(|state| std::sync::Arc::make_mut(&mut state.seen.preset).can_undo = true);
    window.reach("Flip X");
    window.reach("Remove zone 1");
    window.sent();
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.sent(), [install(with_zone(ZoneKind::Blocked))]);
    window.press(Modifiers::COMMAND, Key::Z);
    let straight = Mounting::default();
    let back = Command::SetMounting { projector: PROJECTOR.into(), mounting: straight };
    assert_eq!(window.sent(), [back]);
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.sent(), [], "nothing is left, and the preset is not touched from here");
    // The hand goes elsewhere.
    window.click("Keys");
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.sent(), [Command::Undo]);
}

type Look = fn(&mut State);

/// Pictures to look at while the looks are worked on: `GALVO_LOOKS=folder`.
#[test]
#[ignore = "writes pictures to the folder in GALVO_LOOKS"]
fn looks_of_the_light() {
    let folder = std::path::PathBuf::from(std::env::var("GALVO_LOOKS").unwrap());
    let looks: [(&str, Look); 9] = [
        ("lit", |_| {}),
        ("blackout", |state| state.seen.live.blackout = true),
        ("flash", |state| state.seen.live.flash = true),
        ("master", |state| state.seen.safety.master = 0.0),
        ("partly", |state| {
            let sim = ProjectorView { number: 1, name: "sim:".into(), ..ProjectorView::default() };
            state.seen.projectors.push(sim);
        }),
        ("disarmed", disarm),
        ("dark", |state| {
            disarm(state);
            state.seen.safety.last_trip = Some(TripReason::SurfaceGone);
        }),
        ("stopped", |state| {
            disarm(state);
            state.seen.safety.stopped = true;
        }),
        ("estop", |state| {
            disarm(state);
            state.seen.projectors[0].state = ProjectorState::EmergencyStop;
        }),
    ];
    for (size, name) in [([1280.0, 800.0], "1280"), ([960.0, 600.0], "960")] {
        for (state, change) in looks {
            let mut window = Window::of(size, FileChooser::asking(|| None));
            window.now(|state| {
                state.seen.transport.playing = true;
                arm(state);
                change(state);
            });
            window.h.remove_cursor();
            window.wait(0.5);
            window.h.render().unwrap().save(folder.join(format!("{name}-{state}.png"))).unwrap();
        }
        let mut window = set_up(true);
        window.reach("Remove zone 1");
        window.h.remove_cursor();
        window.wait(0.5);
        window.h.render().unwrap().save(folder.join("1280-question.png")).unwrap();
    }
}

fn disarm(state: &mut State) {
    state.seen.safety.armed = false;
    state.seen.projectors.iter_mut().for_each(|one| one.armed = false);
}
