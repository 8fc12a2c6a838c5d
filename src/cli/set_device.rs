//! `galvo devices set`: how a projector hangs and is set up in its room, from the command line.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::args::{buffer_ms_or_0, degrees, seconds};
use crate::dac::{self, DacUri, identity};
use crate::path::perspective::{Corners, SQUARE};
use crate::path::{ColourOrder, GalvoProfile, Mounting};
use crate::show::disk::{Job, MayWait};
use crate::show::installation::MOST_TRIM_US;
use crate::show::{Installation, Mountings, ZoneKind, ZoneSpec};

/// No set-up of a projector is larger than this, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// `galvo devices set`
#[derive(Debug, Args)]
#[command(
    after_help = "The picture is laid onto its corners, then turned, then the axes are exchanged, then inverted. Zones and \
    limits hold in the projector's own field, after all of this. Coordinates go from -1 to 1; x to the right, y up.\n\n\
    A zone is KIND:X,Y,X,Y,X,Y…, with at least three corners: blocked (no light here), allowed (light goes nowhere else) \
    or dimmed. Behind that, as you like, :keep=0.3 (what a dimmed zone leaves) and :soft=0.02 (the width of its edge).\n\n\
    Examples:\n  galvo devices set ether-dream://192.168.1.40 --invert-x --colours bgr\n  galvo devices set helios:// \
    --rotate 180 --mirrors 20\n  galvo devices set idn://192.168.1.41/2 --zone blocked:-1,-1,1,-1,1,-0.4,-1,-0.4\n  \
    galvo devices set sim: --json > left.json\n  galvo devices set helios://Right --from left.json\n  \
    galvo devices set idn://192.168.1.41/2 --reset"
)]
pub struct SetArgs {
    /// The projector, as `galvo devices` names it
    pub uri: String,
    /// Exchange the axes; `--swap-xy=false` takes it back
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub swap_xy: Option<bool>,
    /// Mirror left and right
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub invert_x: Option<bool>,
    /// Mirror up and down
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub invert_y: Option<bool>,
    /// Turn of the picture, degrees against the clock
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true, value_parser = degrees)]
    pub rotate: Option<f32>,
    /// What the lines red, green and blue carry: three letters of r, g, b, i (brightest) and - (dark), e.g. `bgr`;
    /// a fourth is for the intensity line, e.g. `rgb-` leaves it unused
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    pub colours: Option<ColourOrder>,
    /// Where the corners of the picture lie: X,Y of the bottom left, bottom right, top right and top left one
    #[arg(long, value_name = "X,Y,…", allow_hyphen_values = true, value_parser = corners)]
    pub corners: Option<Corners>,
    /// What the mirrors bear, thousands of points per second
    #[arg(long, value_name = "KPPS", value_parser = ["20", "30", "40", "60"])]
    pub mirrors: Option<String>,
    /// How much later colours come than the lag of the mirrors asks for, microseconds; below 0 earlier. Set it with the
    /// test picture Blanking: dashes from both sides end above each other
    #[arg(long, value_name = "US", allow_negative_numbers = true, value_parser = trim)]
    pub colour_delay_us: Option<f32>,
    /// Time of points to keep ahead of its mirrors, ms; 0: as its line needs
    #[arg(long, value_name = "MS", value_parser = buffer_ms_or_0)]
    pub buffer_ms: Option<f32>,
    /// A zone, e.g. `blocked:-1,-1,1,-1,1,-0.4,-1,-0.4`; may be given more than once, and those given replace all others
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub zone: Vec<ZoneSpec>,
    /// Takes all zones away
    #[arg(long, conflicts_with = "zone")]
    pub no_zones: bool,
    /// Takes everything from a file that `--json` has printed (`-` is standard input), before the rest of this line
    #[arg(long, value_name = "FILE.json", conflicts_with = "reset")]
    pub from: Option<PathBuf>,
    /// Forget everything that was set of it, before the rest of this line
    #[arg(long)]
    pub reset: bool,
    /// How long to look for it, seconds
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = seconds)]
    pub timeout: f64,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

/// Everything that is set of one projector.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
struct SetUp {
    #[serde(default)]
    mounting: Mounting,
    #[serde(default)]
    installation: Installation,
}

#[derive(Serialize)]
struct Told<'a> {
    uri: &'a str,
    id: Option<String>,
    #[serde(flatten)]
    set_up: &'a SetUp,
}

/// `galvo devices set`
pub(super) fn set(args: &SetArgs) -> anyhow::Result<()> {
    DacUri::parse(&args.uri)?;
    let mut mountings = Mountings::open(None)?;
    let uri = &identity::at_its_address(&args.uri);
    let seen = if identity::is_told_by_a_look(uri) {
        dac::look_for(std::slice::from_ref(uri), Duration::from_secs_f64(args.timeout))
    } else {
        Vec::new()
    };
    let id = identity(uri, &seen);
    let before = match &args.from {
        _ if args.reset => SetUp::default(),
        Some(file) => read(file)?,
        None => SetUp {
            mounting: mountings.of(uri, id.as_deref()),
            installation: mountings.installation_of(uri, id.as_deref()),
        },
    };
    let set_up = changed(before, args);
    set_up.mounting.check()?;
    set_up.installation.ready()?;
    mountings.install(uri, id.as_deref(), set_up.installation.clone());
    mountings.set(uri, id.as_deref(), set_up.mounting);
    let answer = mountings.to_write()?.run(&MayWait::here());
    if let Some(trouble) = answer.trouble() {
        anyhow::bail!(trouble);
    }
    if args.json {
        let told = Told { uri: &args.uri, id, set_up: &set_up };
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    println!("{}: {}", args.uri, described(&set_up.mounting, &set_up.installation));
    if id.is_none() {
        println!(
            "It was not seen now, so this holds for its address: set it again when it is switched on, and it holds wherever the projector goes."
        );
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<SetUp> {
    let shown = file.display();
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin().take(MAX_BYTES).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
    };
    read.with_context(|| format!("{shown} cannot be read: check that it exists"))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{shown} is not what galvo devices set --json prints"))
}

fn changed(before: SetUp, args: &SetArgs) -> SetUp {
    let SetUp { mounting, installation } = before;
    let zones =
        if args.no_zones || !args.zone.is_empty() { args.zone.clone() } else { installation.zones };
    SetUp {
        mounting: Mounting {
            swap_xy: args.swap_xy.unwrap_or(mounting.swap_xy),
            invert_x: args.invert_x.unwrap_or(mounting.invert_x),
            invert_y: args.invert_y.unwrap_or(mounting.invert_y),
            rotate_degrees: args.rotate.unwrap_or(mounting.rotate_degrees),
            colours: args.colours.unwrap_or(mounting.colours),
        },
        installation: Installation {
            corners: args.corners.unwrap_or(installation.corners),
            mirrors: match &args.mirrors {
                Some(kpps) => format!("{kpps} kpps"),
                None => installation.mirrors,
            },
            colour_trim_us: args.colour_delay_us.unwrap_or(installation.colour_trim_us),
            zones,
            buffer_ms: match args.buffer_ms {
                Some(ms) => Some(ms).filter(|ms| *ms > 0.0),
                None => installation.buffer_ms,
            },
        },
    }
}

/// How a projector hangs and is set up, for people.
pub(super) fn described(mounting: &Mounting, installation: &Installation) -> String {
    let plain = Mounting::default();
    let zones = installation.zones.len();
    let said = [
        (mounting.rotate_degrees != 0.0, format!("turned by {}°", mounting.rotate_degrees)),
        (mounting.swap_xy, "x and y exchanged".to_owned()),
        (mounting.invert_x, "x inverted".to_owned()),
        (mounting.invert_y, "y inverted".to_owned()),
        (mounting.colours != plain.colours, format!("colours {}", mounting.colours)),
        (installation.corners != SQUARE, "corners moved".to_owned()),
        (
            installation.mirrors != GalvoProfile::K30.name,
            format!("mirrors of {}", installation.mirrors),
        ),
        (
            installation.colour_trim_us != 0.0,
            format!("colours {:+} µs", installation.colour_trim_us),
        ),
        (
            installation.buffer_ms.is_some(),
            format!("a buffer of {} ms", installation.buffer_ms.unwrap_or_default()),
        ),
        (zones == 1, "one zone".to_owned()),
        (zones > 1, format!("{zones} zones")),
    ];
    let said: Vec<_> = said.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect();
    if said.is_empty() { "hangs as it was made".to_owned() } else { said.join(", ") }
}

fn trim(text: &str) -> Result<f32, String> {
    let number = text.trim().parse::<f32>().ok().filter(|us| us.abs() <= MOST_TRIM_US);
    number.ok_or_else(|| format!("-{MOST_TRIM_US} to {MOST_TRIM_US} microseconds are allowed"))
}

/// `X,Y,X,Y…`
fn places(text: &str) -> Result<Vec<[f32; 2]>, String> {
    let numbers: Result<Vec<f32>, String> = text
        .split(',')
        .map(|word| {
            let number = word.trim().parse::<f32>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| format!("{word:?} is no number: write X,Y,X,Y,… from -1 to 1"))
        })
        .collect();
    let numbers = numbers?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.to_vec())
    } else {
        Err("a corner needs an X and a Y: write X,Y,X,Y,…".to_owned())
    }
}

fn corners(text: &str) -> Result<Corners, String> {
    let places = places(text)?;
    places.try_into().map_err(|places: Vec<_>| {
        format!(
            "a picture has 4 corners and not {}: bottom left, bottom right, top right, top left",
            places.len()
        )
    })
}

/// `KIND:X,Y,…[:keep=K][:soft=S]`
fn zone(text: &str) -> Result<ZoneSpec, String> {
    let mut words = text.split(':');
    let kind = match words.next() {
        Some("blocked") => ZoneKind::Blocked,
        Some("allowed") => ZoneKind::Allowed,
        Some("dimmed") => ZoneKind::Dimmed,
        _ => return Err("a zone begins with blocked:, allowed: or dimmed:".to_owned()),
    };
    let corners = places(words.next().unwrap_or_default())?;
    let mut zone = ZoneSpec { kind, corners, ..ZoneSpec::default() };
    for word in words {
        let number = |text: &str| {
            let part = text.parse::<f32>().ok().filter(|part| (0.0..=1.0).contains(part));
            part.ok_or_else(|| format!("{word:?}: write a number from 0 to 1"))
        };
        match word.split_once('=') {
            Some(("keep", text)) => zone.keep = number(text)?,
            Some(("soft", text)) => zone.soft_edge = number(text)?,
            _ => return Err(format!("{word:?} says nothing of a zone: write keep=K or soft=S")),
        }
    }
    let alone = Installation { zones: vec![zone.clone()], ..Installation::default() };
    alone.ready().map_err(|error| error.to_string())?;
    Ok(zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_zone_is_read_with_its_corners_what_it_keeps_and_its_edge() {
        let read = zone("dimmed:-1,-1, 1,-1,0,0.5:soft=0.1:keep=0.25").unwrap();
        let corners = vec![[-1.0, -1.0], [1.0, -1.0], [0.0, 0.5]];
        let expected = ZoneSpec { kind: ZoneKind::Dimmed, keep: 0.25, soft_edge: 0.1, corners };
        assert_eq!(read, expected);
        let lies = corners_of("-0.9,-0.8,0.9,-0.8,0.5,0.7,-0.5,0.7");
        assert_eq!(lies, [[-0.9, -0.8], [0.9, -0.8], [0.5, 0.7], [-0.5, 0.7]]);
    }

    fn corners_of(text: &str) -> Corners {
        corners(text).unwrap()
    }

    #[test]
    fn what_is_no_zone_is_refused_with_what_may_be_written() {
        for (text, cure) in [
            ("", "blocked:"),
            ("blocked", "no number"),
            ("round:0,0,1,0,1,1", "blocked:, allowed: or dimmed:"),
            ("blocked:0,0,1,0,1", "an X and a Y"),
            ("blocked:0,0,1,0", "corners"),
            ("blocked:0,0,1,0,nan,1", "no number"),
            ("dimmed:0,0,1,0,1,1:keep=2", "from 0 to 1"),
            ("dimmed:0,0,1,0,1,1:hue=0", "keep=K or soft=S"),
        ] {
            let told = zone(text).unwrap_err();
            assert!(told.contains(cure), "{text}: {told}");
        }
        assert!(corners("0,0,1,0,1,1").unwrap_err().contains("4 corners"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_zone_or_refused(text in "(blocked:|dimmed:|)[-0-9.,:a-z=]{0,40}") {
            drop(zone(&text));
            drop(corners(&text));
        }
    }
}
