//! Trouble between datagrams, from a seed: wrap any socket in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::fault::next_random;
use super::udp::{Bind, Datagrams, LONGEST_DATAGRAM};
use crate::time::HostTime;

/// Datagrams taken in by one call, and on their way at most.
const TAKEN_AT_ONCE: usize = 64;
const MOST_HELD: usize = 16_384;
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

impl LossPlan {
    /// True if nothing goes wrong.
    fn is_none(&self) -> bool {
        *self == Self { seed: self.seed, ..Self::default() }
    }
}

/// A socket, or an opener of sockets, with trouble.
#[derive(Debug)]
pub struct Lossy<S> {
    inner: S,
    plan: LossPlan,
    random: u64,
    outwards: Way,
    inwards: Way,
    /// For the longest datagram there is; taken with the first one.
    buffer: Vec<u8>,
}

/// A datagram on its way. Ordered by when it is due, and then by when it left.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    due: HostTime,
    order: u64,
    peer: SocketAddr,
    bytes: Vec<u8>,
}

/// Datagrams on their way in one direction.
#[derive(Debug, Default)]
struct Way {
    held: BinaryHeap<Reverse<Held>>,
    sent: u64,
}

impl Way {
    fn add(&mut self, mut held: Held) {
        held.order = self.sent;
        self.sent += 1;
        self.held.push(Reverse(held));
    }

    /// The one that is due first, if it is due now.
    fn take_due(&mut self, now: HostTime) -> Option<Held> {
        let is_due = self.held.peek().is_some_and(|Reverse(first)| first.due <= now);
        if is_due { self.held.pop().map(|Reverse(first)| first) } else { None }
    }
}

impl<S> Lossy<S> {
    /// `inner` with trouble according to `plan`.
    #[must_use]
    pub fn new(inner: S, plan: LossPlan) -> Self {
        Self {
            inner,
            plan,
            random: plan.seed,
            outwards: Way::default(),
            inwards: Way::default(),
            buffer: Vec::new(),
        }
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
        Held { due, order: 0, peer, bytes: bytes.to_vec() }
    }
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
        while let Some(held) = self.outwards.take_due(now) {
            // A full send buffer loses it, as networks do.
            self.inner.try_send_to(held.due, &held.bytes, held.peer)?;
        }
        Ok(())
    }
}

impl<S: Datagrams> Datagrams for Lossy<S> {
    fn try_send_to(&mut self, now: HostTime, bytes: &[u8], to: SocketAddr) -> io::Result<bool> {
        if self.plan.is_none() {
            return self.inner.try_send_to(now, bytes, to);
        }
        for _ in 0..self.copies() {
            let held = self.held(now, bytes, to);
            self.outwards.add(held);
        }
        self.send_due(now)?;
        Ok(true)
    }

    fn try_recv_from(
        &mut self,
        now: HostTime,
        into: &mut [u8],
    ) -> io::Result<Option<(usize, SocketAddr)>> {
        if self.plan.is_none() {
            return self.inner.try_recv_from(now, into);
        }
        self.send_due(now)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(LONGEST_DATAGRAM, 0);
        // One call takes in a bounded number, or a flood would keep it busy for ever; what does not fit waits in the
        // socket, which loses it as networks do.
        for _ in 0..TAKEN_AT_ONCE.min(MOST_HELD.saturating_sub(self.inwards.held.len())) {
            let Some((len, peer)) = self.inner.try_recv_from(now, &mut buffer)? else { break };
            for _ in 0..self.copies() {
                let held = self.held(now, &buffer[..len], peer);
                self.inwards.add(held);
            }
        }
        self.buffer = buffer;
        Ok(self.inwards.take_due(now).map(|held| {
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

    /// Each query is a datagram in and one out; each used to look at all others that waited.
    #[test]
    fn seven_hundred_thousand_queries_cost_each_the_same() {
        let plan = LossPlan { delay: Duration::from_millis(1), seed: 1, ..LossPlan::default() };
        let mut line = Lossy::new(Echo::default(), plan);
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let (mut now, mut answered, mut buffer) = (HostTime::ZERO, 0, [0; 8]);
        for _ in 0..70 {
            for query in 0..10_000_u16 {
                assert!(line.try_send_to(now, &query.to_le_bytes(), peer).unwrap());
            }
            now += Duration::from_millis(1);
            while line.try_recv_from(now, &mut buffer).unwrap().is_some() {
                answered += 1;
            }
            now += Duration::from_millis(1);
            while line.try_recv_from(now, &mut buffer).unwrap().is_some() {
                answered += 1;
            }
        }
        assert!(answered >= 699_000, "{answered}");
    }

    #[test]
    fn a_flood_keeps_one_call_busy_for_a_bounded_number_of_datagrams() {
        /// Never empty.
        struct Flood(usize);
        impl Datagrams for Flood {
            fn try_send_to(&mut self, _: HostTime, _: &[u8], _: SocketAddr) -> io::Result<bool> {
                Ok(true)
            }
            fn try_recv_from(
                &mut self,
                _: HostTime,
                _: &mut [u8],
            ) -> io::Result<Option<(usize, SocketAddr)>> {
                self.0 += 1;
                Ok(Some((1, SocketAddr::from(([127, 0, 0, 1], 1)))))
            }
        }
        for loss in [0.0, 0.5] {
            let plan = LossPlan { loss, delay: Duration::from_secs(1), ..LossPlan::default() };
            let mut line = Lossy::new(Flood(0), plan);
            for call in 1..=1000 {
                assert_eq!(line.try_recv_from(HostTime::ZERO, &mut [0; 8]).unwrap(), None);
                assert!(line.inner.0 <= call * TAKEN_AT_ONCE);
            }
            assert!(line.inwards.held.len() <= MOST_HELD);
        }
    }

    #[test]
    fn the_longest_datagram_passes_whole_with_trouble_and_without() {
        for delay in [0, 1] {
            let delay = Duration::from_millis(delay);
            let mut line = Lossy::new(Echo::default(), LossPlan { delay, ..LossPlan::default() });
            let peer = SocketAddr::from(([127, 0, 0, 1], 1));
            let long = vec![7; 65_507];
            line.try_send_to(HostTime::ZERO, &long, peer).unwrap();
            let mut into = vec![0; LONGEST_DATAGRAM];
            let arrived = (0..5).find_map(|ms| {
                let now = HostTime::from_nanos(ms * 1_000_000);
                line.try_recv_from(now, &mut into).unwrap()
            });
            let (len, _) = arrived.expect("it arrives");
            assert_eq!(into[..len], long);
        }
    }
}
