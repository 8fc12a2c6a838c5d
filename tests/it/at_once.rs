//! Darkness that waits for nobody, on real threads and loopback sockets: a show thread that hangs, hands that are stuck
//! behind a scan of ports, a flood. For every surface.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crossbeam_channel::Receiver;

use galvo::audio::AudioChoice;
use galvo::cli::headless;
use galvo::control::ports::{FakePorts, Heard, Listening, MidiOut};
use galvo::control::{ArtNetConfig, ControlConfig, MidiError, MidiPorts};
use galvo::format::FileKind;
use galvo::safety::{Arm, Switches};
use galvo::show::hands::{self, HandsEnd, HandsThread};
use galvo::show::recorder::{Recorded, RecorderView, RecorderWish, RenderOrder};
use galvo::show::snapshot::Severity;
use galvo::show::{self, Command, Desk, Remote, ShowConfig, ShowHandle, Source, Studio};
use galvo::time::{Clock, HostTime, ManualClock, SystemClock};
use galvo::wire::artnet::{Universe, emit_dmx};
use galvo::wire::osc::{self, Argument, Message};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
const APC: &str = "APC MINI:APC MINI MIDI 1 24:0";
const START: HostTime = HostTime::from_nanos(1_000_000_000_000);

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Waits for what another thread does.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = SystemClock.now() + PATIENCE;
    while !done() {
        assert!(SystemClock.now() < end, "{what}");
        SystemClock.sleep_until(SystemClock.now() + Duration::from_micros(200));
    }
}

/// A place where a thread hangs while it is closed.
#[derive(Clone, Debug, Default)]
struct Hole(Arc<(Mutex<HoleState>, Condvar)>);

#[derive(Debug, Default)]
struct HoleState {
    closed: bool,
    inside: bool,
}

impl Hole {
    fn close(&self) {
        self.0.0.lock().unwrap().closed = true;
    }

    fn open(&self) {
        self.0.0.lock().unwrap().closed = false;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let (state, opened) = &*self.0;
        let mut state = state.lock().unwrap();
        while state.closed {
            state.inside = true;
            state = opened.wait(state).unwrap();
        }
        state.inside = false;
    }

    fn holds_somebody(&self) -> bool {
        self.0.0.lock().unwrap().inside
    }
}

// --- Hands that are stuck ------------------------------------------------------------------------------------

/// Ports whose system takes its time to list them.
struct SlowPorts(FakePorts, Hole);

impl MidiPorts for SlowPorts {
    fn inputs(&mut self) -> Result<Vec<String>, MidiError> {
        self.1.pass();
        self.0.inputs()
    }

    fn outputs(&mut self) -> Result<Vec<String>, MidiError> {
        self.0.outputs()
    }

    fn listen(&mut self, port: &str, heard: Heard) -> Result<Box<dyn Listening>, MidiError> {
        self.0.listen(port, heard)
    }

    fn open(&mut self, port: &str) -> Result<Box<dyn MidiOut>, MidiError> {
        self.0.open(port)
    }
}

/// Hands on a show of one projector whose show thread takes nothing.
struct Rig {
    arm: Arm,
    switches: Switches,
    told: Receiver<Command>,
    clock: ManualClock,
    ports: FakePorts,
    scan: Hole,
    end: HandsEnd,
    thread: Option<HandsThread>,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// With the hands stuck in a scan of ports.
    fn stuck(config: ControlConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ports, scan) = (FakePorts::default(), Hole::default());
        ports.plug(APC);
        let clock = ManualClock::starting_at(START);
        let (switches, arm) = (Switches::default(), Arm::new());
        switches.join(0, "sim:", &arm, START);
        let (remote, told) = Remote::new(Arc::default(), switches.clone(), config.may_arm);
        let config = ControlConfig {
            midi: vec!["auto".into()],
            map_folder: Some(folder.path().to_owned()),
            ..config
        };
        let slow = Box::new(SlowPorts(ports.clone(), scan.clone()));
        let (thread, end) = hands::start(&config, slow, remote, Arc::new(clock.clone())).unwrap();
        let rig = Self {
            arm,
            switches,
            told,
            clock,
            ports,
            scan,
            end,
            thread: Some(thread),
            _folder: folder,
        };
        until("the port is open", || {
            rig.clock.advance(Duration::from_millis(20));
            rig.end.view().sources.iter().any(|source| source.open && source.name == APC)
        });
        rig.scan.close();
        until("the hands look for ports", || {
            rig.clock.advance(Duration::from_millis(20));
            rig.scan.holds_somebody()
        });
        rig.light();
        rig
    }

    fn light(&self) {
        self.arm.arm(self.clock.now()).unwrap();
    }

    fn thread(&self) -> &HandsThread {
        self.thread.as_ref().unwrap()
    }

    /// The first commands that reach the show.
    fn told(&self) -> Vec<Command> {
        self.told.try_iter().collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.scan.open();
        self.thread = None;
    }
}

fn to(address: Option<SocketAddr>) -> UdpSocket {
    let socket = UdpSocket::bind(loopback()).unwrap();
    socket.connect(address.unwrap()).unwrap();
    socket
}

fn say(surface: &UdpSocket, address: &str, arguments: &[Argument]) {
    let message = Message { address: address.into(), arguments: arguments.to_vec() };
    surface.send(&osc::emit(&message)).unwrap();
}

#[test]
fn keys_of_a_controller_darken_while_the_hands_look_for_ports() {
    let rig = Rig::stuck(ControlConfig::default());
    rig.ports.play(APC, &[0x90, 83, 127, 83, 0]);
    assert!(rig.arm.is_armed() && rig.arm.is_blacked_out(), "the key of blackout");
    rig.ports.play(APC, &[0x90, 83, 127]);
    assert!(!rig.arm.is_blacked_out(), "pressed again");
    rig.ports.play(APC, &[0x90, 82, 127]);
    assert!(rig.arm.is_stopped() && !rig.arm.is_armed(), "the key of STOP");
    assert_eq!(rig.told(), [], "nobody is told yet");
    // An operator resets and arms; then the hands are free, and what waited for them darkens nothing.
    rig.arm.reset_stop();
    rig.light();
    rig.scan.open();
    until("it is told", || rig.told().contains(&Command::Stop));
    assert!(rig.arm.is_armed() && !rig.arm.is_stopped());
}

#[test]
fn osc_darkens_while_the_hands_look_for_ports() {
    let rig = Rig::stuck(ControlConfig { osc: Some(loopback()), ..ControlConfig::default() });
    let surface = to(rig.thread().osc_address());
    say(&surface, "/galvo/blackout", &[]);
    until("blackout", || rig.arm.is_blacked_out());
    say(&surface, "/galvo/blackout", &[Argument::Number(0.0)]);
    until("no blackout", || !rig.arm.is_blacked_out());
    say(&surface, "/galvo/disarm", &[]);
    until("disarmed", || !rig.arm.is_armed());
    rig.light();
    // As old senders make it, without type tags.
    surface.send(b"/galvo/stop\0").unwrap();
    until("stopped", || rig.arm.is_stopped());
    rig.arm.reset_stop();
    rig.light();
    say(&surface, "/galvo/{stop,nothing}", &[]);
    until("stopped by a pattern", || rig.arm.is_stopped());
    assert_eq!(rig.told(), []);
}

/// What waits in a queue of the hands is asked for when it comes, not when they get to it.
#[test]
fn an_arm_that_waits_for_the_hands_gives_no_light_after_a_later_disarm() {
    let osc = Some(loopback());
    let rig = Rig::stuck(ControlConfig { osc, may_arm: true, ..ControlConfig::default() });
    let surface = to(rig.thread().osc_address());
    say(&surface, "/galvo/disarm", &[]);
    until("disarmed", || !rig.arm.is_armed());
    say(&surface, "/galvo/arm", &[]);
    until("light is asked for", || rig.arm.is_light_wished());
    say(&surface, "/galvo/disarm", &[]);
    until("it is taken back", || !rig.arm.is_light_wished());
    say(&surface, "/galvo/stop", &[]);
    say(&surface, "/galvo/reset", &[]);
    say(&surface, "/galvo/stop", &[]);
    rig.scan.open();
    let mut told = Vec::new();
    until("all is told", || {
        told.extend(rig.told());
        told.len() == 6
    });
    assert!(rig.arm.arm_as_asked(rig.clock.now()).is_err() && !rig.arm.is_light_wished());
    assert!(rig.switches.reset_as_asked(|_| ()).is_err(), "STOP came after the reset");
}

/// 30 000 messages that are refused, and one STOP. What a full receive buffer drops is the system's affair: after each
/// fifty the test waits until they are read.
#[test]
fn a_stop_is_found_in_a_flood_and_what_is_dropped_is_told_in_one_line() {
    let rig = Rig::stuck(ControlConfig { osc: Some(loopback()), ..ControlConfig::default() });
    let surface = to(rig.thread().osc_address());
    let refused = osc::emit(&Message { address: "/galvo/arm".into(), arguments: Vec::new() });
    for _ in 0..600 {
        for _ in 0..50 {
            surface.send(&refused).unwrap();
        }
        say(&surface, "/galvo/blackout", &[Argument::Number(1.0)]);
        until("the flood is read", || rig.arm.is_blacked_out());
        say(&surface, "/galvo/blackout", &[Argument::Number(0.0)]);
        until("the flood is read", || !rig.arm.is_blacked_out());
    }
    assert!(rig.arm.is_armed());
    say(&surface, "/galvo/stop", &[]);
    until("stopped", || rig.arm.is_stopped());
    rig.scan.open();
    let mut lines = Vec::new();
    until("it is told", || {
        rig.clock.advance(Duration::from_millis(20));
        lines.extend(rig.end.notices().filter(|text| text.contains("were dropped so far")));
        !lines.is_empty()
    });
    let count: u64 = lines[0].split(' ').next().unwrap().parse().unwrap();
    assert!(lines.len() == 1 && count >= 30_000 - 4096, "{lines:?}");
    assert!(rig.switches.is_stopped());
}

#[test]
fn the_port_for_stop_alone_hears_what_darkens_and_nothing_else() {
    let config = ControlConfig { osc_stop: Some(loopback()), ..ControlConfig::default() };
    let rig = Rig::stuck(config);
    let surface = to(rig.thread().osc_stop_address());
    for address in ["/galvo/preset/next", "/galvo/arm", "/galvo/master", "/galvo/subscribe"] {
        say(&surface, address, &[Argument::Number(1.0)]);
    }
    say(&surface, "/galvo/blackout", &[Argument::Number(1.0)]);
    until("blackout", || rig.arm.is_blacked_out());
    surface.send(b"/galvo/stop\0").unwrap();
    until("stopped", || rig.arm.is_stopped());
    // It is told by the socket's own thread.
    let mut told = Vec::new();
    until("it is told", || {
        told.extend(rig.told());
        told.len() >= 2
    });
    assert_eq!(told, [Command::SetBlackout(true), Command::Stop]);
}

#[test]
fn a_lighting_desk_darkens_while_the_hands_look_for_ports() {
    let universe = Universe::default();
    let artnet = Some(ArtNetConfig { address: loopback(), universe, start: 1 });
    let rig = Rig::stuck(ControlConfig { artnet, ..ControlConfig::default() });
    let desk = to(rig.thread().artnet_address());
    let send = |sequence, levels: &[u8]| desk.send(&emit_dmx(universe, sequence, levels)).unwrap();
    send(1, &[255, 0, 0, 0]);
    until("the shutter is closed", || rig.arm.is_blacked_out());
    send(2, &[255, 128, 0, 0]);
    until("the shutter is open", || !rig.arm.is_blacked_out());
    send(3, &[255, 128, 255, 0]);
    until("STOP", || rig.arm.is_stopped());
    rig.arm.reset_stop();
    rig.light();
    rig.clock.advance(Duration::from_secs(6));
    until("the desk is silent", || rig.arm.is_blacked_out());
    assert!(rig.arm.is_armed());
    send(4, &[255, 128, 0, 0]);
    until("the desk is back", || !rig.arm.is_blacked_out());
    assert_eq!(rig.told(), []);
}

// --- A show thread that hangs --------------------------------------------------------------------------------

/// A studio that breaks its word not to wait: the show thread hangs in it.
#[derive(Debug)]
struct StuckStudio(Hole);

impl Studio for StuckStudio {
    fn record(&mut self, _: FileKind, _: Vec<Recorded>, _: HostTime) {}
    fn stop(&mut self) {}
    fn render(&mut self, _: RenderOrder, _: HostTime) {}
    fn cancel_render(&mut self) {}
    fn set_folder(&mut self, _: PathBuf) {
        self.0.pass();
    }
    fn close(&mut self, _: Duration) -> Vec<String> {
        Vec::new()
    }
    fn look(&mut self, _: HostTime, _: &mut dyn FnMut(Severity, String)) -> RecorderView {
        RecorderView::default()
    }
}

/// A whole show, its show thread hanging. Whether there was light is the affair of `show::switches`, in virtual time; here
/// the switches are looked at, which no busy machine moves.
struct Theatre {
    desk: Option<ShowHandle>,
    switches: Switches,
    hole: Hole,
    _folder: tempfile::TempDir,
}

impl Theatre {
    fn hangs(control: ControlConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hole = Hole::default();
        let source = Source::Playback { music: Vec::new(), start_s: 0.0, audio: AudioChoice::None };
        let config = ShowConfig {
            source,
            mountings: Some(folder.path().join("projectors.toml")),
            preset_folder: Some(folder.path().join("presets")),
            control: ControlConfig { map_folder: Some(folder.path().to_owned()), ..control },
            ..ShowConfig::default()
        };
        let studio = Box::new(StuckStudio(hole.clone()));
        let mut desk = show::start(&config, Some(studio)).unwrap();
        hole.close();
        desk.send(Command::Recorder(RecorderWish::Folder(PathBuf::new())));
        until("the show thread hangs", || hole.holds_somebody());
        let switches = desk.switches().clone();
        Self { desk: Some(desk), switches, hole, _folder: folder }
    }

    fn desk(&mut self) -> &mut ShowHandle {
        self.desk.as_mut().unwrap()
    }

    /// The stop acts while the show thread still hangs, and is told when it is back.
    fn is_stopped(&mut self) {
        let switches = self.switches.clone();
        until("stopped", || switches.is_stop_pressed());
        assert!(self.hole.holds_somebody());
        self.hole.open();
        // The switches are told at once; what they did, by the show thread.
        assert!(self.desk().snapshot().safety.stopped);
        until("it is told", || {
            let seen = self.desk().snapshot();
            seen.safety.trips.iter().any(|trip| trip.contains("STOP pressed"))
        });
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        self.hole.open();
    }
}

#[test]
fn the_desk_darkens_while_the_show_thread_hangs_and_its_light_waits_for_it() {
    let mut theatre = Theatre::hangs(ControlConfig::default());
    let switches = theatre.switches.clone();
    theatre.desk().send(Command::SetBlackout(true));
    assert!(switches.is_blacked_out());
    theatre.desk().send(Command::Arm);
    assert!(switches.is_light_wished() && !switches.is_armed(), "the show thread gives it");
    theatre.desk().send(Command::Disarm);
    assert!(!switches.is_light_wished());
    theatre.desk().send(Command::Arm);
    theatre.desk().send(Command::Stop);
    assert!(switches.is_stop_pressed() && !switches.is_light_wished());
    theatre.is_stopped();
    let seen = theatre.desk().snapshot();
    assert!(!seen.safety.armed && seen.live.blackout);
}

#[test]
fn the_terminal_stops_while_the_show_thread_hangs() {
    let mut theatre = Theatre::hangs(ControlConfig::default());
    let (keyboard, typed) = crossbeam_channel::unbounded();
    let interrupted = Arc::new(AtomicBool::new(false));
    let mut desk = theatre.desk.take().unwrap();
    let terminal = std::thread::spawn({
        let interrupted = Arc::clone(&interrupted);
        move || {
            headless::follow(&mut desk, &SystemClock, &interrupted, Some(&typed));
            desk
        }
    });
    keyboard.send("s".to_owned()).unwrap();
    until("stopped", || theatre.switches.is_stop_pressed());
    assert!(theatre.hole.holds_somebody());
    interrupted.store(true, Ordering::SeqCst);
    let desk = terminal.join().unwrap();
    theatre.hole.open();
    let report = desk.finish().unwrap();
    assert!(report.trips.iter().any(|trip| trip.reason.contains("STOP pressed")));
}

#[test]
fn osc_stops_while_the_show_thread_hangs() {
    let osc = Some(loopback());
    let mut theatre = Theatre::hangs(ControlConfig { osc, ..ControlConfig::default() });
    let surface = to(theatre.desk().hands().unwrap().osc_address());
    surface.send(b"/galvo/stop\0").unwrap();
    theatre.is_stopped();
}

#[test]
fn art_net_darkens_and_stops_while_the_show_thread_hangs() {
    let universe = Universe::default();
    let artnet = Some(ArtNetConfig { address: loopback(), universe, start: 1 });
    let mut theatre = Theatre::hangs(ControlConfig { artnet, ..ControlConfig::default() });
    let desk = to(theatre.desk().hands().unwrap().artnet_address());
    desk.send(&emit_dmx(universe, 1, &[255, 0, 255, 0])).unwrap();
    theatre.is_stopped();
    assert!(theatre.desk().snapshot().live.blackout);
}

#[test]
fn the_end_of_a_show_is_dark_before_its_thread_answers() {
    for says_so in [true, false] {
        let mut theatre = Theatre::hangs(ControlConfig::default());
        theatre.desk().send(Command::Arm);
        assert!(theatre.switches.is_light_wished());
        let desk = theatre.desk.take().unwrap();
        let end = std::thread::spawn(move || {
            if says_so {
                assert!(desk.finish().is_some());
            } else {
                drop(desk);
            }
        });
        until("dark", || !theatre.switches.is_light_wished());
        assert!(theatre.hole.holds_somebody() && !theatre.switches.is_armed());
        theatre.hole.open();
        end.join().unwrap();
        assert!(!theatre.switches.is_armed());
    }
}
