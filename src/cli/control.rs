//! `galvo control`: MIDI ports and what is known of them, what arrives, and whether a map is sound. And what `play` and
//! `live` take of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use crossbeam_channel::{RecvTimeoutError, unbounded};
use serde::Serialize;

use super::interrupt_flag;
use super::simulate::address;
use crate::control::listener::Listener;
use crate::control::map_file::{MAX_BYTES, MapFile};
use crate::control::{
    Arrival, ArtNetConfig, ControlConfig, Event, Maps, artnet, osc, system_ports,
};
use crate::time::{Clock, HostTime, SystemClock};
use crate::wire::artnet::{PORT as ARTNET_PORT, Universe};
use crate::wire::{self, midi};

/// Where OSC is listened to if no port is named.
const OSC_PORT: u16 = 9000;
/// Where the words that darken are listened to by themselves if no port is named.
const OSC_STOP_PORT: u16 = 9009;
/// How often a monitor looks whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The hands from outside, as `play` and `live` take them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Hands from outside")]
pub struct ControlArgs {
    /// MIDI controller: part of a port's name from `galvo control list`, or `auto` for each one that has a map; may be
    /// given more than once
    #[arg(long, value_name = "PORT|auto")]
    pub midi: Vec<String>,
    /// What the controller's keys and faders do: a map that counts before all others
    #[arg(long, value_name = "FILE.toml")]
    pub map: Option<PathBuf>,
    /// The beat follows the MIDI clock of this port
    #[arg(long, value_name = "PORT")]
    pub clock_from: Option<String>,
    /// This port gets a MIDI clock of the beat
    #[arg(long, value_name = "PORT")]
    pub clock_to: Option<String>,
    /// Listens to OSC here; loopback and port 9000 where left out
    #[arg(long, value_name = "ADDR")]
    pub osc: Option<String>,
    /// Listens here too, for STOP, disarm and blackout by OSC alone: whatever floods the other port does not reach it;
    /// loopback and port 9009 where left out
    #[arg(long, value_name = "ADDR")]
    pub osc_stop: Option<String>,
    /// Tells this address by OSC how the show is, without being asked; needs --osc
    #[arg(long, value_name = "ADDR:PORT", requires = "osc")]
    pub osc_to: Vec<String>,
    /// Listens to Art-Net here; loopback and port 6454 where left out
    #[arg(long, value_name = "ADDR")]
    pub artnet: Option<String>,
    /// The Art-Net universe of galvo's fixture: net, sub-net and universe in one number
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=0x7fff))]
    pub artnet_universe: u16,
    /// The first of the fixture's 16 slots
    #[arg(long, value_name = "SLOT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=497))]
    pub artnet_slot: u16,
    /// Lets controllers arm and reset a stop. Whoever reaches the port or socket can then light the room
    #[arg(long)]
    pub remote_arm: bool,
}

impl ControlArgs {
    /// What it means.
    pub(super) fn config(&self) -> anyhow::Result<ControlConfig> {
        let osc_to =
            self.osc_to.iter().map(|text| address(text, OSC_PORT)).collect::<Result<_, _>>()?;
        Ok(ControlConfig {
            midi: self.midi.clone(),
            chosen: None,
            clock_from: self.clock_from.clone(),
            clock_to: self.clock_to.clone(),
            map: self.map.clone(),
            map_folder: None,
            osc: self.osc.as_deref().map(|text| address(text, OSC_PORT)).transpose()?,
            osc_stop: self
                .osc_stop
                .as_deref()
                .map(|text| address(text, OSC_STOP_PORT))
                .transpose()?,
            osc_to,
            artnet: self.artnet()?,
            may_arm: self.remote_arm,
        })
    }

    fn artnet(&self) -> anyhow::Result<Option<ArtNetConfig>> {
        let Some(text) = &self.artnet else { return Ok(None) };
        Ok(Some(ArtNetConfig {
            address: address(text, ARTNET_PORT)?,
            universe: Universe::new(self.artnet_universe).unwrap_or_default(),
            start: usize::from(self.artnet_slot),
        }))
    }
}

/// What to do with controllers.
#[derive(Debug, Subcommand)]
pub enum ControlAction {
    /// The MIDI ports, and which of them have a map
    List {
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Prints what arrives, and what it would do, until Ctrl-C
    Monitor {
        /// MIDI ports: parts of their names, or `auto` for each that has a map; all of them if nothing is named
        #[arg(long, value_name = "PORT|auto")]
        midi: Vec<String>,
        /// Listens to OSC here too; loopback and port 9000 where left out
        #[arg(long, value_name = "ADDR")]
        osc: Option<String>,
        /// Listens to Art-Net here too; loopback and port 6454 where left out
        #[arg(long, value_name = "ADDR")]
        artnet: Option<String>,
        /// The Art-Net universe
        #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=0x7fff))]
        artnet_universe: u16,
        /// Ends after this much time, seconds
        #[arg(long, value_name = "S", value_parser = super::args::seconds)]
        duration: Option<f64>,
        /// Machine-readable: one object a line
        #[arg(long)]
        json: bool,
    },
    /// Checks files of maps; exit status 1 if one is wrong
    Check {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// The words of the maps: what a control can do
    Actions,
}

pub(super) fn control(action: ControlAction) -> anyhow::Result<()> {
    match action {
        ControlAction::List { json } => list(json),
        ControlAction::Monitor { midi, osc, artnet, artnet_universe, duration, json } => {
            let osc = osc.as_deref().map(|text| address(text, OSC_PORT)).transpose()?;
            let artnet = artnet.as_deref().map(|text| address(text, ARTNET_PORT)).transpose()?;
            let universe = Universe::new(artnet_universe).unwrap_or_default();
            monitor(midi, osc, artnet.map(|address| (address, universe)), duration, json)
        }
        ControlAction::Check { files } => check(&files),
        ControlAction::Actions => {
            for (word, _) in crate::control::action::WORDS {
                println!("{word}");
            }
            println!("preset N|NAME\npreset-b N|NAME\nparam N|NAME\nnudge MS");
            Ok(())
        }
    }
}

#[derive(Serialize)]
struct Everything {
    ports: Vec<Port>,
    trouble: Option<String>,
    broken_maps: Vec<String>,
}

#[derive(Serialize)]
struct Port {
    name: String,
    input: bool,
    output: bool,
    map: Option<String>,
}

fn list(json: bool) -> anyhow::Result<()> {
    let maps = Maps::open(None);
    let mut ports = system_ports();
    let found = ports.inputs().and_then(|inputs| Ok((inputs, ports.outputs()?)));
    let (inputs, outputs, trouble) = match found {
        Ok((inputs, outputs)) => (inputs, outputs, None),
        Err(error) => (Vec::new(), Vec::new(), Some(error.to_string())),
    };
    let mut names: Vec<&String> = inputs.iter().chain(&outputs).collect();
    names.sort();
    names.dedup();
    let port = |name: &String| Port {
        name: name.clone(),
        input: inputs.contains(name),
        output: outputs.contains(name),
        map: maps.of_port(name).map(|map| map.name.clone()),
    };
    let everything = Everything {
        ports: names.into_iter().map(port).collect(),
        trouble,
        broken_maps: maps.broken().to_vec(),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&everything)?);
        return Ok(());
    }
    for text in everything.trouble.iter().chain(&everything.broken_maps) {
        eprintln!("warning: {text}");
    }
    if everything.ports.is_empty() && everything.trouble.is_none() {
        println!("no MIDI port is there: plug a controller in");
    }
    for Port { name, input, output, map } in &everything.ports {
        let ways = match (input, output) {
            (true, true) => "in, out",
            (true, false) => "in",
            _ => "out",
        };
        let map = map.as_deref().unwrap_or("no map: teach it in the window, or write one");
        println!("{name}  ({ways})  {map}");
    }
    Ok(())
}

#[derive(Serialize)]
struct Heard<'a> {
    seconds: f64,
    what: &'a str,
    does: Option<&'a str>,
}

fn monitor(
    wanted: Vec<String>,
    osc_at: Option<SocketAddr>,
    artnet_at: Option<(SocketAddr, Universe)>,
    duration: Option<f64>,
    json: bool,
) -> anyhow::Result<()> {
    let interrupted = interrupt_flag()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let maps = Maps::open(None);
    let (ear, came) = unbounded::<Arrival>();
    let on_network = osc_at.is_some() || artnet_at.is_some();
    let config = ControlConfig { midi: wanted, ..ControlConfig::default() };
    let all = config.midi.is_empty();
    let mut ports = system_ports();
    let mut open = Vec::new();
    let there = match ports.inputs() {
        // With the network asked for, a system without MIDI is no reason not to listen to it.
        Err(error) if all && on_network => {
            eprintln!("warning: {error}");
            Vec::new()
        }
        there => there?,
    };
    for port in there {
        if !(all || config.wants(&port, maps.of_port(&port).is_some())) {
            continue;
        }
        let (ear, clock, name) = (ear.clone(), Arc::clone(&clock), Arc::<str>::from(&*port));
        let mut parser = midi::Parser::default();
        let heard = Box::new(move |bytes: &[u8]| {
            for message in bytes.iter().filter_map(|&byte| parser.push(byte)) {
                let event = Event::Midi { port: Arc::clone(&name), message };
                drop(ear.send(Arrival { at: clock.now(), event }));
            }
        });
        open.push(ports.listen(&port, heard)?);
        eprintln!("listening to {port}");
    }
    let osc_socket = osc_at.map(|at| osc_listener(at, ear.clone(), &clock)).transpose()?;
    let artnet_socket = artnet_at
        .map(|(at, universe)| {
            let ear = ear.clone();
            let heard = move |at: HostTime, from: SocketAddr, levels: &[u8]| {
                drop(ear.send(Arrival { at, event: Event::Dmx { from, levels: levels.into() } }));
            };
            artnet::listen(at, universe, Arc::clone(&clock), heard)
                .with_context(|| format!("Art-Net cannot be listened to on {at}"))
        })
        .transpose()?;
    for (what, socket) in [("OSC", &osc_socket), ("Art-Net", &artnet_socket)] {
        if let Some(socket) = socket {
            let buffer = socket.buffer() / 1024;
            eprintln!("listening to {what} on {} ({buffer} KiB of buffer)", socket.address());
        }
    }
    let sources =
        open.len() + usize::from(osc_socket.is_some()) + usize::from(artnet_socket.is_some());
    ensure!(
        sources > 0,
        "there is nothing to listen to: plug a controller in, name one from `galvo control list`, or use --osc or --artnet"
    );
    let began = clock.now();
    let end = duration.map(|s| began.plus_secs_f64(s));
    while !interrupted.load(Ordering::Relaxed) && end.is_none_or(|end| clock.now() < end) {
        match came.recv_timeout(LOOK_EVERY) {
            Ok(arrival) => print(&arrival, began, &maps, json)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(())
}

fn osc_listener(
    at: SocketAddr,
    ear: crossbeam_channel::Sender<Arrival>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Listener> {
    let clock = Arc::clone(clock);
    let heard = move |bytes: &[u8], from: SocketAddr, _: &std::net::UdpSocket| {
        match wire::osc::parse(bytes) {
            Ok(messages) => messages.into_iter().for_each(|message| {
                drop(ear.send(Arrival { at: clock.now(), event: Event::Osc { from, message } }));
            }),
            Err(error) => eprintln!("OSC {from}: {error}"),
        }
    };
    Listener::start("osc", at, heard).with_context(|| format!("OSC cannot be listened to on {at}"))
}

fn print(arrival: &Arrival, began: HostTime, maps: &Maps, json: bool) -> anyhow::Result<()> {
    let what = arrival.event.to_string();
    let does = match &arrival.event {
        // A clock comes fifty times a second and tells nothing a person wants to read.
        Event::Midi { message: midi::Message::Clock, .. } => return Ok(()),
        Event::Midi { port, message } => {
            maps.of_port(port).and_then(|map| Some(map.find(*message)?.1.action.to_string()))
        }
        Event::Osc { message, .. } => match osc::understand_all(message) {
            Ok(all) => {
                let deeds = all.into_iter().filter_map(|asked| match asked {
                    osc::Asked::Deed(deed) => Some(deed.action.to_string()),
                    _ => None,
                });
                Some(deeds.collect::<Vec<_>>().join(", ")).filter(|deeds| !deeds.is_empty())
            }
            Err(error) => Some(error.to_string()),
        },
        Event::Dmx { .. } => None,
    };
    let seconds = arrival.at.secs_since(began).max(0.0);
    if json {
        println!(
            "{}",
            serde_json::to_string(&Heard { seconds, what: &what, does: does.as_deref() })?
        );
    } else {
        let does = does.map(|does| format!("  → {does}")).unwrap_or_default();
        println!("{seconds:9.3}  {what}{does}");
    }
    Ok(())
}

fn check(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut wrong = 0;
    for path in files {
        match checked(path) {
            Ok(controls) => println!("{}: sound, {controls} controls", path.display()),
            Err(error) => {
                wrong += 1;
                println!("{}: {error:#}", path.display());
            }
        }
    }
    ensure!(wrong == 0, "{wrong} of {} maps are wrong", files.len());
    Ok(())
}

fn checked(path: &Path) -> anyhow::Result<usize> {
    let bytes = std::fs::metadata(path)?.len();
    ensure!(bytes <= MAX_BYTES, "a map has at most {MAX_BYTES} bytes, this file has {bytes}");
    Ok(MapFile::parse(&std::fs::read_to_string(path)?)?.map()?.bindings.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_listens_and_nobody_arms_unless_it_was_asked_for() {
        let config = ControlArgs { artnet_slot: 1, ..ControlArgs::default() }.config().unwrap();
        assert_eq!(config, ControlConfig::default());
    }

    #[test]
    fn addresses_are_on_loopback_unless_told_otherwise() {
        let args = ControlArgs {
            osc: Some(":0".into()),
            osc_stop: Some("127.0.0.1".into()),
            artnet: Some("192.0.2.1".into()),
            artnet_universe: 5,
            artnet_slot: 17,
            ..ControlArgs::default()
        };
        let config = args.config().unwrap();
        assert_eq!(config.osc.unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(config.osc_stop.unwrap().to_string(), "127.0.0.1:9009");
        let artnet = config.artnet.unwrap();
        assert_eq!(artnet.address.to_string(), "192.0.2.1:6454");
        assert_eq!((artnet.universe.number(), artnet.start), (5, 17));
        assert!(ControlArgs { osc: Some("no address".into()), ..args }.config().is_err());
    }
}
