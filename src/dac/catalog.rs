//! The one list of projector kinds, and how to open one of them.

use std::sync::Arc;

use super::audio_xy::AudioXy;
use super::backend::{Backend, DacError};
use super::discovery::FoundDevice;
use super::ether_dream::EtherDream;
#[cfg(feature = "usb")]
use super::helios::Helios;
use super::idn::Idn;
#[cfg(feature = "usb")]
use super::lasercube_usb::LaserCubeUsb;
use super::lasercube_wifi::LaserCube;
use super::simulator::InProcess;
use super::uri::DacUri;
#[cfg(feature = "usb")]
use super::usb::LibUsb;
use crate::time::Clock;

/// A kind of projector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What people call it.
    pub name: &'static str,
    /// How one is named.
    pub uri: &'static str,
}

/// Every kind that can be driven.
pub const KINDS: [Kind; if cfg!(feature = "usb") { 7 } else { 5 }] = [
    Kind { name: "Simulator", uri: "sim:" },
    Kind { name: "Ether Dream", uri: "ether-dream://HOST[:PORT]" },
    Kind { name: "LaserCube, network", uri: "lasercube-wifi://HOST[:PORT]" },
    Kind { name: "IDN", uri: "idn://HOST[:PORT]" },
    #[cfg(feature = "usb")]
    Kind { name: "Helios", uri: "helios://SERIAL" },
    #[cfg(feature = "usb")]
    Kind { name: "LaserCube, USB", uri: "lasercube-usb://SERIAL" },
    Kind { name: "Sound card, XY", uri: "audio-xy://DEVICE" },
];

/// Makes the driver of a projector, not connected yet. `seen` is what discovery has found: it tells a
/// device's real queue size and rate, and what `auto` means; it may be empty.
pub fn open(
    text: &str,
    seen: &[FoundDevice],
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Backend>, DacError> {
    match DacUri::parse(text)? {
        DacUri::Sim(options) => Ok(Box::new(InProcess::new(text, options)?)),
        DacUri::EtherDream { host, port } => {
            let driver = EtherDream::new(text, &host, port, clock);
            let wanted = DacUri::EtherDream { host, port };
            let known = seen.iter().find(|found| {
                found.uri.as_deref().is_some_and(|uri| DacUri::parse(uri).is_ok_and(|u| u == wanted))
            });
            Ok(match known.and_then(|found| found.announcement.as_ref()) {
                Some(announcement) => Box::new(driver.announced(announcement)),
                None => Box::new(driver),
            })
        }
        DacUri::LaserCubeWifi { host, port } => {
            let driver = LaserCube::new(text, &host, port, clock);
            let known = seen.iter().find(|found| {
                let uri = found.uri.as_deref().and_then(|uri| DacUri::parse(uri).ok());
                matches!(uri, Some(DacUri::LaserCubeWifi { host: h, port: p }) if h == host && p == port)
            });
            Ok(match known.and_then(|found| found.lasercube) {
                Some(info) => Box::new(driver.announced(info)),
                None => Box::new(driver),
            })
        }
        DacUri::AudioXy { device, options } => {
            Ok(Box::new(AudioXy::new(text, &device, options, clock)))
        }
        #[cfg(feature = "usb")]
        DacUri::Helios { serial } => {
            Ok(Box::new(Helios::over(text, &serial, Box::new(LibUsb::default()), clock)))
        }
        #[cfg(feature = "usb")]
        DacUri::LaserCubeUsb { serial } => {
            Ok(Box::new(LaserCubeUsb::over(text, &serial, Box::new(LibUsb::default()), clock)))
        }
        #[cfg(not(feature = "usb"))]
        DacUri::Helios { .. } | DacUri::LaserCubeUsb { .. } => Err(DacError::BadAddress(
            "this galvo was built without USB: use one built with the feature usb".to_owned(),
        )),
        DacUri::Idn { host, port, service } => {
            Ok(Box::new(Idn::new(text, &host, port, service, clock)))
        }
        DacUri::Auto => match seen.iter().find_map(|found| found.uri.as_deref()) {
            Some(uri) if uri != "auto" => open(uri, seen, clock),
            _ => Err(DacError::BadAddress(
                "no projector was found: switch one on, or name one with --dac ether-dream://HOST or --dac sim:"
                    .to_owned(),
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::ManualClock;

    fn open_now(text: &str, seen: &[FoundDevice]) -> Result<String, String> {
        let opened = open(text, seen, Arc::new(ManualClock::default()));
        opened.map(|backend| backend.name().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_driver_keeps_the_name_the_user_gave() {
        assert_eq!(open_now("sim:?ppm=5", &[]).unwrap(), "sim:?ppm=5");
        assert_eq!(open_now("ether-dream://h", &[]).unwrap(), "ether-dream://h");
    }

    #[test]
    fn auto_is_the_first_device_found_or_a_sentence_with_the_cure() {
        let found =
            FoundDevice { uri: Some("ether-dream://10.0.0.7".into()), ..Default::default() };
        assert_eq!(open_now("auto", &[found]).unwrap(), "ether-dream://10.0.0.7");
        assert!(open_now("auto", &[]).unwrap_err().contains("--dac"));
    }

    #[test]
    fn an_announced_device_gets_the_queue_it_announced() {
        use crate::wire::ether_dream::Announcement;
        let announcement = Announcement { capacity: 3899, max_pps: 50_000, ..Default::default() };
        let found = FoundDevice {
            uri: Some("ether-dream://10.0.0.7".into()),
            announcement: Some(announcement),
            ..Default::default()
        };
        assert!(open_now("ether-dream://10.0.0.7:7765", &[found]).is_ok());
    }
}
