//! A disk in virtual time: it does what the real one does, at once, but hangs when it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use galvo::show::disk::{self, Disk, Done, Job, JobId, JobQueue, MayWait, PresetJob, Workers};
use galvo::time::Clock;

/// What hangs: a job whose kind or words hold one of these.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlowDisk(Arc<Mutex<Vec<String>>>);

impl SlowDisk {
    /// From now on all that is called so does not answer.
    pub(super) fn hang(&self, what: &str) {
        self.0.lock().unwrap().push(what.to_owned());
    }

    /// Everything answers again.
    pub(super) fn answer(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The file work of a show.
    pub(super) fn work(&self, clock: Arc<dyn Clock>) -> Disk {
        Disk {
            settings: self.queue("settings", disk::SETTINGS_AT_WORK),
            presets: self.presets(),
            music: self.queue("music", disk::MUSIC_AT_WORK),
            clock,
        }
    }

    /// The file work of presets alone.
    pub(crate) fn presets(&self) -> JobQueue<PresetJob> {
        self.queue("presets", disk::PRESETS_AT_WORK)
    }

    fn queue<J: Job>(&self, kind: &'static str, most: usize) -> JobQueue<J> {
        let jobs = VecDeque::new();
        JobQueue::new(kind, Box::new(SlowWorkers { kind, most, disk: self.clone(), jobs }))
    }
}

#[derive(Debug)]
struct SlowWorkers<J> {
    kind: &'static str,
    most: usize,
    disk: SlowDisk,
    jobs: VecDeque<(JobId, J)>,
}

impl<J: Job> Workers<J> for SlowWorkers<J> {
    fn begin(&mut self, id: JobId, job: J) -> Result<(), J> {
        if self.jobs.len() == self.most {
            return Err(job);
        }
        self.jobs.push_back((id, job));
        Ok(())
    }

    fn done(&mut self) -> Option<Done<J::Answer>> {
        let hung = self.disk.0.lock().unwrap().clone();
        let hangs =
            |job: &J| hung.iter().any(|what| *what == self.kind || job.words().contains(what));
        let at = self.jobs.iter().position(|(_, job)| !hangs(job))?;
        let (id, job) = self.jobs.remove(at)?;
        Some(Done { id, answer: Some(job.run(&MayWait::here())) })
    }

    fn wait(&mut self, _: Duration) -> Option<Done<J::Answer>> {
        self.done()
    }
}
