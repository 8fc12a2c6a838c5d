//! What surfaces on the network are told of a show by OSC: only what has changed, and now and then everything.

use std::net::SocketAddr;
use std::time::Duration;

use super::deck::Change;
use super::deeds::level;
use super::snapshot::{ProjectorState, ProjectorView, Snapshot};
use crate::control::{Action, Choice};
use crate::time::HostTime;
use crate::wire::osc::{Argument, Message, emit};

/// Time between two tellings.
pub const TELL_EVERY: Duration = Duration::from_millis(40);
/// Everything is told again this often: datagrams get lost.
const ALL_EVERY: Duration = Duration::from_secs(2);
/// A subscription lasts this long after it was asked for.
pub const SUBSCRIBED_FOR: Duration = Duration::from_mins(1);
/// Subscribers at most.
const MOST_SUBSCRIBERS: usize = 8;
/// Parameters that are told.
const FADERS: usize = 16;

/// Who is told, and what they know.
#[derive(Clone, Debug, Default)]
pub struct Telling {
    always: Vec<SocketAddr>,
    subscribers: Vec<(SocketAddr, HostTime)>,
    known: Vec<Message>,
    told: Option<HostTime>,
    all_told: Option<HostTime>,
}

impl Telling {
    /// Tells these without being asked.
    #[must_use]
    pub fn always(to: Vec<SocketAddr>) -> Self {
        Self { always: to, ..Self::default() }
    }

    /// `from` wants to be told for a while; false if too many do.
    pub fn subscribe(&mut self, from: SocketAddr, now: HostTime) -> bool {
        self.expire(now);
        self.subscribers.retain(|(to, _)| *to != from);
        if self.subscribers.len() >= MOST_SUBSCRIBERS {
            return false;
        }
        self.subscribers.push((from, now + SUBSCRIBED_FOR));
        // Somebody knows nothing yet.
        self.all_told = None;
        true
    }

    /// `from` wants to be told no more.
    pub fn unsubscribe(&mut self, from: SocketAddr) {
        self.subscribers.retain(|(to, _)| *to != from);
    }

    /// True while somebody listens.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        !self.always.is_empty() || !self.subscribers.is_empty()
    }

    fn expire(&mut self, now: HostTime) {
        self.subscribers.retain(|(_, until)| now < *until);
    }

    /// Tells what is due.
    pub fn tell(
        &mut self,
        seen: &Snapshot,
        now: HostTime,
        send: &mut dyn FnMut(&[u8], SocketAddr),
    ) {
        self.expire(now);
        if !self.is_heard() || self.told.is_some_and(|when| now.since(when) < TELL_EVERY) {
            return;
        }
        self.told = Some(now);
        let all = self.all_told.is_none_or(|when| now.since(when) >= ALL_EVERY);
        if all {
            self.all_told = Some(now);
        }
        let state = state(seen);
        for message in &state {
            if !all && self.known.contains(message) {
                continue;
            }
            let bytes = emit(message);
            for to in self.always.iter().chain(self.subscribers.iter().map(|(to, _)| to)) {
                send(&bytes, *to);
            }
        }
        self.known = state;
    }
}

/// Everything that is told. The addresses of what can be set are those that set it, so that a fader of a surface stands
/// where it should.
fn state(seen: &Snapshot) -> Vec<Message> {
    let mut all = Vec::with_capacity(48);
    let mut tell = |path: &str, argument: Argument| {
        all.push(Message { address: format!("/galvo/{path}"), arguments: vec![argument] });
    };
    // To a hundredth: what trembles by less is no news.
    let number = |value: f32| Argument::Number((f64::from(value) * 100.0).round() / 100.0);
    let flag = |on: bool| Argument::Number(f64::from(u8::from(on)));
    let text = |text: &str| Argument::Text(text.chars().take(120).collect());
    tell("state/armed", flag(seen.safety.armed));
    tell("state/stopped", flag(seen.safety.stopped));
    let is_in_estop = |p: &ProjectorView| p.state == ProjectorState::EmergencyStop;
    tell("state/estop", flag(seen.projectors.iter().any(is_in_estop)));
    tell("state/playing", flag(seen.transport.playing));
    tell("state/waiting", flag(seen.change == Change::Cued));
    tell("state/title", text(&seen.transport.title));
    tell(
        "state/position",
        Argument::Number((seen.transport.position.as_secs_f64() * 10.0).round() / 10.0),
    );
    tell("state/preset", text(&seen.preset.name));
    let at = seen.presets.iter().position(|entry| entry.name == seen.preset.name);
    tell("state/preset/number", Argument::Number(at.map_or(0.0, |at| at as f64 + 1.0)));
    tell("state/preset/b", text(seen.live.preset_b.as_deref().unwrap_or_default()));
    tell("blackout", flag(seen.live.blackout));
    tell("flash", flag(seen.live.flash));
    tell("master", number(seen.safety.master));
    tell("volume", number(seen.transport.volume));
    tell("crossfade", number(seen.live.crossfade));
    tell("shuffle", flag(seen.shuffle));
    for n in 1..=seen.preset.params.len().min(FADERS) {
        if let Some(part) = level(&Action::Param(Choice::Number(n)), seen) {
            tell(&format!("fader/{n}"), number(part));
        }
    }
    let (features, beat) = (&seen.features, &seen.features.beat);
    tell("beat/bpm", number(beat.bpm));
    tell("state/beat/count", Argument::Number(f64::from(beat.count)));
    let bar = f64::from(beat.bar_phase) * f64::from(beat.beats_per_bar.max(1));
    tell("state/beat/in_bar", Argument::Number(bar.floor() + 1.0));
    tell("meter/level", number(features.level));
    tell("meter/bass", number(features.bands.bass));
    tell("meter/mid", number(features.bands.mid));
    tell("meter/treble", number(features.bands.treble));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::osc::parse;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    fn told(telling: &mut Telling, seen: &Snapshot, ms: i64) -> Vec<String> {
        let mut addresses = Vec::new();
        telling.tell(seen, at(ms), &mut |bytes, _| {
            addresses.extend(parse(bytes).unwrap().into_iter().map(|message| message.address));
        });
        addresses
    }

    #[test]
    fn a_subscriber_is_told_everything_once_and_then_what_changes_for_a_minute() {
        let mut telling = Telling::default();
        let mut seen = Snapshot::default();
        assert_eq!(told(&mut telling, &seen, 0), [""; 0], "nobody asked");
        let phone = SocketAddr::from(([127, 0, 0, 1], 9000));
        assert!(telling.subscribe(phone, at(0)));
        assert!(told(&mut telling, &seen, 0).len() > 20);
        seen.safety.master = 0.5;
        assert_eq!(told(&mut telling, &seen, 10), [""; 0], "not sooner than every 40 ms");
        assert_eq!(told(&mut telling, &seen, 40), ["/galvo/master"]);
        assert_eq!(told(&mut telling, &seen, 80), [""; 0]);
        assert!(told(&mut telling, &seen, 2_100).len() > 20, "everything again");
        assert_eq!(told(&mut telling, &seen, 60_000), [""; 0], "it was not asked for again");
    }

    #[test]
    fn subscribers_are_bounded_and_one_asks_as_often_as_it_likes() {
        let mut telling = Telling::default();
        let from = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        for _ in 0..100 {
            assert!(telling.subscribe(from(1), at(0)));
        }
        let taken = (2..100).filter(|&port| telling.subscribe(from(port), at(0))).count();
        assert_eq!(taken, MOST_SUBSCRIBERS - 1);
        assert!(telling.subscribe(from(200), at(61_000)), "the others have gone");
        telling.unsubscribe(from(200));
        assert!(!telling.is_heard());
    }
}
