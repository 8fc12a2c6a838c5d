//! The studio of a show: makes its recordings and renderings, in a folder of the user.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::export::ExportSettings;
use super::job::{Job, Progress, Rendering};
use super::live::{Done, RecordOrder, Recorder, Recording};
use super::local_time::Zone;
use super::offline::OfflineSettings;
use super::render::{RenderError, Rendered, usual_settings};
use crate::format::FileKind;
use crate::show::disk::END_PATIENCE;
use crate::show::disk::job_queue::PATIENCE;
use crate::show::recorder::{MadeFile, Recorded, RecorderView, RecordingView, RenderOrder, Studio};
use crate::show::snapshot::Severity;
use crate::time::{Clock, HostTime, wall_clock};

/// Files that are kept in mind.
const MOST_MADE: usize = 20;
/// Pictures a second of an ILDA file or a GIF: what `galvo render` takes unless told otherwise.
const FPS: u32 = 25;
/// Pixels of a picture's side: as above.
const SIDE_PX: u32 = 400;

/// The time of day, in seconds since 1970: for names of files.
pub type TimeOfDay = Box<dyn Fn() -> i64 + Send>;

/// Where files go unless the user says otherwise: `galvo` in the folder of videos, else of documents, else at home.
#[must_use]
pub fn default_folder() -> Option<PathBuf> {
    let user = directories::UserDirs::new()?;
    let folder = user.video_dir().or(user.document_dir()).unwrap_or(user.home_dir());
    Some(folder.join("galvo"))
}

/// See the module.
pub struct FileStudio {
    folder: Arc<PathBuf>,
    zone: Zone,
    time_of_day: TimeOfDay,
    /// What threads wait with; without one whoever looks does the work of the recorder.
    clock: Option<Arc<dyn Clock>>,
    recording: Option<Take>,
    rendering: Option<Rendering>,
    made: Arc<[MadeFile]>,
    told: Vec<(Severity, String)>,
}

/// A recording under way.
#[derive(Debug)]
struct Take {
    kind: FileKind,
    projectors: usize,
    began: HostTime,
    ending: bool,
    /// The wait for the disk that was told, at its longest.
    waited: Option<Duration>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Thread(Recorder),
    Stepped(Option<Box<Recording>>),
}

impl std::fmt::Debug for FileStudio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileStudio").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl FileStudio {
    /// A studio that writes into `folder`, on threads that wait with `clock`.
    #[must_use]
    pub fn new(folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let since_1970 = || wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time_of_day = Box::new(move || since_1970().as_secs() as i64);
        let mut studio = Self::stepped(folder, Zone::of_this_machine(), time_of_day);
        studio.clock = Some(clock);
        studio
    }

    /// The same without a thread for the recorder: [`Studio::look`] does its work. For shows in virtual time.
    #[must_use]
    pub fn stepped(folder: PathBuf, zone: Zone, time_of_day: TimeOfDay) -> Self {
        Self {
            folder: Arc::new(folder),
            zone,
            time_of_day,
            clock: None,
            recording: None,
            rendering: None,
            made: Arc::default(),
            told: Vec::new(),
        }
    }

    fn tell(&mut self, severity: Severity, text: impl Into<String>) {
        self.told.push((severity, text.into()));
    }

    fn add(&mut self, files: impl IntoIterator<Item = MadeFile>) {
        let mut made: Vec<_> = self.made.iter().cloned().chain(files).collect();
        made.drain(..made.len().saturating_sub(MOST_MADE));
        self.made = made.into();
    }

    /// Says once that the disk does not answer, and once that it does again.
    fn tell_wait(&mut self, now: HostTime) {
        let Some(Take { waited, work: Work::Thread(recorder), .. }) = &mut self.recording else {
            return;
        };
        let silent = recorder.silent_for(now);
        let folder = self.folder.display();
        let told = match *waited {
            None if silent >= PATIENCE => Some((
                Severity::Warning,
                format!(
                    "recording in {folder}: the disk has not answered for {} s; what it does not take is lost to the recording",
                    silent.as_secs()
                ),
            )),
            Some(longest) if silent < PATIENCE => Some((
                Severity::Info,
                format!(
                    "recording in {folder}: the disk has answered after {} s",
                    longest.as_secs()
                ),
            )),
            _ => None,
        };
        *waited = (silent >= PATIENCE).then_some(silent);
        self.told.extend(told);
    }

    fn follow_recording(&mut self) {
        let Some(take) = &mut self.recording else { return };
        let Some(done) = take.work.poll(take.ending) else { return };
        self.recording = None;
        let Done { made, trouble, lost } = done;
        if lost > 0 {
            let text = format!(
                "the recording lacks {lost} runs of points: the disk was too slow; choose a faster one"
            );
            self.tell(Severity::Warning, text);
        }
        for text in trouble {
            self.tell(Severity::Error, text);
        }
        self.add(made);
    }

    fn follow_rendering(&mut self) {
        let done = match self.rendering.as_ref().map(Rendering::poll) {
            None | Some(Progress::NotYet) => return,
            Some(Progress::Done(done)) => done,
            Some(Progress::Fell) => {
                self.tell(Severity::Error, "the rendering failed: please report it");
                self.rendering = None;
                return;
            }
        };
        self.rendering = None;
        match done {
            Ok(rendered) => self.take_rendered(rendered),
            Err(error) if error.is_cancelled() => {}
            Err(error) => self.tell(Severity::Error, sentence(&error)),
        }
    }

    fn take_rendered(&mut self, rendered: Rendered) {
        let name = short_name(&rendered.path);
        self.tell(Severity::Info, format!("{name} is rendered"));
        if rendered.counts.flash_warnings > 0 {
            let text = format!(
                "{name} flashes as a whole more than three times a second: people may be harmed by it"
            );
            self.tell(Severity::Warning, text);
        }
        let Rendered { path, bytes, media_s: seconds, .. } = rendered;
        self.add([MadeFile { path, bytes, seconds, ended_early: None }]);
    }
}

impl Work {
    fn tallies(&self) -> [u64; 4] {
        match self {
            Self::Thread(recorder) => recorder.tallies().read(),
            Self::Stepped(recording) => recording.as_ref().map_or([0; 4], |r| r.tallies().read()),
        }
    }

    /// What was recorded, once it is over.
    fn poll(&mut self, ending: bool) -> Option<Done> {
        match self {
            Self::Thread(recorder) => recorder.poll(),
            Self::Stepped(recording) => {
                let goes_on = recording.as_mut().is_some_and(|recording| recording.step());
                if goes_on && !ending { None } else { recording.take().map(|r| r.finish()) }
            }
        }
    }
}

impl Drop for FileStudio {
    /// A recording gets its name; a rendering leaves nothing.
    fn drop(&mut self) {
        drop(self.close(END_PATIENCE));
    }
}

impl Studio for FileStudio {
    fn record(&mut self, kind: FileKind, projectors: Vec<Recorded>, now: HostTime) {
        if self.recording.is_some() {
            return self.tell(Severity::Info, "a recording is under way: stop it first");
        }
        let stem = format!("galvo-{}", self.zone.stamp((self.time_of_day)()));
        let count = projectors.len();
        let order = RecordOrder { folder: Arc::clone(&self.folder), stem, kind, projectors };
        let work = match &self.clock {
            Some(clock) => Recorder::start(order, Arc::clone(clock))
                .map(Work::Thread)
                .map_err(|error| no_thread(&error)),
            None => Recording::begin(order)
                .map(|recording| Work::Stepped(Some(Box::new(recording))))
                .map_err(|error| error.to_string()),
        };
        match work {
            Ok(work) => {
                let (projectors, ending, waited) = (count, false, None);
                self.recording = Some(Take { kind, projectors, began: now, ending, waited, work });
            }
            Err(text) => self.tell(Severity::Error, text),
        }
    }

    fn stop(&mut self) {
        if let Some(take) = &mut self.recording {
            take.ending = true;
            if let Work::Thread(recorder) = &take.work {
                recorder.stop();
            }
        }
    }

    fn render(&mut self, order: RenderOrder, now: HostTime) {
        if self.rendering.is_some() {
            return self.tell(Severity::Info, "a rendering is under way: cancel it first");
        }
        let RenderOrder { music, preset, kind, position } = order;
        let stem = music.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let usable = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '-' } else { c };
        let stem: String =
            format!("{stem} - {}", preset.name).chars().map(usable).take(120).collect();
        let usual = usual_settings(kind);
        let start_s =
            if usual.duration_s.is_some() { position.as_secs_f64().max(0.0) } else { 0.0 };
        let settings = OfflineSettings { start_s, ..usual };
        let export_as = ExportSettings { kind, fps: FPS, side_px: SIDE_PX };
        let folder = Arc::clone(&self.folder);
        match Rendering::start(Job { music, preset, settings, export_as, folder, stem }, now) {
            Ok(rendering) => self.rendering = Some(rendering),
            Err(error) => self.tell(Severity::Error, no_thread(&error)),
        }
    }

    fn cancel_render(&mut self) {
        if let Some(rendering) = &self.rendering {
            rendering.cancel();
        }
    }

    fn set_folder(&mut self, folder: PathBuf) {
        self.folder = Arc::new(folder);
    }

    fn close(&mut self, patience: Duration) -> Vec<String> {
        self.cancel_render();
        match self.recording.take().map(|take| take.work) {
            Some(Work::Thread(mut recorder)) => {
                let is_whole = recorder.end_within(patience);
                let words = || format!("the recording in {}", self.folder.display());
                (!is_whole).then(words).into_iter().collect()
            }
            Some(Work::Stepped(Some(recording))) => {
                // What it would tell has nobody to hear it.
                drop(recording.finish());
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn look(&mut self, now: HostTime, tell: &mut dyn FnMut(Severity, String)) -> RecorderView {
        self.tell_wait(now);
        self.follow_recording();
        self.follow_rendering();
        self.told.drain(..).for_each(|(severity, text)| tell(severity, text));
        let recording = self.recording.as_ref().map(|take| {
            let [bytes, frames, points, lost] = take.work.tallies();
            RecordingView {
                kind: take.kind,
                projectors: take.projectors,
                elapsed_s: now.secs_since(take.began).max(0.0),
                bytes,
                frames,
                points,
                lost,
                ending: take.ending,
                waits_s: take.waited.map_or(0, |waited| waited.as_secs()),
            }
        });
        RecorderView {
            folder: Some(Arc::clone(&self.folder)),
            recording,
            rendering: self.rendering.as_ref().map(|rendering| rendering.view(now)),
            made: Arc::clone(&self.made),
        }
    }
}

fn short_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn no_thread(error: &std::io::Error) -> String {
    format!("the system gives no thread to make files with ({error}): end other programs")
}

fn sentence(error: &RenderError) -> String {
    format!("the track was not rendered: {error}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::frame::{self, TapPoint};
    use crate::pattern::Preset;
    use crate::time::{MediaTime, SystemClock};

    fn order(music: &Path, kind: FileKind) -> RenderOrder {
        let text = "version = 1\nname = \"A/B\"\ngenerator = \"circle\"\n";
        let preset = Arc::new(Preset::parse(text).unwrap());
        RenderOrder { music: music.to_owned(), preset, kind, position: MediaTime::ZERO }
    }

    fn demo() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.ogg")
    }

    /// Looks until nothing is rendered any more; returns what was told.
    fn wait(studio: &mut FileStudio) -> (RecorderView, Vec<String>) {
        let mut told = Vec::new();
        loop {
            let now = SystemClock::read();
            let view = studio.look(now, &mut |_, text| told.push(text));
            if view.rendering.is_none() && view.recording.is_none() {
                return (view, told);
            }
            SystemClock.sleep_until(now + Duration::from_millis(2));
        }
    }

    fn studio(folder: &Path) -> FileStudio {
        FileStudio::new(folder.to_owned(), Arc::new(SystemClock))
    }

    #[test]
    fn a_rendering_has_the_name_of_track_and_preset_and_is_told_of() {
        let home = tempfile::tempdir().unwrap();
        let music = tempfile::tempdir().unwrap();
        let music = music.path().join("a tone.wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(&music, spec).unwrap();
        (0..8_000_i16).for_each(|n| wav.write_sample(n % 100 * 99).unwrap());
        wav.finalize().unwrap();
        let mut studio = studio(home.path());
        studio.render(order(&music, FileKind::Csv), SystemClock::read());
        let (view, told) = wait(&mut studio);
        assert_eq!(short_name(&view.made[0].path), "a tone - A-B.csv");
        assert!((view.made[0].seconds - 0.5).abs() < 0.01);
        assert_eq!(view.made[0].bytes, fs::metadata(&view.made[0].path).unwrap().len());
        assert!(told[0].contains("is rendered"), "{told:?}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_cancelled_rendering_leaves_nothing_and_says_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut studio = studio(home.path());
        studio.render(order(&demo(), FileKind::Csv), SystemClock::read());
        studio.cancel_render();
        let (view, told) = wait(&mut studio);
        assert_eq!((view.made.len(), told.len()), (0, 0), "{told:?}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_rendered_is_told_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut studio = studio(home.path());
        studio.render(order(&home.path().join("none.flac"), FileKind::Ilda), SystemClock::read());
        let (view, told) = wait(&mut studio);
        assert_eq!((view.made.len(), told.len()), (0, 1), "{told:?}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        studio.set_folder(demo());
        studio.render(order(&demo(), FileKind::Ilda), SystemClock::read());
        let (_producer, taps) = frame::producer(8, Arc::new(SystemClock));
        let sent = taps.ring_tap(TapPoint::Sent, 8, 1).unwrap();
        let projector = Recorded { projector: "sim:".into(), sent };
        studio.record(FileKind::Ilda, vec![projector], SystemClock::read());
        let (view, told) = wait(&mut studio);
        assert_eq!((view.made.len(), view.recording), (0, None));
        assert!(told.iter().all(|text| text.contains("choose another")), "{told:?}");
    }

    /// A recorder whose thread does not come back from its first look.
    struct Stuck(crossbeam_channel::Receiver<()>);

    impl Clock for Stuck {
        fn now(&self) -> HostTime {
            HostTime::from_nanos(0)
        }

        fn sleep_until(&self, _: HostTime) {
            self.0.recv().ok();
        }
    }

    #[test]
    fn a_recording_whose_disk_hangs_is_told_once_not_waited_for_and_named_at_the_end() {
        let home = tempfile::tempdir().unwrap();
        let (hold, held) = crossbeam_channel::bounded(0);
        let mut studio = FileStudio::new(home.path().to_owned(), Arc::new(Stuck(held)));
        let (_producer, taps) = frame::producer(8, Arc::new(SystemClock));
        let sent = taps.ring_tap(TapPoint::Sent, 8, 1).unwrap();
        let at = |seconds: f64| HostTime::from_nanos(0).plus_secs_f64(seconds);
        studio.record(FileKind::Csv, vec![Recorded { projector: "sim:".into(), sent }], at(0.0));
        let mut told = Vec::new();
        let mut waits = Vec::new();
        for seconds in [0.5, 1.5, 3.5] {
            let view = studio.look(at(seconds), &mut |_, text| told.push(text));
            waits.push(view.recording.unwrap().waits_s);
        }
        assert_eq!(waits, [0, 1, 3]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("the disk has not answered for 1 s"), "{told:?}");
        let view = studio.look(at(0.1), &mut |_, text| told.push(text));
        assert_eq!(view.recording.unwrap().waits_s, 0);
        assert!(told[1].contains("the disk has answered after 3 s"), "{told:?}");
        let named = studio.close(Duration::ZERO);
        assert_eq!(named, [format!("the recording in {}", home.path().display())]);
        drop(hold);
    }
}
