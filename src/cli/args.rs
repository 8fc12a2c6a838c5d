//! What may be typed: the command line as types. What it means is decided where it is used.

use std::path::PathBuf;

use super::control::{ControlAction, ControlArgs};
use super::mask::{KeyArgs, MaskAction};
use super::set_device::SetArgs;
use crate::mask::{Eye, Rate};
use crate::show::Installation;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Audio-synchronised laser visualiser: plays or listens to music and drives laser projectors in time
/// with it. Without a command it opens the desktop window, with the projectors of its last time.
#[derive(Debug, Parser)]
#[command(name = "galvo", version, propagate_version = true)]
#[command(
    after_help = "Lasers harm eyes: galvo is no interlock. Read docs/safety.md before you arm a real \
    projector.\n\nCtrl-C, a polite kill, a closed terminal and a logout end a show in its order: dark, with its report, \
    exit status 0. A second one ends it at once, with status 130; so does one before the show has begun.\n\nExamples:\n  galvo play song.flac\n  galvo play song.flac --dac ether-dream://192.168.1.40 \
    --arm --headless\n  galvo live --input monitor\n  galvo simulate ether-dream --record points.csv\n  galvo render song.flac \
    --out show.ild"
)]
pub struct Cli {
    /// Say more on stderr (-v: what happens, -vv: details). `RUST_LOG` overrides it.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// What to do; the window opens without it.
    #[command(subcommand)]
    pub command: Option<Cmd>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Plays files or addresses: sound from the card, light in time with it
    Play(PlayArgs),
    /// Makes light from what is heard now
    Live(LiveArgs),
    /// Says what is heard in a file: tempo, beats, bars, attacks, parts, loudness
    Analyze(AnalyzeArgs),
    /// Lists projectors and sound devices, how to name them, and what is wrong with them
    Devices(DevicesArgs),
    /// A virtual projector that speaks the real protocol
    Simulate(SimulateArgs),
    /// Draws a show into a file, offline and the same every time: laser frames, points, sound or pictures
    Render(RenderArgs),
    /// Gives the drawings of an ILDA file the best path the mirrors can follow, with figures before and after
    Optimise(OptimiseArgs),
    /// Checks a preset or an ILDA file against mirrors and safety; exit status 1 if a limit is broken
    Check(CheckArgs),
    /// The presets: list them, print one, check a file
    Presets(PresetsArgs),
    /// Mask streams: what is in one, one frame as a picture or as lines, and making your own
    Mask {
        /// What to do with them
        #[command(subcommand)]
        action: MaskAction,
    },
    /// MIDI controllers, OSC and Art-Net: what is there, what arrives, whether a map is sound
    Control {
        /// What to do with them
        #[command(subcommand)]
        action: ControlAction,
    },
    /// Prints the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What `play` and `live` share.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// Preset: a name from `galvo presets list`, or the path of a TOML file
    #[arg(long, value_name = "NAME|PATH")]
    pub preset: Option<String>,
    /// When another preset begins after it was chosen
    #[arg(long, value_enum, value_name = "WHEN", default_value = "now")]
    pub change: ChangeAt,
    /// How long one preset takes to become the other, beats; 0 is a cut
    #[arg(long, value_name = "BEATS", default_value_t = 1.0, value_parser = beats)]
    pub fade: f32,
    /// Another preset, by chance, whenever the music begins a new section
    #[arg(long)]
    pub shuffle: bool,
    /// Projector; may be given more than once. `galvo devices` lists them
    #[arg(long, value_name = "URI", default_value = "sim:")]
    pub dac: Vec<String>,
    /// Arms each projector once, when it is first ready. Without it, and after a projector was lost,
    /// everything stays dark until you arm
    #[arg(long)]
    pub arm: bool,
    /// Brightness of all light, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 20.0, value_parser = percent)]
    pub master: f32,
    /// Mask stream (ASVP or ASVR), a file or an http(s) address, for presets such as Silhouette. Without it, the one
    /// beside the song with the same name and the ending .asvp or .asvr is taken, if there is one
    #[arg(long, value_name = "FILE")]
    pub mask: Option<PathBuf>,
    /// Frames per second of the mask stream, which the file does not say: 60, 29.97, 60000/1001
    #[arg(long, value_name = "FPS", default_value = "60")]
    pub mask_fps: Rate,
    /// Half of a stereo mask stream: left, right or both
    #[arg(long, value_name = "EYE", default_value = "left")]
    pub mask_eye: Eye,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub mask_key: KeyArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub control: ControlArgs,
    /// Points per second of every projector
    #[arg(long, value_name = "N", default_value_t = 30_000, value_parser = clap::value_parser!(u32).range(1_000..=100_000))]
    pub pps: u32,
    /// Time of points to keep ahead of the mirrors, ms, for every projector that has none of its own in its set-up: shorter
    /// is quicker, longer bears more. Without it, what the line of each needs, which is measured and shown
    #[arg(long, value_name = "MS", value_parser = buffer_ms)]
    pub buffer: Option<f32>,
    /// Moves the light against the sound, ms; positive is later (sound travels 3 ms per metre)
    #[arg(long, value_name = "MS", default_value_t = 0.0, allow_negative_numbers = true, value_parser = offset_ms)]
    pub offset_ms: f64,
    /// Ends the show after this much time, seconds
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub duration: Option<f64>,
    /// No window: a status line in the terminal. There type a letter and Enter: a arm, d disarm, s STOP,
    /// r reset after STOP, p pause or play, n next track, q quit
    #[arg(long)]
    pub headless: bool,
    /// Writes what was measured, as JSON, at the end
    #[arg(long, value_name = "FILE.json")]
    pub report: Option<PathBuf>,
}

/// When a change of presets begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChangeAt {
    /// At once
    Now,
    /// On the next beat
    Beat,
    /// On the first beat of the next bar
    Bar,
}

/// `galvo play`
#[derive(Debug, Args)]
pub struct PlayArgs {
    /// The music: files or http(s) addresses of WAV, AIFF, FLAC, MP3, Ogg Vorbis, AAC/M4A or ALAC, and M3U or M3U8
    /// playlists of these, played one after the other without a gap
    #[arg(required = true, value_name = "FILE|URL")]
    pub music: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub show: ShowArgs,
    /// Where to begin in the first of them, seconds
    #[arg(long, value_name = "S", default_value_t = 0.0, value_parser = seconds)]
    pub start: f64,
    /// Sound device from `galvo devices`; `none` plays in silence from a software clock
    #[arg(long, value_name = "DEVICE|none")]
    pub audio: Option<String>,
}

/// `galvo live`
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// Sound input from `galvo devices`, or `monitor` for what this computer plays
    #[arg(long, value_name = "DEVICE")]
    pub input: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub show: ShowArgs,
}

/// `galvo analyze`
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// The music: WAV, AIFF, FLAC, MP3, Ogg Vorbis, AAC/M4A or ALAC
    pub file: PathBuf,
    /// Listens as a live show does: from the past alone
    #[arg(long)]
    pub live: bool,
    /// Machine-readable, with the time of every beat and attack
    #[arg(long)]
    pub json: bool,
    /// Writes the features of every 10 ms: as JSON lines, or in the form of the cache if it ends in .track
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `galvo devices`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DevicesArgs {
    /// What to do; lists them without it
    #[command(subcommand)]
    pub action: Option<DevicesAction>,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
    /// How long to look for projectors, seconds
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = seconds)]
    pub timeout: f64,
}

/// What to do with projectors.
#[derive(Debug, Subcommand)]
pub enum DevicesAction {
    /// Sets how a projector hangs, where its picture lies, its zones and its mirrors, and remembers it by the projector's
    /// own number: what is not given stays
    Set(SetArgs),
}

/// Protocols that can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SimulatedKind {
    /// Ether Dream: TCP, announced by UDP broadcast
    EtherDream,
    /// LaserCube on the network: three UDP ports, the address is that of its commands
    LasercubeWifi,
    /// ILDA Digital Network: UDP, with an answer to scans
    Idn,
}

/// What `--faults` may be.
const FAULTS_HELP: &str = "\
Trouble to make: words separated by commas, e.g. delay=30ms,loss=5%,cut=10s,ppm=500,seed=1

  delay=30ms      answers come this much later
  jitter=10ms     and up to this much later again, at random
  slow            reads its bytes slowly (ether-dream)
  loss=5%         this share of datagrams is lost, each way (idn, lasercube-wifi)
  dup=1%          this share arrives twice, each way (idn, lasercube-wifi)
  reorder=2%      this share is overtaken, each way (idn, lasercube-wifi)
  cut=10s         the connection is cut after this time, and after each return again
  underflow=5s    the queue is lost every so often
  estop=8s        the emergency stop, interlock or offline state, for a moment, once
  ppm=500         the device's clock is off by this many millionths
  seed=1          where the randomness begins: the same seed makes the same trouble";

/// `galvo simulate`
#[derive(Debug, Args)]
#[command(
    after_help = "Helios and LaserCube on USB have no transport that a program could stand in for without \
    the system's help: docs/testing.md says how their drivers run against an emulated device. An oscilloscope or \
    sound card needs no simulator: --dac audio-xy://none plays to a clock without a card.\n\nExamples:\n  galvo \
    simulate ether-dream --record points.csv\n  galvo simulate idn --listen 127.0.0.1:0 --faults loss=5%,seed=1\n  galvo simulate idn --listen 192.168.1.40 --id 02:00:00:00:00:02 --name \"Left wing\""
)]
pub struct SimulateArgs {
    /// The projector's protocol
    pub kind: SimulatedKind,
    /// Address to listen on; loopback and the protocol's own port where left out. What is said to everybody on the
    /// network of that address is heard as well, or it is told why not
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Its Ethernet address or serial number, by which it is remembered; where left out one of its own, the same at
    /// every start on this machine, address and port
    #[arg(long, value_name = "02:00:00:00:00:01")]
    pub id: Option<String>,
    /// What it calls itself (idn, lasercube-wifi)
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Writes every point at its moment on the virtual mirrors
    #[arg(long, value_name = "FILE.csv")]
    pub record: Option<PathBuf>,
    /// Trouble to make, e.g. `delay=30ms,loss=5%,cut=10s,ppm=500,seed=1`; --help lists the words
    #[arg(long, value_name = "SPEC", long_help = FAULTS_HELP)]
    pub faults: Option<String>,
    /// Shows the beam in a window, as mirrors of 30 kpps would move it
    #[arg(long)]
    pub window: bool,
    /// Ends after this much time, seconds
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub duration: Option<f64>,
}

/// `galvo render`
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The music
    pub file: PathBuf,
    /// Preset: a name from `galvo presets list`, or the path of a TOML file
    #[arg(long, value_name = "NAME|PATH")]
    pub preset: Option<String>,
    /// What is written. By its ending: .ild laser frames, .csv points, .wav sound (x, y, red, green, blue,
    /// intensity), .png a sheet of moments, .gif the moving beam
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Points per second; 48000 for .wav, else 30000 where left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=100_000))]
    pub pps: Option<u32>,
    /// Pictures per second of .ild, .gif and .png
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub fps: u32,
    /// Takes the place of the preset's seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u32>,
    /// Where in the music to begin, seconds
    #[arg(long, value_name = "S", default_value_t = 0.0, value_parser = seconds)]
    pub start: f64,
    /// How much of it, seconds; to the end where left out, but 10 s for .gif
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub duration: Option<f64>,
    /// Pixels of a picture's side, for .png and .gif
    #[arg(long, value_name = "PIXELS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(16..=2_000))]
    pub size: u32,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

/// How an ILDA file is read and for which mirrors it is meant: what `optimise` and `check` share.
#[derive(Debug, Clone, Args)]
pub struct MirrorArgs {
    /// The mirrors
    #[arg(long, value_enum, value_name = "KPPS", default_value = "30")]
    pub profile: ProfileName,
    /// Points per second the file is played at; the rate of the profile where left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=100_000))]
    pub pps: Option<u32>,
    /// The file was written with red and blue swapped
    #[arg(long)]
    pub swap_red_blue: bool,
    /// Indexed colours mean the 256 colours of older programs
    #[arg(long)]
    pub old_palette: bool,
}

/// The built-in galvo profiles, by their rated rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// Scanners rated 20 kpps at 8 degrees
    #[value(name = "20")]
    K20,
    /// Scanners rated 30 kpps at 8 degrees
    #[value(name = "30")]
    K30,
    /// Scanners rated 40 kpps at 8 degrees
    #[value(name = "40")]
    K40,
    /// Scanners rated 60 kpps at 8 degrees
    #[value(name = "60")]
    K60,
}

/// `galvo optimise`
#[derive(Debug, Args)]
pub struct OptimiseArgs {
    /// The ILDA file
    pub input: PathBuf,
    /// The ILDA file to write
    #[arg(long, value_name = "OUT.ild")]
    pub out: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub mirrors: MirrorArgs,
    /// Frame rate that no frame may fall below: richer drawings are drawn faster, then coarser
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub fps: u32,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

/// `galvo check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A preset (name or TOML file) or an ILDA file
    #[arg(value_name = "PRESET|SHOW.ild")]
    pub what: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub mirrors: MirrorArgs,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

/// `galvo presets`
#[derive(Debug, Args)]
pub struct PresetsArgs {
    /// What to do with them
    #[command(subcommand)]
    pub action: PresetsAction,
}

/// What to do with presets.
#[derive(Debug, Subcommand)]
pub enum PresetsAction {
    /// Names and descriptions
    List {
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Prints a preset as TOML
    Show {
        /// Its name, or the path of a file
        name: String,
    },
    /// Checks preset files; exit status 1 if one is wrong
    Validate {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
}

fn number(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if value.is_finite() { Ok(value) } else { Err("not a finite number".to_owned()) }
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match number(text)? {
        value if (0.0..=1e6).contains(&value) => Ok(value),
        _ => Err("seconds from 0 to 1000000 are allowed".to_owned()),
    }
}

fn beats(text: &str) -> Result<f32, String> {
    match number(text)? {
        value if (0.0..=64.0).contains(&value) => Ok(value as f32),
        _ => Err("0 to 64 beats are allowed".to_owned()),
    }
}

fn percent(text: &str) -> Result<f32, String> {
    match number(text.trim_end_matches('%'))? {
        value if (0.0..=100.0).contains(&value) => Ok(value as f32),
        _ => Err("0 to 100 are allowed".to_owned()),
    }
}

pub(super) fn degrees(text: &str) -> Result<f32, String> {
    match number(text)? {
        value if value.abs() <= 360.0 => Ok(value as f32),
        _ => Err("−360 to 360 degrees are allowed".to_owned()),
    }
}

/// From [`Installation::BUFFER_MS`].
fn buffer_ms(text: &str) -> Result<f32, String> {
    let (least, most) = Installation::BUFFER_MS.into_inner();
    match number(text)? as f32 {
        value if Installation::BUFFER_MS.contains(&value) => Ok(value),
        _ => Err(format!("{least} to {most} ms are allowed")),
    }
}

/// As [`buffer_ms`], and 0 for what the line needs.
pub(super) fn buffer_ms_or_0(text: &str) -> Result<f32, String> {
    if number(text)? == 0.0 { Ok(0.0) } else { buffer_ms(text) }
}

fn offset_ms(text: &str) -> Result<f64, String> {
    match number(text)? {
        value if value.abs() <= 1000.0 => Ok(value),
        _ => Err("−1000 to 1000 ms are allowed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_projector_the_simulator_is_taken_and_light_is_not_allowed() {
        let cli = Cli::try_parse_from(["galvo", "play", "a.wav"]).unwrap();
        let Some(Cmd::Play(play)) = cli.command else { panic!("play expected") };
        assert_eq!(play.show.dac, ["sim:"]);
        assert!(!play.show.arm);
        assert_eq!(play.show.master, 20.0);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for bad in [
            ["--pps", "0"],
            ["--master", "101"],
            ["--offset-ms", "nan"],
            ["--buffer", "5"],
            ["--buffer", "1000"],
            ["--duration", "-1"],
            ["--start", "inf"],
        ] {
            let args = ["galvo", "play", "a.wav", bad[0], bad[1]];
            assert!(Cli::try_parse_from(args).is_err(), "{bad:?}");
        }
        let args = ["galvo", "play", "a.wav", "--offset-ms", "-12.5", "--buffer", "80"];
        assert!(Cli::try_parse_from(args).is_ok());
    }
}
