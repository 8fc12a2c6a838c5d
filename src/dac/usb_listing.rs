//! USB projectors on the bus: how each is named, and what is wrong with it.

use std::time::Duration;

use rusb::{Context, Device, DeviceHandle, Error, UsbContext};

use super::discovery::FoundDevice;
use super::uri::percent_encoded;
use super::usb::{Ids, claimed, device_path, permission_cure};
use super::{helios, lasercube_usb};
use crate::time::{HostTime, SystemClock};

/// The numbers, the scheme of the URI, and what people call it.
const KNOWN: [(Ids, &str, &str); 2] =
    [(helios::IDS, "helios", "Helios"), (lasercube_usb::IDS, "lasercube-usb", "LaserCube (USB)")];

/// How often the bus is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a device is: the number of its bus and its address there.
type Place = (u8, u8);

/// A projector on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    place: Place,
    /// Where it is plugged in: see [`Seat::path`](super::usb::Seat::path).
    path: String,
    found: FoundDevice,
}

/// The bus, and the projectors seen on it. Each is opened once, to see whether it can be; one in trouble is looked
/// at again and again.
#[derive(Debug, Default)]
pub(super) struct UsbBus {
    context: Option<Context>,
    seen: Vec<Seen>,
    unreadable: Option<FoundDevice>,
    looked: Option<HostTime>,
}

impl UsbBus {
    /// Looks if it is time; true if something has changed.
    pub(super) fn look(&mut self, now: HostTime) -> bool {
        if self.looked.is_some_and(|looked| now.since(looked) < LOOK_EVERY) {
            return false;
        }
        self.looked = Some(now);
        match self.read() {
            Ok(seen) => {
                self.unreadable = None;
                let changed = seen != self.seen;
                self.seen = seen;
                changed
            }
            Err(error) => {
                self.seen.clear();
                let unreadable = FoundDevice {
                    name: "USB".to_owned(),
                    trouble: Some(format!(
                        "the USB bus cannot be read ({error}): run where /dev/bus/usb is available"
                    )),
                    ..FoundDevice::default()
                };
                self.unreadable.replace(unreadable).is_none()
            }
        }
    }

    fn read(&mut self) -> Result<Vec<Seen>, Error> {
        let context = match &self.context {
            Some(context) => context,
            None => self.context.insert(Context::new()?),
        };
        let seat = |device: &Device<Context>| (device.bus_number(), device.address());
        let known = |device: &Device<Context>| {
            let before = self.seen.iter().find(|seen| seen.place == seat(device))?;
            before.found.trouble.is_none().then(|| before.clone())
        };
        let devices = context.devices()?;
        let described = devices.iter().filter_map(|device| {
            known(&device).or_else(|| {
                let found = describe(&device)?;
                Some(Seen { place: seat(&device), path: device_path(&device), found })
            })
        });
        let mut seen: Vec<Seen> = described.collect();
        name_apart(&mut seen);
        Ok(seen)
    }

    /// All projectors on the bus; an unreadable bus is an entry with its cure.
    pub(super) fn list(&self) -> Vec<FoundDevice> {
        let found = self.seen.iter().map(|seen| &seen.found);
        found.chain(&self.unreadable).cloned().collect()
    }
}

/// Devices that tell the same serial number are named by where they are plugged in; the number still names the
/// first of them.
fn name_apart(seen: &mut [Seen]) {
    let names: Vec<_> = seen.iter().map(|seen| seen.found.uri.clone()).collect();
    for (at, Seen { path, found, .. }) in seen.iter_mut().enumerate() {
        let shared = names.iter().enumerate().any(|(other, uri)| other != at && *uri == names[at]);
        let scheme = names[at].as_deref().and_then(|uri| uri.split_once(':')).filter(|_| shared);
        let Some((scheme, _)) = scheme else { continue };
        found.uri = Some(by_name(scheme, path));
        // It tells nobody apart, so nothing may be remembered by it.
        if let Some(serial) = found.serial.take() {
            found.name = format!("{}, one of several with the serial number {serial}", found.name);
        }
    }
}

fn by_name(scheme: &str, name: &str) -> String {
    format!("{scheme}://{}", percent_encoded(name))
}

/// What it calls itself: two of a kind without a serial number are told apart by what their owner named them.
fn called(kind: &str, stored: Option<&str>) -> String {
    stored.map_or_else(|| kind.to_owned(), |stored| format!("{kind} \"{stored}\""))
}

fn describe(device: &Device<Context>) -> Option<FoundDevice> {
    let descriptor = device.device_descriptor().ok()?;
    let numbers = Ids { vendor: descriptor.vendor_id(), product: descriptor.product_id() };
    let (ids, scheme, name) = KNOWN.iter().find(|(ids, ..)| *ids == numbers)?;
    let opened = device.open().and_then(free_to_use);
    let serial = opened
        .as_ref()
        .ok()
        .and_then(|handle| handle.read_serial_number_string_ascii(&descriptor).ok())
        .filter(|serial| !serial.is_empty());
    let named = serial.clone().unwrap_or_else(|| device_path(device));
    let (handle, error) = match opened {
        Ok(handle) => (Some(handle), None),
        Err(error) => (None, Some(error)),
    };
    let handle = handle.filter(|_| *ids == helios::IDS && serial.is_none());
    let stored = handle
        .and_then(|handle| claimed(handle, &helios::CLAIMS).ok())
        .and_then(|usb| helios::stored_name(usb, &SystemClock));
    Some(FoundDevice {
        name: called(name, stored.as_deref()),
        uri: Some(by_name(scheme, &named)),
        serial,
        trouble: error.map(|error| trouble(error, *ids)),
        ..FoundDevice::default()
    })
}

/// Claims the first interface and lets go of it: another program's claim shows only here.
fn free_to_use(handle: DeviceHandle<Context>) -> Result<DeviceHandle<Context>, Error> {
    match handle.claim_interface(0) {
        Ok(()) => handle.release_interface(0)?,
        // A driver of the system is no other program: it gives way when the device is opened for a show.
        Err(Error::Busy) if handle.kernel_driver_active(0) == Ok(true) => {}
        Err(error) => return Err(error),
    }
    Ok(handle)
}

fn trouble(error: Error, ids: Ids) -> String {
    match error {
        Error::Access => format!("no permission: {}", permission_cure(ids)),
        Error::Busy => {
            "in use, by a show that runs or by another program: end that first".to_owned()
        }
        other => format!("cannot be opened ({other}): plug it in again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, name: &str, scheme: &str, serial: Option<&str>) -> Seen {
        let found = FoundDevice {
            name: name.to_owned(),
            uri: Some(by_name(scheme, serial.unwrap_or(path))),
            serial: serial.map(str::to_owned),
            ..FoundDevice::default()
        };
        Seen { place: (1, 2), path: path.to_owned(), found }
    }

    #[test]
    fn two_of_a_kind_are_told_apart_by_what_their_uri_needs() {
        let helios = |path, name| seen(path, &called("Helios", name), "helios", None);
        let mut both = vec![helios("1-2", Some("Stage Left")), helios("1-3.1", None)];
        name_apart(&mut both);
        let told: Vec<_> = both.iter().map(|seen| seen.found.uri.as_deref().unwrap()).collect();
        assert_eq!(told, ["helios://1-2", "helios://1-3.1"]);
        assert_eq!(both[0].found.name, "Helios \"Stage Left\"");
    }

    #[test]
    fn equal_serial_numbers_get_different_uris_and_others_keep_theirs() {
        let cube = |path, serial| seen(path, "LaserCube (USB)", "lasercube-usb", Some(serial));
        let mut three = vec![cube("1-1", "0001"), cube("1-2", "7"), cube("2-1", "0001")];
        for _ in 0..2 {
            name_apart(&mut three);
            let told: Vec<_> = three.iter().map(|seen| seen.found.uri.as_deref()).collect();
            let wanted = ["lasercube-usb://1-1", "lasercube-usb://7", "lasercube-usb://2-1"];
            assert_eq!(told, wanted.map(Some));
        }
        assert!(three[0].found.name.ends_with("with the serial number 0001"));
        assert_eq!(
            (three[0].found.serial.as_deref(), three[1].found.serial.as_deref()),
            (None, Some("7"))
        );
    }

    #[test]
    fn a_missing_permission_is_answered_with_the_udev_rule() {
        let sentence = trouble(Error::Access, helios::IDS);
        assert!(sentence.contains("ATTR{idVendor}==\"1209\", ATTR{idProduct}==\"e500\""));
        assert!(sentence.contains("make udev"));
        assert!(
            trouble(Error::Busy, helios::IDS).contains("a show that runs or by another program")
        );
    }
}
