//! Random shows on every driver.

use galvo::dac::simulator::ether_dream::Generation;
use galvo::path::{GalvoProfile, Mounting};
use galvo::safety::{DwellLimit, Effect, GateSettings, Shape, Zone, Zones};
use proptest::prelude::*;
use proptest::test_runner::{
    FileFailurePersistence, RngAlgorithm, TestCaseResult, TestRng, TestRunner,
};

use super::MS;
use super::drawing::Drawing;
use super::judge::judge;
use super::projectors::{Kind, Model};
use super::show::{Deed, Show};

/// Shows for each driver, always the same ones.
const FEW: u32 = 40;

fn drawing() -> impl Strategy<Value = Drawing> {
    prop_oneof![
        2 => any::<bool>().prop_map(|nonsense| Drawing::Noise { nonsense }),
        1 => (-1.0_f32..1.0, -1.0_f32..1.0).prop_map(|(x, y)| Drawing::Dot { x, y }),
        2 => (0.001_f32..1.0, 30_u32..2000)
            .prop_map(|(radius, points)| Drawing::Circle { radius, points }),
        1 => (1.0_f32..20.0).prop_map(|hz| Drawing::Strobe { hz }),
        3 => (0_usize..100).prop_map(Drawing::Preset),
        1 => Just(Drawing::Lazy),
    ]
}

fn zones() -> impl Strategy<Value = Zones> {
    let shape = (-1.0_f32..1.0, -1.0_f32..1.0, 0.1_f32..1.0, 0.1_f32..1.0)
        .prop_map(|(x, y, w, h)| Shape::Rect { low: [x, y], high: [x + w, y + h] });
    let effect = prop_oneof![
        2 => Just(Effect::Allowed),
        2 => Just(Effect::Blocked),
        1 => (0.0_f32..1.0).prop_map(Effect::Attenuated)
    ];
    prop::collection::vec((shape, effect, 0.0_f32..0.3), 0..4).prop_map(|list| {
        let mut zones = Zones::default();
        for (shape, effect, soft_edge) in list {
            zones.add(Zone { shape, effect, soft_edge }).unwrap();
        }
        zones
    })
}

fn rate() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(30_000_u32), 2 => 8_000_u32..60_000, 1 => Just(100_000_u32)]
}

fn mounting() -> impl Strategy<Value = Mounting> {
    let colours = prop::sample::select(vec!["rgb", "bgr", "iii", "g-r-", "rrr"]);
    let turn = prop_oneof![Just(0.0_f32), Just(90.0), -360.0_f32..360.0];
    (any::<[bool; 3]>(), turn, colours).prop_map(
        |([swap_xy, invert_x, invert_y], turn, colours)| {
            let colours = colours.parse().unwrap();
            Mounting { swap_xy, invert_x, invert_y, rotate_degrees: turn, colours }
        },
    )
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        10 => (0_u16..120).prop_map(Deed::Wait),
        6 => Just(Deed::Arm),
        2 => Just(Deed::Disarm),
        1 => Just(Deed::Rearm),
        1 => Just(Deed::Stop),
        3 => Just(Deed::Reset),
        1 => Just(Deed::MereReset),
        2 => prop_oneof![0.0_f32..1.0, Just(1.0), Just(f32::NAN)].prop_map(Deed::Master),
        1 => zones().prop_map(|zones| Deed::Zones(Box::new(zones))),
        2 => rate().prop_map(Deed::Rate),
        3 => drawing().prop_map(Deed::Draw),
        1 => mounting().prop_map(Deed::Mount),
        2 => Just(Deed::Seek),
        1 => Just(Deed::SurfaceGone),
        1 => (0_u16..600).prop_map(Deed::Unplug),
        1 => Just(Deed::Starve),
        1 => Just(Deed::Estop),
        1 => Just(Deed::EstopOver),
        1 => Just(Deed::Intrude),
        1 => (20_u16..300).prop_map(Deed::EngineHangs),
        1 => (20_u16..95).prop_map(Deed::WorkerHangs),
        2 => prop_oneof![2 => 20_u16..95, 1 => 5_u16..200].prop_map(Deed::HostHangs),
    ]
}

fn settings() -> impl Strategy<Value = GateSettings> {
    let dwell = (0.002_f32..0.03, 0.004_f32..0.05);
    (zones(), prop::sample::select(GalvoProfile::ALL.to_vec()), dwell).prop_map(
        |(zones, profile, (still_radius, max_dwell_s))| GateSettings {
            zones,
            profile,
            dwell: DwellLimit { protected: Some(Shape::FIELD), still_radius, max_dwell_s },
        },
    )
}

fn ending() -> impl Strategy<Value = Deed> {
    prop_oneof![Just(Deed::Wait(0)), Just(Deed::End), Just(Deed::Drop)]
}

#[derive(Clone, Debug)]
struct Play {
    kind: Kind,
    settings: GateSettings,
    pps: u32,
    first: Drawing,
    deeds: Vec<Deed>,
    ending: Deed,
    reports_lost: f32,
    seed: u64,
}

fn play(kind: impl Strategy<Value = Kind>) -> impl Strategy<Value = Play> {
    let show = (rate(), drawing(), prop::collection::vec(deed(), 4..40), ending());
    let reports_lost = prop_oneof![2 => Just(0.0_f32), 1 => 0.0_f32..0.9];
    (kind, settings(), show, reports_lost, any::<u64>()).prop_map(
        |(kind, settings, (pps, first, deeds, ending), reports_lost, seed)| Play {
            kind,
            settings,
            pps,
            first,
            deeds,
            ending,
            reports_lost,
            seed,
        },
    )
}

/// Design §5, all rules, on what the projector showed. LR-18: also after the end, a drop and a loss.
fn every_rule_holds(play: &Play) -> TestCaseResult {
    let mut show = Show::new(play.kind, &play.settings, play.pps, play.seed);
    show.reports_lost = play.reports_lost;
    // Most shows begin with light: an unarmed one proves little.
    let begins =
        [Deed::Draw(play.first), Deed::Wait(60), Deed::Master(1.0), Deed::Arm, Deed::Wait(80)];
    for deed in begins.iter().chain(&play.deeds) {
        show.does(deed);
    }
    show.does(&play.ending);
    // An end plays out what is queued, or is tired of waiting for it after a second.
    show.run(MS * 1_300);
    judge(&show, &play.settings)?;
    if !matches!(play.ending, Deed::Wait(_)) {
        prop_assert!(!show.arm.is_armed());
    }
    Ok(())
}

/// Plays shows of one driver, a few that are always the same or `SAFETY_CASES` new ones, and says how many passed.
fn shows(name: &str, kind: impl Strategy<Value = Kind>) -> String {
    let wanted = std::env::var("SAFETY_CASES").ok();
    let wanted: Option<u32> =
        wanted.map(|cases| cases.parse().expect("SAFETY_CASES is how many shows a driver plays"));
    let config = ProptestConfig {
        cases: wanted.unwrap_or(FEW),
        max_shrink_iters: 400,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let mut runner = match wanted {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let cases = runner.config().cases;
    let outcome = runner.run(&play(kind), |play| every_rule_holds(&play));
    match outcome {
        Ok(()) => format!("{name}: {cases} shows, and no rule was broken"),
        Err(error) => panic!("{name}: {error}"),
    }
}

/// The clock of a device is off.
fn ppm() -> impl Strategy<Value = i16> {
    -1000_i16..1000
}

/// Datagrams are lost in every third show.
fn loss() -> impl Strategy<Value = u8> {
    prop_oneof![2 => Just(0_u8), 1 => 1_u8..10]
}

#[test]
fn every_rule_holds_for_what_a_projector_in_this_process_shows() {
    println!(
        "{}",
        shows("sim", ppm().prop_map(|ppm| Kind { ppm, ..Kind::plain(Model::InProcess) }))
    );
}

#[test]
fn every_rule_holds_for_what_an_ether_dream_shows() {
    let kind = (any::<bool>(), ppm(), 0_u8..6, 0_u8..6, any::<bool>()).prop_map(
        |(one, ppm, delay_ms, jitter_ms, limited)| {
            let generation = if one { Generation::One } else { Generation::Two };
            let model = Model::EtherDream { generation, limit: limited.then_some(4000) };
            Kind { model, ppm, delay_ms, jitter_ms, loss_percent: 0 }
        },
    );
    println!("{}", shows("ether-dream", kind));
}

#[test]
fn every_rule_holds_for_what_a_lasercube_on_the_network_shows() {
    let kind = (any::<bool>(), ppm(), loss()).prop_map(|(wired, ppm, loss_percent)| Kind {
        ppm,
        loss_percent,
        ..Kind::plain(Model::LaserCubeWifi { wired })
    });
    println!("{}", shows("lasercube-wifi", kind));
}

#[test]
fn every_rule_holds_for_what_an_idn_device_shows() {
    let kind = (ppm(), loss()).prop_map(|(ppm, loss_percent)| Kind {
        ppm,
        loss_percent,
        ..Kind::plain(Model::Idn)
    });
    println!("{}", shows("idn", kind));
}

#[test]
fn every_rule_holds_for_what_a_helios_shows() {
    println!(
        "{}",
        shows("helios", ppm().prop_map(|ppm| Kind { ppm, ..Kind::plain(Model::Helios) }))
    );
}

#[test]
fn every_rule_holds_for_what_a_lasercube_on_usb_shows() {
    let kind = (prop::sample::select(vec![768_usize, 1024, 2048]), ppm())
        .prop_map(|(ring, ppm)| Kind { ppm, ..Kind::plain(Model::LaserCubeUsb { ring }) });
    println!("{}", shows("lasercube-usb", kind));
}

#[test]
fn every_rule_holds_for_what_a_sound_card_shows() {
    let kind = (prop::sample::select(vec![44_100_u32, 48_000, 96_000, 192_000]), ppm())
        .prop_map(|(rate, ppm)| Kind { ppm, ..Kind::plain(Model::AudioXy { rate }) });
    println!("{}", shows("audio-xy", kind));
}
