//! `galvo`, `galvo play` and `galvo live`: a show with a surface.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use crossbeam_channel::{RecvTimeoutError, bounded};

use super::args::{ChangeAt, LiveArgs, PlayArgs, ShowArgs};
use super::ending::{EndedEarly, Ending};
use super::out_file::OutFile;
use super::{came_up, headless, keys, say};
use crate::audio::AudioChoice;
use crate::control::{ControlConfig, chosen};
use crate::mask::LightSettings;
use crate::media::Location;
use crate::record::FileStudio;
use crate::record::studio::default_folder;
use crate::show::masks::MaskChoice;
use crate::show::rig_file;
use crate::show::{self, Begin, Report, ShowConfig, ShowHandle, Source, Studio, Transition};
use crate::time::{Clock, SystemClock};

/// How often a show that is about to begin is looked at.
const STEP: Duration = Duration::from_millis(20);
/// After so long it is said what is waited for, and again and again.
const TELL_WAIT_AFTER: Duration = Duration::from_secs(1);
const TELL_WAIT_EVERY: Duration = Duration::from_secs(10);

/// The desktop window with nothing open.
pub(super) fn desktop() -> anyhow::Result<()> {
    if !window_is_possible() {
        bail!(
            "there is no display for the window: set DISPLAY, or play without one: galvo play FILE --headless"
        );
    }
    // The projectors of the last time; no other command touches that memory.
    let rig = rig_file::default_file();
    let control = remembering(ControlConfig::default());
    run(&ShowConfig { rig, control, ..ShowConfig::default() }, false, None)
}

/// `galvo play`
pub(super) fn play(args: PlayArgs) -> anyhow::Result<()> {
    let audio = match args.audio.as_deref() {
        None => AudioChoice::Default,
        Some("none") => AudioChoice::None,
        Some(name) => AudioChoice::Named(name.to_owned()),
    };
    let music = args.music.into_iter().map(Location::from).collect();
    let source = Source::Playback { music, start_s: args.start, audio };
    run(&config(source, &args.show)?, args.show.headless, args.show.report.as_deref())
}

/// `galvo live`
pub(super) fn live(args: LiveArgs) -> anyhow::Result<()> {
    let source = Source::Live { input: args.input };
    run(&config(source, &args.show)?, args.show.headless, args.show.report.as_deref())
}

fn config(source: Source, args: &ShowArgs) -> anyhow::Result<ShowConfig> {
    let mask = MaskChoice {
        file: args.mask.clone().map(Location::from),
        rate: args.mask_fps,
        light: LightSettings { eye: args.mask_eye, ..LightSettings::default() },
        key: args.mask_key.key()?,
    };
    Ok(ShowConfig {
        source,
        dacs: args.dac.clone(),
        preset: args.preset.clone(),
        transition: Transition { begin: begin(args.change), beats: args.fade },
        shuffle: args.shuffle,
        control: remembering(args.control.config()?),
        arm: args.arm,
        master: args.master / 100.0,
        pps: args.pps,
        buffer_ms: args.buffer,
        offset_ms: args.offset_ms,
        mask,
        duration_s: args.duration,
        ..ShowConfig::default()
    })
}

/// With the MIDI ports that were chosen in earlier shows.
fn remembering(control: ControlConfig) -> ControlConfig {
    ControlConfig { chosen: chosen::default_file(), ..control }
}

const fn begin(change: ChangeAt) -> Begin {
    match change {
        ChangeAt::Now => Begin::Now,
        ChangeAt::Beat => Begin::Beat,
        ChangeAt::Bar => Begin::Bar,
    }
}

fn run(config: &ShowConfig, headless: bool, report: Option<&Path>) -> anyhow::Result<()> {
    // Heard before anything is opened: opening may take minutes.
    let ending = Ending::listen()?;
    // Tried before the show, so that an hour of it is not lost to a wrong path.
    let report = report.map(|path| report_file(path).map(|file| (path, file))).transpose()?;
    let show = open(config, &ending)?;
    // Dark first, whatever this thread or the window does.
    ending.at_first(show.darkener());
    let headless = headless || !window_is_possible();
    let measured = if headless {
        let measured = follow(show, &ending)?;
        say(&headless::summary(&measured));
        measured
    } else {
        in_window(show, config.duration_s.is_some(), &ending)?
    };
    if let Some((path, file)) = report {
        write_report(path, file, &measured)?;
    }
    // In a window it was seen; a script has only the exit status.
    match came_up::what_did_not(&measured) {
        Some(why) if headless => bail!(why),
        _ => Ok(()),
    }
}

/// Opens the show on a thread of its own, so that the wait can be told, and left.
fn open(config: &ShowConfig, ending: &Ending) -> anyhow::Result<ShowHandle> {
    let (begun, show) = bounded(1);
    let for_thread = config.clone();
    let start = move || {
        let studio = default_folder().map(|folder| FileStudio::new(folder, Arc::new(SystemClock)));
        let studio = studio.map(|studio| Box::new(studio) as Box<dyn Studio>);
        // Nobody waits for it any more: the show ends as it is dropped.
        drop(begun.send(show::start(&for_thread, studio)));
    };
    std::thread::Builder::new()
        .name("begin".into())
        .spawn(start)
        .context("the system gives no more threads: end other programs")?;
    let started = SystemClock.now();
    let mut tell_at = started + TELL_WAIT_AFTER;
    loop {
        match show.recv_timeout(STEP) {
            Ok(show) => return Ok(show?),
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the show could not be opened: run with -vv and report it")
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if ending.is_asked() {
            return Err(EndedEarly.into());
        }
        let now = SystemClock.now();
        if now >= tell_at {
            tell_at = now + TELL_WAIT_EVERY;
            say(&format_args!(
                "{} for {:.0} s; Ctrl-C ends it",
                what_is_opened(&config.source),
                now.secs_since(started)
            ));
        }
    }
}

/// What may take its time while a show is opened.
fn what_is_opened(source: &Source) -> String {
    let Source::Playback { music, .. } = source else {
        return "opening the sound input and the projectors".to_owned();
    };
    match music.iter().find(|location| matches!(location, Location::Url(_))) {
        Some(address) => format!("opening {address}: waiting for its server"),
        None => "opening the music, the sound device and the projectors".to_owned(),
    }
}

fn follow(mut show: ShowHandle, ending: &Ending) -> anyhow::Result<Report> {
    let typed = keys::typed_lines();
    headless::follow(&mut show, &SystemClock, &ending.flag(), typed.as_ref());
    finish(show)
}

fn finish(show: ShowHandle) -> anyhow::Result<Report> {
    show.finish()
        .context("the show thread failed: everything went dark; run with -vv and report it")
}

fn report_file(path: &Path) -> anyhow::Result<OutFile> {
    OutFile::create(path)
        .with_context(|| format!("the report cannot be written to {}", path.display()))
}

fn write_report(path: &Path, mut file: OutFile, report: &Report) -> anyhow::Result<()> {
    let written = serde_json::to_writer_pretty(&mut file, report).map_err(anyhow::Error::from);
    written
        .and_then(|()| file.finish())
        .with_context(|| format!("the report could not be written to {}", path.display()))
}

#[cfg(not(feature = "gui"))]
fn window_is_possible() -> bool {
    false
}

#[cfg(not(feature = "gui"))]
fn in_window(show: ShowHandle, _ends_by_itself: bool, ending: &Ending) -> anyhow::Result<Report> {
    follow(show, ending)
}

/// On Linux a window needs a display; elsewhere there always is one.
#[cfg(feature = "gui")]
fn window_is_possible() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(all(unix, not(target_os = "macos"))) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// A show in the window; in the terminal if no window can be opened.
#[cfg(feature = "gui")]
fn in_window(show: ShowHandle, ends_by_itself: bool, ending: &Ending) -> anyhow::Result<Report> {
    use crate::gui;

    let shared = shared::SharedDesk::new(show, ends_by_itself, ending.clone());
    let options =
        gui::WindowOptions { remembered_in: gui::default_file(), ..gui::WindowOptions::default() };
    match gui::run(Box::new(shared.clone()), &options) {
        Ok(()) => finish(shared.take()?),
        Err(error) => {
            say(&format_args!("warning: {error}"));
            follow(shared.take()?, ending)
        }
    }
}

#[cfg(feature = "gui")]
mod shared {
    //! A desk that outlives its window, so that the show can be ended and reported after it.

    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;

    use anyhow::Context;

    use crate::cli::ending::Ending;
    use crate::frame::TapPoint;
    use crate::point::LaserPoint;
    use crate::show::{Command, Desk, ShowHandle, Snapshot};

    #[derive(Clone)]
    pub(super) struct SharedDesk {
        show: Rc<RefCell<Option<ShowHandle>>>,
        ends_by_itself: bool,
        ending: Ending,
    }

    impl SharedDesk {
        pub(super) fn new(show: ShowHandle, ends_by_itself: bool, ending: Ending) -> Self {
            Self { show: Rc::new(RefCell::new(Some(show))), ends_by_itself, ending }
        }

        pub(super) fn take(&self) -> anyhow::Result<ShowHandle> {
            self.show.borrow_mut().take().context("the show has ended already")
        }
    }

    impl Desk for SharedDesk {
        fn snapshot(&mut self) -> Arc<Snapshot> {
            let mut show = self.show.borrow_mut();
            let snapshot = show.as_mut().map(Desk::snapshot).unwrap_or_default();
            let finished =
                closes_window(snapshot.finished, self.ends_by_itself, self.ending.is_asked());
            if snapshot.finished == finished {
                return snapshot;
            }
            Arc::new(Snapshot { finished, ..(*snapshot).clone() })
        }

        fn send(&mut self, command: Command) {
            if let Some(show) = self.show.borrow_mut().as_mut() {
                show.send(command);
            }
        }

        fn watch(&mut self, projector: u32, tap_point: TapPoint) {
            if let Some(show) = self.show.borrow_mut().as_mut() {
                show.watch(projector, tap_point);
            }
        }

        fn watched_points(&mut self, out: &mut Vec<LaserPoint>) {
            if let Some(show) = self.show.borrow_mut().as_mut() {
                show.watched_points(out);
            }
        }
    }

    /// The end of a file does not close a window that nobody asked to close; the system's wish does.
    const fn closes_window(finished: bool, ends_by_itself: bool, asked: bool) -> bool {
        asked || (finished && ends_by_itself)
    }

    #[cfg(test)]
    mod tests {
        use super::closes_window;

        #[test]
        fn a_signal_closes_the_window_and_the_end_of_a_file_does_not() {
            assert!(closes_window(false, false, true) && closes_window(true, true, false));
            assert!(!closes_window(true, false, false) && !closes_window(false, true, false));
        }
    }
}
