//! USB projectors on the bus, by their numbers: seen, not yet driven.

use rusb::{Context, Device, Error, UsbContext};

use super::discovery::FoundDevice;

/// Vendor, product, and what people call it.
const KNOWN: [(u16, u16, &str); 2] =
    [(0x1209, 0xe500, "Helios"), (0x1fc9, 0x04d8, "LaserCube (LaserDock)")];

/// All projectors on the bus; an unreadable bus is an entry with its cure.
pub(super) fn projectors() -> Vec<FoundDevice> {
    let bus = Context::new().and_then(|context| context.devices());
    match bus {
        Ok(devices) => devices.iter().filter_map(|device| describe(&device)).collect(),
        Err(error) => vec![FoundDevice {
            name: "USB".to_owned(),
            trouble: Some(format!(
                "the USB bus cannot be read ({error}): run where /dev/bus/usb is available"
            )),
            ..FoundDevice::default()
        }],
    }
}

fn describe(device: &Device<Context>) -> Option<FoundDevice> {
    let descriptor = device.device_descriptor().ok()?;
    let numbers = (descriptor.vendor_id(), descriptor.product_id());
    let (vendor, product, name) =
        KNOWN.iter().find(|(vendor, product, _)| (*vendor, *product) == numbers)?;
    let opened = device.open();
    let serial = opened
        .as_ref()
        .ok()
        .and_then(|handle| handle.read_serial_number_string_ascii(&descriptor).ok());
    let trouble = match opened {
        Ok(_) => "seen, not yet driven by this version of galvo".to_owned(),
        Err(error) => trouble(error, *vendor, *product),
    };
    Some(FoundDevice {
        name: (*name).to_owned(),
        serial,
        trouble: Some(trouble),
        ..FoundDevice::default()
    })
}

fn trouble(error: Error, vendor: u16, product: u16) -> String {
    match error {
        Error::Access => format!(
            "no permission (seen, not yet driven): put SUBSYSTEM==\"usb\", ATTR{{idVendor}}==\"{vendor:04x}\", ATTR{{idProduct}}==\"{product:04x}\", TAG+=\"uaccess\" into /etc/udev/rules.d/70-galvo.rules, run udevadm control --reload, and plug it in again"
        ),
        Error::Busy => {
            "held by another program (seen, not yet driven): close that program".to_owned()
        }
        other => format!("cannot be opened ({other}; seen, not yet driven): plug it in again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_answered_with_the_udev_rule() {
        let sentence = trouble(Error::Access, 0x1209, 0xe500);
        assert!(sentence.contains("ATTR{idVendor}==\"1209\", ATTR{idProduct}==\"e500\""));
        assert!(sentence.contains("not yet driven"));
    }
}
