//! The moments of flashes in a recording of virtual mirrors (`galvo simulate … --record`).

use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;

/// Drive that counts as a flash, of 65535.
const BRIGHT: u32 = 26_000;
/// It must have been away this long before it is a flash, seconds.
const AWAY: f64 = 0.15;

/// The host times, in seconds, at which light leapt to bright.
pub(crate) fn flashes(recording: &Path) -> anyhow::Result<Vec<f64>> {
    let file = std::fs::File::open(recording)
        .with_context(|| format!("{} cannot be read", recording.display()))?;
    let mut flashes = Vec::new();
    let mut last_bright = f64::NEG_INFINITY;
    for line in BufReader::new(file).lines().skip(1) {
        let line = line?;
        // host_ns,index,x,y,r,g,b,i
        let mut fields = line.split(',');
        let host_ns: i64 = fields.next().unwrap_or_default().parse()?;
        let drive = fields.skip(3).filter_map(|field| field.parse::<u32>().ok()).max().unwrap_or(0);
        let at = host_ns as f64 * 1e-9;
        if drive >= BRIGHT {
            if at - last_bright > AWAY {
                flashes.push(at);
            }
            last_bright = at;
        }
    }
    Ok(flashes)
}
