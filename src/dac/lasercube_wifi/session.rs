//! The conversation with a LaserCube, without socket, thread or clock.
//!
//! Datagrams received go in, datagrams to send come out, time is an argument. Promises: light is switched on
//! only over a buffer that is known to have been empty; after a stop nothing of before can shine; never a rate
//! of 0 or above the maximum; an open interlock or too much heat stays until it is reset on purpose.

use std::time::Duration;

use super::super::dark_run::DarkRun;
use super::flow::Flow;
use super::outbox::{Outbox, Port};
use crate::point::LaserPoint;
use crate::time::HostTime;
use crate::wire::lasercube_wifi::{
    Acknowledge, Command, DATA_HEADER_BYTES, Error, Info, MAX_POINTS_PER_PACKET, POINT_BYTES,
    Reply, encode_packet,
};

/// Queued points that are enough to switch on.
const BEGIN_POINTS: u32 = 500;
/// With fewer points, switch on this long after the first one.
const BEGIN_AFTER: Duration = Duration::from_millis(10);
/// Datagrams of points in a row: the device's network chip holds 20.
const BURST: f64 = 16.0;
/// Then one more for each of these.
const BURST_REFILL: Duration = Duration::from_millis(1);
/// While stopping, off and clear are said again this often, and the device is asked.
const STOP_AGAIN: Duration = Duration::from_millis(10);
/// A device that is not dark and empty by then does not do as it is told.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// While a setting is not confirmed, the device is asked this often.
const CONFIRM_EVERY: Duration = Duration::from_millis(20);
/// While all is well, the device is asked this often: an open interlock is known this late. A question is one datagram of
/// two bytes.
const INFO_EVERY: Duration = Duration::from_millis(50);
/// Points without an acknowledgement for so long: acknowledging is switched on again.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_millis(250);
/// No word at all for this long: it is gone. The vendor waits 4 s; a light that nobody hears is worse than one
/// that has to be armed again.
pub(super) const SILENT_FOR: Duration = Duration::from_millis(1500);

/// What ends a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The device does not do what it was told.
    Protocol(String),
    /// No answer for this long.
    Silent(Duration),
}

/// Where the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first info block has not come.
    Greeting,
    /// Off and clear are on their way.
    Stopping,
    /// Dark and empty, by its own word.
    Idle,
    /// Points are queued, the output is off.
    Filling,
    /// The output is on.
    Playing,
    /// Interlock or heat.
    Alarm,
}

/// What came of an offer of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Taken,
    NotNow,
    EmergencyStop,
}

/// One connection's conversation.
#[derive(Debug)]
pub(super) struct Session {
    out: Outbox,
    phase: Phase,
    info: Option<Info>,
    flow: Flow,
    /// The rate it was told.
    pps: u32,
    /// When a higher rate may be told: its points are at the mirrors then.
    raise: Option<(HostTime, u32)>,
    settings_at: HostTime,
    /// Rate and output were seen to be as they were told.
    confirmed: bool,
    stop_began: HostTime,
    stop_said: HostTime,
    /// When the device was asked last, and first since it last answered.
    asked_at: HostTime,
    asked_first: Option<HostTime>,
    heard_at: HostTime,
    acknowledging_at: HostTime,
    first_point_at: HostTime,
    filled: u32,
    /// There was light since the last stop; until then the output stays off, and the dark passes by itself.
    lit: bool,
    dark: DarkRun,
    /// Dark points that are to be sent before the light, and where they stand.
    lead: (u32, LaserPoint),
    /// Points to send dark, whatever they are: after a start or an underflow.
    blank_next: usize,
    /// Points that mirrors need which were anywhere.
    settle_points: usize,
    frame: u8,
    burst: f64,
    burst_at: HostTime,
    reset_asked: bool,
}

impl Session {
    /// A new connection: asks who is there.
    pub(super) fn new(now: HostTime) -> Self {
        let mut session = Self {
            out: Outbox::new(),
            phase: Phase::Greeting,
            info: None,
            flow: Flow::new(now, 0),
            pps: 0,
            raise: None,
            settings_at: now,
            confirmed: false,
            stop_began: now,
            stop_said: now,
            asked_at: now,
            asked_first: None,
            heard_at: now,
            acknowledging_at: now,
            first_point_at: now,
            filled: 0,
            lit: false,
            dark: DarkRun::new(now),
            lead: (0, LaserPoint::CENTRE),
            blank_next: 0,
            settle_points: 0,
            frame: 0,
            burst: BURST,
            burst_at: now,
            reset_asked: false,
        };
        session.ask(now);
        session
    }

    pub(super) const fn phase(&self) -> Phase {
        self.phase
    }

    /// What the device said of itself last.
    pub(super) const fn info(&self) -> Option<&Info> {
        self.info.as_ref()
    }

    pub(super) const fn flow(&self) -> &Flow {
        &self.flow
    }

    /// What is taken and not shown: when that was true, how many points, and the rate they pass at.
    pub(super) fn held(&self, now: HostTime) -> (HostTime, u32, Option<u32>) {
        let queued = self.flow.queued();
        match self.phase {
            Phase::Idle => self.dark.told(now),
            Phase::Filling => (self.flow.told_at(), queued, None),
            Phase::Playing => (self.flow.told_at(), queued, Some(self.pps).filter(|_| queued > 0)),
            Phase::Greeting | Phase::Stopping | Phase::Alarm => (self.flow.told_at(), 0, None),
        }
    }

    /// The next datagram to send.
    pub(super) fn unsent(&self) -> Option<(Port, &[u8])> {
        self.out.front()
    }

    /// It has left.
    pub(super) fn sent(&mut self) {
        self.out.sent();
    }

    /// Either datagram may be lost, so each setting is said twice.
    fn twice(&mut self, command: Command) {
        self.out.command(command);
        self.out.command(command);
    }

    fn ask(&mut self, now: HostTime) {
        self.asked_at = now;
        self.asked_first.get_or_insert(now);
        self.out.command(Command::GetInfo);
    }

    fn set_rate(&mut self, now: HostTime, pps: u32) {
        self.pps = pps;
        self.raise = None;
        self.settings_at = now;
        self.confirmed = false;
        self.twice(Command::SetRate(pps));
    }

    /// What is shown first after a break is dark for so many points.
    pub(super) const fn settles_in(&mut self, points: u32) {
        self.settle_points = points as usize;
    }

    fn begin_dark(&mut self, pps: u32) {
        self.blank_next = self.blank_next.max(self.settle_points).max(pps.div_ceil(1000) as usize);
    }

    /// Offers points meant for `pps`.
    pub(super) fn offer(&mut self, now: HostTime, points: &[LaserPoint], pps: u32) -> Offer {
        match self.phase {
            Phase::Alarm => return Offer::EmergencyStop,
            Phase::Greeting | Phase::Stopping => return Offer::NotNow,
            Phase::Idle | Phase::Filling | Phase::Playing => {}
        }
        if points.is_empty() {
            return Offer::Taken;
        }
        let pps = pps.clamp(1, self.info.map_or(1, |info| info.max_pps).max(1));
        if !self.lit && points.iter().all(LaserPoint::is_blank) {
            let capacity = self.info.map_or(0, |info| u32::from(info.buffer_points));
            let taken = self.dark.take(now, points.len(), pps, capacity);
            return if taken { Offer::Taken } else { Offer::NotNow };
        }
        self.refill_burst(now);
        if !self.lit {
            self.lit = true;
            self.begin_filling(now, pps);
            self.lead = (self.dark.lead(now, pps), points[0].blanked());
            self.lead_in(now);
            // What it holds now is told first, so that it is not filled past what is asked for.
            return Offer::NotNow;
        }
        if !self.out.is_empty() {
            return Offer::NotNow;
        }
        if !self.lead_in(now) {
            return Offer::NotNow;
        }
        let datagrams = points.len().div_ceil(MAX_POINTS_PER_PACKET) as f64;
        if self.burst < datagrams || !self.flow.has_room(now, points.len()) {
            return Offer::NotNow;
        }
        self.burst -= datagrams;
        if self.flow.may_be_dry(now) {
            // Its acknowledgement would tell, but only after these points have shone.
            self.begin_dark(pps);
        }
        self.follow_rate(now, pps);
        for points in points.chunks(MAX_POINTS_PER_PACKET) {
            self.send_points(now, points);
        }
        self.switch_on_if_due(now);
        Offer::Taken
    }

    fn refill_burst(&mut self, now: HostTime) {
        let refilled = now.since(self.burst_at).as_secs_f64() / BURST_REFILL.as_secs_f64();
        self.burst = (self.burst + refilled).min(BURST);
        self.burst_at = self.burst_at.max(now);
    }

    /// Sends the dark points that go before the light, as far as they may leave now; true once all have.
    fn lead_in(&mut self, now: HostTime) -> bool {
        while self.lead.0 > 0 {
            let most = MAX_POINTS_PER_PACKET.min(self.lead.0 as usize);
            if self.burst < 1.0 || !self.flow.has_room(now, most) {
                return false;
            }
            self.burst -= 1.0;
            self.lead.0 -= most as u32;
            self.send_points(now, &[self.lead.1; MAX_POINTS_PER_PACKET][..most]);
            if self.lead.0 == 0 {
                // They stand still: what follows sets out from there.
                self.begin_dark(self.pps);
            }
        }
        true
    }

    fn begin_filling(&mut self, now: HostTime, pps: u32) {
        self.phase = Phase::Filling;
        self.filled = 0;
        self.first_point_at = now;
        self.acknowledging_at = now;
        self.flow.restart(now);
        // A start is dark, whatever was drawn.
        self.blank_next = 0;
        self.begin_dark(pps);
        self.twice(Command::BufferReplies(true));
        self.set_rate(now, pps);
    }

    /// A lower rate at once, a higher one when its points are at the mirrors: no point is ever played faster
    /// than it was meant to be.
    fn follow_rate(&mut self, now: HostTime, pps: u32) {
        if pps < self.pps {
            self.set_rate(now, pps);
            if self.phase == Phase::Playing {
                self.flow.plays_at(now, pps);
            }
        } else if pps == self.pps {
            self.raise = None;
        } else if self.raise.is_none_or(|(_, raised)| raised != pps) {
            let ahead = self.flow.estimate(now) / f64::from(self.pps.max(1));
            self.raise = Some((now.plus_secs_f64(ahead), pps));
        }
    }

    fn send_points(&mut self, now: HostTime, points: &[LaserPoint]) {
        let (message, frame) = (self.flow.next_message(), self.frame);
        let blank = self.blank_next;
        self.out.add(Port::Data, |bytes| {
            let start = bytes.len();
            encode_packet(message, frame, points, bytes);
            let records = bytes[start + DATA_HEADER_BYTES..].chunks_exact_mut(POINT_BYTES);
            for record in records.take(blank) {
                record[4..].fill(0);
            }
        });
        self.blank_next = blank.saturating_sub(points.len());
        self.frame = frame.wrapping_add(1);
        self.filled += points.len() as u32;
        self.flow.sent(now, points.len());
    }

    fn switch_on_if_due(&mut self, now: HostTime) {
        let enough = self.filled >= BEGIN_POINTS;
        let waited = self.filled > 0 && now.since(self.first_point_at) >= BEGIN_AFTER;
        if self.phase == Phase::Filling && (enough || waited) {
            self.phase = Phase::Playing;
            self.settings_at = now;
            self.confirmed = false;
            self.twice(Command::Output(true));
            self.flow.plays_at(now, self.pps);
        }
    }

    /// Dark at once: forgets what has not left, switches the output off and empties the buffer, and says so
    /// again until the device confirms it.
    pub(super) fn stop(&mut self, now: HostTime) {
        self.forget_light(now);
        if matches!(self.phase, Phase::Filling | Phase::Playing) {
            self.begin_stopping(now, Phase::Stopping);
        }
    }

    fn forget_light(&mut self, now: HostTime) {
        self.lit = false;
        self.lead.0 = 0;
        self.dark = DarkRun::new(now);
    }

    fn begin_stopping(&mut self, now: HostTime, phase: Phase) {
        self.forget_light(now);
        self.phase = phase;
        self.raise = None;
        self.confirmed = false;
        self.stop_began = now;
        self.settings_at = now;
        self.out.clear();
        self.twice(Command::Output(false));
        self.say_stop(now);
    }

    fn say_stop(&mut self, now: HostTime) {
        self.stop_said = now;
        self.out.command(Command::Output(false));
        self.out.command(Command::ClearBuffer);
        self.ask(now);
    }

    /// The last words: the device shall be dark and need not answer any more.
    pub(super) fn say_goodbye(&mut self) {
        self.twice(Command::Output(false));
        self.out.command(Command::BufferReplies(false));
    }

    /// An operator has reset the alarm: it ends if its cause is gone.
    pub(super) fn clear_alarm(&mut self, now: HostTime) {
        if self.phase == Phase::Alarm {
            self.reset_asked = true;
            self.asked_first = None;
            self.ask(now);
        }
    }

    /// What time asks for: the light, a setting again, a question, and patience with a silent device.
    pub(super) fn keep_up(&mut self, now: HostTime) -> Result<(), Trouble> {
        let silent = now.since(self.heard_at);
        if silent > SILENT_FOR {
            return Err(Trouble::Silent(silent));
        }
        self.switch_on_if_due(now);
        if let Some((due, pps)) = self.raise
            && now >= due
        {
            self.set_rate(now, pps);
            if self.phase == Phase::Playing {
                self.flow.plays_at(now, pps);
            }
        }
        let unconfirmed = !self.confirmed;
        match self.phase {
            Phase::Stopping | Phase::Alarm
                if unconfirmed && now.since(self.stop_said) >= STOP_AGAIN =>
            {
                if now.since(self.stop_began) > STOP_WITHIN {
                    return Err(Trouble::Protocol(
                        "it does not go dark and empty its buffer when told to".to_owned(),
                    ));
                }
                self.say_stop(now);
            }
            Phase::Filling | Phase::Playing => {
                let deaf = now.since(self.flow.heard_at().max(self.acknowledging_at));
                if deaf >= ACKNOWLEDGE_WITHIN {
                    // It may have been restarted, or never have heard the first ones.
                    self.acknowledging_at = now;
                    self.twice(Command::BufferReplies(true));
                }
            }
            _ => {}
        }
        let every = match self.phase {
            Phase::Greeting => Duration::from_millis(100),
            Phase::Playing if unconfirmed => CONFIRM_EVERY,
            _ if silent > ACKNOWLEDGE_WITHIN => Duration::from_millis(100),
            _ => INFO_EVERY,
        };
        if now.since(self.asked_at) >= every {
            self.ask(now);
        }
        Ok(())
    }

    /// A datagram has come from one of the device's ports. What cannot be read is no reason to stop: on UDP
    /// anything may arrive.
    pub(super) fn receive(
        &mut self,
        now: HostTime,
        port: Port,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        match port {
            Port::Data => {
                if let Ok(seen) = Acknowledge::parse(bytes) {
                    self.heard_at = now;
                    let underflows = self.flow.underflows();
                    if matches!(self.phase, Phase::Filling | Phase::Playing) {
                        self.flow.acknowledged(now, seen);
                    }
                    if self.flow.underflows() != underflows {
                        self.begin_dark(self.pps);
                    }
                }
                Ok(())
            }
            Port::Command => match Reply::parse(bytes) {
                Ok(Reply::Info(info)) => self.informed(now, info),
                Ok(Reply::Done(_) | Reply::Free(_)) => {
                    self.heard_at = now;
                    Ok(())
                }
                Err(Error::UnknownLayout(layout)) if self.phase == Phase::Greeting => {
                    Err(Trouble::Protocol(format!(
                        "its info block has layout {layout}, which is not known: look for a newer galvo"
                    )))
                }
                Err(_) => Ok(()),
            },
        }
    }

    fn informed(&mut self, now: HostTime, info: Info) -> Result<(), Trouble> {
        self.heard_at = now;
        let Some(asked) = self.asked_first.take() else { return Ok(()) };
        if asked == self.asked_at {
            self.flow.measured(now.since(asked));
        }
        if self.phase == Phase::Greeting {
            if usize::from(info.buffer_points) < 2 * MAX_POINTS_PER_PACKET || info.max_pps == 0 {
                return Err(Trouble::Protocol(format!(
                    "it claims a buffer of {} points and {} points per second",
                    info.buffer_points, info.max_pps
                )));
            }
            self.flow = Flow::new(now, info.buffer_points);
            self.flow.measured(now.since(asked));
            // Whatever another program left in it: dark and empty first.
            self.begin_stopping(now, Phase::Stopping);
        }
        self.info = Some(info);
        if info.interlock() || info.over_temperature() {
            self.reset_asked = false;
            if self.phase != Phase::Alarm {
                self.begin_stopping(now, Phase::Alarm);
                return Ok(());
            }
        }
        let tells_settings = asked >= self.settings_at + self.flow.round_trip();
        match self.phase {
            Phase::Stopping | Phase::Alarm => {
                let is_empty = info.free_points >= info.buffer_points;
                self.confirmed |= asked >= self.stop_began && !info.output_enabled() && is_empty;
                let may_go_on = self.phase == Phase::Stopping || self.reset_asked;
                if self.confirmed && may_go_on {
                    self.reset_asked = false;
                    self.phase = Phase::Idle;
                }
            }
            Phase::Playing if info.output_enabled() && info.pps == self.pps => {
                self.confirmed = true;
            }
            Phase::Playing if self.confirmed => {
                return Err(Trouble::Protocol(
                    "it has changed its settings by itself: it was restarted, or another program uses it"
                        .to_owned(),
                ));
            }
            Phase::Playing if tells_settings => {
                self.settings_at = now;
                self.twice(Command::SetRate(self.pps));
                self.twice(Command::Output(true));
            }
            _ => {}
        }
        let deaf = now.since(self.flow.heard_at()) >= ACKNOWLEDGE_WITHIN;
        if deaf && matches!(self.phase, Phase::Filling | Phase::Playing) {
            self.flow.informed(now, asked, info.free_points);
        }
        Ok(())
    }
}
