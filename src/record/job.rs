//! A rendering beside the show: on a thread of its own that gives way to everything else.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};

use super::draft::Draft;
use super::export::ExportSettings;
use super::offline::OfflineSettings;
use super::render::{RenderError, Rendered, render};
use crate::pattern::Preset;
use crate::realtime::priority::{Urgency, request};
use crate::show::disk::END_PATIENCE;
use crate::show::recorder::RenderingView;
use crate::time::HostTime;

/// Before this share is done nothing is said of the time that is left.
const TELLING_SHARE: f32 = 0.02;

/// What is rendered.
#[derive(Debug)]
pub(super) struct Job {
    /// The music.
    pub(super) music: PathBuf,
    /// What draws it.
    pub(super) preset: Arc<Preset>,
    /// The part of it, and how.
    pub(super) settings: OfflineSettings,
    /// What is made of it.
    pub(super) export_as: ExportSettings,
    /// Where it goes.
    pub(super) folder: Arc<PathBuf>,
    /// What its name begins with.
    pub(super) stem: String,
}

/// A rendering under way. Dropping it breaks it off.
#[derive(Debug)]
pub(super) struct Rendering {
    name: String,
    share: Arc<AtomicU32>,
    cancelled: Arc<AtomicBool>,
    began: HostTime,
    done: Receiver<Result<Rendered, RenderError>>,
    thread: Option<JoinHandle<()>>,
}

/// How far it is.
#[derive(Debug)]
pub(super) enum Progress {
    /// At work.
    NotYet,
    /// Over; told once.
    Done(Result<Rendered, RenderError>),
    /// Its thread fell.
    Fell,
}

impl Rendering {
    /// Begins.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(job: Job, now: HostTime) -> std::io::Result<Self> {
        let name = format!("{}.{}", job.stem, job.export_as.kind.ending());
        let share = Arc::new(AtomicU32::new(0));
        let cancelled = Arc::new(AtomicBool::new(false));
        let (tell, done) = bounded(1);
        let (told, broken_off) = (Arc::clone(&share), Arc::clone(&cancelled));
        let work = move || {
            request(Urgency::Behind);
            let mut progress = |share: f64| {
                told.store((share as f32).to_bits(), Ordering::Relaxed);
                if broken_off.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let Job { music, preset, settings, export_as, folder, stem } = job;
            let draft = Draft::new_in(&folder, &stem, export_as.kind.ending());
            let done = draft.map_err(RenderError::from).and_then(|draft| {
                render(&music, &preset, &settings, &export_as, draft, &mut progress)
            });
            // Nobody may be there any more to be told.
            drop(tell.send(done));
        };
        let thread = std::thread::Builder::new().name("render".into()).spawn(work)?;
        Ok(Self { name, share, cancelled, began: now, done, thread: Some(thread) })
    }

    /// Asks it to end. Never waits.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// How far it is. Never waits.
    #[must_use]
    pub(super) fn poll(&self) -> Progress {
        match self.done.try_recv() {
            Ok(done) => Progress::Done(done),
            Err(TryRecvError::Empty) => Progress::NotYet,
            Err(TryRecvError::Disconnected) => Progress::Fell,
        }
    }

    /// The same for a surface.
    #[must_use]
    pub(super) fn view(&self, now: HostTime) -> RenderingView {
        let share = f32::from_bits(self.share.load(Ordering::Relaxed)).clamp(0.0, 1.0);
        let passed_s = now.secs_since(self.began) as f32;
        let left_s = (share >= TELLING_SHARE).then(|| passed_s * (1.0 - share) / share);
        RenderingView { name: self.name.clone(), share, left_s }
    }
}

impl Drop for Rendering {
    fn drop(&mut self) {
        self.cancel();
        if let Some(thread) = self.thread.take() {
            // It removes its half file before the program ends, if the disk answers.
            if !matches!(self.done.recv_timeout(END_PATIENCE), Err(RecvTimeoutError::Timeout)) {
                drop(thread.join());
            }
        }
    }
}
