//! The terminal as a surface: a status line that follows the show, and Ctrl-C.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::show::snapshot::{ProjectorState, Severity, Snapshot};
use crate::show::{Command, Desk};
use crate::time::{Clock, MediaTime};

/// How often the line is drawn on a terminal.
const ON_TERMINAL: Duration = Duration::from_millis(100);
/// How often a line is printed where there is no terminal.
const ELSEWHERE: Duration = Duration::from_secs(5);
/// How often the show is looked at.
const STEP: Duration = Duration::from_millis(20);

/// Follows a show until it is finished or `interrupted` becomes true; then asks it to quit.
pub fn follow(desk: &mut dyn Desk, clock: &dyn Clock, interrupted: &Arc<AtomicBool>) {
    let mut out = std::io::stderr();
    let on_terminal = out.is_terminal();
    let interval = if on_terminal { ON_TERMINAL } else { ELSEWHERE };
    let mut next_line = clock.now();
    let mut told = 0;
    loop {
        let seen = desk.snapshot();
        told = tell_notices(&seen, told, on_terminal, &mut out);
        let over = seen.finished || interrupted.load(Ordering::Relaxed);
        if clock.now() >= next_line || over {
            next_line += interval;
            let (before, after) = if on_terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
            // A closed stderr is no reason to end a show.
            let _ = write!(out, "{before}{}{after}", status_line(&seen));
            let _ = out.flush();
        }
        if over {
            if on_terminal {
                let _ = writeln!(out);
            }
            desk.send(Command::Quit);
            return;
        }
        clock.sleep_until(clock.now() + STEP);
    }
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
    let light = match (seen.safety.stopped, seen.safety.armed) {
        (true, _) => "STOPPED",
        (false, true) => "ARMED",
        (false, false) => "dark (not armed)",
    };
    let mut parts = vec![
        format!("{state} {}{length}", minutes(transport.position)),
        level_bar(seen.features.level),
        seen.preset.name.clone(),
        light.to_owned(),
    ];
    for projector in &seen.projectors {
        let state = match projector.state {
            ProjectorState::Connecting => "connecting",
            ProjectorState::Ready => "ready",
            ProjectorState::Lost => "LOST",
            ProjectorState::EmergencyStop => "E-STOP",
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

fn minutes(at: MediaTime) -> String {
    let tenths = (at.as_nanos().max(0) + 50_000_000) / 100_000_000;
    format!("{:02}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

fn level_bar(level: f32) -> String {
    const CELLS: usize = 8;
    let lit = ((level.clamp(0.0, 1.0) * CELLS as f32).round() as usize).min(CELLS);
    format!("[{}{}]", "#".repeat(lit), ".".repeat(CELLS - lit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::snapshot::{Notice, ProjectorView, SafetyView, Transport};

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
        assert!(line.contains("dark (not armed)"), "{line}");
        assert!(line.contains("sim: ready 40 ms, 0 underruns"), "{line}");
    }

    #[test]
    fn a_latched_stop_outshouts_armed() {
        let mut seen = show();
        seen.safety = SafetyView { armed: true, stopped: true, ..SafetyView::default() };
        assert!(status_line(&seen).contains("STOPPED"));
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
