//! What a unit of counted cost takes (`src/pattern/cost.rs`): every generator at the dearest ends of its parameters, every
//! effect, every bundled preset and the dearest one, by this thread's CPU time. The prices are set so that none of the last
//! column is far above half a nanosecond.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;

use galvo::pattern::bundled::BUNDLED;
use galvo::pattern::catalog::GENERATORS;
use galvo::pattern::cost::{CALLBACK_UNITS, budget, fit};
use galvo::pattern::effects::EFFECTS;
use galvo::pattern::{Instrument, ParamSpec, Preset};
use galvo::time::MediaTime;
use rustix::time::{ClockId, clock_gettime};

#[path = "../tests/it/synthetic_song.rs"]
mod synthetic_song;

const PICTURES: u32 = 200;
const ROUNDS: u32 = 5;
/// A formula of so many points, for the effects.
const PLAIN: &str =
    "version = 1\nname = \"Plain\"\ngenerator = \"formula\"\n[params]\npoints = 640\n";

fn cpu_ns() -> u64 {
    let at = clock_gettime(ClockId::ThreadCPUTime);
    at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64
}

/// Nanoseconds of a picture, the best of some rounds: what else ran on the machine makes it longer.
fn picture_ns(instrument: &mut Instrument) -> f64 {
    let mut figure = Instrument::figure();
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begun = cpu_ns();
        for k in 0..PICTURES {
            let media = MediaTime::from_secs_f64(3.0 + f64::from(k) * 0.02);
            let features = synthetic_song::features_at(media, 1.0);
            instrument.draw(black_box(&features), media, 0.02, &mut figure);
        }
        best = best.min((cpu_ns() - begun) as f64 / f64::from(PICTURES));
    }
    best
}

/// The same with every parameter as it is, at its highest, and at its lowest: the dearest.
fn dearest_ns(preset: &Preset) -> f64 {
    let at_ends = [None, Some(1.0), Some(0.0)].map(|end| {
        let mut instrument = Instrument::within(preset, u64::MAX).expect("the preset is right");
        for (index, spec) in instrument.params().to_vec().iter().enumerate() {
            if let Some(end) = end {
                instrument.set_param(index, spec.min + end * (spec.max - spec.min));
            }
        }
        picture_ns(&mut instrument)
    });
    at_ends.into_iter().fold(0.0, f64::max)
}

fn units(preset: &Preset) -> f64 {
    fit(preset, u64::MAX).expect("the preset is right").whole_units as f64
}

fn row(kind: &str, name: &str, units: f64, ns: f64) -> f64 {
    println!("{kind:10} {name:24} {units:>9.0} {ns:>9.0} {:>8.2}", ns / units);
    ns / units
}

fn main() {
    println!("{:10} {:24} {:>9} {:>9} {:>8}", "", "", "units", "ns", "ns/unit");
    let mut highest = 0.0_f64;
    for generator in GENERATORS.iter().filter(|generator| generator.id != "formula") {
        let preset = Preset::plain(generator.name, generator);
        highest = highest.max(row("generator", generator.id, units(&preset), dearest_ns(&preset)));
    }
    let parse = |text: &str| Preset::parse(text).expect("the preset is right");
    let alone = |preset: &Preset| {
        picture_ns(&mut Instrument::within(preset, u64::MAX).expect("the preset is right"))
    };
    let plain = parse(PLAIN);
    let (plain_units, plain_ns) = (units(&plain), alone(&plain));
    highest = highest.max(row("formula", "Plain", plain_units, plain_ns));
    for effect in EFFECTS {
        // As it is, at the highest values, and at the lowest: the dearest.
        let values = [None, Some(1.0), Some(0.0)].map(|end: Option<f32>| {
            let at = |spec: &ParamSpec| {
                end.map(|end| {
                    format!("{} = {:?}\n", spec.name, spec.min + end * (spec.max - spec.min))
                })
            };
            effect.params.iter().filter_map(at).collect::<String>()
        });
        let presets = values.map(|values| {
            let text =
                format!("[[effects]]\neffect = \"{}\"\n[effects.params]\n{values}", effect.id);
            parse(&format!("{PLAIN}{text}"))
        });
        let ns = presets.iter().map(alone).fold(0.0, f64::max);
        row("effect", effect.id, units(&presets[0]) - plain_units, ns - plain_ns);
    }
    let worst = include_str!("../tests/cases/worst.toml");
    for text in BUNDLED.iter().map(|(_, text)| *text).chain([worst]) {
        let preset = parse(text);
        highest = highest.max(row("preset", &preset.name, units(&preset), alone(&preset)));
    }
    println!(
        "a picture of every projector: {CALLBACK_UNITS} units, {:.2} ms at most",
        CALLBACK_UNITS as f64 * highest * 1e-6
    );
    let worst = parse(worst);
    for projectors in [1_u16, 4, 8, 16, 64] {
        let budget = budget(projectors.into());
        let ns = picture_ns(&mut Instrument::within(&worst, budget).expect("the preset is right"));
        println!(
            "{} on {projectors}: {:.2} ms for a picture of each",
            worst.name,
            f64::from(projectors) * ns * 1e-6
        );
    }
}
