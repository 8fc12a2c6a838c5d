//! From strokes to points: what holds for every drawing, file and preset.

use galvo::analysis::Features;
use galvo::format::ilda::{ReadOptions, read};
use galvo::path::quality::strain;
use galvo::path::trace::trace;
use galvo::path::{GalvoProfile, Layout, LayoutSettings, PathPoints};
use galvo::pattern::bundled::BUNDLED;
use galvo::pattern::{Figure, Instrument, Preset};
use galvo::point::{Colour, LaserPoint};
use galvo::realtime::no_alloc;
use galvo::time::MediaTime;
use proptest::prelude::*;

const PPS: u32 = 30_000;
const BUDGET: usize = 600;

/// The rules after the path stage: a bounded frame of finite points within the profile, repeated.
fn judge(from: LaserPoint, points: &[LaserPoint], profile: &GalvoProfile, budget: usize) {
    assert!(points.len() <= budget, "{} points", points.len());
    assert!(points.iter().all(LaserPoint::is_in_range));
    // From where the mirrors rest, round and round.
    let strain = strain(&[&[from], points, points].concat(), profile, PPS);
    assert!(strain.step <= 1.0 && strain.change <= 1.001, "{strain:?}");
}

#[test]
fn no_preset_strains_the_mirrors_and_none_uses_the_heap() {
    for (_, text) in BUNDLED {
        let preset = Preset::parse(text).unwrap();
        let mut instrument = Instrument::new(&preset).unwrap();
        let mut figure = Instrument::figure();
        let mut out = PathPoints::with_capacity(BUDGET);
        for profile in GalvoProfile::ALL {
            let settings = LayoutSettings { profile, ..LayoutSettings::default() };
            let mut layout = Layout::new(settings, BUDGET);
            for k in 0..120_u32 {
                let mut features = Features::silence(MediaTime::ZERO);
                features.level = (k as f32 * 0.7).sin().abs();
                features.bands.bass = if k % 12 < 3 { 1.0 } else { 0.1 };
                features.bands.treble = (k as f32 * 0.31).cos().abs();
                features.onset.envelope = if k % 12 == 0 { 1.0 } else { 0.0 };
                let media = MediaTime::from_secs_f64(f64::from(k) * 0.02);
                instrument.draw(&features, media, 0.02, &mut figure);
                let mut lay =
                    || layout.lay_loop(&figure, LaserPoint::CENTRE, PPS, BUDGET, &mut out);
                let (_, heap_uses) = no_alloc::watch(&mut lay);
                assert_eq!(heap_uses, 0, "{}", preset.name);
                judge(LaserPoint::CENTRE, out.as_slice(), &profile, BUDGET);
            }
        }
    }
}

/// Edges that touch are drawn in as few runs of light as there have to be.
#[test]
fn a_cube_of_single_edges_goes_dark_four_times_and_a_star_of_lines_meets_in_its_middle() {
    let corner = |k: usize| {
        [0, 1].map(|axis| {
            let side = |bit: usize| if k >> bit & 1 == 1 { 0.5_f32 } else { -0.5 };
            0.7 * side(axis) + 0.3 * side(2)
        })
    };
    let mut cube = Figure::with_capacity(24, 12);
    for (a, b) in (0..8_usize).flat_map(|k| (0..3).map(move |bit| (k, k ^ (1 << bit)))) {
        if a < b {
            for [x, y] in [corner(a), corner(b)] {
                cube.vertex(x, y, Colour::WHITE);
            }
            cube.end(false, false);
        }
    }
    let mut layout = Layout::new(LayoutSettings::default(), 2_000);
    let mut out = PathPoints::with_capacity(2_000);
    for _ in 0..5 {
        layout.lay_loop(&cube, LaserPoint::CENTRE, PPS, 2_000, &mut out);
        let starts = out.as_slice().windows(2).filter(|w| w[0].is_blank() && !w[1].is_blank());
        assert_eq!(starts.count(), 4, "all eight corners are odd");
    }
}

/// A drawing at the edge of its budget does not change its look with every frame.
#[test]
fn a_drawing_that_breathes_at_the_edge_of_its_budget_keeps_its_degree() {
    let mut layout = Layout::new(LayoutSettings::default(), BUDGET);
    let mut out = PathPoints::with_capacity(BUDGET);
    let mut frame = |radius: f32| {
        let mut figure = Figure::with_capacity(1_000, 5);
        for ring in 1..=5 {
            for k in 0..200 {
                let (y, x) = (k as f32 / 200.0 * std::f32::consts::TAU).sin_cos();
                let r = radius * ring as f32 / 5.0;
                figure.vertex(r * x, r * y, Colour::WHITE);
            }
            figure.end(true, true);
        }
        layout.lay(&figure, LaserPoint::CENTRE, PPS, BUDGET, &mut out).degree
    };
    // Where the degree changes as the drawing grows.
    let grown: Vec<usize> = (0..100).map(|k| frame(0.2 + 0.007 * k as f32)).collect();
    let edge = (1..100).find(|k| grown[*k] > grown[k - 1]).expect("it outgrows its budget");
    let radius = 0.2 + 0.007 * edge as f32;
    let breathing: Vec<usize> = (0..60).map(|k| frame(radius + 0.004 * (k % 2) as f32)).collect();
    let changes = breathing.windows(2).filter(|w| w[0] != w[1]).count();
    assert!(changes <= 1, "{breathing:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever a file holds, what is laid out of it is fit for the mirrors.
    #[test]
    fn no_file_strains_the_mirrors(
        records in prop::collection::vec(any::<[u8; 8]>(), 1..400),
        quiet in any::<bool>(),
    ) {
        let mut file = b"ILDA\0\0\0\x05NAME\0\0\0\0COMPANY\0".to_vec();
        file.extend((records.len() as u16).to_be_bytes());
        file.extend([0, 0, 0, 1, 0, 0]);
        for mut record in records {
            if quiet {
                // Small moves about the middle, so that there are curves too.
                record[0] = (record[0] as i8 / 16) as u8;
                record[2] = (record[2] as i8 / 16) as u8;
            }
            file.extend(record);
        }
        let drawing = read(&file, ReadOptions::default()).unwrap();
        let points: Vec<_> = drawing.frames[0].points.iter().map(|p| p.to_laser()).collect();
        let figure = trace(&points);
        let mut layout = Layout::new(LayoutSettings::default(), BUDGET);
        let mut out = PathPoints::with_capacity(BUDGET);
        for _ in 0..2 {
            let from = LaserPoint::blank(0.3, -0.2);
            layout.lay_loop(&figure, from, PPS, BUDGET, &mut out);
            judge(from, out.as_slice(), &GalvoProfile::K30, BUDGET);
        }
    }
}
