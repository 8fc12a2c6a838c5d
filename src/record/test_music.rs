//! Music made from arithmetic, to try a preset on without a file: drums, bass, chords, silence, noise.

/// Frames per second.
pub const TEST_MUSIC_HZ: u32 = 44_100;
/// Length, seconds.
pub const TEST_MUSIC_S: u32 = 12;

const BEAT_S: f32 = 60.0 / 126.0;

/// The whole piece, interleaved stereo. Every call gives the same.
#[must_use]
pub fn test_music() -> Vec<f32> {
    let frames = TEST_MUSIC_HZ * TEST_MUSIC_S;
    let mut noise = 0x2545_f491_u32;
    let mut out = Vec::with_capacity(2 * frames as usize);
    for k in 0..frames {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let hiss = noise as f32 / u32::MAX as f32 * 2.0 - 1.0;
        let sample = sound_at(k as f32 / TEST_MUSIC_HZ as f32, hiss).clamp(-1.0, 1.0);
        out.extend([sample, 0.9 * sample]);
    }
    out
}

fn sound_at(t: f32, hiss: f32) -> f32 {
    let wave = |hz: f32| (std::f32::consts::TAU * (hz * t).fract()).sin();
    let since_beat = t % BEAT_S;
    let since_half = (t + 0.5 * BEAT_S) % BEAT_S;
    let kick = (-since_beat * 18.0).exp() * (40.0 * (1.0 - (-since_beat * 30.0).exp())).sin();
    let hat = (-since_half * 60.0).exp() * hiss;
    let chord = [220.0, 277.2, 329.6, 1760.0].iter().map(|hz| wave(*hz)).sum::<f32>() / 4.0;
    let bass = wave(if ((t / (4.0 * BEAT_S)) as u32).is_multiple_of(2) { 55.0 } else { 73.4 });
    match t {
        // A beginning, a break, a burst, and everything at once.
        ..5.0 => 0.6 * kick + 0.2 * hat + 0.2 * bass,
        ..6.5 => 0.0,
        ..7.5 => 0.9 * hiss,
        _ => 0.6 * kick + 0.3 * hat + 0.2 * bass + 0.3 * chord,
    }
}
