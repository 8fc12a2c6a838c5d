//! USB projectors on the bus: how each is named, and what is wrong with it.

use std::time::Duration;

use rusb::{Context, Device, DeviceHandle, Error, UsbContext};

use super::discovery::FoundDevice;
use super::uri::percent_encoded;
use super::usb::{Ids, device_path, permission_cure};
use super::{helios, lasercube_usb};
use crate::time::HostTime;

/// The numbers, the scheme of the URI, and what people call it.
const KNOWN: [(Ids, &str, &str); 2] =
    [(helios::IDS, "helios", "Helios"), (lasercube_usb::IDS, "lasercube-usb", "LaserCube (USB)")];

/// How often the bus is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a device is: the number of its bus and its address there.
type Place = (u8, u8);

/// The bus, and the projectors seen on it. Each is opened once, to see whether it can be; one in trouble is looked
/// at again and again.
#[derive(Debug, Default)]
pub(super) struct UsbBus {
    context: Option<Context>,
    seen: Vec<(Place, FoundDevice)>,
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

    fn read(&mut self) -> Result<Vec<(Place, FoundDevice)>, Error> {
        let context = match &self.context {
            Some(context) => context,
            None => self.context.insert(Context::new()?),
        };
        let seat = |device: &Device<Context>| (device.bus_number(), device.address());
        let known = |device: &Device<Context>| {
            let before = self.seen.iter().find(|(place, _)| *place == seat(device))?;
            before.1.trouble.is_none().then(|| before.1.clone())
        };
        let devices = context.devices()?;
        let described = devices.iter().filter_map(|device| {
            let found = known(&device).or_else(|| describe(&device))?;
            Some((seat(&device), found))
        });
        Ok(described.collect())
    }

    /// All projectors on the bus; an unreadable bus is an entry with its cure.
    pub(super) fn list(&self) -> Vec<FoundDevice> {
        let found = self.seen.iter().map(|(_, found)| found);
        found.chain(&self.unreadable).cloned().collect()
    }
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
    Some(FoundDevice {
        name: (*name).to_owned(),
        uri: Some(format!("{scheme}://{}", percent_encoded(&named))),
        serial,
        trouble: opened.err().map(|error| trouble(error, *ids)),
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
        Error::Busy => "in use, by a show that runs or by another program: end that first".to_owned(),
        other => format!("cannot be opened ({other}): plug it in again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_answered_with_the_udev_rule() {
        let sentence = trouble(Error::Access, helios::IDS);
        assert!(sentence.contains("ATTR{idVendor}==\"1209\", ATTR{idProduct}==\"e500\""));
        assert!(sentence.contains("make udev"));
        assert!(trouble(Error::Busy, helios::IDS).contains("a show that runs or by another program"));
    }
}
