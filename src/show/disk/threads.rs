//! Threads that do the jobs of one kind: begun when there is work, at most so many. Those that hang at the end of a
//! show are left behind: a system call that does not return cannot be taken back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::job_queue::{Done, Job, JobId, MayWait, Workers};

/// Both ends of a channel.
type Ends<T> = (Sender<T>, Receiver<T>);

/// See the module.
#[derive(Debug)]
pub struct Threads<J: Job> {
    most: usize,
    begun: usize,
    busy: usize,
    jobs: Ends<(JobId, J)>,
    answers: Ends<Done<J::Answer>>,
}

impl<J: Job> Threads<J> {
    /// At most `most` threads.
    #[must_use]
    pub fn at_most(most: usize) -> Self {
        Self { most, begun: 0, busy: 0, jobs: bounded(most), answers: bounded(most) }
    }

    /// One more thread: it ends when this value does, after the job at hand.
    fn start_one(&self) -> std::io::Result<()> {
        let (jobs, answers) = (self.jobs.1.clone(), self.answers.0.clone());
        let work = move || {
            let may_wait = MayWait::here();
            for (id, job) in jobs {
                let run = || job.run(&may_wait);
                let answer = catch_unwind(AssertUnwindSafe(run)).ok();
                if answers.send(Done { id, answer }).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("disk".into()).spawn(work).map(drop)
    }

    fn take(&mut self, done: Option<Done<J::Answer>>) -> Option<Done<J::Answer>> {
        self.busy -= usize::from(done.is_some());
        done
    }
}

impl<J: Job> Workers<J> for Threads<J> {
    fn begin(&mut self, id: JobId, job: J) -> Result<(), J> {
        if self.busy == self.begun {
            if self.begun == self.most || self.start_one().is_err() {
                return Err(job);
            }
            self.begun += 1;
        }
        // There is room: no more than the free threads are handed a job.
        self.jobs.0.try_send((id, job)).map_err(|refused| refused.into_inner().1)?;
        self.busy += 1;
        Ok(())
    }

    fn done(&mut self) -> Option<Done<J::Answer>> {
        let done = self.answers.1.try_recv().ok();
        self.take(done)
    }

    fn wait(&mut self, at_most: Duration) -> Option<Done<J::Answer>> {
        let done = self.answers.1.recv_timeout(at_most).ok();
        self.take(done)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::show::disk::JobQueue;
    use crate::time::HostTime;

    /// Waits for a word, and says it; falls without one.
    #[derive(Debug)]
    struct Listen(&'static str, Receiver<u32>);

    impl Job for Listen {
        type Answer = u32;

        fn words(&self) -> String {
            self.0.to_owned()
        }

        fn file(&self) -> &Path {
            Path::new(self.0)
        }

        fn run(self, _: &MayWait) -> u32 {
            self.1.recv().unwrap()
        }
    }

    #[test]
    fn a_job_that_hangs_leaves_the_other_threads_at_work_and_one_that_falls_too() {
        let now = HostTime::from_nanos(0);
        let mut threads = Threads::at_most(2);
        let (hung, word) = bounded(1);
        let (say, said) = bounded(1);
        let mut queue = JobQueue::new("tests", Box::new(Threads::at_most(2)));
        let first = queue.ask(Listen("a", word), now).unwrap();
        let fallen = queue.ask(Listen("b", bounded(0).1), now).unwrap();
        let last = queue.ask(Listen("c", said), now).unwrap();
        say.send(7).unwrap();
        let mut done = Vec::new();
        while done.len() < 2 {
            done.extend(queue.done(now));
        }
        done.sort_by_key(|done| done.id);
        assert!(done[0].id == fallen && done[0].answer.is_none());
        assert!(done[1].id == last && done[1].answer == Some(7));
        hung.send(1).unwrap();
        assert!(threads.wait(Duration::ZERO).is_none());
        threads.begin(first, Listen("d", bounded(0).1)).unwrap();
        assert!(threads.wait(Duration::from_mins(1)).unwrap().answer.is_none());
    }
}
