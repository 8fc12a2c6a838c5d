//! Hands from outside on real threads and loopback sockets: MIDI through fake ports, OSC and Art-Net through UDP. What
//! they wish is judged by the commands that reach a show.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::Receiver;

use galvo::analysis::BeatWish;
use galvo::control::ports::FakePorts;
use galvo::control::{ArtNetConfig, ControlConfig, ControllersWish};
use galvo::safety::Switches;
use galvo::show::hands::{self, HandsEnd, HandsThread};
use galvo::show::snapshot::{PresetEntry, PresetView};
use galvo::show::{Begin, Command, Remote, Snapshot};
use galvo::time::{Clock, HostTime, ManualClock, SystemClock};
use galvo::wire::artnet::{Universe, emit_dmx, emit_poll};
use galvo::wire::osc::{self, Argument, Message};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
const APC: &str = "APC MINI:APC MINI MIDI 1 24:0";

/// A show as hands see it: what it looks like, and what it was told.
struct Rig {
    told: Receiver<Command>,
    published: Arc<ArcSwap<Snapshot>>,
    clock: ManualClock,
    ports: FakePorts,
    end: HandsEnd,
    thread: HandsThread,
    _folder: tempfile::TempDir,
}

fn show() -> Snapshot {
    let entry = |name: &str| PresetEntry { name: name.into(), ..PresetEntry::default() };
    Snapshot {
        presets: [entry("One"), entry("Two"), entry("Three")].into(),
        preset: Arc::new(PresetView { name: "One".into(), ..PresetView::default() }),
        ..Snapshot::default()
    }
}

impl Rig {
    fn start(config: ControlConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = FakePorts::default();
        ports.plug(APC);
        let published = Arc::new(ArcSwap::from_pointee(show()));
        let clock = ManualClock::starting_at(HostTime::from_nanos(1_000_000_000_000));
        let switches = Switches::default();
        let (remote, told) = Remote::new(Arc::clone(&published), switches, config.may_arm);
        let config = ControlConfig { map_folder: Some(folder.path().to_owned()), ..config };
        let (thread, end) =
            hands::start(&config, Box::new(ports.clone()), remote, Arc::new(clock.clone()))
                .unwrap();
        Self { told, published, clock, ports, end, thread, _folder: folder }
    }

    fn with_apc() -> Self {
        let rig =
            Self::start(ControlConfig { midi: vec!["auto".into()], ..ControlConfig::default() });
        rig.until("the port is open", |rig| rig.end.view().sources.iter().any(|s| s.open));
        rig
    }

    fn next(&self) -> Command {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    fn look(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut seen = (**self.published.load()).clone();
        change(&mut seen);
        self.published.store(Arc::new(seen));
    }

    /// Waits for what another thread does, and lets virtual time pass for it.
    fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = SystemClock.now() + PATIENCE;
        while !done(self) {
            assert!(SystemClock.now() < end, "{what}");
            self.clock.advance(Duration::from_millis(20));
            SystemClock.sleep_until(SystemClock.now() + Duration::from_millis(2));
        }
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn with_osc(may_arm: bool) -> (Rig, UdpSocket) {
    let osc = Some(loopback());
    let rig = Rig::start(ControlConfig { osc, may_arm, ..ControlConfig::default() });
    let surface = UdpSocket::bind(loopback()).unwrap();
    surface.connect(rig.thread.osc_address().unwrap()).unwrap();
    surface.set_read_timeout(Some(PATIENCE)).unwrap();
    (rig, surface)
}

fn say(surface: &UdpSocket, address: &str, arguments: &[Argument]) {
    let message = Message { address: address.into(), arguments: arguments.to_vec() };
    surface.send(&osc::emit(&message)).unwrap();
}

#[test]
fn osc_steers_a_show_and_nonsense_is_passed_over() {
    let (rig, surface) = with_osc(false);
    surface.send(b"no OSC at all").unwrap();
    say(&surface, "/galvo/nowhere", &[]);
    say(&surface, "/galvo/preset", &[Argument::Number(2.0)]);
    assert_eq!(rig.next(), Command::SelectPreset("Two".into()));
    say(&surface, "/galvo/master", &[Argument::Number(0.25)]);
    assert_eq!(rig.next(), Command::SetMaster(0.25));
    say(&surface, "/galvo/beat/tap", &[]);
    assert_eq!(rig.next(), Command::Beat(BeatWish::Tap));
    say(&surface, "/galvo/stop", &[]);
    assert_eq!(rig.next(), Command::Stop);
}

#[test]
fn arming_by_network_is_refused_with_its_reason_unless_it_was_allowed() {
    let (rig, surface) = with_osc(false);
    for address in ["/galvo/arm", "/galvo/reset", "/galvo/disarm"] {
        say(&surface, address, &[]);
    }
    assert_eq!(rig.next(), Command::Disarm, "and nothing before it");
    let notices: Vec<String> = rig.end.notices().collect();
    assert!(notices.iter().any(|text| text.contains("--remote-arm")), "{notices:?}");
    let (rig, surface) = with_osc(true);
    say(&surface, "/galvo/arm", &[]);
    assert_eq!(rig.next(), Command::Arm);
}

#[test]
fn a_surface_that_subscribes_is_told_how_the_show_is() {
    let (rig, surface) = with_osc(false);
    rig.look(|seen| seen.safety.master = 0.5);
    say(&surface, "/galvo/subscribe", &[]);
    let hear = |wanted: &str| {
        let mut bytes = [0; 2048];
        loop {
            let len = surface.recv(&mut bytes).unwrap();
            let message = osc::parse(&bytes[..len]).unwrap().remove(0);
            if message.address == wanted {
                return message.arguments;
            }
        }
    };
    rig.until("somebody hears", |rig| {
        rig.end.view().sources.first().is_some_and(|s| s.messages == 1)
    });
    rig.clock.advance(Duration::from_millis(100));
    // In the order in which they are told.
    assert_eq!(hear("/galvo/state/preset"), [Argument::Text("One".into())]);
    assert_eq!(hear("/galvo/master"), [Argument::Number(0.5)]);
}

fn with_desk() -> (Rig, UdpSocket) {
    let universe = Universe::new(3).unwrap();
    let artnet = Some(ArtNetConfig { address: loopback(), universe, start: 11 });
    let rig = Rig::start(ControlConfig { artnet, may_arm: true, ..ControlConfig::default() });
    let desk = UdpSocket::bind(loopback()).unwrap();
    desk.connect(rig.thread.artnet_address().unwrap()).unwrap();
    desk.set_read_timeout(Some(PATIENCE)).unwrap();
    (rig, desk)
}

/// The fixture at slot 11, all else at full.
fn levels(fixture: &[u8]) -> Vec<u8> {
    let mut levels = vec![255; 512];
    levels[10..26].fill(0);
    levels[10..10 + fixture.len()].copy_from_slice(fixture);
    levels
}

#[test]
fn a_lighting_desk_sees_a_fixture_and_steers_it() {
    let (rig, desk) = with_desk();
    desk.send(&emit_poll()).unwrap();
    let mut reply = [0; 512];
    assert_eq!(desk.recv(&mut reply).unwrap(), 239);
    assert_eq!((&reply[..8], reply[190]), (b"Art-Net\0".as_slice(), 3));
    let universe = Universe::new(3).unwrap();
    let other = Universe::new(4).unwrap();
    desk.send(&emit_dmx(other, 1, &[255; 512])).unwrap();
    desk.send(&emit_dmx(universe, 1, &levels(&[51, 128]))).unwrap();
    assert_eq!(rig.next(), Command::SetBlackout(false));
    assert_eq!(rig.next(), Command::SetFlash(false));
    assert_eq!(rig.next(), Command::SetMaster(0.2));
    assert!(matches!(rig.next(), Command::SetTransition(t) if t.begin == Begin::Now));
    assert_eq!(rig.next(), Command::SetCrossfade(0.0));
    desk.send(&emit_dmx(universe, 2, &levels(&[51, 128, 255, 2]))).unwrap();
    assert_eq!(rig.next(), Command::Stop);
    assert_eq!(rig.next(), Command::SelectPreset("Two".into()));
}

#[test]
fn a_lighting_desk_that_falls_silent_leaves_the_show_dark() {
    let (rig, desk) = with_desk();
    let universe = Universe::new(3).unwrap();
    desk.send(&emit_dmx(universe, 1, &levels(&[255, 255]))).unwrap();
    while rig.next() != Command::SetCrossfade(0.0) {}
    rig.clock.advance(Duration::from_secs(4));
    rig.until("a look", |rig| rig.end.view().sources.first().is_some_and(|s| s.messages == 1));
    assert!(rig.told.is_empty(), "four seconds are no silence");
    rig.clock.advance(Duration::from_secs(2));
    assert_eq!(rig.next(), Command::SetBlackout(true));
    assert_eq!(rig.next(), Command::SetFlash(false));
}

#[test]
fn pads_choose_presets_and_their_lamps_show_the_show() {
    let rig = Rig::with_apc();
    assert!(rig.ports.play(APC, &[0x90, 57, 127]));
    assert_eq!(rig.next(), Command::SelectPreset("Two".into()));
    assert!(rig.ports.play(APC, &[0x90, 57, 0]));
    rig.look(|seen| seen.live.blackout = true);
    let lit = std::cell::RefCell::new(Vec::new());
    rig.until("the lamp of blackout", |rig| {
        lit.borrow_mut().extend(rig.ports.take_sent(APC));
        lit.borrow().contains(&vec![0x90, 83, 1])
    });
    let lit = lit.into_inner();
    // Pad 56 is preset 1, which plays: green. The next two are there: yellow. The fourth is not: off.
    for wanted in [[0x90, 56, 1], [0x90, 57, 5], [0x90, 58, 5], [0x90, 59, 0], [0x90, 83, 0]] {
        assert!(lit.contains(&wanted.to_vec()), "{wanted:?}");
    }
}

#[test]
fn faders_pick_up_and_keys_act_in_running_status() {
    let rig = Rig::with_apc();
    rig.look(|seen| seen.safety.master = 0.5);
    // The master's fader comes down from above: it takes nothing until it passes 0.5. Then two presses of STOP's key.
    rig.ports.play(APC, &[0xb0, 56, 127, 56, 100, 0xf8, 56, 60]);
    rig.ports.play(APC, &[0x90, 82, 127, 82, 0, 82, 127]);
    let Command::SetMaster(master) = rig.next() else { panic!("the master") };
    assert!((master - 60.0 / 127.0).abs() < 1e-6);
    assert_eq!(rig.next(), Command::Stop);
    assert_eq!(rig.next(), Command::Stop);
}

#[test]
fn a_flash_whose_controller_is_pulled_out_ends_and_the_controller_is_taken_up_again() {
    let rig = Rig::with_apc();
    rig.ports.play(APC, &[0x90, 84, 127]);
    assert_eq!(rig.next(), Command::SetFlash(true));
    rig.ports.unplug(APC);
    rig.clock.advance(Duration::from_secs(3));
    assert_eq!(rig.next(), Command::SetFlash(false));
    let returned = "APC MINI:APC MINI MIDI 1 28:0";
    rig.ports.plug(returned);
    rig.until("it is open again", |rig| rig.ports.play(returned, &[0x90, 82, 127]));
    assert_eq!(rig.next(), Command::Stop);
}

#[test]
fn a_port_that_is_missing_is_told_once_and_taken_up_when_it_comes() {
    let rig = Rig::start(ControlConfig { midi: vec!["Keys".into()], ..ControlConfig::default() });
    let told = std::cell::RefCell::new(Vec::new());
    rig.until("it is told", |rig| {
        told.borrow_mut().extend(rig.end.notices());
        !told.borrow().is_empty()
    });
    rig.ports.plug("Keys");
    rig.until("it is open", |rig| rig.ports.play("Keys", &[0xfe]));
    let told = told.into_inner();
    assert!(
        told.len() == 1 && told[0].contains("no MIDI port \"Keys\"; there are APC"),
        "{told:?}"
    );
}

#[test]
fn a_control_is_learned_by_touching_it() {
    let rig = Rig::with_apc();
    rig.end.wish(ControllersWish::Learn("preset Three".parse().unwrap()));
    rig.until("it is waited for", |rig| rig.end.view().learning.is_some());
    rig.ports.play(APC, &[0x90, 9, 127, 9, 0]);
    rig.ports.play(APC, &[0x90, 9, 127]);
    assert_eq!(
        rig.next(),
        Command::SelectPreset("Three".into()),
        "the second touch, not the first"
    );
    rig.until("it is shown", |rig| rig.end.view().learning.is_none());
    let view = rig.end.view();
    let learned = view.bindings.iter().any(|b| b.on == "ch 1 note 9" && b.does == "preset Three");
    assert!(learned, "{:?}", view.bindings);
}

#[test]
fn ports_are_opened_and_closed_by_wish_and_nothing_is_open_unasked() {
    let rig = Rig::start(ControlConfig::default());
    rig.end.wish(ControllersWish::Scan);
    rig.until("it is seen", |rig| !rig.end.view().sources.is_empty());
    assert!(!rig.end.view().sources[0].open && !rig.ports.play(APC, &[0x90, 82, 127]));
    rig.end.wish(ControllersWish::Open(APC.into()));
    rig.until("it is open", |rig| rig.end.view().sources[0].open);
    rig.end.wish(ControllersWish::Close(APC.into()));
    rig.until("it is closed", |rig| !rig.end.view().sources[0].open);
    assert!(!rig.ports.play(APC, &[0x90, 82, 127]));
}

#[test]
fn a_chosen_port_is_remembered_waited_for_and_forgotten_by_wish() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("midi.toml");
    let start =
        || Rig::start(ControlConfig { chosen: Some(file.clone()), ..ControlConfig::default() });
    let source = |rig: &Rig, part: &str| {
        let view = rig.end.view();
        view.sources.iter().find(|source| source.name.contains(part)).cloned()
    };
    let rig = start();
    rig.ports.plug("Keys 20:0");
    rig.end.wish(ControllersWish::Open("Keys 20:0".into()));
    rig.until("it is open", |rig| source(rig, "Keys").is_some_and(|keys| keys.open));
    assert!(source(&rig, "APC").is_some_and(|apc| !apc.open), "what nobody chose is not");
    drop(rig);

    let rig = start();
    rig.until("it is waited for", |rig| source(rig, "Keys").is_some_and(|keys| !keys.present));
    let told: Vec<String> = rig.end.notices().collect();
    assert_eq!(
        told,
        [
            "the MIDI controller Keys, chosen in an earlier show, is not there: it is taken up when it comes"
        ]
    );
    rig.ports.plug("Keys 24:0");
    rig.until("it is open again", |rig| source(rig, "Keys").is_some_and(|keys| keys.open));
    assert_eq!(rig.end.notices().count(), 0);
    rig.end.wish(ControllersWish::Close("Keys 24:0".into()));
    rig.until("it is closed", |rig| source(rig, "Keys").is_some_and(|keys| !keys.open));
    drop(rig);

    let rig = start();
    rig.end.wish(ControllersWish::Scan);
    rig.until("the ports are seen", |rig| source(rig, "APC").is_some());
    assert!(source(&rig, "Keys").is_none(), "it is not waited for any more");
}

#[test]
fn the_clock_of_a_port_leads_the_beat() {
    let config = ControlConfig { clock_from: Some("Drums".into()), ..ControlConfig::default() };
    let rig = Rig::start(config);
    rig.ports.plug("Drums");
    rig.until("it is open", |rig| rig.ports.play("Drums", &[0xfa]));
    // 150 beats a minute; each clock is taken before the next comes.
    for _ in 0..48 {
        rig.clock.advance(Duration::from_nanos(60_000_000_000 / 150 / 24));
        rig.ports.play("Drums", &[0xf8]);
    }
    let Command::Beat(BeatWish::SetBpm(bpm)) = rig.next() else { panic!("a tempo") };
    assert!((bpm - 150.0).abs() < 0.5, "{bpm}");
}

#[test]
fn the_lamps_go_out_and_nothing_acts_any_more_when_the_show_ends() {
    let mut rig = Rig::with_apc();
    rig.until("lamps", |rig| !rig.ports.take_sent(APC).is_empty());
    rig.told = crossbeam_channel::never();
    assert!(rig.ports.play(APC, &[0x90, 82, 127]), "the hands do not mind that nobody listens");
    let Rig { thread, ports, .. } = rig;
    drop(thread);
    assert!(ports.take_sent(APC).contains(&vec![0x90, 56, 0]));
    assert!(!ports.play(APC, &[0x90, 82, 127]));
}

#[test]
fn an_address_that_is_taken_is_told_with_the_cure() {
    let taken = UdpSocket::bind(loopback()).unwrap();
    let osc = Some(taken.local_addr().unwrap());
    let (remote, _told) = Remote::new(Arc::default(), Switches::default(), false);
    let config = ControlConfig {
        osc,
        map_folder: Some(Path::new("none").into()),
        ..ControlConfig::default()
    };
    let ports = Box::new(FakePorts::default());
    let error = hands::start(&config, ports, remote, Arc::new(SystemClock)).unwrap_err();
    assert!(error.to_string().contains("choose another address or port"), "{error}");
}
