//! `galvo simulate`: a virtual projector that speaks the real protocol.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;

use super::args::{SimulateArgs, SimulatedKind};
use super::interrupt_flag;
use crate::dac::simulator::ether_dream::{Faults, Options, Server};
use crate::dac::simulator::{CsvRecorder, Recorder};
use crate::time::{Clock, SystemClock};

const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) fn simulate(args: &SimulateArgs) -> anyhow::Result<()> {
    let SimulatedKind::EtherDream = args.kind;
    let faults = Faults::parse(args.faults.as_deref().unwrap_or_default())?;
    let address = address(&args.listen)?;
    let recorder = args
        .record
        .as_deref()
        .map(|path| {
            CsvRecorder::create(path).with_context(|| {
                format!("{} cannot be written: choose another place", path.display())
            })
        })
        .transpose()?
        .map(|recorder| Box::new(recorder) as Box<dyn Recorder>);
    let options = Options { faults, announce: true, recorder, ..Options::default() };
    let interrupted = interrupt_flag()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let server = Server::start(address, options, Arc::clone(&clock)).with_context(|| {
        format!("{address} cannot be listened on: another program may hold it; choose another with --listen")
    })?;
    println!("listening on {0}: galvo play FILE --dac ether-dream://{0}", server.address());
    let end = args.duration.map(|s| clock.now() + Duration::from_secs_f64(s));
    while !interrupted.load(Ordering::Relaxed) && end.is_none_or(|end| clock.now() < end) {
        clock.sleep_until(clock.now() + LOOK_EVERY);
    }
    server.stop().context("the simulator failed: please report it")?;
    Ok(())
}

/// `ADDR`, `ADDR:PORT` or `:PORT`; loopback and the protocol's own port where left out.
fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let full = match text.strip_prefix(':') {
        Some(port) => format!("127.0.0.1:{port}"),
        None if text.parse::<std::net::IpAddr>().is_ok() => {
            return Ok(SocketAddr::new(text.parse()?, crate::wire::ether_dream::TCP_PORT));
        }
        None => text.to_owned(),
    };
    full.to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next())
        .with_context(|| format!("\"{text}\" is no address: write 127.0.0.1:7765 or 127.0.0.1:0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_out_host_or_port() {
        assert_eq!(address("127.0.0.1").unwrap().port(), 7765);
        assert_eq!(address(":1234").unwrap().to_string(), "127.0.0.1:1234");
        assert_eq!(address("127.0.0.1:0").unwrap().port(), 0);
        assert!(address("no address").is_err());
    }
}
