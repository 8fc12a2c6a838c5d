//! The terminal as a surface: a status line that follows the show, keys, and Ctrl-C.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::keys;
use crate::analysis::BeatSource;
use crate::show::snapshot::{ProjectorState, Severity, Snapshot};
use crate::show::{Command, Desk, LightState, Report};
use crate::time::{Clock, MediaTime};

/// How often the line is drawn on a terminal.
const ON_TERMINAL: Duration = Duration::from_millis(100);
/// How often a line is printed where there is no terminal.
const ELSEWHERE: Duration = Duration::from_secs(5);
/// A terminal does not say when a key comes up: a flash that is typed lasts this long.
const FLASH: Duration = Duration::from_millis(250);
/// How often the show is looked at.
const STEP: Duration = Duration::from_millis(20);

/// Follows a show until it is finished, the operator quits, or `interrupted` becomes true; then asks it to
/// quit. `typed` brings what the operator types.
pub fn follow(
    desk: &mut dyn Desk,
    clock: &dyn Clock,
    interrupted: &Arc<AtomicBool>,
    typed: Option<&Receiver<String>>,
) {
    let mut out = std::io::stderr();
    let on_terminal = out.is_terminal();
    let interval = if on_terminal { ON_TERMINAL } else { ELSEWHERE };
    // Nothing is known yet at the start.
    let mut next_line = clock.now() + interval;
    let mut told = 0;
    let mut flash_until = None;
    if typed.is_some() {
        let _ = writeln!(out, "{}", keys::HELP);
    }
    loop {
        let seen = desk.snapshot();
        told = tell_notices(&seen, told, on_terminal, &mut out);
        let Typed { quit, flash } = obey_keys(desk, typed, &seen, &mut out);
        if flash {
            flash_until = Some(clock.now() + FLASH);
        }
        if flash_until.is_some_and(|until| clock.now() >= until) {
            flash_until = None;
            desk.send(Command::SetFlash(false));
        }
        if seen.finished || quit || interrupted.load(Ordering::Relaxed) {
            if on_terminal {
                let _ = write!(out, "\r\x1b[2K");
            }
            desk.send(Command::Quit);
            return;
        }
        if clock.now() >= next_line {
            next_line += interval;
            let (before, after) = if on_terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
            // A closed stderr is no reason to end a show.
            let _ = write!(out, "{before}{}{after}", status_line(&seen));
            let _ = out.flush();
        }
        clock.sleep_until(clock.now() + STEP);
    }
}

/// What was typed and is a matter of time, or of the end.
#[derive(Default)]
struct Typed {
    quit: bool,
    flash: bool,
}

/// Sends what was typed.
fn obey_keys(
    desk: &mut dyn Desk,
    typed: Option<&Receiver<String>>,
    seen: &Snapshot,
    out: &mut impl Write,
) -> Typed {
    let mut made = Typed::default();
    for line in typed.into_iter().flat_map(Receiver::try_iter) {
        match keys::command(&line, seen) {
            Some(Command::Quit) => return Typed { quit: true, ..made },
            Some(command) => {
                made.flash |= command == Command::SetFlash(true);
                desk.send(command);
            }
            None if line.is_empty() => {}
            None => drop(writeln!(out, "\r\x1b[2K{}", keys::HELP)),
        }
    }
    made
}

/// Prints notices that were not printed yet; returns how many the show has made so far.
fn tell_notices(seen: &Snapshot, told: u64, on_terminal: bool, out: &mut impl Write) -> u64 {
    let new = seen.notices_made.saturating_sub(told) as usize;
    let first = seen.notices.len().saturating_sub(new);
    for notice in &seen.notices[first..] {
        let word = match notice.severity {
            Severity::Info => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let before = if on_terminal { "\r\x1b[2K" } else { "" };
        let _ = writeln!(out, "{before}{word}: {}", notice.text);
    }
    seen.notices_made
}

/// One line that says how the show is.
#[must_use]
pub fn status_line(seen: &Snapshot) -> String {
    let transport = &seen.transport;
    let length = transport.duration.map_or(String::new(), |d| format!(" / {}", minutes(d)));
    let state = if transport.live {
        "live"
    } else if transport.playing {
        "play"
    } else if transport.ended {
        "end"
    } else {
        "pause"
    };
    let mut parts = vec![
        format!("{state} {}{length}", minutes(transport.position)),
        level_bar(seen.features.level),
        tempo(seen),
        seen.preset.name.clone(),
        LightState::of(seen).to_string(),
    ];
    for projector in &seen.projectors {
        let state = match projector.state {
            ProjectorState::Connecting => "connecting",
            ProjectorState::Ready => "ready",
            ProjectorState::NotReady => "warming up or cooling down",
            ProjectorState::Lost => "LOST",
            ProjectorState::EmergencyStop => "E-STOP",
            ProjectorState::Closing => "closing",
        };
        parts.push(format!(
            "{} {state} {:.0} ms, {} underruns",
            projector.name,
            projector.buffered_ms,
            projector.underruns + projector.device_underflows
        ));
    }
    if let (Some(offset), Some(jitter)) = (seen.sync.offset_p50_ms, seen.sync.jitter_p95_ms) {
        parts.push(format!("sync {offset:+.2} ±{jitter:.2} ms"));
    }
    parts.join("  ")
}

/// One line that says how a show was.
#[must_use]
pub fn summary(report: &Report) -> String {
    let lit: u64 = report.per_stream.iter().map(|stream| stream.lit_points).sum();
    let light = match (lit, report.points) {
        (0, _) => "never lit".to_owned(),
        (_, all) => format!("{:.0} % lit", lit as f64 * 100.0 / all.max(1) as f64),
    };
    let sync = match (report.sync_ms.offset_p50, report.sync_ms.jitter_p95) {
        (Some(offset), Some(jitter)) => {
            format!("light minus sound {offset:+.2} ms (95 % within {jitter:.2})")
        }
        _ => "light minus sound not measured".to_owned(),
    };
    let gaps = match report.xruns + report.decoder_underruns {
        0 => String::new(),
        n => format!("; sound interrupted {n} times"),
    };
    format!(
        "done: {:.1} s of music, {} points, {light}; {sync}; {} underruns, {} reconnects; callback p99 {:.0} of {:.0} µs{gaps}",
        report.media_s,
        report.points,
        report.underruns + report.device_underflows,
        report.reconnects,
        report.callback_us.p99,
        report.callback_us.period,
    )
}

fn minutes(at: MediaTime) -> String {
    let tenths = (at.as_nanos().max(0) + 50_000_000) / 100_000_000;
    format!("{:02}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

fn tempo(seen: &Snapshot) -> String {
    let bpm = seen.features.beat.bpm;
    match seen.beat_source {
        _ if bpm <= 0.0 => "no beat".to_owned(),
        BeatSource::Heard => format!("{bpm:.1} bpm"),
        BeatSource::RunningOn => format!("{bpm:.1} bpm (runs on)"),
        BeatSource::Held => format!("{bpm:.1} bpm (held)"),
    }
}

fn level_bar(level: f32) -> String {
    const CELLS: usize = 8;
    let lit = ((level.clamp(0.0, 1.0) * CELLS as f32).round() as usize).min(CELLS);
    format!("[{}{}]", "#".repeat(lit), ".".repeat(CELLS - lit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::TapPoint;
    use crate::point::LaserPoint;
    use crate::show::report::StreamReport;
    use crate::show::snapshot::{Notice, ProjectorView, SafetyView, Transport};
    use crate::time::ManualClock;

    fn show() -> Snapshot {
        Snapshot {
            transport: Transport {
                playing: true,
                position: MediaTime::from_secs_f64(72.34),
                duration: Some(MediaTime::from_secs_f64(80.0)),
                ..Transport::default()
            },
            projectors: vec![ProjectorView {
                name: "sim:".into(),
                state: ProjectorState::Ready,
                buffered_ms: 40.2,
                ..ProjectorView::default()
            }],
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_line_says_where_we_are_and_that_it_is_dark() {
        let line = status_line(&show());
        assert!(line.starts_with("play 01:12.3 / 01:20.0"), "{line}");
        assert!(line.contains("DISARMED"), "{line}");
        assert!(line.contains("sim: ready 40 ms, 0 underruns"), "{line}");
    }

    #[test]
    fn the_line_says_the_tempo_and_whose_it_is() {
        let mut seen = show();
        assert!(status_line(&seen).contains("no beat"));
        seen.features.beat.bpm = 126.04;
        seen.beat_source = BeatSource::Held;
        assert!(status_line(&seen).contains("126.0 bpm (held)"));
    }

    #[test]
    fn a_latched_stop_outshouts_armed() {
        let mut seen = show();
        seen.safety = SafetyView { armed: true, stopped: true, ..SafetyView::default() };
        assert!(status_line(&seen).contains("STOPPED"));
    }

    #[test]
    fn the_line_says_the_light_in_the_words_of_the_window() {
        let mut seen = show();
        seen.projectors[0].armed = true;
        seen.safety = SafetyView { armed: true, master: 0.2, ..SafetyView::default() };
        for (blackout, words) in [(false, "ARMED: LIGHT IS ON"), (true, "ARMED: BLACKOUT")] {
            seen.live.blackout = blackout;
            let line = status_line(&seen);
            assert!(line.contains(words), "{line}");
        }
    }

    /// A desk that writes down what it is asked for.
    #[derive(Default)]
    struct Notepad {
        seen: Snapshot,
        sent: Vec<Command>,
    }

    impl Desk for Notepad {
        fn snapshot(&mut self) -> Arc<Snapshot> {
            Arc::new(self.seen.clone())
        }
        fn send(&mut self, command: Command) {
            self.sent.push(command);
        }
        fn watch(&mut self, _: u32, _: TapPoint) {}
        fn watched_points(&mut self, _: &mut Vec<LaserPoint>) {}
    }

    #[test]
    fn what_is_typed_is_obeyed_in_order_and_q_ends_it() {
        let (keyboard, typed) = crossbeam_channel::unbounded();
        for line in ["a", "", "s", "r", "p", "what", "q", "a"] {
            keyboard.send(line.to_owned()).unwrap();
        }
        let mut desk = Notepad { seen: show(), ..Notepad::default() };
        follow(&mut desk, &ManualClock::default(), &Arc::default(), Some(&typed));
        let wishes =
            [Command::Arm, Command::Stop, Command::ResetStop, Command::Pause, Command::Quit];
        assert_eq!(desk.sent, wishes);
    }

    /// A terminal that ends the show after so many looks.
    struct Patience(Notepad, u32);

    impl Desk for Patience {
        fn snapshot(&mut self) -> Arc<Snapshot> {
            self.1 -= 1;
            self.0.seen.finished = self.1 == 0;
            self.0.snapshot()
        }
        fn send(&mut self, command: Command) {
            self.0.send(command);
        }
        fn watch(&mut self, _: u32, _: TapPoint) {}
        fn watched_points(&mut self, _: &mut Vec<LaserPoint>) {}
    }

    #[test]
    fn a_flash_that_is_typed_ends_by_itself_a_quarter_second_later() {
        let (keyboard, typed) = crossbeam_channel::unbounded();
        for (looks, ends) in [(12, false), (16, true)] {
            let mut desk = Patience(Notepad::default(), looks);
            keyboard.send("f".to_owned()).unwrap();
            follow(&mut desk, &ManualClock::default(), &Arc::default(), Some(&typed));
            let sent = desk.0.sent;
            assert_eq!(sent.contains(&Command::SetFlash(false)), ends, "{sent:?}");
            assert!(sent.contains(&Command::SetFlash(true)));
        }
    }

    #[test]
    fn the_end_of_the_show_and_an_interrupt_end_it_without_keys() {
        for (finished, interrupted) in [(true, false), (false, true)] {
            let mut desk = Notepad::default();
            desk.seen.finished = finished;
            let flag = Arc::new(AtomicBool::new(interrupted));
            follow(&mut desk, &ManualClock::default(), &flag, None);
            assert_eq!(desk.sent, [Command::Quit]);
        }
    }

    #[test]
    fn the_summary_says_what_was_measured_and_what_was_not() {
        let mut report = Report { media_s: 5.04, points: 150_000, ..Report::default() };
        let line = summary(&report);
        assert!(line.contains("5.0 s of music, 150000 points, never lit"), "{line}");
        assert!(line.contains("not measured") && !line.contains("interrupted"), "{line}");
        report.per_stream = vec![StreamReport { lit_points: 75_000, ..StreamReport::default() }];
        report.sync_ms.offset_p50 = Some(-0.02);
        report.sync_ms.jitter_p95 = Some(0.11);
        report.xruns = 2;
        let line = summary(&report);
        assert!(line.contains("50 % lit; light minus sound -0.02 ms (95 % within 0.11)"), "{line}");
        assert!(line.ends_with("sound interrupted 2 times"), "{line}");
    }

    #[test]
    fn each_notice_is_told_once() {
        let mut seen = show();
        let notice = |text: &str| Notice { severity: Severity::Warning, text: text.into() };
        seen.notices = vec![notice("one"), notice("two")];
        seen.notices_made = 2;
        let mut out = Vec::new();
        let told = tell_notices(&seen, 0, false, &mut out);
        seen.notices.push(notice("three"));
        seen.notices_made = 3;
        tell_notices(&seen, told, false, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "warning: one\nwarning: two\nwarning: three\n");
    }
}
