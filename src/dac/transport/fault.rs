//! Trouble on the line, from a seed: wrap any transport in it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::Duration;

use super::{ByteStream, Dial};
use crate::time::HostTime;

/// What goes wrong on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// What the device sends comes this much later.
    pub delay: Duration,
    /// What the host sends arrives this much later.
    pub delay_out: Duration,
    /// And up to this much later again, at random, in order.
    pub jitter: Duration,
    /// The connection breaks after this time.
    pub cut_after: Option<Duration>,
    /// At most this many bytes are taken in one write.
    pub write_limit: Option<usize>,
    /// Where the randomness begins.
    pub seed: u64,
}

/// A transport with trouble.
#[derive(Debug)]
pub struct Fault<D> {
    inner: D,
    plan: FaultPlan,
}

impl<D: Dial> Fault<D> {
    /// `inner` with trouble according to `plan`.
    pub const fn new(inner: D, plan: FaultPlan) -> Self {
        Self { inner, plan }
    }
}

impl<D: Dial> Dial for Fault<D> {
    fn dial(&mut self, now: HostTime, timeout: Duration) -> io::Result<Box<dyn ByteStream>> {
        let inner = self.inner.dial(now, timeout)?;
        self.plan.seed = next_random(self.plan.seed);
        Ok(Box::new(Faulty {
            inner,
            plan: self.plan,
            random: self.plan.seed,
            opened: now,
            held: VecDeque::new(),
            on_the_way: VecDeque::new(),
        }))
    }
}

struct Faulty {
    inner: Box<dyn ByteStream>,
    plan: FaultPlan,
    random: u64,
    opened: HostTime,
    /// Bytes on their way to the host, with the time they arrive.
    held: VecDeque<(HostTime, u8)>,
    /// Writes on their way to the device, with the time they arrive.
    on_the_way: VecDeque<(HostTime, Vec<u8>)>,
}

impl Faulty {
    /// What has arrived by now goes into the device, as much of it as is taken.
    fn deliver(&mut self, now: HostTime) -> io::Result<()> {
        while let Some((due, bytes)) = self.on_the_way.front_mut()
            && *due <= now
        {
            let taken = self.inner.try_write(*due, bytes)?;
            bytes.drain(..taken);
            if !bytes.is_empty() {
                break;
            }
            self.on_the_way.pop_front();
        }
        Ok(())
    }

    fn check_cut(&self, now: HostTime) -> io::Result<()> {
        match self.plan.cut_after {
            Some(after) if now.since(self.opened) >= after => {
                Err(io::Error::new(ErrorKind::ConnectionReset, "the connection was cut"))
            }
            _ => Ok(()),
        }
    }
}

impl ByteStream for Faulty {
    fn try_write(&mut self, now: HostTime, bytes: &[u8]) -> io::Result<usize> {
        self.check_cut(now)?;
        let limit = self.plan.write_limit.unwrap_or(usize::MAX).min(bytes.len());
        if self.plan.delay_out.is_zero() {
            return self.inner.try_write(now, &bytes[..limit]);
        }
        self.on_the_way.push_back((now + self.plan.delay_out, bytes[..limit].to_vec()));
        self.deliver(now)?;
        Ok(limit)
    }

    fn try_read(&mut self, now: HostTime, into: &mut [u8]) -> io::Result<usize> {
        self.check_cut(now)?;
        self.deliver(now)?;
        let mut fresh = [0; 512];
        let n = self.inner.try_read(now, &mut fresh)?;
        if n > 0 {
            self.random = next_random(self.random);
            let share = (self.random >> 40) as f64 / (1_u64 << 24) as f64;
            let due = now + self.plan.delay + self.plan.jitter.mul_f64(share);
            let due = self.held.back().map_or(due, |&(last, _)| due.max(last));
            self.held.extend(fresh[..n].iter().map(|&byte| (due, byte)));
        }
        let arrived = self.held.iter().take_while(|(due, _)| *due <= now).count().min(into.len());
        for (slot, (_, byte)) in into.iter_mut().zip(self.held.drain(..arrived)) {
            *slot = byte;
        }
        Ok(arrived)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): one step.
pub(super) fn next_random(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
