//! What the director does about projectors that come and go while the show runs.
//!
//! One that comes is opened in the background, and enters dark: disarmed, and switched off if there is light on any other,
//! so that no light begins without an act on it. One that goes is dark at once; it is gone when its device and the sound
//! callback have let go of it.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::Director;
use crate::dac::simulator::SimOptions;
use crate::dac::{Backend, DacUri, FoundDevice, identity};
use crate::frame::TapRegistry;
use crate::pattern::Instrument;
use crate::show::ShowError;
use crate::show::engine::{EngineCommand, MOST_PROJECTORS, Retired};
use crate::show::projector::{Opened, Projector, SetUp};
use crate::show::report::StreamReport;
use crate::show::rig::{Reached, Rig};
use crate::show::rig_file::RigFile;
use crate::show::snapshot::{
    FoundView, ProjectorState, ProjectorView, RefusedView, RigView, Severity,
};
use crate::time::{Clock, HostTime};

/// How long a device that is removed may take to let go: more than a driver takes to find out that nobody answers.
const LEAVING_PATIENCE: Duration = Duration::from_secs(5);

/// What it takes to change the projectors of a show that runs.
pub struct Stage {
    /// Looks for projectors, and opens them.
    pub rig: Box<dyn Rig>,
    /// The clock of the show.
    pub clock: Arc<dyn Clock>,
    /// Points per second of a projector that is added.
    pub pps: u32,
    /// Time of points kept ahead of its mirrors at least.
    pub lookahead: Duration,
    /// Where what a projector gets goes, with its number: to whoever shows a preview.
    pub taps: Sender<(u32, TapRegistry)>,
    /// Where the projectors of the show are remembered, if anywhere.
    pub file: Option<RigFile>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("file", &self.file).finish_non_exhaustive()
    }
}

/// The projectors that come and go.
#[derive(Debug, Default)]
pub(super) struct RigState {
    stage: Option<Stage>,
    next_number: u32,
    /// The buffer of projectors without one of their own.
    buffer: Option<Duration>,
    /// The names of those being opened.
    opening: Vec<String>,
    refused: Option<RefusedView>,
    leaving: Vec<Leaving>,
    /// What those measured that are gone.
    reports: Vec<(u32, StreamReport)>,
    /// What was found, as it is told: made anew when the find or the show has changed.
    told: Arc<[FoundView]>,
    told_of: Option<Arc<Vec<FoundDevice>>>,
}

/// A projector on its way out.
#[derive(Debug)]
struct Leaving {
    projector: Projector,
    since: HostTime,
    /// The callback was told.
    told: bool,
    /// The callback has let go of its stream.
    slot_is_back: bool,
    /// Its device has let go, or was left behind.
    closed: bool,
}

impl RigState {
    /// Beside the projectors that the show begins with.
    pub(super) fn beside(projectors: &[Projector]) -> Self {
        let next_number = projectors.iter().map(|p| p.number() + 1).max().unwrap_or_default();
        Self { next_number, ..Self::default() }
    }

    /// Those on their way out.
    pub(super) fn leaving(&self) -> impl Iterator<Item = &Projector> {
        self.leaving.iter().map(|leaving| &leaving.projector)
    }
}

impl Director {
    /// With projectors that may come and go.
    #[must_use]
    pub fn on_stage(mut self, stage: Stage) -> Self {
        self.rig.stage = Some(stage);
        self
    }

    /// Projectors that are added keep so much time of points ahead, if they have no buffer of their own.
    #[must_use]
    pub const fn keeping_ahead(mut self, buffer: Option<Duration>) -> Self {
        self.rig.buffer = buffer;
        self
    }

    pub(super) fn find_projectors(&mut self) {
        let Some(stage) = &mut self.rig.stage else { return };
        if let Err(error) = stage.rig.find() {
            let text = ShowError::Thread(error).to_string();
            self.notices.add(Severity::Error, text);
        }
    }

    pub(super) fn stop_finding(&mut self) {
        if let Some(stage) = &mut self.rig.stage {
            stage.rig.stop_finding();
        }
    }

    pub(super) fn add_projector(&mut self, uri: &str) {
        let uri = uri.trim();
        self.rig.refused = None;
        let wanted = match DacUri::parse(uri) {
            Ok(wanted) => wanted,
            Err(error) => return self.refuse(uri, error.to_string()),
        };
        if self.is_in_show(&wanted, None) {
            return self.refuse(uri, format!("{uri} is in the show already"));
        }
        let is_it = |other: &String| DacUri::parse(other).is_ok_and(|other| other == wanted);
        if self.rig.opening.iter().any(is_it) {
            return;
        }
        let rig = &mut self.rig;
        if self.cast.projectors.len() + rig.leaving.len() + rig.opening.len() >= MOST_PROJECTORS {
            return self.refuse(uri, too_many());
        }
        let Some(stage) = &mut rig.stage else { return };
        match stage.rig.reach(uri) {
            Ok(()) => rig.opening.push(uri.to_owned()),
            Err(error) => self.refuse(uri, ShowError::Thread(error).to_string()),
        }
    }

    /// Takes in the projectors that were opened meanwhile.
    pub(super) fn take_in_projectors(&mut self, now: HostTime) {
        while let Some(Reached { uri, made }) =
            self.rig.stage.as_mut().and_then(|stage| stage.rig.reached())
        {
            self.rig.opening.retain(|opening| *opening != uri);
            let taken = match made {
                Ok((backend, id)) => self.take_in(backend, id, now),
                Err(error) => Err(error.to_string()),
            };
            match taken {
                Ok(()) => self.rig_has_changed(now),
                Err(why) => self.refuse(&uri, why),
            }
        }
    }

    /// Takes a projector into the show, dark. The error is a sentence with its cure.
    fn take_in(
        &mut self,
        backend: Box<dyn Backend>,
        id: Option<String>,
        now: HostTime,
    ) -> Result<(), String> {
        let name = backend.name().to_owned();
        let mounting = self.cast.mountings.of(&name, id.as_deref());
        let room = self.cast.mountings.installation_of(&name, id.as_deref());
        if DacUri::parse(&name).is_ok_and(|uri| self.is_in_show(&uri, id.as_deref())) {
            return Err(format!("{name} is in the show already"));
        }
        if self.cast.ends.commands.free() == 0 {
            return Err(
                "the sound callback does not take commands: is the sound device alive?".to_owned()
            );
        }
        let is_lit = self.switches.is_light_wished();
        let Opened { mut projector, mut slot, worker, taps } =
            self.open_projector(backend).map_err(|error| error.to_string())?;
        projector.known_as(id, &mounting);
        projector.keep_ahead(self.rig.buffer);
        if is_lit {
            projector.switch().take_out(now);
        }
        match room.ready() {
            Ok(ready) => {
                projector.install(room, &ready);
                slot.renderer.install(ready.perspective, ready.gate.profile);
            }
            Err(error) => self.notices.add(Severity::Error, format!("{name}: {error}")),
        }
        slot.renderer.set_crossfade(self.live.crossfade);
        slot.renderer.set_flash(self.live.flash.is_on());
        slot.renderer.lay_beside(&mut self.instrument_beside());
        let number = projector.number();
        let Some(stage) = &mut self.rig.stage else { return Ok(()) };
        let run = stage.rig.run(&mut projector, worker);
        run.map_err(|error| ShowError::Thread(error).to_string())?;
        // A show without a preview has nobody who takes it.
        drop(stage.taps.send((number, taps)));
        self.tell_engine(EngineCommand::Add(Box::new(slot)));
        self.switches.join(number, projector.name(), projector.switch(), now);
        // It was never lit: nothing of it was stopped.
        while projector.switch().next_trip().is_some() {}
        self.cast.projectors.push(projector);
        Ok(())
    }

    fn open_projector(&mut self, backend: Box<dyn Backend>) -> Result<Opened, ShowError> {
        let number = self.rig.next_number;
        self.rig.next_number += 1;
        let instrument = Instrument::within(self.cast.presets.preset(), self.picture_budget());
        let instrument = Box::new(instrument?);
        let Some(Stage { clock, pps, lookahead, .. }) = &self.rig.stage else {
            return Err(ShowError::NoProjector);
        };
        let set_up = SetUp { number, pps: *pps, lookahead: *lookahead, master: self.cast.master };
        Projector::open(backend, set_up, instrument, clock)
    }

    /// What lies on the other side of the crossfader, once more.
    fn instrument_beside(&self) -> Option<Box<Instrument>> {
        let preset = self.cast.presets.library().get(self.live.preset_b.as_deref()?).ok()?;
        Instrument::within(&preset, self.picture_budget()).ok().map(Box::new)
    }

    pub(super) fn remove_projector(&mut self, name: &str, now: HostTime) {
        let Some(place) = self.place_of(name) else { return };
        let mut projector = self.cast.projectors.remove(place);
        projector.begin_closing(now);
        self.switches.leave(projector.number());
        self.rig.leaving.push(Leaving {
            projector,
            since: now,
            told: false,
            slot_is_back: false,
            closed: false,
        });
        self.let_projectors_go(now);
        self.rig_has_changed(now);
    }

    /// Takes back what the callback has let go of, and frees it.
    pub(super) fn take_back(&mut self) {
        while let Some(retired) = self.cast.ends.retired.pop() {
            if let Retired::Slot(slot) = retired {
                let is_it = |leaving: &&mut Leaving| leaving.projector.number() == slot.number;
                if let Some(leaving) = self.rig.leaving.iter_mut().find(is_it) {
                    leaving.slot_is_back = true;
                }
            }
        }
    }

    /// Sees to those on their way out. One stays until the callback cannot reach it any more.
    pub(super) fn let_projectors_go(&mut self, now: HostTime) {
        self.read_trips();
        let mut left_behind = Vec::new();
        for leaving in &mut self.rig.leaving {
            let Leaving { projector, since, told, closed, .. } = leaving;
            if !*told {
                let remove = EngineCommand::Remove { number: projector.number() };
                *told = self.cast.ends.commands.push(remove).is_ok();
            }
            if !*closed {
                let is_late = now.since(*since) > LEAVING_PATIENCE;
                *closed = projector.is_closed() || is_late;
                if is_late && !projector.is_closed() {
                    left_behind.push(projector.name().to_owned());
                }
            }
        }
        for name in left_behind {
            let text = format!("{name} did not let go in time and was left: switch it off and on");
            self.notices.add(Severity::Warning, text);
        }
        let gone = |leaving: &mut Leaving| leaving.closed && leaving.slot_is_back;
        for Leaving { mut projector, .. } in self.rig.leaving.extract_if(.., gone) {
            projector.new_fault();
            self.rig.reports.push((projector.number(), projector.report()));
        }
    }

    /// Waits until those on their way out have let go, at the end of a show.
    pub(super) fn close_those_leaving(&mut self) {
        self.rig.leaving.iter_mut().for_each(|leaving| leaving.projector.close());
    }

    fn refuse(&mut self, uri: &str, why: String) {
        self.rig.refused = Some(RefusedView { uri: uri.to_owned(), why });
    }

    /// True if that projector is in the show, by its name or by what it told of itself.
    fn is_in_show(&self, wanted: &DacUri, id: Option<&str>) -> bool {
        // Any number of simulators may run side by side.
        let id = id.filter(|_| !matches!(wanted, DacUri::Sim(_)));
        self.cast.projectors.iter().any(|projector| {
            let is_named = DacUri::parse(projector.name()).is_ok_and(|uri| uri == *wanted);
            is_named || id.is_some() && projector.id() == id
        })
    }

    /// Another projector came or went: it is remembered, and what was found is told anew.
    fn rig_has_changed(&mut self, now: HostTime) {
        self.rig.told_of = None;
        self.fit_to_rig();
        let Some(file) = self.rig.stage.as_ref().and_then(|stage| stage.file.as_ref()) else {
            return;
        };
        let names = self.cast.projectors.iter().map(|p| p.name().to_owned()).collect();
        match file.to_write(names) {
            Ok(job) => self.write_down(job, now),
            Err(error) => {
                let text = format!("the projectors of this desk are not remembered: {error}");
                self.notices.add(Severity::Warning, text);
            }
        }
    }

    /// Every projector, in the order in which they came.
    pub(super) fn projector_views(&self) -> Vec<ProjectorView> {
        let leaving = self.rig.leaving.iter().filter(|leaving| !leaving.closed);
        let leaving = leaving.map(|leaving| ProjectorView {
            state: ProjectorState::Closing,
            ..leaving.projector.view()
        });
        let mut views: Vec<_> =
            self.cast.projectors.iter().map(Projector::view).chain(leaving).collect();
        views.sort_by_key(|view| view.number);
        views
    }

    /// What each measured, in the order in which they came; those that are gone too.
    pub(super) fn stream_reports(&self) -> Vec<StreamReport> {
        let present = self.cast.projectors.iter().chain(self.rig.leaving());
        let present = present.map(|projector| (projector.number(), projector.report()));
        let mut all: Vec<_> = self.rig.reports.iter().cloned().chain(present).collect();
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, report)| report).collect()
    }

    /// Makes what was found ready to be told, if something has changed.
    pub(super) fn look_at_rig(&mut self) {
        let Some(found) = self.rig.stage.as_ref().and_then(|stage| stage.rig.found()) else {
            return;
        };
        if self.rig.told_of.as_ref().is_some_and(|told| Arc::ptr_eq(told, &found)) {
            return;
        }
        let simulator = FoundView {
            uri: Some("sim:".to_owned()),
            label: "Simulator, in this program".to_owned(),
            trouble: None,
            in_show: self.is_in_show(&DacUri::Sim(SimOptions::default()), None),
        };
        let told = found.iter().map(|found| self.found_view(found)).chain([simulator]).collect();
        self.rig.told = told;
        self.rig.told_of = Some(found);
    }

    fn found_view(&self, found: &FoundDevice) -> FoundView {
        let id = |uri: &str| identity(uri, std::slice::from_ref(found));
        let named = found.uri.as_deref().and_then(|uri| Some((DacUri::parse(uri).ok()?, id(uri))));
        let in_show = named.is_some_and(|(uri, id)| self.is_in_show(&uri, id.as_deref()));
        let label = match &found.serial {
            Some(serial) => format!("{} ({serial})", found.name),
            None => found.name.clone(),
        };
        // What is in the show is held by this program: that is no trouble.
        let trouble = found.trouble.clone().filter(|_| !in_show);
        FoundView { uri: found.uri.clone(), label, trouble, in_show }
    }

    pub(super) fn rig_view(&self) -> RigView {
        let rig = self.rig.stage.as_ref().map(|stage| &stage.rig);
        RigView {
            finding: rig.and_then(|rig| rig.finding()),
            looked: rig.is_some_and(|rig| rig.found().is_some()),
            found: Arc::clone(&self.rig.told),
            opening: self.rig.opening.clone(),
            refused: self.rig.refused.clone(),
        }
    }
}

fn too_many() -> String {
    format!("a show has at most {MOST_PROJECTORS} projectors: remove one first")
}
