//! The examples of the streaming API, run on the simulator.

use galvo::stream::RunExit;

#[path = "../../examples/audio_synced.rs"]
mod audio_synced;
#[path = "../../examples/frame_based.rs"]
mod frame_based;
#[path = "../../examples/shared_frames.rs"]
mod shared_frames;
#[path = "../../examples/time_based.rs"]
mod time_based;

/// Runs an example for a second and returns how many points were shown, and how many of them lit.
fn shown(example: fn(&str, f64) -> anyhow::Result<RunExit>) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("shown.csv");
    let uri = format!("sim:?record={}", record.display());
    assert_eq!(example(&uri, 1.0).unwrap(), RunExit::ProducerEnded);
    let text = std::fs::read_to_string(record).unwrap();
    let rows = text.lines().skip(1);
    (rows.clone().count(), rows.filter(|row| !row.ends_with(",0,0,0,0")).count())
}

/// LS-67, LS-65, LS-71, LR-06: a figure that is a function of time, as a callback of the one signature there is.
#[test]
fn the_time_based_example_shines_for_a_second() {
    let (shown, lit) = shown(time_based::run);
    assert!(shown > 20_000 && lit > 0, "{shown} shown, {lit} lit");
}

/// LS-67: a picture drawn again and again.
#[test]
fn the_frame_based_example_shines_for_a_second() {
    let (shown, lit) = shown(frame_based::run);
    assert!(shown > 20_000 && lit > 0, "{shown} shown, {lit} lit");
}

/// LS-67: pictures from another thread.
#[test]
fn the_shared_example_shines_for_a_second() {
    let (shown, lit) = shown(shared_frames::run);
    assert!(shown > 20_000 && lit > 0, "{shown} shown, {lit} lit");
}

/// LS-67, LS-68: light made from the features of its own moment.
#[test]
fn the_audio_synced_example_shines_for_a_second() {
    let (shown, lit) = shown(audio_synced::run);
    assert!(shown > 20_000 && lit > 0, "{shown} shown, {lit} lit");
}
