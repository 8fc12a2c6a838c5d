//! The jobs of one kind of file: those at work, those that wait, and what is told of them.
//!
//! A value without a thread, a clock or a disk: workers are behind [`Workers`], time is an argument. Jobs are bounded:
//! "full" is an answer.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use crate::time::{Clock, HostTime};

/// Jobs of one kind that may wait.
pub const MOST_WAITING: usize = 64;
/// A local disk that has not answered for so long is told of.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// A thread that may wait for a disk has one; the show thread has none, and so can run no job.
#[derive(Debug)]
pub struct MayWait(());

impl MayWait {
    /// Said by whoever begins a thread for file work, or works before or after a show.
    #[must_use]
    pub const fn here() -> Self {
        Self(())
    }
}

/// Something to be done with a file.
pub trait Job: Debug + Send + 'static {
    /// What comes of it.
    type Answer: Debug + Send + 'static;

    /// What is done, as an operator reads it: "opening /music/a.mp3".
    fn words(&self) -> String;

    /// Jobs about the same file are done one after the other, in the order in which they were asked for.
    fn file(&self) -> &Path;

    /// True if `earlier`, which has not begun, need not be done any more.
    fn replaces(&self, _earlier: &Self) -> bool {
        false
    }

    /// True if it is to be done before a show ends.
    fn is_owed(&self) -> bool {
        false
    }

    /// Who is waited for.
    fn waits_for(&self) -> &'static str {
        "the disk"
    }

    /// How long that may take before it is told of.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    /// Does it, however long it takes.
    fn run(self, may_wait: &MayWait) -> Self::Answer;
}

/// Which job: a later one has a larger number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

/// A job that is done.
#[derive(Debug)]
pub struct Done<A> {
    /// Which.
    pub id: JobId,
    /// What came of it; `None` if the worker fell: what it said of that is in the log.
    pub answer: Option<A>,
}

/// Who does the jobs: threads, or, in a test, a disk that hangs when it is told to.
pub trait Workers<J: Job>: Send + Debug {
    /// Begins a job. Never waits; gives it back if nobody is free.
    fn begin(&mut self, id: JobId, job: J) -> Result<(), J>;

    /// A job that is done. Never waits.
    fn done(&mut self) -> Option<Done<J::Answer>>;

    /// The same, after at most this time.
    fn wait(&mut self, at_most: Duration) -> Option<Done<J::Answer>>;
}

/// Too many jobs wait.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{words} is not begun: {MOST_WAITING} other files wait, and the disk does not answer; look after the disk or the network drive, then try again"
)]
pub struct Full {
    /// What was to be done.
    pub words: String,
}

/// Something that is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskWait {
    /// What is done: "opening /music/a.mp3".
    pub what: String,
    /// Since it was asked for, whole seconds.
    pub seconds: u64,
}

/// Something to be told of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// False where a trouble is over.
    pub is_trouble: bool,
    /// What an operator should read.
    pub text: String,
}

/// A job that was asked for and is not done.
#[derive(Debug)]
struct Asked {
    id: JobId,
    words: String,
    file: std::path::PathBuf,
    waits_for: &'static str,
    patience: Duration,
    is_owed: bool,
    since: HostTime,
    told: bool,
}

/// See the module.
#[derive(Debug)]
pub struct JobQueue<J: Job> {
    kind: &'static str,
    workers: Box<dyn Workers<J>>,
    waiting: VecDeque<(Asked, J)>,
    at_work: Vec<Asked>,
    asked: u64,
    news: Vec<News>,
}

impl<J: Job> JobQueue<J> {
    /// An empty queue for jobs about this kind of file.
    #[must_use]
    pub fn new(kind: &'static str, workers: Box<dyn Workers<J>>) -> Self {
        let (waiting, at_work, news) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { kind, workers, waiting, at_work, asked: 0, news }
    }

    /// Asks for a job; it begins at once if somebody is free. Never waits.
    ///
    /// # Errors
    /// [`Full`].
    pub fn ask(&mut self, job: J, now: HostTime) -> Result<JobId, Full> {
        self.waiting.retain(|(_, earlier)| !job.replaces(earlier));
        if self.waiting.len() >= MOST_WAITING {
            return Err(Full { words: job.words() });
        }
        self.asked += 1;
        let asked = Asked {
            id: JobId(self.asked),
            words: job.words(),
            file: job.file().to_owned(),
            waits_for: job.waits_for(),
            patience: job.patience(),
            is_owed: job.is_owed(),
            since: now,
            told: false,
        };
        let id = asked.id;
        self.waiting.push_back((asked, job));
        self.begin_those_free();
        Ok(id)
    }

    /// Jobs that are done since the last look; begins others. Never waits.
    pub fn done(&mut self, now: HostTime) -> Vec<Done<J::Answer>> {
        let mut all = Vec::new();
        while let Some(done) = self.workers.done() {
            self.note(&done, now);
            all.push(done);
        }
        self.begin_those_free();
        for asked in self.at_work.iter_mut().chain(self.waiting.iter_mut().map(|(asked, _)| asked))
        {
            let waited = now.since(asked.since);
            if waited >= asked.patience && !asked.told {
                asked.told = true;
                let Asked { words, waits_for, .. } = asked;
                let seconds = waited.as_secs();
                let text = format!(
                    "{words}: {waits_for} has not answered for {seconds} s; the show goes on without it"
                );
                self.news.push(News { is_trouble: true, text });
            }
        }
        all
    }

    /// True while there is something to do.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !(self.at_work.is_empty() && self.waiting.is_empty())
    }

    /// What is to be told since the last call, in order.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// What is waited for longer than is usual, oldest first.
    pub fn waits(&self, now: HostTime) -> impl Iterator<Item = DiskWait> {
        let all = self.at_work.iter().chain(self.waiting.iter().map(|(asked, _)| asked));
        all.filter(|asked| asked.told).map(move |asked| DiskWait {
            what: asked.words.clone(),
            seconds: now.since(asked.since).as_secs(),
        })
    }

    /// Waits until what is owed is done, or `until`. What is not owed and has not begun is let go of. Returns what was
    /// done meanwhile, and in words what was not.
    pub fn close(
        &mut self,
        clock: &dyn Clock,
        until: HostTime,
    ) -> (Vec<Done<J::Answer>>, Vec<String>) {
        self.waiting.retain(|(asked, _)| asked.is_owed);
        let mut all = Vec::new();
        loop {
            self.begin_those_free();
            if !self.at_work.iter().any(|asked| asked.is_owed) {
                break;
            }
            let Some(done) = self.workers.wait(until.since(clock.now())) else { break };
            self.note(&done, clock.now());
            all.push(done);
        }
        let left = self.at_work.drain(..).chain(self.waiting.drain(..).map(|(asked, _)| asked));
        let left = left.filter(|asked| asked.is_owed).map(|asked| asked.words);
        (all, left.collect())
    }

    fn note(&mut self, done: &Done<J::Answer>, now: HostTime) {
        let Some(at) = self.at_work.iter().position(|asked| asked.id == done.id) else { return };
        let asked = self.at_work.remove(at);
        if done.answer.is_none() {
            let text = format!("{}: failed; please report it", asked.words);
            self.news.push(News { is_trouble: true, text });
        } else if asked.told {
            let seconds = now.since(asked.since).as_secs();
            let Asked { words, waits_for, .. } = asked;
            let text = format!("{words}: {waits_for} has answered after {seconds} s");
            self.news.push(News { is_trouble: false, text });
        }
    }

    /// Hands out what can begin: in order, but for those that wait for another job about their file.
    fn begin_those_free(&mut self) {
        let mut place = 0;
        while place < self.waiting.len() {
            let file = &self.waiting[place].0.file;
            let is_same = |asked: &Asked| asked.file == *file;
            let has_to_wait = self.at_work.iter().any(is_same)
                || self.waiting.iter().take(place).any(|(asked, _)| is_same(asked));
            if has_to_wait {
                place += 1;
                continue;
            }
            let Some((asked, job)) = self.waiting.remove(place) else { return };
            match self.workers.begin(asked.id, job) {
                Ok(()) => self.at_work.push(asked),
                Err(job) => {
                    self.waiting.insert(place, (asked, job));
                    return;
                }
            }
        }
    }

    /// What kind of files: "settings", "presets", "music".
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::time::ManualClock;

    /// Writes a word; a later one about the same file makes it needless.
    #[derive(Debug, PartialEq)]
    struct Write(PathBuf, u32);

    impl Job for Write {
        type Answer = u32;

        fn words(&self) -> String {
            format!("writing {} {}", self.0.display(), self.1)
        }

        fn file(&self) -> &Path {
            &self.0
        }

        fn replaces(&self, earlier: &Self) -> bool {
            self.0 == earlier.0
        }

        fn is_owed(&self) -> bool {
            true
        }

        fn run(self, _: &MayWait) -> u32 {
            self.1
        }
    }

    /// Two workers, who answer when they are told to.
    #[derive(Clone, Debug, Default)]
    struct Slow(Arc<Mutex<SlowState>>);

    #[derive(Debug, Default)]
    struct SlowState {
        begun: Vec<JobId>,
        done: Vec<Done<u32>>,
    }

    impl Slow {
        fn finish(&self, nth: usize, answer: Option<u32>) {
            let mut inner = self.0.lock().unwrap();
            let id = inner.begun.remove(nth);
            inner.done.push(Done { id, answer });
        }
    }

    impl Workers<Write> for Slow {
        fn begin(&mut self, id: JobId, job: Write) -> Result<(), Write> {
            let mut inner = self.0.lock().unwrap();
            if inner.begun.len() == 2 {
                return Err(job);
            }
            inner.begun.push(id);
            Ok(())
        }

        fn done(&mut self) -> Option<Done<u32>> {
            self.0.lock().unwrap().done.pop()
        }

        fn wait(&mut self, _: Duration) -> Option<Done<u32>> {
            self.done()
        }
    }

    fn at(seconds: f64) -> HostTime {
        HostTime::from_nanos(0).plus_secs_f64(seconds)
    }

    fn queue() -> (Slow, JobQueue<Write>) {
        let slow = Slow::default();
        (slow.clone(), JobQueue::new("tests", Box::new(slow)))
    }

    fn write(file: &str, word: u32) -> Write {
        Write(file.into(), word)
    }

    #[test]
    fn a_file_that_hangs_holds_no_other_and_its_own_are_written_in_order_the_newest_alone() {
        let (slow, mut jobs) = queue();
        let first = jobs.ask(write("a", 1), at(0.0)).unwrap();
        jobs.ask(write("a", 2), at(0.0)).unwrap();
        let newest = jobs.ask(write("a", 3), at(0.0)).unwrap();
        let other = jobs.ask(write("b", 4), at(0.0)).unwrap();
        assert_eq!(slow.0.lock().unwrap().begun, [first, other], "b does not wait for a");
        slow.finish(1, Some(4));
        assert_eq!(jobs.done(at(0.1))[0].id, other);
        slow.finish(0, Some(1));
        assert_eq!(jobs.done(at(0.1))[0].id, first);
        assert_eq!(slow.0.lock().unwrap().begun, [newest], "the second was replaced");
        assert!(newest > first);
    }

    #[test]
    fn a_wait_is_told_once_shown_while_it_lasts_and_taken_back_when_it_is_over() {
        let (slow, mut jobs) = queue();
        jobs.ask(write("a", 1), at(0.0)).unwrap();
        assert!(jobs.done(at(0.9)).is_empty() && jobs.take_news().is_empty());
        assert_eq!(jobs.waits(at(0.9)).count(), 0);
        for second in [1.0, 2.0, 3.5] {
            assert!(jobs.done(at(second)).is_empty());
        }
        let told = jobs.take_news();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].is_trouble
                && told[0].text.contains("writing a 1: the disk has not answered for 1 s")
        );
        let shown: Vec<_> = jobs.waits(at(3.5)).collect();
        assert_eq!(shown, [DiskWait { what: "writing a 1".into(), seconds: 3 }]);
        slow.finish(0, Some(1));
        assert_eq!(jobs.done(at(8.0)).len(), 1);
        let text = "writing a 1: the disk has answered after 8 s".to_owned();
        assert_eq!(jobs.take_news(), [News { is_trouble: false, text }]);
        assert!(jobs.waits(at(8.0)).count() == 0 && !jobs.is_busy());
    }

    #[test]
    fn a_full_queue_says_so_and_goes_on_when_there_is_room() {
        let (slow, mut jobs) = queue();
        for word in 0..2 + MOST_WAITING as u32 {
            jobs.ask(write(&word.to_string(), word), at(0.0)).unwrap();
        }
        let full = jobs.ask(write("x", 9), at(0.0)).unwrap_err();
        assert!(full.to_string().starts_with("writing x 9 is not begun: 64 other files wait"));
        slow.finish(0, Some(0));
        assert_eq!(jobs.done(at(0.1)).len(), 1);
        assert!(jobs.ask(write("x", 9), at(0.1)).is_ok());
    }

    #[test]
    fn the_end_waits_for_what_is_owed_and_names_what_was_not_written() {
        let clock = ManualClock::starting_at(at(0.0));
        let (slow, mut jobs) = queue();
        for (file, word) in [("a", 1), ("b", 2), ("c", 3)] {
            jobs.ask(write(file, word), at(0.0)).unwrap();
        }
        slow.finish(0, Some(1));
        let (done, left) = jobs.close(&clock, at(2.0));
        assert_eq!(done.len(), 1);
        assert_eq!(left, ["writing b 2", "writing c 3"]);
        assert!(!jobs.is_busy());
    }

    #[test]
    fn a_worker_that_falls_is_told_of_and_the_next_job_begins() {
        let (slow, mut jobs) = queue();
        jobs.ask(write("a", 1), at(0.0)).unwrap();
        jobs.ask(write("a", 2), at(0.0)).unwrap();
        slow.finish(0, None);
        assert!(jobs.done(at(0.1))[0].answer.is_none());
        assert!(jobs.take_news()[0].text.contains("writing a 1: failed"));
        assert_eq!(slow.0.lock().unwrap().begun.len(), 1);
    }
}
