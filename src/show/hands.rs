//! The hands from outside on a show: what arrives over MIDI, OSC and Art-Net becomes commands, and what the show is like
//! goes back to lamps, faders and followers of its beat.
//!
//! A thread of its own, at the edge of the show: the light needs nothing of it. Whatever it is told, it can only wish
//! what its [`Remote`] allows; keys whose controller is gone count as let go, and a lighting desk that falls silent
//! leaves the show dark.
//!
//! What works the switches does not wait for this thread: the threads of the sockets and ports act on it
//! ([`super::edge`]), and here it is only told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, select, unbounded};

use super::command::Command;
use super::controllers::{Controllers, Ear};
use super::deeds::{command, level};
use super::edge::{Came, Frames, Inbox, OscEar, StopEar};
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

/// It is told at most this often that wishes were dropped.
const TELL_DROPPED_EVERY: Duration = Duration::from_secs(10);
/// Notices that may wait for the show thread.
const NOTICES: usize = 64;
/// Time between two looks while anything is open.
const LOOK_EVERY: Duration = Duration::from_millis(30);
/// Time between two looks while nothing is.
const IDLE_EVERY: Duration = Duration::from_millis(500);
/// How long an encoder counts on from what it set itself, before the picture of the show has it.
const OWN_WORD: Duration = Duration::from_millis(250);

/// What the operator wants of the thread: read before all that comes from outside.
#[derive(Debug)]
enum Wish {
    Controllers(ControllersWish),
    End,
}

/// What the show thread holds of the hands.
#[derive(Debug)]
pub struct HandsEnd {
    wishes: Sender<Wish>,
    view: Arc<ArcSwap<ControllersView>>,
    notices: Receiver<String>,
}

impl HandsEnd {
    /// Hands a wish on. Never waits.
    pub fn wish(&self, wish: ControllersWish) {
        // Over: nobody is there to listen.
        drop(self.wishes.send(Wish::Controllers(wish)));
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
    wishes: Sender<Wish>,
    thread: Option<JoinHandle<()>>,
    osc: Option<SocketAddr>,
    osc_stop: Option<SocketAddr>,
    artnet: Option<SocketAddr>,
}

impl HandsThread {
    /// Where OSC is listened to.
    #[must_use]
    pub const fn osc_address(&self) -> Option<SocketAddr> {
        self.osc
    }

    /// Where OSC is listened to for STOP, disarm and blackout alone.
    #[must_use]
    pub const fn osc_stop_address(&self) -> Option<SocketAddr> {
        self.osc_stop
    }

    /// Where Art-Net is listened to.
    #[must_use]
    pub const fn artnet_address(&self) -> Option<SocketAddr> {
        self.artnet
    }
}

impl Drop for HandsThread {
    fn drop(&mut self) {
        drop(self.wishes.send(Wish::End));
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
    let (inbox, came) = Inbox::new();
    let (wishes, wished) = unbounded();
    let (say, notices) = bounded(NOTICES);
    let view = Arc::new(ArcSwap::default());
    let ear: Ear = {
        let inbox = inbox.clone();
        Arc::new(move |arrival| inbox.push(Came::Arrival(arrival)))
    };
    let mut maps = Maps::open(config.map_folder.clone());
    for text in maps.broken() {
        drop(say.try_send(text.clone()));
    }
    if let Some(map) = &config.map {
        maps.prefer(map)?;
    }
    let frames = Frames::default();
    let refused = |what, address| move |error| ControlError::Socket { what, address, error };
    let osc = config.osc.map(|address| {
        let ear = OscEar::new(&inbox, &remote, &clock);
        Listener::start("osc", address, ear).map_err(refused("OSC", address))
    });
    let osc = osc.transpose()?;
    let stops = Arc::new(AtomicU64::new(0));
    let osc_stop = config.osc_stop.map(|address| {
        let ear = StopEar::new(&remote, &clock, &stops);
        Listener::start("osc-stop", address, ear).map_err(refused("OSC for STOP", address))
    });
    let osc_stop = osc_stop.transpose()?;
    let artnet = config.artnet.map(|wanted| {
        let ear = frames.ear(&inbox, &remote, wanted.start);
        artnet::listen(wanted.address, wanted.universe, Arc::clone(&clock), ear)
            .map_err(refused("Art-Net", wanted.address))
    });
    let artnet = artnet.transpose()?;
    let [osc_at, osc_stop_at, artnet_at] =
        [&osc, &osc_stop, &artnet].map(|listener| listener.as_ref().map(Listener::address));
    let switches = remote.switches().clone();
    let controllers =
        Controllers::new(ports, config.clone(), maps, ear, Arc::clone(&clock), switches);
    let mut hands = Hands {
        config: config.clone(),
        remote,
        controllers,
        osc,
        osc_seen: Seen::default(),
        osc_stop,
        stops,
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
        inbox,
        frames,
        told_dropped: (0, None),
        view: Arc::clone(&view),
    };
    let thread = std::thread::Builder::new()
        .name("hands".into())
        .spawn(move || hands.run(&wished, &came, clock.as_ref()))
        .map_err(ControlError::Thread)?;
    let end = HandsEnd { wishes: wishes.clone(), view, notices };
    let thread = HandsThread {
        wishes,
        thread: Some(thread),
        osc: osc_at,
        osc_stop: osc_stop_at,
        artnet: artnet_at,
    };
    Ok((thread, end))
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
    /// For the words that darken alone, and how many came.
    osc_stop: Option<Listener>,
    stops: Arc<AtomicU64>,
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
    inbox: Inbox,
    frames: Frames,
    /// How many drops were told, and when last.
    told_dropped: (u64, Option<HostTime>),
    view: Arc<ArcSwap<ControllersView>>,
}

impl Hands {
    /// The thin loop.
    fn run(&mut self, wished: &Receiver<Wish>, came: &Receiver<Came>, clock: &dyn Clock) {
        let mut next_look = clock.now();
        loop {
            let wish = match wished.try_recv() {
                Ok(wish) => Some(wish),
                Err(TryRecvError::Disconnected) => Some(Wish::End),
                Err(TryRecvError::Empty) => select! {
                    recv(wished) -> wish => Some(wish.unwrap_or(Wish::End)),
                    recv(came) -> came => {
                        if let Ok(came) = came {
                            self.take(came);
                        }
                        None
                    }
                    default(next_look.since(clock.now())) => None,
                },
            };
            match wish {
                Some(Wish::Controllers(wish)) => self.obey(wish, clock.now()),
                Some(Wish::End) => break,
                None => {}
            }
            let now = clock.now();
            if now >= next_look {
                next_look = now + self.look(now);
            }
        }
        self.controllers.end();
    }

    fn take(&mut self, came: Came) {
        match came {
            Came::Arrival(arrival) => self.hear(arrival),
            Came::Osc { at, from, bytes } => match osc::parse(&bytes) {
                Ok(messages) => {
                    for message in messages {
                        self.hear(Arrival { at, event: Event::Osc { from, message } });
                    }
                }
                Err(error) => tracing::debug!("{from}: {error}"),
            },
            Came::Frame => self.take_frame(),
        }
    }

    /// Takes the newest frame of the desk, if none was taken since it came.
    fn take_frame(&mut self) {
        let Some(frame) = self.frames.take() else { return };
        self.artnet_seen.messages = frame.number;
        self.artnet_seen.last = frame.from.to_string();
        self.artnet_seen.trouble = None;
        self.desk_heard = Some(frame.at);
        let start = self.config.artnet.map_or(1, |wanted| wanted.start);
        let seen = self.remote.snapshot();
        for deed in self.fixture.frame(&frame.levels, start) {
            self.act(deed, &seen, frame.at);
        }
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
            // Levels come by the newest frame alone.
            Event::Dmx { .. } => {}
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
        // What works the switches has done so where it came in: once more would darken a light that was armed since, or
        // ask for light that was taken away since.
        let sent = match deed.action {
            Action::Stop
            | Action::Disarm
            | Action::Blackout
            | Action::BlackoutHeld
            | Action::Arm
            | Action::ResetStop => self.remote.tell(command),
            _ => self.remote.send(command, now),
        };
        if let Err(error) = sent {
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
        // One that found no room to be announced.
        self.take_frame();
        self.tell_dropped(now);
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
        let open = self.controllers.any_open()
            || [&self.osc, &self.osc_stop, &self.artnet].iter().any(|socket| socket.is_some());
        let every = if open { LOOK_EVERY } else { IDLE_EVERY };
        clock.map_or(every, |next| next.min(every))
    }

    /// Says in one line what was dropped, now and then.
    fn tell_dropped(&mut self, now: HostTime) {
        let dropped = self.inbox.dropped() + self.remote.dropped();
        let (told, when) = self.told_dropped;
        if dropped == told || when.is_some_and(|when| now.since(when) < TELL_DROPPED_EVERY) {
            return;
        }
        let text = format!(
            "{dropped} wishes from outside were dropped so far: they come faster than the show takes them. STOP, disarm and blackout act all the same; look what sends so much"
        );
        // Where no more notices fit it is told at a later look.
        if self.say.try_send(text).is_ok() {
            self.told_dropped = (dropped, Some(now));
        }
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
        let stops = Seen {
            messages: self.stops.load(Ordering::Relaxed),
            last: "STOP, disarm and blackout alone".to_owned(),
            trouble: None,
        };
        sources.extend(socket(SourceKind::Osc, &self.osc_stop, &stops));
        sources.extend(socket(SourceKind::ArtNet, &self.artnet, &self.artnet_seen));
        let view = ControllersView {
            sources,
            midi_trouble: self.controllers.trouble(),
            learning: self.controllers.learning(),
            bindings: self.controllers.bindings(),
            may_arm: self.remote.may_arm(),
            lost: self.inbox.dropped() + self.remote.dropped(),
            clock_bpm: self.clock_in.pulse(now).map(|pulse| pulse.bpm as f32),
        };
        if **self.view.load() != view {
            self.view.store(Arc::new(view));
        }
    }
}
