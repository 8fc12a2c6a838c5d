//! The real bus, through libusb.

use std::time::Duration;

use rusb::{Context, Device, DeviceHandle, Error, UsbContext};

use super::{Bus, Claim, Endpoints, Ids, Seat, UsbError};

/// The USB bus of this machine.
#[derive(Debug, Default)]
pub struct LibUsb {
    context: Option<Context>,
}

impl LibUsb {
    fn devices(&mut self, ids: Ids) -> Result<Vec<Device<Context>>, UsbError> {
        let context = match &self.context {
            Some(context) => context,
            None => self.context.insert(Context::new().map_err(usb_error)?),
        };
        let devices = context.devices().map_err(usb_error)?;
        let wanted = |device: &Device<Context>| {
            device.device_descriptor().is_ok_and(|descriptor| {
                (descriptor.vendor_id(), descriptor.product_id()) == (ids.vendor, ids.product)
            })
        };
        Ok(devices.iter().filter(wanted).collect())
    }
}

impl Bus for LibUsb {
    fn list(&mut self, ids: Ids) -> Result<Vec<Seat>, UsbError> {
        let devices = self.devices(ids)?;
        Ok(devices
            .iter()
            .map(|device| Seat { path: device_path(device), serial: serial(device) })
            .collect())
    }

    fn open(
        &mut self,
        ids: Ids,
        seat: &Seat,
        claims: &[Claim],
    ) -> Result<Box<dyn Endpoints>, UsbError> {
        let devices = self.devices(ids)?;
        let device = devices.iter().find(|device| device_path(device) == seat.path);
        let handle = device.ok_or(UsbError::NoDevice)?.open().map_err(usb_error)?;
        claimed(handle, claims)
    }
}

/// Claims the interfaces of an open device.
pub(in crate::dac) fn claimed(
    handle: DeviceHandle<Context>,
    claims: &[Claim],
) -> Result<Box<dyn Endpoints>, UsbError> {
    // Other systems than Linux have nothing to detach and say so.
    let _not_on_this_system = handle.set_auto_detach_kernel_driver(true);
    for claim in claims {
        handle.claim_interface(claim.interface).map_err(usb_error)?;
        if claim.setting > 0 {
            handle.set_alternate_setting(claim.interface, claim.setting).map_err(usb_error)?;
        }
    }
    Ok(Box::new(Open(handle)))
}

/// Where a device is plugged in: see [`Seat::path`].
pub(in crate::dac) fn device_path(device: &Device<Context>) -> String {
    let ports: Vec<String> =
        device.port_numbers().unwrap_or_default().iter().map(ToString::to_string).collect();
    format!("{}-{}", device.bus_number(), ports.join("."))
}

fn serial(device: &Device<Context>) -> Option<String> {
    let descriptor = device.device_descriptor().ok()?;
    descriptor.serial_number_string_index()?;
    let text = device.open().ok()?.read_serial_number_string_ascii(&descriptor).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

fn usb_error(error: Error) -> UsbError {
    match error {
        Error::Access => UsbError::Access,
        Error::Busy => UsbError::Busy,
        Error::NoDevice | Error::NotFound => UsbError::NoDevice,
        Error::Timeout => UsbError::Timeout,
        Error::Pipe => UsbError::Stall,
        Error::NotSupported => UsbError::Io(
            "the system has no driver for it: on Windows give it WinUSB, for example with Zadig"
                .to_owned(),
        ),
        other => UsbError::Io(other.to_string()),
    }
}

/// A handle with its interfaces claimed; libusb releases them when it is dropped.
struct Open(DeviceHandle<Context>);

/// libusb takes zero for "for ever".
fn bounded(timeout: Duration) -> Duration {
    timeout.max(Duration::from_millis(1))
}

impl Endpoints for Open {
    fn bulk_out(&mut self, to: u8, bytes: &[u8], timeout: Duration) -> Result<usize, UsbError> {
        self.0.write_bulk(to, bytes, bounded(timeout)).map_err(usb_error)
    }

    fn bulk_in(&mut self, from: u8, into: &mut [u8], timeout: Duration) -> Result<usize, UsbError> {
        self.0.read_bulk(from, into, bounded(timeout)).map_err(usb_error)
    }

    fn interrupt_out(
        &mut self,
        to: u8,
        bytes: &[u8],
        timeout: Duration,
    ) -> Result<usize, UsbError> {
        self.0.write_interrupt(to, bytes, bounded(timeout)).map_err(usb_error)
    }

    fn interrupt_in(
        &mut self,
        from: u8,
        into: &mut [u8],
        timeout: Duration,
    ) -> Result<usize, UsbError> {
        self.0.read_interrupt(from, into, bounded(timeout)).map_err(usb_error)
    }

    fn unstall(&mut self, endpoint: u8) {
        // What stays stalled says so at the next transfer.
        let _still_stalled = self.0.clear_halt(endpoint);
    }
}
