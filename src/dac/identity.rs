//! What a projector is remembered by: its own number where it tells one. An address may be another device's
//! tomorrow, and another program may have given this one away.

use super::discovery::FoundDevice;
use super::uri::DacUri;
use crate::wire::ether_dream::TCP_PORT;

/// The device that `uri` names among those that were seen.
#[must_use]
pub fn seen_as<'a>(uri: &str, seen: &'a [FoundDevice]) -> Option<&'a FoundDevice> {
    let wanted = DacUri::parse(uri).ok()?;
    let is_it = |found: &&FoundDevice| {
        let told = found.uri.as_deref().and_then(|uri| DacUri::parse(uri).ok());
        told.is_some_and(|told| told == wanted)
    };
    match wanted {
        DacUri::Auto => seen.iter().find(|found| found.uri.is_some()),
        _ => seen.iter().find(is_it),
    }
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
        assert!(is_told_by_a_look("ether-dream://h") && is_told_by_a_look("helios://"));
        assert!(!is_told_by_a_look("sim:") && !is_told_by_a_look("nonsense"));
        assert!(is_driven_better_after_a_look("ether-dream://h"));
        for uri in ["ether-dream://h:9000", "idn://h", "sim:", "nonsense"] {
            assert!(!is_driven_better_after_a_look(uri), "{uri}");
        }
    }
}
