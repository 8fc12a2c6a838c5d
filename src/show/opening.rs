//! The projectors that a show begins with.

use std::sync::Arc;
use std::time::Duration;

use super::ShowError;
use super::config::ShowConfig;
use super::engine::{MOST_PROJECTORS, Slot};
use super::mountings::Mountings;
use super::projector::{Projector, SetUp};
use super::rig_file::{Remembered, RigFile};
use crate::dac::{self, DacError, DacUri, FoundDevice};
use crate::frame::TapRegistry;
use crate::pattern::cost;
use crate::pattern::{Instrument, Preset};
use crate::time::Clock;

/// How long `auto` looks for a projector: two announcements of an Ether Dream.
const SEARCH: Duration = Duration::from_secs(2);

/// The projectors, their device threads running.
#[derive(Debug, Default)]
pub struct OpenedRig {
    /// For the show thread.
    pub projectors: Vec<Projector>,
    /// For the engine.
    pub slots: Vec<Slot>,
    /// Where the points of each are looked at, with its number.
    pub taps: Vec<(u32, TapRegistry)>,
    /// What an operator should know, as sentences with their cure.
    pub told: Vec<String>,
}

/// Which projectors a show begins with.
struct Wanted {
    dacs: Vec<String>,
    /// They are remembered: one that cannot be used any more is told of, and the show begins without it.
    may_fail: bool,
    /// What is wrong with the memory.
    told: Option<String>,
}

/// Opens the projectors of `config`, dark, with their mountings; none is connected before its thread gets to it.
///
/// # Errors
/// One that was named cannot be used, or none was named, or too many.
pub fn open_rig(
    config: &ShowConfig,
    preset: &Preset,
    mountings: &mut Mountings,
    lookahead: Duration,
    clock: &Arc<dyn Clock>,
) -> Result<OpenedRig, ShowError> {
    let Wanted { dacs, may_fail, told } = wanted(config)?;
    if let Some(twice) = named_twice(&dacs).filter(|_| !may_fail) {
        let text = format!(
            "{twice} is named twice: a projector is driven once, name it once; any number of sim: may run"
        );
        return Err(DacError::BadAddress(text).into());
    }
    let addresses: Vec<String> =
        dacs.iter().map(|uri| dac::identity::at_its_address(uri)).collect();
    for (uri, address) in dacs.iter().zip(&addresses) {
        mountings.stands_for(uri, address);
    }
    let seen = look_around(&addresses, mountings);
    let mut rig = OpenedRig { told: told.into_iter().collect(), ..OpenedRig::default() };
    let fit = cost::fit(preset, cost::budget(dacs.len()))?;
    for ((number, uri), address) in (0..).zip(&dacs).zip(&addresses) {
        let instrument = Box::new(Instrument::fitted(preset, &fit)?);
        let set_up = SetUp { number, pps: config.pps, lookahead, master: config.master };
        let opened = dac::open(uri, &seen, Arc::clone(clock))
            .map_err(ShowError::from)
            .and_then(|backend| Projector::open(backend, set_up, instrument, clock));
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(error) if may_fail => {
                rig.told.push(format!("{uri} is not in the show: {error}"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let id = dac::identity(address, &seen);
        let mounting = mountings.of(uri, id.as_deref());
        opened.projector.known_as(id, &mounting);
        opened.projector.keep_ahead(config.buffer());
        opened.projector.start(opened.worker, Arc::clone(clock)).map_err(ShowError::Thread)?;
        rig.projectors.push(opened.projector);
        rig.slots.push(opened.slot);
        rig.taps.push((number, opened.taps));
    }
    if rig.slots.len() < dacs.len() {
        // There is more room for each of those that are left.
        let fit = cost::fit(preset, cost::budget(rig.slots.len()))?;
        for slot in &mut rig.slots {
            let finer = Instrument::fitted(preset, &fit)?;
            slot.renderer.replace_instrument(&mut Some(Box::new(finer)));
        }
    }
    Ok(rig)
}

/// A projector that is named more than once: its second driver would find it held, and blame another program.
fn named_twice(uris: &[String]) -> Option<&String> {
    let named: Vec<_> = uris.iter().map(|uri| DacUri::parse(uri).ok()).collect();
    let is_one = |uri: &DacUri| match uri {
        DacUri::Sim(_) => false,
        // The first one that is free is another one each time.
        DacUri::Helios { serial } | DacUri::LaserCubeUsb { serial } => !serial.is_empty(),
        _ => true,
    };
    let again = (0..uris.len())
        .find(|&at| named[at].as_ref().is_some_and(is_one) && named[..at].contains(&named[at]))?;
    Some(&uris[again])
}

fn wanted(config: &ShowConfig) -> Result<Wanted, ShowError> {
    if let Some(file) = &config.rig {
        let Remembered { projectors, told } = RigFile::new(file.clone()).read();
        let dacs = projectors.unwrap_or_else(|| config.dacs.clone());
        return Ok(Wanted { dacs, may_fail: true, told });
    }
    match config.dacs.len() {
        0 => Err(ShowError::NoProjector),
        1..=MOST_PROJECTORS => {
            Ok(Wanted { dacs: config.dacs.clone(), may_fail: false, told: None })
        }
        _ => Err(ShowError::TooManyProjectors),
    }
}

/// What there is, where that matters: for `auto`, for who is remembered by more than an address, and for who announces
/// how much it holds.
fn look_around(uris: &[String], mountings: &Mountings) -> Vec<FoundDevice> {
    if uris.iter().any(|uri| uri == "auto") {
        return dac::devices(SEARCH);
    }
    let told = |uri: &&String| {
        let is_known = !mountings.is_empty() && dac::identity::is_told_by_a_look(uri);
        is_known || dac::identity::is_driven_better_after_a_look(uri)
    };
    let wanted: Vec<String> = uris.iter().filter(told).cloned().collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    dac::look_for(&wanted, SEARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projector_named_twice_is_told_as_that_and_not_as_held_by_another_program() {
        let uris = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let twice = uris(&["sim:", "idn://10.0.0.8", "ether-dream://h", "ether-dream://h:7765"]);
        assert_eq!(named_twice(&twice).map(String::as_str), Some("ether-dream://h:7765"));
        assert_eq!(named_twice(&uris(&["sim:", "sim:", "helios://1-2", "helios://1-3"])), None);
        assert_eq!(named_twice(&uris(&["helios://", "helios://"])), None);
    }
}
