//! `galvo simulate`: a virtual projector that speaks the real protocol.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;

use super::args::{SimulateArgs, SimulatedKind};
use super::interrupt_flag;
use crate::dac::simulator::lasercube_wifi::Model;
use crate::dac::simulator::unit::{EthernetAddress, read_address};
use crate::dac::simulator::{
    BeamView, CsvRecorder, Faults, Recorder, ether_dream, idn, lasercube_wifi,
};
use crate::dac::transport::why_not_heard;
use crate::time::{Clock, SystemClock};

const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) fn simulate(args: &SimulateArgs) -> anyhow::Result<()> {
    let faults = Faults::parse(args.faults.as_deref().unwrap_or_default())?;
    let port = match args.kind {
        SimulatedKind::EtherDream => crate::wire::ether_dream::TCP_PORT,
        SimulatedKind::Idn => crate::wire::idn::UDP_PORT,
        SimulatedKind::LasercubeWifi => crate::wire::lasercube_wifi::COMMAND_PORT,
    };
    let address = address(args.listen.as_deref().unwrap_or("127.0.0.1"), port)?;
    let mut recorders: Vec<Box<dyn Recorder>> = Vec::new();
    if let Some(path) = args.record.as_deref() {
        let recorder = CsvRecorder::create(path);
        recorders.push(Box::new(recorder.with_context(|| {
            format!("{} cannot be written: choose another place", path.display())
        })?));
    }
    let view = BeamView::default();
    if args.window {
        recorders.push(Box::new(view.clone()));
    }
    let recorder = (!recorders.is_empty()).then(|| Box::new(recorders) as Box<dyn Recorder>);
    let interrupted = interrupt_flag()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let unit = unit(args)?;
    let (server, address) =
        start(args.kind, address, unit, faults, recorder, &clock).map_err(|error| {
            let why = why_not_heard(&error);
            anyhow::anyhow!(
                "{address} cannot be listened on: {why}, or choose another with --listen"
            )
        })?;
    let scheme = match args.kind {
        SimulatedKind::EtherDream => "ether-dream",
        SimulatedKind::Idn => "idn",
        SimulatedKind::LasercubeWifi => "lasercube-wifi",
    };
    if let Some(why) = server.deaf() {
        eprintln!(
            "note: not all that is said to everybody is heard here ({why}): who looks for projectors may miss this one"
        );
    }
    println!("listening on {address}: galvo play FILE --dac {scheme}://{address}");
    let end = args.duration.map(|s| clock.now() + Duration::from_secs_f64(s));
    let watched = Arc::clone(&clock);
    let is_over =
        move || interrupted.load(Ordering::Relaxed) || end.is_some_and(|end| watched.now() >= end);
    let shown = if args.window {
        watch(&view, &format!("{scheme}://{address}"), is_over)
    } else {
        while !is_over() {
            clock.sleep_until(clock.now() + LOOK_EVERY);
        }
        Ok(())
    };
    let ended = match server {
        Running::EtherDream(server) => server.stop().is_some(),
        Running::Idn(server) => server.stop().is_some(),
        Running::LasercubeWifi(server) => server.stop().is_some(),
    };
    anyhow::ensure!(ended, "the simulator failed: please report it");
    shown
}

/// The beam in a window, until that is closed.
#[cfg(feature = "gui")]
fn watch(view: &BeamView, title: &str, is_over: impl Fn() -> bool + 'static) -> anyhow::Result<()> {
    let view = view.clone();
    crate::gui::watch_beam(move |into| view.take(into), title, is_over)?;
    Ok(())
}

#[cfg(not(feature = "gui"))]
fn watch(_: &BeamView, _: &str, _: impl Fn() -> bool + 'static) -> anyhow::Result<()> {
    anyhow::bail!(
        "this galvo was built without a window: leave --window out, or use one built with the feature gui"
    )
}

/// What a simulator is told of itself.
struct Unit {
    address: Option<EthernetAddress>,
    name: Option<String>,
}

fn unit(args: &SimulateArgs) -> anyhow::Result<Unit> {
    let address = args.id.as_deref().map(|text| {
        read_address(text).with_context(|| {
            format!("\"{text}\" is no Ethernet address: write six bytes, such as 02:00:00:00:00:01")
        })
    });
    let most = match args.kind {
        SimulatedKind::EtherDream => 0,
        SimulatedKind::Idn => 20,
        SimulatedKind::LasercubeWifi => 25,
    };
    if let Some(name) = &args.name {
        anyhow::ensure!(
            most > 0,
            "an Ether Dream has no name of its own, it is called by its address: give it one with --id"
        );
        anyhow::ensure!(
            name.len() <= most && !name.is_empty(),
            "\"{name}\" does not fit: a name of this kind has 1 to {most} bytes"
        );
    }
    Ok(Unit { address: address.transpose()?, name: args.name.clone() })
}

/// A simulator that runs.
enum Running {
    EtherDream(ether_dream::Server),
    Idn(idn::Server),
    LasercubeWifi(lasercube_wifi::Server),
}

impl Running {
    /// Why it does not hear all that is said to everybody, if that is so. An Ether Dream is not asked, it announces
    /// itself.
    fn deaf(&self) -> Option<&str> {
        match self {
            Self::EtherDream(_) => None,
            Self::Idn(server) => server.deaf(),
            Self::LasercubeWifi(server) => server.deaf(),
        }
    }
}

fn start(
    kind: SimulatedKind,
    address: SocketAddr,
    unit: Unit,
    faults: Faults,
    recorder: Option<Box<dyn Recorder>>,
    clock: &Arc<dyn Clock>,
) -> io::Result<(Running, SocketAddr)> {
    let clock = Arc::clone(clock);
    Ok(match kind {
        SimulatedKind::EtherDream => {
            let announce_to = Some(ether_dream::broadcast(address));
            let options = ether_dream::Options {
                faults,
                announce_to,
                recorder,
                address: unit.address,
                ..Default::default()
            };
            let server = ether_dream::Server::start(address, options, clock)?;
            let address = server.address();
            (Running::EtherDream(server), address)
        }
        SimulatedKind::Idn => {
            let mut options =
                idn::Options { faults, recorder, address: unit.address, ..Default::default() };
            if let Some(name) = unit.name {
                options.host_name = name;
            }
            let server = idn::Server::start(address, options, clock)?;
            let address = server.address();
            (Running::Idn(server), address)
        }
        SimulatedKind::LasercubeWifi => {
            let mut model = Model { serial: unit.address, ..Model::default() };
            if let Some(name) = &unit.name {
                model = model.called(name);
            }
            let options = lasercube_wifi::Options { model, faults, recorder };
            let server = lasercube_wifi::Server::start(address, options, clock)?;
            let address = server.address();
            (Running::LasercubeWifi(server), address)
        }
    })
}

/// `ADDR`, `ADDR:PORT` or `:PORT`; loopback and the protocol's own port where left out.
pub(super) fn address(text: &str, port: u16) -> anyhow::Result<SocketAddr> {
    let full = match text.strip_prefix(':') {
        Some(port) => format!("127.0.0.1:{port}"),
        None if text.parse::<std::net::IpAddr>().is_ok() => {
            return Ok(SocketAddr::new(text.parse()?, port));
        }
        None => text.to_owned(),
    };
    full.to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next())
        .with_context(|| format!("\"{text}\" is no address: write 127.0.0.1:{port} or 127.0.0.1:0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_out_host_or_port() {
        assert_eq!(address("127.0.0.1", 7765).unwrap().port(), 7765);
        assert_eq!(address(":1234", 1).unwrap().to_string(), "127.0.0.1:1234");
        assert_eq!(address("127.0.0.1:0", 1).unwrap().port(), 0);
        assert!(address("no address", 1).is_err());
    }

    fn told(words: &[&str]) -> Result<Unit, String> {
        use clap::Parser;

        use crate::cli::args::{Cli, Cmd};

        let words = ["galvo", "simulate"].iter().chain(words);
        let Some(Cmd::Simulate(args)) = Cli::try_parse_from(words).unwrap().command else {
            panic!("simulate expected")
        };
        unit(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn a_simulator_takes_the_id_and_the_name_it_is_given() {
        let unit = told(&["idn", "--id", "02:00:5e:00:00:07", "--name", "Left wing"]).unwrap();
        assert_eq!(unit.address, Some([2, 0, 0x5e, 0, 0, 7]));
        assert_eq!(unit.name.as_deref(), Some("Left wing"));
        assert!(told(&["lasercube-wifi", "--id", "7"]).err().unwrap().contains("six bytes"));
        assert!(
            told(&["idn", "--name", "a name of more than twenty"]).err().unwrap().contains("20")
        );
        assert!(told(&["ether-dream", "--name", "Left"]).err().unwrap().contains("--id"));
    }
}
