//! Trouble between datagrams, from a seed: wrap any socket in it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::fault::next_random;
use super::udp::{Bind, Datagrams};
use crate::time::HostTime;

/// How much later one arrives that others overtake.
const OVERTAKEN_BY: Duration = Duration::from_millis(8);

/// What goes wrong with datagrams, each way alike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossPlan {
    /// The share that is lost, 0 to 1.
    pub loss: f64,
    /// The share that arrives twice, 0 to 1.
    pub duplicates: f64,
    /// The share that later ones overtake, 0 to 1.
    pub reorder: f64,
    /// Every datagram arrives this much later.
    pub delay: Duration,
    /// And up to this much later again, at random: later ones may overtake it.
    pub jitter: Duration,
    /// Where the randomness begins.
    pub seed: u64,
}

/// A socket, or an opener of sockets, with trouble.
#[derive(Debug)]
pub struct Lossy<S> {
    inner: S,
    plan: LossPlan,
    random: u64,
    outwards: Vec<Held>,
    inwards: Vec<Held>,
}

/// A datagram on its way.
#[derive(Debug)]
struct Held {
    due: HostTime,
    peer: SocketAddr,
    bytes: Vec<u8>,
}

impl<S> Lossy<S> {
    /// `inner` with trouble according to `plan`.
    pub const fn new(inner: S, plan: LossPlan) -> Self {
        Self { inner, plan, random: plan.seed, outwards: Vec::new(), inwards: Vec::new() }
    }

    /// A number from 0 up to 1.
    fn draw(&mut self) -> f64 {
        self.random = next_random(self.random);
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How often it arrives: not at all, once, or twice.
    fn copies(&mut self) -> usize {
        if self.draw() < self.plan.loss {
            0
        } else {
            1 + usize::from(self.draw() < self.plan.duplicates)
        }
    }

    fn held(&mut self, now: HostTime, bytes: &[u8], peer: SocketAddr) -> Held {
        let mut due = now + self.plan.delay + self.plan.jitter.mul_f64(self.draw());
        if self.plan.reorder > 0.0 && self.draw() < self.plan.reorder {
            due += OVERTAKEN_BY;
        }
        Held { due, peer, bytes: bytes.to_vec() }
    }
}

/// The one that is due first, if it is due now.
fn take_due(held: &mut Vec<Held>, now: HostTime) -> Option<Held> {
    let first = (0..held.len()).min_by_key(|&index| held[index].due)?;
    (held[first].due <= now).then(|| held.remove(first))
}

impl<B: Bind> Bind for Lossy<B> {
    fn bind(&mut self) -> io::Result<Box<dyn Datagrams>> {
        let inner = self.inner.bind()?;
        self.plan.seed = next_random(self.plan.seed);
        Ok(Box::new(Lossy::new(inner, self.plan)))
    }
}

impl Datagrams for Box<dyn Datagrams> {
    fn try_send_to(&mut self, now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
        self.as_mut().try_send_to(now, bytes, to)
    }

    fn try_recv_from(
        &mut self,
        now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        self.as_mut().try_recv_from(now, into)
    }
}

impl<S: Datagrams> Lossy<S> {
    fn send_due(&mut self, now: HostTime) -> io::Result<()> {
        while let Some(held) = take_due(&mut self.outwards, now) {
            // A full send buffer loses it, as networks do.
            self.inner.try_send_to(held.due, &held.bytes, held.peer)?;
        }
        Ok(())
    }
}

impl<S: Datagrams> Datagrams for Lossy<S> {
    fn try_send_to(&mut self, now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
        for _ in 0..self.copies() {
            let held = self.held(now, bytes, to);
            self.outwards.push(held);
        }
        self.send_due(now)?;
        Ok(true)
    }

    fn try_recv_from(
        &mut self,
        now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        self.send_due(now)?;
        let mut buffer = [0; 2048];
        while let Some((len, peer)) = self.inner.try_recv_from(now, &mut buffer)? {
            for _ in 0..self.copies() {
                let held = self.held(now, &buffer[..len], peer);
                self.inwards.push(held);
            }
        }
        Ok(take_due(&mut self.inwards, now).map(|held| {
            let len = held.bytes.len().min(into.len());
            into[..len].copy_from_slice(&held.bytes[..len]);
            (len, held.peer)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was sent comes back.
    #[derive(Default)]
    struct Echo(std::collections::VecDeque<(Vec<u8>, SocketAddr)>);

    impl Datagrams for Echo {
        fn try_send_to(&mut self, _: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
            self.0.push_back((bytes.to_vec(), to));
            Ok(true)
        }

        fn try_recv_from(
            &mut self,
            _: HostTime,
            into: &mut [u8],
        ) -> io::Result<Option<(usize, SocketAddr)>> {
            Ok(self.0.pop_front().map(|(bytes, peer)| {
                into[..bytes.len()].copy_from_slice(&bytes);
                (bytes.len(), peer)
            }))
        }
    }

    fn run(plan: LossPlan) -> Vec<u8> {
        let peer = SocketAddr::from(([192, 0, 2, 1], 9));
        let mut socket = Lossy::new(Echo::default(), plan);
        let mut arrived = Vec::new();
        for step in 0..400_u64 {
            let now = HostTime::from_nanos(step as i64 * 1_000_000);
            if step < 250 {
                assert!(socket.try_send_to(now, &[step as u8], peer).unwrap());
            }
            let mut into = [0; 8];
            while let Some((1, from)) = socket.try_recv_from(now, &mut into).unwrap() {
                assert_eq!(from, peer);
                arrived.push(into[0]);
            }
        }
        arrived
    }

    #[test]
    fn without_trouble_everything_arrives_once_and_in_order() {
        assert_eq!(run(LossPlan::default()), (0..250).collect::<Vec<u8>>());
    }

    #[test]
    fn trouble_comes_in_the_shares_asked_for_and_the_same_from_one_seed() {
        let plan = LossPlan { loss: 0.2, duplicates: 0.1, seed: 5, ..LossPlan::default() };
        let arrived = run(plan);
        assert_eq!(arrived, run(plan));
        let mut kinds = arrived.clone();
        kinds.dedup();
        kinds.sort_unstable();
        kinds.dedup();
        // Two ways with a loss of 20 % each leave 64 %.
        assert!((130..190).contains(&kinds.len()), "{}", kinds.len());
        assert!(arrived.len() > kinds.len());
    }

    #[test]
    fn jitter_lets_later_ones_overtake_and_loses_none() {
        let ms = Duration::from_millis;
        let arrived =
            run(LossPlan { delay: ms(5), jitter: ms(20), seed: 1, ..LossPlan::default() });
        assert!(!arrived.is_sorted());
        let mut sorted = arrived;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..250).collect::<Vec<u8>>());
    }
}
