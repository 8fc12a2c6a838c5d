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
use galvo::dac::simulator::ether_dream::Generation;
use galvo::dac::simulator::usb_port::{PortFault, UsbDevice, UsbPort};
use galvo::dac::simulator::{
    InProcess, Recorder, SimOptions, Tap, ether_dream, helios, idn, lasercube_usb, lasercube_wifi,
};
use galvo::dac::transport::{Bind, Fault, FaultPlan, LossPlan, Lossy};
use galvo::point::LaserPoint;
use galvo::time::{Clock, HostTime, ManualClock};
use galvo::wire::idn::{Hello, Message, command};
use galvo::wire::lasercube_wifi::{COMMAND_PORT, Command, Connection};

use super::{LOOK, MS};

/// A point at its moment on the mirrors, with the run of the mirrors it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Light {
    pub(super) at: HostTime,
    pub(super) run: u32,
    pub(super) point: LaserPoint,
}

impl Light {
    pub(super) fn is_lit(&self) -> bool {
        !self.point.is_blank() || self.point.i > 0
    }
}

/// What a projector showed, and how often its mirrors began anew.
#[derive(Clone, Default)]
pub(super) struct Eye(Arc<Mutex<(u32, Vec<Light>)>>);

impl Eye {
    fn take(&self) -> Vec<Light> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

impl Recorder for Eye {
    fn shown(&mut self, at: HostTime, _index: u64, point: &LaserPoint) {
        let mut seen = self.0.lock().unwrap();
        let run = seen.0;
        seen.1.push(Light { at, run, point: *point });
    }

    fn begun(&mut self, _at: HostTime) {
        self.0.lock().unwrap().0 += 1;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    InProcess,
    /// At most so many bytes leave at once.
    EtherDream {
        generation: Generation,
        limit: Option<u16>,
    },
    LaserCubeWifi {
        wired: bool,
    },
    Idn,
    Helios,
    LaserCubeUsb {
        ring: usize,
    },
    AudioXy {
        rate: u32,
    },
}

/// A model at the end of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) model: Model,
    pub(super) ppm: i16,
    /// What a device on TCP says comes so much later, and up to so much later again.
    pub(super) delay_ms: u8,
    pub(super) jitter_ms: u8,
    /// Datagrams that are lost, each way.
    pub(super) loss_percent: u8,
}

impl Kind {
    pub(super) const fn plain(model: Model) -> Self {
        Self { model, ppm: 200, delay_ms: 0, jitter_ms: 0, loss_percent: 0 }
    }

    /// One of each, and both generations of the Ether Dream.
    pub(super) const fn all() -> [Self; 8] {
        const fn ether_dream(generation: Generation) -> Kind {
            Kind::plain(Model::EtherDream { generation, limit: None })
        }
        [
            Self { ppm: -200, ..Self::plain(Model::InProcess) },
            ether_dream(Generation::One),
            ether_dream(Generation::Two),
            Self::plain(Model::LaserCubeWifi { wired: false }),
            Self::plain(Model::Idn),
            Self::plain(Model::Helios),
            Self::plain(Model::LaserCubeUsb { ring: 1024 }),
            Self::plain(Model::AudioXy { rate: 48_000 }),
        ]
    }

    /// Those whose points each bring their own rate to the mirrors and are shown as they are.
    pub(super) fn exact() -> impl Iterator<Item = Self> {
        let is_exact =
            |kind: &Self| matches!(kind.model, Model::InProcess | Model::EtherDream { .. });
        Self::all().into_iter().filter(is_exact)
    }

    pub(super) const fn name(self) -> &'static str {
        match self.model {
            Model::InProcess => "sim",
            Model::EtherDream { generation: Generation::One, .. } => "ether-dream 1",
            Model::EtherDream { .. } => "ether-dream 2",
            Model::LaserCubeWifi { .. } => "lasercube-wifi",
            Model::Idn => "idn",
            Model::Helios => "helios",
            Model::LaserCubeUsb { .. } => "lasercube-usb",
            Model::AudioXy { .. } => "audio-xy",
        }
    }

    /// What it goes on to show when its line is cut: nobody can tell it to stop.
    pub(super) const fn plays_on_alone(self) -> Duration {
        match self.model {
            // Its buffer, which has grown each time it ran dry: at most 85 % of 1799 points, at 8 kpps.
            Model::EtherDream { generation: Generation::One, .. } => Duration::from_millis(195),
            Model::Idn => Duration::from_millis(60),
            // What it holds, at the lowest rate it may be told meanwhile.
            Model::LaserCubeWifi { .. } => Duration::from_millis(450),
            Model::AudioXy { .. } => CARD_LATENCY.saturating_add(CARD_PERIOD),
            _ => Duration::ZERO,
        }
    }

    /// The longest time a stop may be on its way to the device.
    pub(super) const fn way_there(self) -> Duration {
        match self.model {
            // Bytes go at once but few at a time: what is half sent is finished first, dark.
            Model::EtherDream { limit: Some(_), .. } => LOOK,
            // A stop is said again until it is heard.
            Model::LaserCubeWifi { .. } | Model::Idn if self.loss_percent > 0 => {
                Duration::from_millis(60)
            }
            // A transfer each, and the one that is under way.
            Model::Helios | Model::LaserCubeUsb { .. } => Duration::from_millis(8),
            // What the card has taken cannot be called back.
            Model::AudioXy { .. } => CARD_LATENCY.saturating_add(CARD_PERIOD),
            _ => Duration::ZERO,
        }
    }

    /// It has an emergency stop or interlock of its own.
    pub(super) const fn has_estop(self) -> bool {
        matches!(
            self.model,
            Model::InProcess | Model::EtherDream { .. } | Model::LaserCubeWifi { .. } | Model::Idn
        )
    }

    /// It tells of its emergency stop only when it is asked.
    pub(super) const fn is_asked_for_estop(self) -> bool {
        matches!(self.model, Model::LaserCubeWifi { .. } | Model::Idn)
    }

    /// How long its emergency stop may go unnoticed.
    pub(super) fn notices_estop_within(self) -> Duration {
        match self.model {
            Model::EtherDream { .. } => MS * (12 + u32::from(self.delay_ms + self.jitter_ms)),
            _ if self.is_asked_for_estop() && self.loss_percent > 0 => MS * 1_100,
            Model::LaserCubeWifi { .. } => MS * 60,
            Model::Idn => MS * 260,
            _ => Duration::ZERO,
        }
    }

    /// How long it may shine on in emergency stop: a LaserCube does not darken by itself.
    pub(super) fn shines_in_estop(self) -> Duration {
        match self.model {
            Model::LaserCubeWifi { .. } => self.notices_estop_within(),
            _ => Duration::ZERO,
        }
    }

    /// Datagrams are lost, so what follows them is shown in their place: no driver can know.
    pub(super) const fn has_holes(self) -> bool {
        self.loss_percent > 0
    }

    /// A rate acts with the points it was made for, to the point.
    pub(super) const fn rate_rides_exactly(self) -> bool {
        !matches!(self.model, Model::LaserCubeWifi { .. } | Model::LaserCubeUsb { .. } | Model::Idn)
    }

    /// Its driver adds dark points of its own that stand still.
    pub(super) const fn holds_in_the_dark(self) -> bool {
        matches!(self.model, Model::Idn | Model::LaserCubeWifi { .. } | Model::LaserCubeUsb { .. })
    }

    /// The smallest step of a position on its wire, half-fields.
    pub(super) const fn place_step(self) -> f64 {
        match self.model {
            Model::LaserCubeWifi { .. } | Model::Helios | Model::LaserCubeUsb { .. } => {
                2.0 / 4095.0
            }
            _ => 2.0 / 65_535.0,
        }
    }

    /// How much the rounding of its wire may add to a drive.
    pub(super) const fn drive_rounding(self) -> f32 {
        match self.model {
            Model::Helios | Model::LaserCubeUsb { .. } => 160.0,
            Model::LaserCubeWifi { .. } => 40.0,
            _ => 30.0,
        }
    }

    /// By how much its mirrors may go faster than the host counts: an IDN device follows the arrival of packets.
    pub(super) const fn hurry(self) -> f64 {
        match self.model {
            Model::Idn => 1.12,
            _ => 1.002,
        }
    }

    /// What it shows lies between the points: the acceleration of a point is another one there.
    pub(super) const fn is_resampled(self) -> bool {
        matches!(self.model, Model::AudioXy { .. })
    }
}

/// The far end of the line.
pub(super) trait Device {
    /// Pulls the plug, or puts it back.
    fn plug(&self, now: HostTime, plugged: bool);
    /// Presses the device's emergency stop, or lets go of it.
    fn estop(&self, _now: HostTime, _pressed: bool) {}
    /// It loses its queue.
    fn starve(&self, _now: HostTime) {}
    /// Another program on the network ends its emergency stop, or tries to use it.
    fn intrude(&self, _now: HostTime) {}
    /// The program that drove it has ended: its connections are closed.
    fn hang_up(&self, _now: HostTime) {}
    /// It sees that time has passed.
    fn advance(&self, now: HostTime);
    /// What it has shown since the last call.
    fn shown(&self, now: HostTime, eye: &Eye) -> Vec<Light> {
        self.advance(now);
        eye.take()
    }
}

impl Device for Tap {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_plugged(plugged);
    }
    fn estop(&self, _now: HostTime, pressed: bool) {
        self.set_estop_held(pressed);
    }
    fn advance(&self, _now: HostTime) {}
    fn shown(&self, _now: HostTime, _eye: &Eye) -> Vec<Light> {
        let shown = self.take().into_iter();
        shown.map(|seen| Light { at: seen.at, run: seen.run, point: seen.point }).collect()
    }
}

impl Device for ether_dream::Bench {
    fn plug(&self, now: HostTime, plugged: bool) {
        self.cut(now, plugged);
    }
    fn estop(&self, now: HostTime, pressed: bool) {
        self.with(|device| device.set_estop_input(now, pressed));
    }
    fn starve(&self, now: HostTime) {
        self.with(|device| device.starve(now));
    }
    fn hang_up(&self, now: HostTime) {
        self.cut(now, true);
    }
    fn intrude(&self, now: HostTime) {
        self.with(|device| device.clear_estop(now));
    }
    fn advance(&self, now: HostTime) {
        self.with(|device| device.advance(now));
    }
}

impl Device for lasercube_wifi::Bench {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_reachable(plugged);
    }
    fn estop(&self, now: HostTime, pressed: bool) {
        self.with(|device| device.set_interlock_open(now, pressed));
    }
    fn intrude(&self, now: HostTime) {
        let mut bytes = Vec::new();
        Command::Output(true).emit(&mut bytes);
        let port = lasercube_wifi::Port::Command;
        self.with(|device| device.feed(now, port, &bytes, &mut Vec::new()));
    }
    fn advance(&self, now: HostTime) {
        self.with(|device| device.advance(now));
    }
}

impl Device for idn::Bench {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_reachable(plugged);
    }
    fn estop(&self, now: HostTime, pressed: bool) {
        self.with(|device| device.set_offline(now, pressed));
    }
    fn intrude(&self, now: HostTime) {
        let stranger = SocketAddr::from(([192, 0, 2, 77], 7255));
        let mut packet = Hello::new(command::MESSAGE, 0).emit().to_vec();
        Message::keep_alive(0, 0).emit(&mut packet);
        self.with(|device| device.feed(now, stranger, &packet, &mut Vec::new()));
    }
    fn advance(&self, now: HostTime) {
        self.with(|device| device.advance(now));
    }
}

impl<D: UsbDevice + 'static> Device for UsbPort<D> {
    fn plug(&self, _now: HostTime, plugged: bool) {
        self.set_fault(if plugged { PortFault::None } else { PortFault::Unplugged });
    }
    fn advance(&self, _now: HostTime) {
        // The port looks at the clock by itself.
        self.with(|_| ());
    }
}

const CHANNELS: usize = 5;
const PERIOD: usize = 256;
const CARD_PERIOD: Duration = Duration::from_millis(6);
const CARD_LATENCY: Duration = Duration::from_millis(12);

/// A card that calls back by the test's clock, on a crystal that may be off.
#[derive(Clone)]
struct BenchCard(Arc<Mutex<CardState>>);

struct CardState {
    callback: Option<XyCallback>,
    rate: u32,
    frames_per_second: f64,
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
        card.callback = Some(make(rate.unwrap_or(card.rate)));
        Ok(OpenCard { counters: None, running: Box::new(()) })
    }
}

impl Device for BenchCard {
    fn plug(&self, now: HostTime, plugged: bool) {
        self.advance(now);
        let mut card = self.0.lock().unwrap();
        card.plugged = plugged;
        // What it gave out ends first.
        card.next = card.next.max(now);
    }
    fn advance(&self, now: HostTime) {
        let card = &mut *self.0.lock().unwrap();
        let mut out = [0.0; PERIOD * CHANNELS];
        while card.next <= now {
            let begins = card.next + CARD_LATENCY;
            if card.plugged
                && let Some(callback) = &mut card.callback
            {
                let starts = callback.starts();
                callback.run(&mut out, CHANNELS, card.next, CARD_LATENCY);
                if callback.starts() != starts {
                    card.eye.begun(begins);
                }
                for (n, frame) in out.chunks(CHANNELS).enumerate() {
                    let at = begins.plus_secs_f64(n as f64 / card.frames_per_second);
                    let drive = |level: f32| (level * 65_535.0).round() as u16;
                    let point = LaserPoint {
                        r: drive(frame[2]),
                        g: drive(frame[3]),
                        b: drive(frame[4]),
                        ..LaserPoint::blank(frame[0], frame[1])
                    };
                    card.eye.shown(at, 0, &point);
                }
            }
            card.next = card.next.plus_secs_f64(PERIOD as f64 / card.frames_per_second);
        }
    }
}

/// A projector of this kind: its driver, its far end, and what it shows.
pub(super) fn plug_in(
    kind: Kind,
    clock: &ManualClock,
    seed: u64,
) -> (Box<dyn Backend>, Box<dyn Device>, Eye) {
    let eye = Eye::default();
    let watch = || Some(Box::new(eye.clone()) as Box<dyn Recorder>);
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let ppm = f64::from(kind.ppm);
    let lossy =
        LossPlan { loss: f64::from(kind.loss_percent) / 100.0, seed, ..LossPlan::default() };
    let (driver, device): (Box<dyn Backend>, Box<dyn Device>) = match kind.model {
        Model::InProcess => {
            let sim = InProcess::new("sim:", SimOptions { ppm, ..SimOptions::default() }).unwrap();
            let tap = sim.tap();
            (Box::new(sim), Box::new(tap))
        }
        Model::EtherDream { generation, limit } => {
            let device = ether_dream::Device::new(generation, None, ppm, watch());
            let announcement = device.announcement();
            let bench = ether_dream::Bench::new(device);
            let plan = FaultPlan {
                delay: MS * u32::from(kind.delay_ms),
                jitter: MS * u32::from(kind.jitter_ms),
                write_limit: limit.map(usize::from),
                seed,
                ..FaultPlan::default()
            };
            let dial = Box::new(Fault::new(bench.clone(), plan));
            let driver = EtherDream::over("ether-dream://bench", dial, shared);
            (Box::new(driver.announced(&announcement)), Box::new(bench))
        }
        Model::LaserCubeWifi { wired } => {
            use lasercube_wifi::{Bench, Device, Model};
            let connection =
                if wired { Connection::EthernetClient } else { Connection::WifiClient };
            let device = Device::new(Model { ppm, connection, ..Model::default() }, watch());
            let info = device.info();
            let bench = Bench::new(device);
            let bind: Box<dyn Bind> = Box::new(Lossy::new(bench.clone(), lossy));
            let name = "lasercube-wifi://bench";
            let driver = LaserCube::over(name, Bench::HOST, COMMAND_PORT, bind, shared);
            (Box::new(driver.announced(info)), Box::new(bench))
        }
        Model::Idn => {
            let device = idn::Device::new("bench", &["Laser".to_owned()], ppm, watch());
            let bench = idn::Bench::new(device);
            let bind: Box<dyn Bind> = Box::new(Lossy::new(bench.clone(), lossy));
            let at = idn::Bench::address();
            let host = at.ip().to_string();
            let driver = Idn::over("idn://bench", &host, at.port(), Service::Default, bind, shared);
            (Box::new(driver), Box::new(bench))
        }
        Model::Helios => {
            let port = UsbPort::new(helios::Device::new(6, "", ppm, watch()), Arc::clone(&shared));
            let driver = Helios::over("helios://", "", Box::new(port.clone()), shared);
            (Box::new(driver), Box::new(port))
        }
        Model::LaserCubeUsb { ring } => {
            let device = lasercube_usb::Device::new("LC01", ring, ppm, watch());
            let port = UsbPort::new(device, Arc::clone(&shared));
            let driver = LaserCubeUsb::over("lasercube-usb://", "", Box::new(port.clone()), shared);
            (Box::new(driver), Box::new(port))
        }
        Model::AudioXy { rate } => {
            let card = BenchCard(Arc::new(Mutex::new(CardState {
                callback: None,
                rate,
                frames_per_second: f64::from(rate) * (1.0 + ppm * 1e-6),
                next: clock.now(),
                plugged: true,
                eye: eye.clone(),
            })));
            let options = XyOptions::parse("channels=xyrgb").unwrap();
            let driver = AudioXy::over("audio-xy://bench", Box::new(card.clone()), options, shared);
            (Box::new(driver), Box::new(card))
        }
    };
    (driver, device, eye)
}
