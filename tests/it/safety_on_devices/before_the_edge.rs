//! Two random shows in which the rate rose while an axis flew to the edge of the field, as they were when they were found. Their
//! seeds are in `tests/proptest-regressions/safety_on_devices.txt`; they mean other shows by now.

use galvo::path::GalvoProfile;
use galvo::safety::{DwellLimit, GateSettings, Shape};

use super::MS;
use super::drawing::Drawing;
use super::judge::judge;
use super::projectors::{Kind, Light, Model};
use super::show::{Deed, Show};

/// Plays the show on a projector in this process whose clock is off by `ppm`, and judges what it showed.
fn plays(ppm: i16, profile: GalvoProfile, pps: u32, seed: u64, deeds: &[Deed]) {
    let dwell =
        DwellLimit { protected: Some(Shape::FIELD), still_radius: 0.002, max_dwell_s: 0.004 };
    let settings = GateSettings { profile, dwell, ..GateSettings::default() };
    let mut show = Show::new(Kind { ppm, ..Kind::plain(Model::InProcess) }, &settings, pps, seed);
    for deed in deeds {
        show.does(deed);
    }
    show.run(MS * 1_300);
    judge(&show, &settings).unwrap();
    let rose = show.shown.windows(2).any(|pair| pair[1].at.nanos_since(pair[0].at) < 11_000);
    assert!(rose && show.shown.iter().any(Light::is_lit));
}

/// Seed 4ca20a54: jumps, some of them no numbers. An axis was held at the lower edge with 1.8 times the change of speed
/// that the mirrors bear.
#[test]
fn a_rise_from_30_to_100_kpps_before_the_edge_keeps_the_limits() {
    let deeds = [
        Deed::Draw(Drawing::Noise { nonsense: true }),
        Deed::Wait(60),
        Deed::Master(1.0),
        Deed::Arm,
        Deed::Wait(80),
        Deed::Seek,
        Deed::Wait(12),
        Deed::Wait(35),
        Deed::Wait(98),
        Deed::Wait(96),
        Deed::Rate(100_000),
    ];
    plays(375, GalvoProfile::K40, 30_000, 1_285_297_850_696_654_666, &deeds);
}

/// Seed 59070964: at the left edge, after a fall of the rate and a disarm, 2.4 times.
#[test]
fn a_rise_after_a_fall_of_the_rate_before_the_edge_keeps_the_limits() {
    let deeds = [
        Deed::Draw(Drawing::Noise { nonsense: false }),
        Deed::Wait(60),
        Deed::Master(1.0),
        Deed::Arm,
        Deed::Wait(80),
        Deed::Wait(54),
        Deed::Wait(23),
        Deed::Draw(Drawing::Noise { nonsense: true }),
        Deed::Rate(30_000),
        Deed::Seek,
        Deed::Wait(25),
        Deed::Wait(40),
        Deed::Wait(111),
        Deed::Wait(36),
        Deed::Disarm,
        Deed::Wait(110),
        Deed::Draw(Drawing::Noise { nonsense: false }),
        Deed::Reset,
        Deed::Rate(100_000),
    ];
    plays(-690, GalvoProfile::K60, 41_878, 15_804_901_658_499_725_975, &deeds);
}
