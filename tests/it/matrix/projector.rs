//! One virtual projector of each kind, and the hands that give it trouble.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::audio::AudioError;
use galvo::dac::Backend;
use galvo::dac::audio_xy::{AudioXy, Card, OpenCard, XyCallback, XyOptions};
use galvo::dac::ether_dream::EtherDream;
use galvo::dac::helios::Helios;
use galvo::dac::idn::{Idn, Service};
use galvo::dac::lasercube_usb::LaserCubeUsb;
use galvo::dac::lasercube_wifi::LaserCube;
use galvo::dac::simulator::usb_port::{PortFault, UsbDevice, UsbPort};
use galvo::dac::simulator::{
    InProcess, Recorder, SimOptions, Tap, ether_dream, helios, idn, lasercube_usb, lasercube_wifi,
};
use galvo::dac::transport::{Bind, Fault, FaultPlan, LossPlan, Lossy};
use galvo::point::LaserPoint;
use galvo::time::{Clock, HostTime, ManualClock};
use galvo::wire::idn::{Hello, Message, command};
use galvo::wire::lasercube_wifi::{COMMAND_PORT, Command};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    InProcess,
    EtherDream,
    LaserCubeWifi,
    Idn,
    Helios,
    LaserCubeUsb,
    AudioXy,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::InProcess,
        Self::EtherDream,
        Self::LaserCubeWifi,
        Self::Idn,
        Self::Helios,
        Self::LaserCubeUsb,
        Self::AudioXy,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::InProcess => "sim",
            Self::EtherDream => "ether-dream",
            Self::LaserCubeWifi => "lasercube-wifi",
            Self::Idn => "idn",
            Self::Helios => "helios",
            Self::LaserCubeUsb => "lasercube-usb",
            Self::AudioXy => "audio-xy",
        }
    }

    /// Its points travel in datagrams.
    pub(super) const fn is_udp(self) -> bool {
        matches!(self, Self::LaserCubeWifi | Self::Idn)
    }

    /// It has an emergency stop or interlock of its own, and tells of it.
    pub(super) const fn has_estop(self) -> bool {
        matches!(self, Self::InProcess | Self::EtherDream | Self::LaserCubeWifi | Self::Idn)
    }

    pub(super) const fn is_network(self) -> bool {
        self.is_udp() || matches!(self, Self::EtherDream)
    }
}

/// The line to a projector, and its clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    /// Each way.
    pub(super) delay: Duration,
    pub(super) loss: f64,
    pub(super) reorder: f64,
    pub(super) ppm: f64,
}

/// Whether there was light, moment by moment.
#[derive(Clone, Default)]
pub(super) struct Eye(pub(super) Arc<Mutex<Vec<(HostTime, bool)>>>);

impl Recorder for Eye {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        self.0.lock().unwrap().push((at, !point.is_blank()));
    }
}

pub(super) trait Hands {
    /// Pulls the plug, or puts it back.
    fn plug(&self, now: HostTime, plugged: bool);
    /// Presses the device's emergency stop, or lets go of it; false if it has none.
    fn estop(&self, _now: HostTime, _pressed: bool) -> bool {
        false
    }
    /// Another program on the network ends the device's emergency stop, or tries to use the device.
    fn intrude(&self, _now: HostTime) {}
    /// Lets the device see that time has passed; says when it wants to again.
    fn advance(&self, now: HostTime) -> HostTime {
        now + Duration::from_hours(1)
    }
}

impl Hands for Tap {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_plugged(plugged);
    }
    fn estop(&self, _now: HostTime, pressed: bool) -> bool {
        self.set_estop_held(pressed);
        true
    }
}

/// The light of a projector in this process is taken from its tap.
struct Tapped(Tap, Eye);

impl Hands for Tapped {
    fn plug(&self, now: HostTime, plugged: bool) {
        self.0.plug(now, plugged);
    }
    fn estop(&self, now: HostTime, pressed: bool) -> bool {
        self.0.estop(now, pressed)
    }
    fn advance(&self, now: HostTime) -> HostTime {
        let shown = self.0.take();
        let mut seen = self.1.0.lock().unwrap();
        seen.extend(shown.iter().map(|shown| (shown.at, !shown.point.is_blank())));
        now + Duration::from_millis(200)
    }
}

impl Hands for ether_dream::Bench {
    fn plug(&self, now: HostTime, plugged: bool) {
        self.cut(now, plugged);
    }
    fn estop(&self, now: HostTime, pressed: bool) -> bool {
        self.with(|device| device.set_estop_input(now, pressed));
        true
    }
    fn intrude(&self, now: HostTime) {
        self.with(|device| device.feed(now, b"c", &mut Vec::new()));
    }
}

impl Hands for lasercube_wifi::Bench {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_reachable(plugged);
    }
    fn estop(&self, now: HostTime, pressed: bool) -> bool {
        self.with(|device| device.set_interlock_open(now, pressed));
        true
    }
    fn intrude(&self, now: HostTime) {
        let mut bytes = Vec::new();
        Command::Output(true).emit(&mut bytes);
        let port = lasercube_wifi::Port::Command;
        self.with(|device| device.feed(now, port, &bytes, &mut Vec::new()));
    }
}

impl Hands for idn::Bench {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_reachable(plugged);
    }
    fn estop(&self, now: HostTime, pressed: bool) -> bool {
        self.with(|device| device.set_offline(now, pressed));
        true
    }
    fn intrude(&self, now: HostTime) {
        let stranger = SocketAddr::from(([192, 0, 2, 77], 7255));
        let mut packet = Hello::new(command::MESSAGE, 0).emit().to_vec();
        Message::keep_alive(0, 0).emit(&mut packet);
        self.with(|device| device.feed(now, stranger, &packet, &mut Vec::new()));
    }
}

impl<D: UsbDevice + 'static> Hands for UsbPort<D> {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_fault(if plugged { PortFault::None } else { PortFault::Unplugged });
    }
}

const CHANNELS: usize = 5;
const PERIOD: usize = 256;
const LATENCY: Duration = Duration::from_millis(12);

/// A card that calls back by the test's clock, on a crystal that may be off.
#[derive(Clone)]
struct BenchCard(Arc<Mutex<CardState>>);

struct CardState {
    callback: Option<XyCallback>,
    rate: f64,
    next: HostTime,
    plugged: bool,
    eye: Eye,
}

impl Card for BenchCard {
    fn open(
        &mut self,
        _channels: usize,
        rate: Option<u32>,
        make: &mut dyn FnMut(u32) -> XyCallback,
    ) -> Result<OpenCard, AudioError> {
        let mut card = self.0.lock().unwrap();
        if !card.plugged {
            return Err(AudioError::NoDevice);
        }
        card.callback = Some(make(rate.unwrap_or(48_000)));
        Ok(OpenCard { counters: None, running: Box::new(()) })
    }
}

impl Hands for BenchCard {
    fn plug(&self, now: HostTime, plugged: bool) {
        let mut card = self.0.lock().unwrap();
        card.plugged = plugged;
        card.next = now;
    }
    fn advance(&self, now: HostTime) -> HostTime {
        let card = &mut *self.0.lock().unwrap();
        let mut out = [0.0; PERIOD * CHANNELS];
        while card.next <= now {
            let begins = card.next + LATENCY;
            if card.plugged
                && let Some(callback) = &mut card.callback
            {
                callback.run(&mut out, CHANNELS, card.next, LATENCY);
                let mut seen = card.eye.0.lock().unwrap();
                for (n, frame) in out.chunks(CHANNELS).enumerate() {
                    let at = begins.plus_secs_f64(n as f64 / card.rate);
                    seen.push((at, frame[2] > 0.0));
                }
            }
            card.next = card.next.plus_secs_f64(PERIOD as f64 / card.rate);
        }
        card.next
    }
}

/// A projector of this kind at the end of this line: its driver, its hands, and what it shows.
pub(super) fn plug_in(
    kind: Kind,
    line: Line,
    clock: &ManualClock,
) -> (Box<dyn Backend>, Box<dyn Hands>, Eye) {
    let eye = Eye::default();
    let watch = || Some(Box::new(eye.clone()) as Box<dyn Recorder>);
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let lossy = LossPlan {
        delay: line.delay,
        loss: line.loss,
        reorder: line.reorder,
        seed: 11,
        ..LossPlan::default()
    };
    let is_clean = line.delay.is_zero() && line.loss == 0.0 && line.reorder == 0.0;
    let (driver, hands): (Box<dyn Backend>, Box<dyn Hands>) = match kind {
        Kind::InProcess => {
            let options = SimOptions { ppm: line.ppm, ..SimOptions::default() };
            let sim = InProcess::new("sim:", options).unwrap();
            let hands = Tapped(sim.tap(), eye.clone());
            (Box::new(sim), Box::new(hands))
        }
        Kind::EtherDream => {
            use ether_dream::{Bench, Device, Generation};
            let device = Device::new(Generation::Two, None, line.ppm, watch());
            let announcement = device.announcement();
            let bench = Bench::new(device);
            let plan =
                FaultPlan { delay: line.delay, delay_out: line.delay, ..FaultPlan::default() };
            let dial = Box::new(Fault::new(bench.clone(), plan));
            let driver = EtherDream::over("ether-dream://bench", dial, shared);
            (Box::new(driver.announced(&announcement)), Box::new(bench))
        }
        Kind::LaserCubeWifi => {
            use lasercube_wifi::{Bench, Device, Model};
            let device = Device::new(Model { ppm: line.ppm, ..Model::default() }, watch());
            let info = device.info();
            let bench = Bench::new(device);
            let bind: Box<dyn Bind> = if is_clean {
                Box::new(bench.clone())
            } else {
                Box::new(Lossy::new(bench.clone(), lossy))
            };
            let name = "lasercube-wifi://bench";
            let driver = LaserCube::over(name, Bench::HOST, COMMAND_PORT, bind, shared);
            (Box::new(driver.announced(info)), Box::new(bench))
        }
        Kind::Idn => {
            use idn::{Bench, Device};
            let device = Device::new("bench", &["Laser".to_owned()], line.ppm, watch());
            let bench = Bench::new(device);
            let bind: Box<dyn Bind> = if is_clean {
                Box::new(bench.clone())
            } else {
                Box::new(Lossy::new(bench.clone(), lossy))
            };
            let at = Bench::address();
            let host = at.ip().to_string();
            let driver = Idn::over("idn://bench", &host, at.port(), Service::Default, bind, shared);
            (Box::new(driver), Box::new(bench))
        }
        Kind::Helios => {
            let device = helios::Device::new(6, "Bench", line.ppm, watch());
            let port = UsbPort::new(device, Arc::clone(&shared));
            let driver = Helios::over("helios://", "", Box::new(port.clone()), shared);
            (Box::new(driver), Box::new(port))
        }
        Kind::LaserCubeUsb => {
            let device = lasercube_usb::Device::new("LC01", 1024, line.ppm, watch());
            let port = UsbPort::new(device, Arc::clone(&shared));
            let driver = LaserCubeUsb::over("lasercube-usb://", "", Box::new(port.clone()), shared);
            (Box::new(driver), Box::new(port))
        }
        Kind::AudioXy => {
            let card = BenchCard(Arc::new(Mutex::new(CardState {
                callback: None,
                rate: 48_000.0 * (1.0 + line.ppm * 1e-6),
                next: clock.now(),
                plugged: true,
                eye: eye.clone(),
            })));
            let options = XyOptions::parse("channels=xyrgb").unwrap();
            let driver = AudioXy::over("audio-xy://bench", Box::new(card.clone()), options, shared);
            (Box::new(driver), Box::new(card))
        }
    };
    (driver, hands, eye)
}
