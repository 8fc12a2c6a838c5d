//! The hands from outside on a show: what arrives over MIDI, OSC and Art-Net becomes commands, and what the show is like
//! goes back to lamps, faders and followers of its beat.
//!
//! A thread of its own, at the edge of the show: the light needs nothing of it. Whatever it is told, it can only wish
//! what its [`Remote`] allows; keys whose controller is gone count as let go, and a lighting desk that falls silent
//! leaves the show dark.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::command::Command;
use super::controllers::{Controllers, Ear};
use super::deeds::{command, level};
use super::remote::Remote;
use super::snapshot::Snapshot;
use super::telling::Telling;
use crate::analysis::features::Beat;
use crate::control::artnet::{self, DESK_PATIENCE};
use crate::control::clock::{ClockIn, ClockOut};
use crate::control::fixture::Fixture;
use crate::control::listener::Listener;
use crate::control::osc::{Asked, understand_all};
use crate::control::ports::MidiOut;
use crate::control::view::{ControllersView, ControllersWish, SourceKind, SourceView};
use crate::control::{
    Action, Arrival, ControlConfig, ControlError, Deed, Event, Hand, Maps, MidiPorts,
};
use crate::time::{Clock, HostTime};
use crate::wire::osc;

/// Arrivals that may wait; more are dropped and counted.
const WAITING: usize = 4096;
/// Notices that may wait for the show thread.
const NOTICES: usize = 64;
/// Time between two looks while anything is open.
const LOOK_EVERY: Duration = Duration::from_millis(30);
/// Time between two looks while nothing is.
const IDLE_EVERY: Duration = Duration::from_millis(500);
/// How long an encoder counts on from what it set itself, before the picture of the show has it.
const OWN_WORD: Duration = Duration::from_millis(250);

/// What the thread waits for.
enum Inbox {
    Came(Arrival),
    Wish(ControllersWish),
    End,
}

/// What the show thread holds of the hands.
#[derive(Debug)]
pub struct HandsEnd {
    wishes: Sender<Inbox>,
    view: Arc<ArcSwap<ControllersView>>,
    notices: Receiver<String>,
}

impl HandsEnd {
    /// Hands a wish on. Never waits.
    pub fn wish(&self, wish: ControllersWish) {
        // Full of what controllers send, or over: an operator wishes again.
        drop(self.wishes.try_send(Inbox::Wish(wish)));
    }

    /// How the controllers are.
    #[must_use]
    pub fn view(&self) -> Arc<ControllersView> {
        self.view.load_full()
    }

    /// What an operator should read.
    pub fn notices(&self) -> impl Iterator<Item = String> + '_ {
        self.notices.try_iter()
    }
}

/// The thread. Dropping it lets everything go.
#[derive(Debug)]
pub struct HandsThread {
    inbox: Sender<Inbox>,
    thread: Option<JoinHandle<()>>,
    osc: Option<SocketAddr>,
    artnet: Option<SocketAddr>,
}

impl HandsThread {
    /// Where OSC is listened to.
    #[must_use]
    pub const fn osc_address(&self) -> Option<SocketAddr> {
        self.osc
    }

    /// Where Art-Net is listened to.
    #[must_use]
    pub const fn artnet_address(&self) -> Option<SocketAddr> {
        self.artnet
    }
}

impl Drop for HandsThread {
    fn drop(&mut self) {
        // A full inbox is emptied by the thread in no time.
        drop(self.inbox.send(Inbox::End));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Opens what `config` asks for on `ports`, for the show behind `remote`.
pub fn start(
    config: &ControlConfig,
    ports: Box<dyn MidiPorts>,
    remote: Remote,
    clock: Arc<dyn Clock>,
) -> Result<(HandsThread, HandsEnd), ControlError> {
    let (inbox, came) = bounded(WAITING);
    let (say, notices) = bounded(NOTICES);
    let view = Arc::new(ArcSwap::default());
    let lost = Arc::new(AtomicU64::new(0));
    let ear: Ear = {
        let (inbox, lost) = (inbox.clone(), Arc::clone(&lost));
        Arc::new(move |arrival| {
            if inbox.try_send(Inbox::Came(arrival)).is_err() {
                lost.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let mut maps = Maps::open(config.map_folder.clone());
    for text in maps.broken() {
        drop(say.try_send(text.clone()));
    }
    if let Some(map) = &config.map {
        maps.prefer(map)?;
    }
    let osc = config.osc.map(|address| listen_osc(address, &ear, &clock)).transpose()?;
    let artnet = config
        .artnet
        .map(|wanted| {
            let ear = Arc::clone(&ear);
            let heard = move |at, from, levels: &[u8]| {
                ear(Arrival { at, event: Event::Dmx { from, levels: levels.into() } });
            };
            artnet::listen(wanted.address, wanted.universe, Arc::clone(&clock), heard).map_err(
                |error| ControlError::Socket { what: "Art-Net", address: wanted.address, error },
            )
        })
        .transpose()?;
    let addresses = (osc.as_ref().map(Listener::address), artnet.as_ref().map(Listener::address));
    let controllers = Controllers::new(ports, config.clone(), maps, ear, Arc::clone(&clock));
    let mut hands = Hands {
        config: config.clone(),
        remote,
        controllers,
        osc,
        osc_seen: Seen::default(),
        artnet,
        artnet_seen: Seen::default(),
        fixture: Fixture::default(),
        desk_heard: None,
        telling: Telling::always(config.osc_to.clone()),
        clock_in: ClockIn::default(),
        clock_out: ClockOut::default(),
        clock_to: None,
        clock_tried: None,
        own_words: Vec::new(),
        say,
        lost,
        view: Arc::clone(&view),
    };
    let thread = std::thread::Builder::new()
        .name("hands".into())
        .spawn(move || hands.run(&came, clock.as_ref()))
        .map_err(ControlError::Thread)?;
    let end = HandsEnd { wishes: inbox.clone(), view, notices };
    let (osc, artnet) = addresses;
    Ok((HandsThread { inbox, thread: Some(thread), osc, artnet }, end))
}

fn listen_osc(
    address: SocketAddr,
    ear: &Ear,
    clock: &Arc<dyn Clock>,
) -> Result<Listener, ControlError> {
    let (ear, clock) = (Arc::clone(ear), Arc::clone(clock));
    let heard =
        move |bytes: &[u8], from: SocketAddr, _: &std::net::UdpSocket| match osc::parse(bytes) {
            Ok(messages) => {
                let at = clock.now();
                for message in messages {
                    ear(Arrival { at, event: Event::Osc { from, message } });
                }
            }
            Err(error) => tracing::debug!("{from}: {error}"),
        };
    Listener::start("osc", address, heard).map_err(|error| ControlError::Socket {
        what: "OSC",
        address,
        error,
    })
}

/// What a socket has brought.
#[derive(Debug, Default)]
struct Seen {
    messages: u64,
    last: String,
    trouble: Option<String>,
}

#[derive(Debug)]
struct Hands {
    config: ControlConfig,
    remote: Remote,
    controllers: Controllers,
    osc: Option<Listener>,
    osc_seen: Seen,
    artnet: Option<Listener>,
    artnet_seen: Seen,
    fixture: Fixture,
    desk_heard: Option<HostTime>,
    telling: Telling,
    clock_in: ClockIn,
    clock_out: ClockOut,
    clock_to: Option<Box<dyn MidiOut>>,
    clock_tried: Option<HostTime>,
    /// What encoders set last, and when.
    own_words: Vec<(Action, f32, HostTime)>,
    say: Sender<String>,
    lost: Arc<AtomicU64>,
    view: Arc<ArcSwap<ControllersView>>,
}

impl Hands {
    /// The thin loop.
    fn run(&mut self, inbox: &Receiver<Inbox>, clock: &dyn Clock) {
        let mut next_look = clock.now();
        loop {
            match inbox.recv_timeout(next_look.since(clock.now())) {
                Ok(Inbox::Came(arrival)) => self.hear(arrival),
                Ok(Inbox::Wish(wish)) => self.obey(wish, clock.now()),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Inbox::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = clock.now();
            if now >= next_look {
                next_look = now + self.look(now);
            }
        }
        self.controllers.end();
    }

    fn hear(&mut self, arrival: Arrival) {
        let now = arrival.at;
        match arrival.event {
            Event::Midi { port, message } => {
                let seen = self.remote.snapshot();
                if self.config.leads(&port) {
                    self.clock_in.hear(message, now);
                    self.lead_beat(&seen, now);
                }
                let say = &self.say;
                let mut tell = |text| drop(say.try_send(text));
                let deed = self.controllers.hear(&port, message, &seen, now, &mut tell);
                if let Some(deed) = deed {
                    self.act(deed, &seen, now);
                }
            }
            Event::Osc { from, message } => {
                self.osc_seen.messages += 1;
                self.osc_seen.last.clone_from(&message.address);
                self.osc_seen.last.truncate(message.address.floor_char_boundary(80));
                self.osc_seen.trouble = None;
                match understand_all(&message) {
                    Ok(all) => all.into_iter().for_each(|asked| self.answer(asked, from, now)),
                    Err(error) => self.osc_seen.trouble = Some(error.to_string()),
                }
            }
            Event::Dmx { from, levels } => {
                self.artnet_seen.messages += 1;
                self.artnet_seen.last = from.to_string();
                self.artnet_seen.trouble = None;
                self.desk_heard = Some(now);
                let start = self.config.artnet.map_or(1, |wanted| wanted.start);
                let seen = self.remote.snapshot();
                for deed in self.fixture.frame(&levels, start) {
                    self.act(deed, &seen, now);
                }
            }
        }
    }

    fn answer(&mut self, asked: Asked, from: SocketAddr, now: HostTime) {
        match asked {
            Asked::Deed(deed) => {
                let seen = self.remote.snapshot();
                self.act(deed, &seen, now);
            }
            Asked::Subscribe => {
                if !self.telling.subscribe(from, now) {
                    self.osc_seen.trouble =
                        Some("too many are told how the show is: one has to leave".into());
                }
            }
            Asked::Unsubscribe => self.telling.unsubscribe(from),
        }
    }

    fn obey(&mut self, wish: ControllersWish, now: HostTime) {
        let say = &self.say;
        let mut tell = |text| drop(say.try_send(text));
        let deeds = match wish {
            ControllersWish::Scan => self.controllers.scan(true, now, &mut tell),
            ControllersWish::Open(port) => self.controllers.ask(&port, now, &mut tell),
            ControllersWish::Close(port) => self.controllers.unask(&port, &mut tell),
            ControllersWish::Learn(action) => {
                self.controllers.learn(Some(action));
                Vec::new()
            }
            ControllersWish::StopLearning => {
                self.controllers.learn(None);
                Vec::new()
            }
        };
        self.let_go(deeds, now);
        self.publish(now);
    }

    fn act(&mut self, deed: Deed, seen: &Snapshot, now: HostTime) {
        let deed = self.count_on(deed, seen, now);
        let Some(command) = command(&deed, seen) else { return };
        if let Err(error) = self.remote.send(command, now) {
            drop(self.say.try_send(error.to_string()));
        }
    }

    /// An encoder turns faster than the picture of the show is made: it counts on from what it set itself.
    fn count_on(&mut self, deed: Deed, seen: &Snapshot, now: HostTime) -> Deed {
        self.own_words.retain(|(_, _, when)| now.since(*when) < OWN_WORD);
        let Hand::By(part) = deed.hand else { return deed };
        let own = self.own_words.iter_mut().find(|(action, ..)| *action == deed.action);
        let from = own.as_ref().map(|(_, to, _)| *to).or_else(|| level(&deed.action, seen));
        let Some(from) = from else { return deed };
        let to = (from + part).clamp(0.0, 1.0);
        match own {
            Some(own) => (own.1, own.2) = (to, now),
            None => self.own_words.push((deed.action.clone(), to, now)),
        }
        Deed::new(deed.action, Hand::To(to))
    }

    /// Keys whose controller is gone come up. Darkness that was held stays: light returns by a hand that is there.
    fn let_go(&mut self, deeds: Vec<Deed>, now: HostTime) {
        let seen = self.remote.snapshot();
        for deed in deeds.into_iter().filter(|deed| deed.action != Action::BlackoutHeld) {
            self.act(deed, &seen, now);
        }
    }

    /// The beat that is heard at `now`.
    fn beat_now(seen: &Snapshot, now: HostTime) -> Beat {
        seen.features.beat.after(now.secs_since(seen.heard_at).clamp(-1.0, 1.0))
    }

    fn lead_beat(&mut self, seen: &Snapshot, now: HostTime) {
        if let Some(wish) = self.clock_in.wish(&Self::beat_now(seen, now), now) {
            let led = self.remote.send(Command::Beat(wish), now);
            debug_assert!(led.is_ok(), "the beat moves no switch");
        }
    }

    /// Looks at everything once; returns how long until the next time.
    fn look(&mut self, now: HostTime) -> Duration {
        let seen = self.remote.snapshot();
        let say = self.say.clone();
        let mut tell = |text| drop(say.try_send(text));
        let mut let_go = self.controllers.scan(false, now, &mut tell);
        let_go.extend(self.controllers.show(&seen, &mut tell));
        self.let_go(let_go, now);
        if self.config.clock_from.is_some() {
            self.lead_beat(&seen, now);
        }
        if self.desk_heard.is_some_and(|when| now.since(when) > DESK_PATIENCE) {
            self.desk_heard = None;
            for deed in self.fixture.lost() {
                self.act(deed, &seen, now);
            }
            tell("the lighting desk is silent: dark until it is heard again, or the blackout is lifted here".into());
        }
        if let Some(socket) = &self.osc {
            self.telling.tell(&seen, now, &mut |bytes, to| socket.send(bytes, to));
        }
        let clock = self.send_clock(&seen, now);
        self.publish(now);
        let open = self.controllers.any_open() || self.osc.is_some() || self.artnet.is_some();
        let every = if open { LOOK_EVERY } else { IDLE_EVERY };
        clock.map_or(every, |next| next.min(every))
    }

    /// Sends the clocks that are due; returns when the next is, if anybody wants them.
    fn send_clock(&mut self, seen: &Snapshot, now: HostTime) -> Option<Duration> {
        let part = self.config.clock_to.as_deref()?;
        if self.clock_to.is_none() {
            let due = self.clock_tried.is_none_or(|when| now.since(when) > Duration::from_secs(5));
            if !due {
                return None;
            }
            match self.controllers.output(part) {
                Ok(output) => self.clock_to = Some(output),
                Err(error) => {
                    if self.clock_tried.is_none() {
                        drop(self.say.try_send(error.to_string()));
                    }
                    self.clock_tried = Some(now);
                    return None;
                }
            }
        }
        let output = self.clock_to.as_mut()?;
        let beat = Self::beat_now(seen, now);
        let mut sent = Ok(());
        self.clock_out.step(&beat, seen.transport.playing, &mut |message| {
            let (bytes, len) = message.emit();
            if sent.is_ok() {
                sent = output.send(&bytes[..len]);
            }
        });
        if let Err(error) = sent {
            drop(self.say.try_send(error.to_string()));
            (self.clock_to, self.clock_tried) = (None, Some(now));
        }
        Some(ClockOut::next_in(&beat))
    }

    fn publish(&self, now: HostTime) {
        let socket = |kind, listener: &Option<Listener>, seen: &Seen| {
            listener.as_ref().map(|listener| SourceView {
                kind,
                name: listener.address().to_string(),
                present: true,
                open: true,
                map: None,
                messages: seen.messages,
                last: seen.last.clone(),
                trouble: seen.trouble.clone(),
            })
        };
        let mut sources = self.controllers.sources();
        sources.extend(socket(SourceKind::Osc, &self.osc, &self.osc_seen));
        sources.extend(socket(SourceKind::ArtNet, &self.artnet, &self.artnet_seen));
        let view = ControllersView {
            sources,
            midi_trouble: self.controllers.trouble(),
            learning: self.controllers.learning(),
            bindings: self.controllers.bindings(),
            may_arm: self.remote.may_arm(),
            lost: self.lost.load(Ordering::Relaxed),
            clock_bpm: self.clock_in.pulse(now).map(|pulse| pulse.bpm as f32),
        };
        if **self.view.load() != view {
            self.view.store(Arc::new(view));
        }
    }
}
