//! What a projector is remembered by: its own number where it tells one. An address may be another device's
//! tomorrow, and another program may have given this one away.

use std::net::{IpAddr, ToSocketAddrs};

use super::discovery::FoundDevice;
use super::idn::Service;
use super::uri::DacUri;
use crate::wire::ether_dream::TCP_PORT;

/// The device that `uri` names among those that were seen.
#[must_use]
pub fn seen_as<'a>(uri: &str, seen: &'a [FoundDevice]) -> Option<&'a FoundDevice> {
    let wanted = DacUri::parse(uri).ok()?;
    let told = |found: &FoundDevice| found.uri.as_deref().and_then(|uri| DacUri::parse(uri).ok());
    let exactly = || seen.iter().find(|found| told(found).is_some_and(|told| told == wanted));
    match &wanted {
        DacUri::Auto => seen.iter().find(|found| found.uri.is_some()),
        // The outputs of a device are found in its own order, the one it takes by default first.
        DacUri::Idn { service: Service::Default, .. } => exactly()
            .or_else(|| seen.iter().find(|found| told(found).is_some_and(|t| t.may_be(&wanted)))),
        _ => exactly(),
    }
}

/// The same name with an address for its host, as devices are found by; unchanged where it has one, or none that the
/// system knows. It asks the system's name service, which may take seconds.
#[must_use]
pub fn at_its_address(uri: &str) -> String {
    let parsed = DacUri::parse(uri).ok();
    let name = parsed.as_ref().and_then(DacUri::host);
    let Some(name) = name.filter(|host| host.parse::<IpAddr>().is_err()) else {
        return uri.to_owned();
    };
    // Devices are found by IPv4.
    let known = (name, 0).to_socket_addrs().ok();
    let address = known.and_then(|mut all| all.find(std::net::SocketAddr::is_ipv4));
    address
        .map_or_else(|| uri.to_owned(), |address| uri.replacen(name, &address.ip().to_string(), 1))
}

/// What the projector of this name is remembered by, as `SCHEME:NUMBER`. `None` for a network projector that was
/// not seen: its address alone says too little.
#[must_use]
pub fn identity(uri: &str, seen: &[FoundDevice]) -> Option<String> {
    let found = seen_as(uri, seen);
    if let Some(FoundDevice { uri: Some(uri), serial: Some(serial), .. }) = found {
        let (scheme, _) = uri.split_once(':')?;
        return Some(format!("{scheme}:{serial}"));
    }
    match DacUri::parse(uri).ok()? {
        DacUri::Sim(_) => Some("sim:".to_owned()),
        DacUri::AudioXy { device, .. } => Some(format!("audio-xy:{device}")),
        DacUri::Helios { serial } if !serial.is_empty() => Some(format!("helios:{serial}")),
        DacUri::LaserCubeUsb { serial } if !serial.is_empty() => {
            Some(format!("lasercube-usb:{serial}"))
        }
        _ => None,
    }
}

/// True if a look around may tell more of this projector than its name does.
#[must_use]
pub fn is_told_by_a_look(uri: &str) -> bool {
    DacUri::parse(uri).is_ok() && identity(uri, &[]).is_none()
}

/// True if this projector can be driven better once a look has heard what it announces: the size of its queue.
#[must_use]
pub fn is_driven_better_after_a_look(uri: &str) -> bool {
    // An announcement says no port: it is of a device at the usual one.
    matches!(DacUri::parse(uri), Ok(DacUri::EtherDream { port: TCP_PORT, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(uri: &str, serial: &str) -> FoundDevice {
        FoundDevice {
            uri: Some(uri.to_owned()),
            serial: Some(serial.to_owned()),
            ..FoundDevice::default()
        }
    }

    #[test]
    fn a_network_projector_is_known_by_its_number_and_others_by_their_name() {
        let seen = [found("ether-dream://10.0.0.7", "01:02"), found("idn://10.0.0.8/2", "01-AA/2")];
        let id = |uri| identity(uri, &seen);
        assert_eq!(id("ether-dream://10.0.0.7:7765").as_deref(), Some("ether-dream:01:02"));
        assert_eq!(id("idn://10.0.0.8/2").as_deref(), Some("idn:01-AA/2"));
        assert_eq!(id("idn://10.0.0.8/3"), None);
        assert_eq!(id("ether-dream://10.0.0.9"), None);
        assert_eq!(id("auto").as_deref(), Some("ether-dream:01:02"));
        assert_eq!(id("sim:?ppm=5").as_deref(), Some("sim:"));
        assert_eq!(id("audio-xy://card?channels=xyrgb").as_deref(), Some("audio-xy:card"));
        assert_eq!(id("helios://Stage%20Left").as_deref(), Some("helios:Stage Left"));
        assert_eq!(id("nonsense"), None);
        assert_eq!(id("idn://10.0.0.8").as_deref(), Some("idn:01-AA/2"), "its first output");
        assert!(is_told_by_a_look("ether-dream://h") && is_told_by_a_look("helios://"));
        assert!(!is_told_by_a_look("sim:") && !is_told_by_a_look("nonsense"));
        assert!(is_driven_better_after_a_look("ether-dream://h"));
        for uri in ["ether-dream://h:9000", "idn://h", "sim:", "nonsense"] {
            assert!(!is_driven_better_after_a_look(uri), "{uri}");
        }
    }

    #[test]
    fn a_name_of_the_network_is_the_address_it_stands_for() {
        assert_eq!(at_its_address("ether-dream://localhost:7766"), "ether-dream://127.0.0.1:7766");
        for same in ["idn://10.0.0.8/2", "sim:", "helios://localhost", "nonsense"] {
            assert_eq!(at_its_address(same), same);
        }
    }
}
