//! USB projectors behind a seam narrow enough for fakes: a bus lists devices, an open one has endpoints.
//!
//! Every transfer is bounded by a time-out, so that a wedged device never holds up the end of a show.

#[cfg(feature = "usb")]
mod libusb;

use std::time::Duration;

#[cfg(feature = "usb")]
pub use libusb::LibUsb;
#[cfg(feature = "usb")]
pub(in crate::dac) use libusb::{claimed, device_path};

use super::backend::DacError;
use crate::time::HostTime;

/// A kind of device by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Vendor number.
    pub vendor: u16,
    /// Product number.
    pub product: u16,
}

/// An interface to claim, and the alternate setting to select on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its number.
    pub interface: u8,
    /// Its alternate setting; 0 is how a device comes.
    pub setting: u8,
}

/// A device on the bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// Where it is plugged in, as Linux writes it: `BUS-PORT.PORT`. The same after a return.
    pub path: String,
    /// Its serial number, if it has one and could be asked.
    pub serial: Option<String>,
}

/// What went wrong on the bus.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsbError {
    /// The system denies access.
    #[error("the system denies access")]
    Access,
    /// Another program or driver holds it.
    #[error("another program holds it")]
    Busy,
    /// It has been unplugged.
    #[error("it has been unplugged")]
    NoDevice,
    /// Nothing was transferred within the time-out.
    #[error("it did not answer in time")]
    Timeout,
    /// The endpoint has stalled: the device refuses the transfer.
    #[error("it refuses the transfer")]
    Stall,
    /// Anything else.
    #[error("the transfer failed: {0}")]
    Io(String),
}

impl UsbError {
    /// True if the same handle may answer again: neither unplugged nor another's.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Stall | Self::Io(_))
    }
}

/// A transfer that failed, of a device that may answer again. A driver stops its device at once and asks again:
/// what answers in time goes on, in the dark at first.
#[derive(Clone, Debug)]
pub(in crate::dac) struct Stumble {
    since: HostTime,
    /// What went wrong.
    pub(in crate::dac) error: UsbError,
}

impl Stumble {
    /// The longest a device may take to answer again; after that it is lost.
    pub(in crate::dac) const PATIENCE: Duration = Duration::from_millis(100);

    /// It went wrong at `now`.
    pub(in crate::dac) const fn new(now: HostTime, error: UsbError) -> Self {
        Self { since: now, error }
    }

    /// True once it has taken too long.
    pub(in crate::dac) fn is_over(&self, now: HostTime) -> bool {
        now.since(self.since) > Self::PATIENCE
    }
}

/// The endpoints of an open device. Dropping it lets go of the device.
pub trait Endpoints: Send {
    /// Sends on a bulk endpoint; returns how many bytes left before the time-out.
    fn bulk_out(&mut self, to: u8, bytes: &[u8], timeout: Duration) -> Result<usize, UsbError>;

    /// Receives from a bulk endpoint.
    fn bulk_in(&mut self, from: u8, into: &mut [u8], timeout: Duration) -> Result<usize, UsbError>;

    /// Sends on an interrupt endpoint.
    fn interrupt_out(&mut self, to: u8, bytes: &[u8], timeout: Duration)
    -> Result<usize, UsbError>;

    /// Receives from an interrupt endpoint.
    fn interrupt_in(
        &mut self,
        from: u8,
        into: &mut [u8],
        timeout: Duration,
    ) -> Result<usize, UsbError>;

    /// Lets an endpoint that has stalled take transfers again.
    fn unstall(&mut self, endpoint: u8);
}

/// The bus.
pub trait Bus: Send {
    /// The devices of these numbers that are plugged in.
    fn list(&mut self, ids: Ids) -> Result<Vec<Seat>, UsbError>;

    /// Opens the device on a seat and claims its interfaces.
    fn open(
        &mut self,
        ids: Ids,
        seat: &Seat,
        claims: &[Claim],
    ) -> Result<Box<dyn Endpoints>, UsbError>;
}

/// What a missing permission is cured with: the rule that the project ships, named.
#[must_use]
pub fn permission_cure(ids: Ids) -> String {
    format!(
        "run sudo make udev in galvo's folder, or put SUBSYSTEM==\"usb\", ATTR{{idVendor}}==\"{:04x}\", ATTR{{idProduct}}==\"{:04x}\", TAG+=\"uaccess\" into /etc/udev/rules.d/70-galvo-lasers.rules and run udevadm control --reload; then plug it in again",
        ids.vendor, ids.product
    )
}

/// An error of the bus as the user reads it.
#[must_use]
pub fn dac_error(device: &str, ids: Ids, error: &UsbError) -> DacError {
    let device = device.to_owned();
    match error {
        UsbError::Access => DacError::PermissionDenied { device, cure: permission_cure(ids) },
        UsbError::Busy => DacError::Busy { device },
        UsbError::NoDevice => {
            DacError::Absent { device, detail: format!("{error}: plug it in again") }
        }
        UsbError::Stall | UsbError::Timeout | UsbError::Io(_) => {
            DacError::Gone { device, detail: error.to_string() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: Ids = Ids { vendor: 0x1209, product: 0xe500 };

    #[test]
    fn each_trouble_of_the_bus_is_said_with_its_cure() {
        let said = |error| dac_error("helios://", IDS, &error).to_string();
        let denied = said(UsbError::Access);
        assert!(denied.contains("ATTR{idVendor}==\"1209\"") && denied.contains("make udev"));
        assert!(said(UsbError::Busy).contains("close that program"));
        assert!(said(UsbError::NoDevice).contains("unplugged"));
        assert!(said(UsbError::Timeout).contains("in time"));
        assert!(said(UsbError::Stall).contains("refuses"));
    }

    #[test]
    fn the_shipped_rules_hold_every_device_driven() {
        let rules = include_str!("../../../assets/70-galvo-lasers.rules");
        for ids in [crate::dac::helios::IDS, crate::dac::lasercube_usb::IDS] {
            let wanted = format!(
                "ATTR{{idVendor}}==\"{:04x}\", ATTR{{idProduct}}==\"{:04x}\"",
                ids.vendor, ids.product
            );
            assert!(rules.contains(&wanted), "{wanted}");
        }
    }
}
