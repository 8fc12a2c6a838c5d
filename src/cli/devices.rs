//! `galvo devices`: what is there, how to name it, and what is wrong with it.

use std::time::Duration;

use serde::Serialize;

use super::args::{DevicesAction, DevicesArgs};
use super::set_device::{self, described};
use crate::dac::{self, FoundDevice, identity};
use crate::path::Mounting;
use crate::show::{Installation, Mountings};

#[derive(Serialize)]
struct Everything {
    projectors: Vec<Projector>,
    sound_outputs: Vec<SoundDevice>,
    sound_inputs: Vec<SoundDevice>,
}

#[derive(Serialize)]
struct Projector {
    name: String,
    uri: Option<String>,
    serial: Option<String>,
    trouble: Option<String>,
    mounting: Mounting,
    installation: Installation,
}

#[derive(Serialize)]
struct SoundDevice {
    name: String,
    description: String,
    is_default: bool,
}

pub(super) fn devices(args: &DevicesArgs) -> anyhow::Result<()> {
    match &args.action {
        Some(DevicesAction::Set(args)) => set_device::set(args),
        None => list(args),
    }
}

fn list(args: &DevicesArgs) -> anyhow::Result<()> {
    let mountings = Mountings::open(None)?;
    let found = dac::devices(Duration::from_secs_f64(args.timeout));
    let (sound_outputs, sound_inputs) = sound_devices();
    let everything = Everything {
        projectors: found.into_iter().map(|found| projector(found, &mountings)).collect(),
        sound_outputs,
        sound_inputs,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&everything)?);
    } else {
        print(&everything);
    }
    Ok(())
}

fn projector(found: FoundDevice, mountings: &Mountings) -> Projector {
    let (mounting, installation) = found.uri.as_deref().map_or_else(Default::default, |uri| {
        let id = identity(uri, std::slice::from_ref(&found));
        (mountings.of(uri, id.as_deref()), mountings.installation_of(uri, id.as_deref()))
    });
    let FoundDevice { name, uri, serial, trouble, .. } = found;
    Projector { name, uri, serial, trouble, mounting, installation }
}

fn print(everything: &Everything) {
    println!("Projectors (--dac)");
    println!("  {:<34} the built-in simulator, always there", "sim:");
    for found in &everything.projectors {
        let serial = found.serial.as_deref().map_or(String::new(), |s| format!(" ({s})"));
        println!("  {:<34} {}{serial}", found.uri.as_deref().unwrap_or("-"), found.name);
        if let Some(trouble) = &found.trouble {
            println!("  {:<34} {trouble}", "");
        }
        if !found.mounting.is_plain() || !found.installation.is_plain() {
            println!("  {:<34} {}", "", described(&found.mounting, &found.installation));
        }
    }
    if everything.projectors.iter().all(|found| found.uri.is_none()) {
        println!("  No other was found. Is it switched on, and its cable in?");
        println!(
            "  A network projector must be in the same subnet as this computer, and a firewall must let"
        );
        println!("  UDP ports 7654, 7255 and 45457 through. Or name it:");
        println!("  --dac ether-dream://ADDRESS, idn://ADDRESS or lasercube-wifi://ADDRESS");
        println!(
            "  Without any: galvo simulate ether-dream in another terminal is one on this computer."
        );
    }
    let sound = [
        (
            "Sound outputs (--audio)",
            &everything.sound_outputs,
            "none",
            "silence, with a software clock",
        ),
        ("Sound inputs (galvo live --input)", &everything.sound_inputs, "", ""),
    ];
    for (title, devices, extra, meaning) in sound {
        println!("\n{title}");
        for device in devices {
            let mark = if device.is_default { "*" } else { " " };
            println!(" {mark}{:<34} {}", device.name, device.description);
        }
        if !extra.is_empty() {
            println!("  {extra:<34} {meaning}");
        } else if devices.is_empty() {
            println!("  None was found: connect one, or start the sound server.");
        }
    }
}

#[cfg(feature = "audio")]
fn sound_devices() -> (Vec<SoundDevice>, Vec<SoundDevice>) {
    use crate::audio::{ListedDevice, list_inputs, list_outputs};

    let listed = |devices: Vec<ListedDevice>| {
        devices
            .into_iter()
            .map(|ListedDevice { name, description, is_default }| SoundDevice {
                name,
                description,
                is_default,
            })
            .collect()
    };
    (listed(list_outputs()), listed(list_inputs()))
}

#[cfg(not(feature = "audio"))]
fn sound_devices() -> (Vec<SoundDevice>, Vec<SoundDevice>) {
    (Vec::new(), Vec::new())
}
