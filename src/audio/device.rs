//! Sound cards through cpal: finding, naming and opening them.
//!
//! Opening and listing may take seconds (ALSA) and must not be done on a thread that draws. The callbacks only
//! read the clock and run the value they were given.

use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize, SupportedStreamConfigRange,
};

#[cfg(target_os = "linux")]
use crate::realtime::priority::{self, Urgency};
use crate::time::SystemClock;

use super::capture::InputCallback;
use super::counters::CallbackCounters;
use super::handover::{Driver, Handover};
use super::output::OutputCallback;
use super::start::AudioError;

/// Frames asked for per callback. PulseAudio calls back every 2 s unless told otherwise; ALSA's plug-ins falter
/// below 512, and a PulseAudio server on a busy machine runs dry at 512 without a word.
const BUFFER_FRAMES: u32 = 1024;
/// Frames that are handled at once, more than servers ask for.
const CONVERT_FRAMES: usize = 4096;
/// How long a hung sound server may hold up the opening.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// The name by which whatever the computer plays is listened to.
const MONITOR: &str = "monitor";

/// A sound device as it can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// What to write on the command line.
    pub name: String,
    /// What people call it; may be the same.
    pub description: String,
    /// True for the one that is used when none is named.
    pub is_default: bool,
}

/// Which way the sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Output,
    Input,
}

/// The devices that can play. Takes up to seconds.
#[must_use]
pub fn list_outputs() -> Vec<ListedDevice> {
    list(Direction::Output)
}

/// The devices that can be listened to, monitors of outputs among them. Takes up to seconds.
#[must_use]
pub fn list_inputs() -> Vec<ListedDevice> {
    list(Direction::Input)
}

fn list(direction: Direction) -> Vec<ListedDevice> {
    let Some(host) = host() else { return Vec::new() };
    let default = default_device(&host, direction).and_then(|device| device.id().ok());
    let devices = devices(&host, direction);
    devices
        .iter()
        .map(|device| ListedDevice {
            name: name_of(device),
            description: description_of(device),
            is_default: default.is_some() && device.id().ok() == default,
        })
        .collect()
}

/// The system's sound; `None` where there plainly is none. ALSA then is not even asked: it would answer with a
/// screen of complaints on stderr.
#[cfg(target_os = "linux")]
fn host() -> Option<cpal::Host> {
    let host = cpal::default_host();
    let is_bare = host.id() == cpal::HostId::Alsa && !alsa_may_have_devices();
    (!is_bare).then_some(host)
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "one signature on every system")]
fn host() -> Option<cpal::Host> {
    Some(cpal::default_host())
}

/// True if there is a card, or somebody has told ALSA of something that is none: a plug-in, a server.
#[cfg(target_os = "linux")]
fn alsa_may_have_devices() -> bool {
    use std::path::{Path, PathBuf};

    let has_card = std::fs::read_dir("/dev/snd").is_ok_and(|mut nodes| {
        nodes.any(|node| {
            node.is_ok_and(|node| node.file_name().as_encoded_bytes().starts_with(b"pcm"))
        })
    });
    let is_in = |folder: &str, name: &str| {
        std::env::var_os(folder).is_some_and(|folder| PathBuf::from(folder).join(name).exists())
    };
    has_card
        || ["ALSA_CONFIG_PATH", "ALSA_CONFIG_DIR"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
        || is_in("HOME", ".asoundrc")
        || is_in("HOME", ".config/alsa/asoundrc")
        || is_in("XDG_RUNTIME_DIR", "pipewire-0")
        || Path::new("/etc/asound.conf").exists()
}

fn devices(host: &cpal::Host, direction: Direction) -> Vec<cpal::Device> {
    match direction {
        Direction::Output => host.output_devices().map(Iterator::collect),
        Direction::Input => host.input_devices().map(Iterator::collect),
    }
    .unwrap_or_default()
}

fn default_device(host: &cpal::Host, direction: Direction) -> Option<cpal::Device> {
    match direction {
        Direction::Output => host.default_output_device(),
        Direction::Input => host.default_input_device(),
    }
}

/// The id without its host: short, and stable between runs.
fn name_of(device: &cpal::Device) -> String {
    let id = device.id().map(|id| id.to_string()).unwrap_or_default();
    id.split_once(':').map_or(id.clone(), |(_, name)| name.to_string())
}

fn description_of(device: &cpal::Device) -> String {
    device.description().map_or_else(|_| name_of(device), |about| about.name().to_string())
}

fn choose(name: Option<&str>, direction: Direction) -> Result<cpal::Device, AudioError> {
    let Some(host) = host() else {
        return Err(name.map_or(AudioError::NoDevice, |name| AudioError::unknown_device(name, &[])));
    };
    let Some(name) = name else {
        return default_device(&host, direction).ok_or(AudioError::NoDevice);
    };
    let devices = devices(&host, direction);
    let position = devices
        .iter()
        .position(|device| name_of(device) == name)
        .or_else(|| devices.iter().position(|d| description_of(d).eq_ignore_ascii_case(name)))
        .or_else(|| {
            let is_wish = name == MONITOR && direction == Direction::Input;
            let played = default_device(&host, Direction::Output).map(|device| name_of(&device));
            is_wish.then(|| {
                monitor_among(&devices.iter().map(name_of).collect::<Vec<_>>(), played.as_deref())
            })?
        });
    match position {
        Some(index) => Ok(devices[index].clone()),
        None => {
            Err(AudioError::unknown_device(name, &devices.iter().map(name_of).collect::<Vec<_>>()))
        }
    }
}

/// The place of the input that hears what is played on the output named `played`, else that of any monitor.
/// Sound servers name a monitor after its output.
fn monitor_among(inputs: &[String], played: Option<&str>) -> Option<usize> {
    let of_played = played.map(|output| format!("{output}.{MONITOR}"));
    let is_monitor = |input: &String| {
        input.rsplit(['.', '_', ':']).next().is_some_and(|last| last.eq_ignore_ascii_case(MONITOR))
    };
    inputs
        .iter()
        .position(|input| of_played.as_ref() == Some(input))
        .or_else(|| inputs.iter().position(is_monitor))
}

/// A running stream; stops when dropped, which must not be on a real-time thread.
pub(super) struct OpenDevice {
    pub(super) name: String,
    _stream: cpal::Stream,
}

impl std::fmt::Debug for OpenDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenDevice").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Opens an output at the callback's rate and starts it.
pub(super) fn open_output(
    name: Option<&str>,
    callback: &Handover<OutputCallback>,
    sample_rate: u32,
) -> Result<OpenDevice, AudioError> {
    let device = choose(name, Direction::Output)?;
    let fail = |error: cpal::Error| AudioError::refused(&description_of(&device), &error);
    let channels = device.default_output_config().map_or(2, |config| config.channels());
    let ranges = device.supported_output_configs().map_err(fail)?.collect();
    let (config, format) = pick(ranges, channels, sample_rate)
        .ok_or_else(|| AudioError::rate(&description_of(&device), sample_rate))?;
    let driver = callback.new_driver();
    let stream = match format {
        SampleFormat::F32 => play_as::<f32>(&device, config, driver),
        SampleFormat::I32 => play_as::<i32>(&device, config, driver),
        SampleFormat::I24 => play_as::<cpal::I24>(&device, config, driver),
        SampleFormat::I16 => play_as::<i16>(&device, config, driver),
        _ => play_as::<u8>(&device, config, driver),
    }
    .map_err(fail)?;
    stream.play().map_err(fail)?;
    Ok(OpenDevice { name: description_of(&device), _stream: stream })
}

/// The rate at which an input is best opened: 48 kHz where it can, at most 96 kHz.
pub(super) fn input_rate(name: Option<&str>) -> Result<u32, AudioError> {
    let device = choose(name, Direction::Input)?;
    let fail = |error: cpal::Error| AudioError::refused(&description_of(&device), &error);
    let default = device.default_input_config().map_err(fail)?.sample_rate();
    let ranges: Vec<_> = device.supported_input_configs().map_err(fail)?.collect();
    let takes = |rate: u32| {
        ranges.iter().any(|r| (r.min_sample_rate()..=r.max_sample_rate()).contains(&rate))
    };
    [48_000, 44_100, 96_000, default]
        .into_iter()
        .find(|&rate| takes(rate))
        .ok_or_else(|| AudioError::rate(&description_of(&device), 48_000))
}

/// Opens an input and starts it.
pub(super) fn open_input(
    name: Option<&str>,
    callback: &Handover<InputCallback>,
    sample_rate: u32,
) -> Result<OpenDevice, AudioError> {
    let device = choose(name, Direction::Input)?;
    let fail = |error: cpal::Error| AudioError::refused(&description_of(&device), &error);
    let channels = device.default_input_config().map_or(2, |config| config.channels());
    let ranges = device.supported_input_configs().map_err(fail)?.collect();
    let (config, format) = pick(ranges, channels, sample_rate)
        .ok_or_else(|| AudioError::rate(&description_of(&device), sample_rate))?;
    let driver = callback.new_driver();
    let stream = match format {
        SampleFormat::F32 => listen_as::<f32>(&device, config, driver),
        SampleFormat::I32 => listen_as::<i32>(&device, config, driver),
        SampleFormat::I24 => listen_as::<cpal::I24>(&device, config, driver),
        SampleFormat::I16 => listen_as::<i16>(&device, config, driver),
        _ => listen_as::<u8>(&device, config, driver),
    }
    .map_err(fail)?;
    stream.play().map_err(fail)?;
    Ok(OpenDevice { name: description_of(&device), _stream: stream })
}

/// Stereo floats where they are to be had; then the device's own channel count; then integers.
fn pick(
    ranges: Vec<SupportedStreamConfigRange>,
    default_channels: u16,
    sample_rate: u32,
) -> Option<(StreamConfig, SampleFormat)> {
    const FORMATS: [SampleFormat; 5] = [
        SampleFormat::F32,
        SampleFormat::I32,
        SampleFormat::I24,
        SampleFormat::I16,
        SampleFormat::U8,
    ];
    let order = |range: &SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|&f| f == range.sample_format())?;
        let channels = match range.channels() {
            2 => 0,
            own if own == default_channels => 1,
            _ => 2,
        };
        Some((channels, format, range.channels()))
    };
    let best = ranges
        .into_iter()
        .filter(|r| (r.min_sample_rate()..=r.max_sample_rate()).contains(&sample_rate))
        .filter(|range| order(range).is_some())
        .min_by_key(order)?;
    let frames = match *best.buffer_size() {
        SupportedBufferSize::Range { min, max } => BUFFER_FRAMES.max(min).min(max.max(min)),
        SupportedBufferSize::Unknown => BUFFER_FRAMES,
    };
    let config = StreamConfig {
        channels: best.channels(),
        sample_rate,
        buffer_size: BufferSize::Fixed(frames),
    };
    Some((config, best.sample_format()))
}

fn play_as<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut driver: Driver<OutputCallback>,
) -> Result<cpal::Stream, cpal::Error> {
    let channels = usize::from(config.channels).max(1);
    let counters = std::sync::Arc::clone(driver.counters());
    let mut floats = vec![0.0_f32; CONVERT_FRAMES * channels];
    let mut is_first = true;
    device.build_output_stream(
        config,
        move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
            if std::mem::take(&mut is_first) {
                hurry(driver.counters());
            }
            let now = SystemClock::read();
            let at = info.timestamp();
            let mut latency = at.playback.duration_since(at.callback);
            for part in out.chunks_mut(floats.len()) {
                let floats = &mut floats[..part.len()];
                floats.fill(0.0);
                driver.run(|output| output.run(floats, channels, now, latency));
                for (to, from) in part.iter_mut().zip(&*floats) {
                    *to = T::from_sample(from.clamp(-1.0, 1.0));
                }
                latency += frames_time(part.len() / channels, config.sample_rate);
            }
            driver.counters().note_duration(SystemClock::read().since(now));
        },
        move |error: cpal::Error| note_error(&counters, &error),
        Some(OPEN_TIMEOUT),
    )
}

fn listen_as<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut driver: Driver<InputCallback>,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels).max(1);
    let counters = std::sync::Arc::clone(driver.counters());
    let mut floats = vec![0.0_f32; CONVERT_FRAMES * channels];
    let mut is_first = true;
    device.build_input_stream(
        config,
        move |input: &[T], info: &cpal::InputCallbackInfo| {
            if std::mem::take(&mut is_first) {
                hurry(driver.counters());
            }
            let now = SystemClock::read();
            let at = info.timestamp();
            let mut age = at.callback.duration_since(at.capture);
            for part in input.chunks(floats.len()) {
                let floats = &mut floats[..part.len()];
                for (to, from) in floats.iter_mut().zip(part) {
                    *to = <f32 as FromSample<T>>::from_sample_(*from);
                }
                driver.run(|callback| callback.run(floats, channels, now, age));
                let heard_later = frames_time(part.len() / channels, config.sample_rate);
                age = age.saturating_sub(heard_later);
            }
            driver.counters().note_duration(SystemClock::read().since(now));
        },
        move |error: cpal::Error| note_error(&counters, &error),
        Some(OPEN_TIMEOUT),
    )
}

/// The clients of Linux sound servers run their callbacks on ordinary threads; elsewhere the system sees to it.
#[cfg(target_os = "linux")]
fn hurry(counters: &CallbackCounters) {
    counters.note_priority(priority::request(Urgency::Device));
}

#[cfg(not(target_os = "linux"))]
fn hurry(_: &CallbackCounters) {}

fn frames_time(frames: usize, sample_rate: u32) -> Duration {
    Duration::from_nanos(frames as u64 * 1_000_000_000 / u64::from(sample_rate.max(1)))
}

/// May run on the audio thread: counts, and no more.
fn note_error(counters: &CallbackCounters, error: &cpal::Error) {
    match error.kind() {
        ErrorKind::Xrun => counters.note_xrun(),
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => {
            counters.note_device_error(true);
        }
        // Among them `RealtimeDenied`: the stream goes on at normal priority.
        _ => counters.note_device_error(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitor_of_what_is_played_goes_before_any_other() {
        let inputs = ["mic", "hdmi.monitor", "room.monitor"].map(str::to_owned);
        assert_eq!(monitor_among(&inputs, Some("room")), Some(2));
        assert_eq!(monitor_among(&inputs, Some("gone")), Some(1));
        assert_eq!(monitor_among(&inputs, None), Some(1));
        assert_eq!(monitor_among(&inputs[..1], Some("room")), None);
    }
}
