//! Reverb, echo, ducking and the limiter.

use super::voices::Filter;
use super::{SAMPLE_RATE, Stereo};

const RATE: f32 = SAMPLE_RATE as f32;

/// A feedback delay network of eight lines with a Householder matrix: the room. `decay_s` is the time to
/// −60 dB.
pub(crate) fn reverb(send: &[[f32; 2]], decay_s: f32) -> Stereo {
    const LINES: [usize; 8] = [1_423, 1_777, 2_137, 2_539, 2_971, 3_329, 3_761, 4_211];
    let mut lines = LINES.map(|len| vec![0.0_f32; len]);
    let mut at = [0_usize; 8];
    let mut damped = [0.0_f32; 8];
    let gains = LINES.map(|len| 10.0_f32.powf(-3.0 * len as f32 / (decay_s * RATE)));
    let mut cut = [Filter::new(220.0, 0.7), Filter::new(220.0, 0.7)];
    let pre_delay = (0.018 * RATE) as usize;
    let mut out = vec![[0.0; 2]; send.len()];
    for n in 0..send.len() {
        let input = if n < pre_delay { [0.0; 2] } else { send[n - pre_delay] };
        let input = [cut[0].high(input[0]), cut[1].high(input[1])];
        let mut heard = [0.0_f32; 8];
        for i in 0..8 {
            let x = lines[i][at[i]];
            damped[i] += 0.55 * (x - damped[i]);
            heard[i] = damped[i] * gains[i];
        }
        let mean = heard.iter().sum::<f32>() * 0.25;
        for i in 0..8 {
            lines[i][at[i]] = input[i % 2] + heard[i] - mean;
            at[i] = (at[i] + 1) % LINES[i];
        }
        let sign = |i: usize| if i & 2 == 0 { 1.0 } else { -1.0 };
        out[n][0] = (0..8).step_by(2).map(|i| sign(i) * heard[i]).sum::<f32>() * 0.5;
        out[n][1] = (1..8).step_by(2).map(|i| sign(i) * heard[i]).sum::<f32>() * 0.5;
    }
    out
}

/// An echo that changes sides, softer and darker each time.
pub(crate) fn echo(send: &[[f32; 2]], delay_s: f64, feedback: f32) -> Stereo {
    let delay = (delay_s * f64::from(SAMPLE_RATE)).round() as usize;
    let mut dark = [Filter::new(3_200.0, 0.7), Filter::new(3_200.0, 0.7)];
    let mut thin = [Filter::new(300.0, 0.7), Filter::new(300.0, 0.7)];
    let mut out = vec![[0.0; 2]; send.len()];
    for n in delay..send.len() {
        let before = out[n - delay];
        let mono = 0.5 * (send[n - delay][0] + send[n - delay][1]);
        let into = [mono + feedback * before[1], feedback * before[0]];
        for c in 0..2 {
            out[n][c] = thin[c].high(dark[c].low(into[c]));
        }
    }
    out
}

/// Lowers a stem after each kick by `depth` (0..1): the pumping of dance music.
pub(crate) fn duck(stem: &mut Stereo, kicks_s: &[f64], depth: f32) {
    let mut next = 0;
    let mut last_s = f64::NEG_INFINITY;
    for (n, frame) in stem.iter_mut().enumerate() {
        let t = n as f64 / f64::from(SAMPLE_RATE);
        while next < kicks_s.len() && kicks_s[next] <= t {
            last_s = kicks_s[next];
            next += 1;
        }
        let ago = (t - last_s) as f32;
        let ahead = kicks_s.get(next).map_or(1.0, |k| (k - t) as f32);
        // Down within 4 ms before the kick, up in a smooth curve of 280 ms.
        let back = (ago / 0.28).min(1.0);
        let back = back * back * (3.0 - 2.0 * back);
        let open = back.min((ahead / 0.004).min(1.0));
        let gain = 1.0 - depth * (1.0 - open);
        frame[0] *= gain;
        frame[1] *= gain;
    }
}

/// Soft saturation, then a look-ahead limiter: no sample passes the ceiling.
pub(crate) fn limit(mix: &mut Stereo, drive_db: f32, ceiling_db: f32) {
    let (drive, ceiling) = (10.0_f32.powf(drive_db / 20.0), 10.0_f32.powf(ceiling_db / 20.0));
    for frame in mix.iter_mut() {
        *frame = frame.map(|s| soft(s * drive));
    }
    let ahead = (0.004 * RATE) as usize;
    let release = (-1.0 / (0.09 * RATE)).exp();
    let needed: Vec<f32> =
        mix.iter().map(|[l, r]| (ceiling / l.abs().max(r.abs()).max(1e-9)).min(1.0)).collect();
    // The least gain needed within the next 4 ms, released slowly, then averaged over those 4 ms.
    let mut held = vec![1.0_f32; mix.len()];
    let mut state = 1.0_f32;
    for n in 0..mix.len() {
        let least = needed[n..(n + ahead).min(needed.len())].iter().fold(1.0_f32, |m, &g| m.min(g));
        state = least.min(1.0 - (1.0 - state) * release);
        held[n] = state;
    }
    let mut sum = ahead as f64;
    for n in 0..mix.len() {
        sum += f64::from(held[n]) - if n >= ahead { f64::from(held[n - ahead]) } else { 1.0 };
        let gain = ((sum / ahead as f64) as f32).min(needed[n]);
        mix[n] = mix[n].map(|s| s * gain);
    }
}

fn soft(x: f32) -> f32 {
    // Straight up to ±0.7, then bending towards ±1.3.
    let over = x.abs() - 0.7;
    if over <= 0.0 { x } else { x.signum() * (0.7 + 0.6 * (over / 0.6).tanh()) }
}

/// One millisecond in and half a second out.
pub(crate) fn fade_ends(mix: &mut Stereo) {
    let len = mix.len();
    for (n, frame) in mix.iter_mut().enumerate() {
        let into = n as f32 / (0.001 * RATE);
        let out = (len - 1 - n) as f32 / (0.5 * RATE);
        let gain = into.min(out).min(1.0);
        *frame = frame.map(|s| s * gain);
    }
}
