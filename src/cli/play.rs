//! `galvo`, `galvo play` and `galvo live`: a show with a surface.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use super::args::{ChangeAt, LiveArgs, PlayArgs, ShowArgs};
use super::{came_up, headless, interrupt_flag, keys};
use crate::audio::AudioChoice;
use crate::control::{ControlConfig, chosen};
use crate::mask::LightSettings;
use crate::media::Location;
use crate::record::FileStudio;
use crate::record::studio::default_folder;
use crate::show::masks::MaskChoice;
use crate::show::rig_file;
use crate::show::{self, Begin, Report, ShowConfig, ShowHandle, Source, Studio, Transition};
use crate::time::SystemClock;

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
    // Tried before the show, so that an hour of it is not lost to a wrong path.
    let report = report.map(report_file).transpose()?;
    let clock = Arc::new(SystemClock);
    let studio = default_folder().map(|folder| FileStudio::new(folder, clock));
    let studio = studio.map(|studio| Box::new(studio) as Box<dyn Studio>);
    let show = show::start(config, studio)?;
    let headless = headless || !window_is_possible();
    let measured = if headless {
        let measured = follow(show)?;
        eprintln!("{}", headless::summary(&measured));
        measured
    } else {
        in_window(show, config.duration_s.is_some())?
    };
    if let Some((path, file)) = report {
        write_report(&path, &file, &measured)?;
    }
    // In a window it was seen; a script has only the exit status.
    match came_up::what_did_not(&measured) {
        Some(why) if headless => bail!(why),
        _ => Ok(()),
    }
}

fn follow(mut show: ShowHandle) -> anyhow::Result<Report> {
    let interrupted = interrupt_flag()?;
    let typed = keys::typed_lines();
    headless::follow(&mut show, &SystemClock, &interrupted, typed.as_ref());
    finish(show)
}

fn finish(show: ShowHandle) -> anyhow::Result<Report> {
    show.finish()
        .context("the show thread failed: everything went dark; run with -vv and report it")
}

fn report_file(path: &Path) -> anyhow::Result<(PathBuf, std::fs::File)> {
    let file = std::fs::File::create(path).with_context(|| {
        format!("the report cannot be written to {}: choose another place", path.display())
    })?;
    Ok((path.to_owned(), file))
}

fn write_report(path: &Path, file: &std::fs::File, report: &Report) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(file, report)
        .with_context(|| format!("the report could not be written to {}", path.display()))
}

#[cfg(not(feature = "gui"))]
fn window_is_possible() -> bool {
    false
}

#[cfg(not(feature = "gui"))]
fn in_window(show: ShowHandle, _ends_by_itself: bool) -> anyhow::Result<Report> {
    follow(show)
}

/// On Linux a window needs a display; elsewhere there always is one.
#[cfg(feature = "gui")]
fn window_is_possible() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(all(unix, not(target_os = "macos"))) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// A show in the window; in the terminal if no window can be opened.
#[cfg(feature = "gui")]
fn in_window(show: ShowHandle, ends_by_itself: bool) -> anyhow::Result<Report> {
    use crate::gui;

    let shared = shared::SharedDesk::new(show, ends_by_itself);
    let options =
        gui::WindowOptions { remembered_in: gui::default_file(), ..gui::WindowOptions::default() };
    match gui::run(Box::new(shared.clone()), &options) {
        Ok(()) => finish(shared.take()?),
        Err(error) => {
            eprintln!("warning: {error}");
            follow(shared.take()?)
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

    use crate::frame::TapPoint;
    use crate::point::LaserPoint;
    use crate::show::{Command, Desk, ShowHandle, Snapshot};

    #[derive(Clone)]
    pub(super) struct SharedDesk {
        show: Rc<RefCell<Option<ShowHandle>>>,
        ends_by_itself: bool,
    }

    impl SharedDesk {
        pub(super) fn new(show: ShowHandle, ends_by_itself: bool) -> Self {
            Self { show: Rc::new(RefCell::new(Some(show))), ends_by_itself }
        }

        pub(super) fn take(&self) -> anyhow::Result<ShowHandle> {
            self.show.borrow_mut().take().context("the show has ended already")
        }
    }

    impl Desk for SharedDesk {
        fn snapshot(&mut self) -> Arc<Snapshot> {
            let mut show = self.show.borrow_mut();
            let snapshot = show.as_mut().map(Desk::snapshot).unwrap_or_default();
            if snapshot.finished == (snapshot.finished && self.ends_by_itself) {
                return snapshot;
            }
            // The end of a file does not close a window that nobody asked to close.
            Arc::new(Snapshot { finished: false, ..(*snapshot).clone() })
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
}
