//! How long each device shows light after its host has ended without a word: nobody is left to tell it to stop.

use std::fmt::Write;
use std::time::Duration;

use super::MS;
use super::projectors::{Kind, Model};
use super::show::Deed;
use super::single_rules::{CIRCLE, last_light, shining};

/// Milliseconds of light after the end: the longest of some phases of the flow.
fn light_after_the_end(kind: Kind, hangs_up: bool) -> f64 {
    let worst = (0..10).map(|phase| {
        let mut show = shining(kind, CIRCLE);
        show.does(&Deed::Wait(phase));
        let end = show.now();
        show.leave_alone(hangs_up, MS * 3_000);
        last_light(&show).since(end)
    });
    worst.max().unwrap_or(Duration::ZERO).as_secs_f64() * 1e3
}

/// Bounds, milliseconds: what the device buffers, and what is on its way.
const fn bound(kind: Kind) -> f64 {
    match kind.model {
        Model::LaserCubeWifi { .. } => 100.0,
        Model::AudioXy { .. } => 120.0,
        _ => 60.0,
    }
}

#[test]
fn a_host_that_ends_without_a_word_leaves_light_for_what_the_device_holds() {
    let mut table = String::from("device          | program killed | computer frozen\n");
    for kind in Kind::all() {
        let (killed, frozen) = (light_after_the_end(kind, true), light_after_the_end(kind, false));
        writeln!(table, "{:<15} | {killed:>11.0} ms | {frozen:>12.0} ms", kind.name()).unwrap();
        assert!(killed.max(frozen) <= bound(kind), "{}: {killed} {frozen}", kind.name());
    }
    println!("{table}");
}
