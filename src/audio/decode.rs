//! Files to sound: one decoder for WAV, AIFF, FLAC, MP3, Ogg Vorbis, M4A (AAC, ALAC) and Matroska.
//!
//! Gives interleaved stereo at the file's own rate. Promise: frame k of what comes out is the music at
//! k / rate, after the encoder's start-up was left out, after damaged packets and after every seek; so what
//! the analysis saw and what is heard never part. Nothing in a file makes it panic or take unbounded memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known as codec,
};
use symphonia::core::formats::{FormatReader, SeekMode, SeekTo, TrackType};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration as TickCount, TimeBase, Timestamp};
use thiserror::Error;

use crate::media::{Interrupt, Location, Media, MediaError};

use super::byte_source::{ByteSource, LastFailure};
use super::downmix::Downmix;
use super::edit_list::{Audible, parse_itun_smpb, read_edit_list};
use super::mpeg_index::MpegIndex;
use super::probe::open_format;
use super::tags::{Tags, read_tags};

/// Frames decoded and dropped before the target of a seek, so that overlapping blocks are whole again.
const PREROLL_FRAMES: i64 = 8192;
/// Rates that are believed.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// A header that promises more hours than this is not believed, and nothing longer is played.
const MAX_HOURS: u64 = 100;
/// Packets in a row without sound, after which a file is given up.
const MAX_SILENT_PACKETS: usize = 10_000;
/// Frames of silence that stand in for one damaged packet at most.
const MAX_GAP_FRAMES: u64 = 65_536;

/// Why a file does not play.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// It cannot be read.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// It is text, whatever its name says.
    #[error("{} is a text file, not sound: choose the audio file itself.", .0.display())]
    Text(PathBuf),
    /// It is in no format that can be read.
    #[error(
        "{} is in no sound format that galvo reads (WAV, AIFF, FLAC, MP3, Ogg Vorbis, M4A, MKV), or it is \
         damaged: convert it, for example with ffmpeg -i IN OUT.flac.",
        .0.display()
    )]
    UnknownFormat(PathBuf),
    /// It is in a format whose name is known, and which is not read.
    #[error(
        "{} is {format}, which galvo does not decode: convert it to FLAC, for example with \
         ffmpeg -i IN OUT.flac.",
        .path.display()
    )]
    ForeignFormat {
        /// The file.
        path: PathBuf,
        /// The format's name.
        format: &'static str,
    },
    /// There is no sound in it.
    #[error("{} holds no audio track: choose a file with sound.", .0.display())]
    NoAudioTrack(PathBuf),
    /// Its codec cannot be decoded.
    #[error(
        "{} is coded in {codec}, which galvo does not decode: convert it, for example with \
         ffmpeg -i IN OUT.flac.",
        .path.display()
    )]
    UnsupportedCodec {
        /// The file.
        path: PathBuf,
        /// The codec's name.
        codec: String,
    },
    /// It begins well, and then makes no sense.
    #[error("{} is damaged ({what}): copy or download it again, or convert it afresh.", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// A newer wish came while it was read: nothing is wrong with it.
    #[error("The file was left for a newer wish.")]
    Superseded,
    /// The decoder thread cannot be started.
    #[error("The decoder thread cannot be started ({0}): close other programs and try again.")]
    Thread(std::io::Error),
}

/// What is known of an open file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackInfo {
    /// Frames per second in the file.
    pub sample_rate: u32,
    /// Channels in the file, before the mix to stereo.
    pub channels: usize,
    /// Length in frames, where the file tells it.
    pub frames: Option<u64>,
    /// What the file says of itself.
    pub tags: Tags,
    /// Name of the codec.
    pub codec: String,
}

/// An open file that gives its sound piece by piece.
pub struct Decoder {
    path: PathBuf,
    media: Arc<Media>,
    failure: LastFailure,
    format: Box<dyn FormatReader>,
    codec: Box<dyn AudioDecoder>,
    track_id: u32,
    ticks: TimeBase,
    /// For MPEG frames without a container: frames of start-up before the track's time 0.
    mpeg_delay: Option<i64>,
    /// Where those frames lie; `None` until it is needed.
    mpeg_index: Option<MpegIndex>,
    /// The format was opened in the midst of the file: at this frame of the track's own clock.
    window_start: Option<i64>,
    info: TrackInfo,
    downmix: Downmix,
    /// The frame of the track's own clock that is frame 0 of the music.
    first_frame: i64,
    /// The frame of the music where it ends, if limited.
    end_frame: i64,
    /// Frame of the music that is decoded next; `None` until the first packet with sound tells.
    decoded_to: Option<i64>,
    /// Nothing before this frame of the music is given out.
    wanted_from: i64,
    /// Frame of the music that is given out next: the first of `stereo` until that is given out.
    position: u64,
    interleaved: Vec<f32>,
    stereo: Vec<f32>,
    /// `stereo` holds frames that were decoded on opening and not given out yet.
    primed: bool,
    ended: bool,
    /// The format has no more packets.
    exhausted: bool,
    damaged_packets: u64,
}

impl Decoder {
    /// Opens a file and decodes its first sound, so that what opens also plays.
    pub fn open(path: &Path) -> Result<Self, DecodeError> {
        Self::open_media(Media::open(&Location::File(path.into()))?)
    }

    /// As [`Self::open`], for media from anywhere. Waits for the network where they come from there.
    pub fn open_media(media: Media) -> Result<Self, DecodeError> {
        let path = PathBuf::from(media.location().to_string());
        let what = "its structure contradicts itself".to_string();
        // The format crates are not ours: a fault in them must not end the show.
        catch_unwind(AssertUnwindSafe(|| Self::open_unguarded(&Arc::new(media))))
            .unwrap_or(Err(DecodeError::Damaged { path, what }))
    }

    fn open_unguarded(media: &Arc<Media>) -> Result<Self, DecodeError> {
        let failure = LastFailure::default();
        let path = &PathBuf::from(media.location().to_string());
        let mut format = open_format(media, &failure, 0)?;
        let no_track = || DecodeError::NoAudioTrack(path.into());
        let track = format
            .default_track(TrackType::Audio)
            .or_else(|| format.first_track(TrackType::Audio))
            .ok_or_else(no_track)?;
        let parameters =
            track.codec_params.as_ref().and_then(|p| p.audio()).ok_or_else(no_track)?.clone();
        let (track_id, told_frames, start) =
            (track.id, track.num_frames, track.start_ts.get().max(0));
        let (time_base, duration) = (track.time_base, track.duration);
        let mpeg_delay = i64::from(track.delay.unwrap_or(0));
        let mpeg_delay = (format.format_info().short_name == "mp3").then_some(mpeg_delay);
        let codec = make_codec(&parameters).ok_or_else(|| DecodeError::UnsupportedCodec {
            path: path.into(),
            codec: codec_name(parameters.codec),
        })?;
        let (tags, itun_smpb) = read_tags(format.as_mut());

        let mut decoder = Self {
            path: path.clone(),
            media: Arc::clone(media),
            failure,
            format,
            codec,
            track_id,
            mpeg_delay,
            mpeg_index: None,
            window_start: None,
            ticks: time_base.or(TimeBase::try_from_recip(44_100)).ok_or_else(no_track)?,
            info: TrackInfo {
                sample_rate: parameters.sample_rate.unwrap_or(0),
                channels: 0,
                frames: None,
                tags,
                codec: codec_name(parameters.codec),
            },
            downmix: Downmix::new(&Channels::None),
            first_frame: 0,
            end_frame: i64::MAX,
            decoded_to: None,
            wanted_from: 0,
            position: 0,
            interleaved: Vec::new(),
            stereo: Vec::new(),
            primed: false,
            ended: false,
            exhausted: false,
            damaged_packets: 0,
        };
        // The real rate and channels are known with the first sound.
        if !decoder.decode_more()? {
            let what = "no packet of it can be decoded".to_string();
            return Err(DecodeError::Damaged { path: path.into(), what });
        }
        let rate = decoder.info.sample_rate;
        let edits = itun_smpb
            .and_then(|text| parse_itun_smpb(&text, rate))
            .or_else(|| read_edit_list(&mut media.reader().ok()?, track_id));
        let told = told_frames.or_else(|| {
            let ticks = i64::try_from(duration?.get()).ok()?;
            u64::try_from(decoder.frames_of(ticks)).ok()
        });
        decoder.start_at(start, edits, told);
        decoder.rewind()?;
        Ok(decoder)
    }

    /// What is known of the file.
    #[must_use]
    pub fn info(&self) -> &TrackInfo {
        &self.info
    }

    /// Where it comes from.
    #[must_use]
    pub fn location(&self) -> &Location {
        self.media.location()
    }

    /// Ends a call that waits for the network with [`DecodeError::Superseded`]. A seek then goes on.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        self.media.interrupt()
    }

    /// What the network told since the last call, one sentence each.
    #[must_use]
    pub fn take_notices(&self) -> Vec<String> {
        self.media.take_notices()
    }

    /// Frame of the music that [`Self::next`] begins with.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Packets that could not be decoded; silence of their length stands in for them.
    #[must_use]
    pub fn damaged_packets(&self) -> u64 {
        self.damaged_packets
    }

    /// The next frames, interleaved stereo, or `None` at the end. After [`DecodeError::Media`] or
    /// [`DecodeError::Superseded`] a seek, also to the same place, tries again.
    #[allow(clippy::should_implement_trait, reason = "it lends its buffer, an Iterator cannot")]
    pub fn next(&mut self) -> Result<Option<&[f32]>, DecodeError> {
        let more = std::mem::take(&mut self.primed) || self.guarded(Self::decode_more)?;
        if more {
            self.position += self.stereo.len() as u64 / 2;
        }
        Ok(more.then_some(self.stereo.as_slice()))
    }

    /// Goes to a frame of the music: [`Self::next`] begins exactly there, or gives `None` past the end.
    pub fn seek(&mut self, frame: u64) -> Result<(), DecodeError> {
        let frame = frame.min(self.info.frames.unwrap_or(u64::MAX)).min(MAX_FRAMES);
        self.guarded(|decoder| decoder.seek_unguarded(frame))
    }

    fn seek_unguarded(&mut self, frame: u64) -> Result<(), DecodeError> {
        if self.info.frames.is_some_and(|frames| frame >= frames) {
            self.restart_at(frame);
            self.ended = true;
            return Ok(());
        }
        let target = self.first_frame.saturating_add(frame as i64);
        let from = target.saturating_sub(PREROLL_FRAMES).max(0);
        if from > 0 && self.seek_by_index(from, frame)? {
            self.restart_at(frame);
            self.primed = self.decode_more()?;
            return Ok(());
        }
        let ts = Timestamp::new(self.ticks_of(from));
        let to = SeekTo::Timestamp { ts, track_id: self.track_id };
        // Some formats do not come back from their end by seeking.
        if self.exhausted || self.window_start.is_some() {
            self.rewind()?;
        }
        if from == 0 || self.format.seek(SeekMode::Accurate, to).is_err() {
            self.give_up_if_failed(frame)?;
            // Always possible: from the start, the way is only longer.
            self.rewind()?;
        }
        self.restart_at(frame);
        // The end may come before the target in a file that does not tell its length.
        self.primed = self.decode_more()?;
        Ok(())
    }

    /// Opens the format anew at an MPEG frame shortly before frame `from` of the track's own clock. False if the file is
    /// no such, or too irregular. `target` is where a failed read leaves the music.
    fn seek_by_index(&mut self, from: i64, target: u64) -> Result<bool, DecodeError> {
        let Some(delay) = self.mpeg_delay else { return Ok(false) };
        let mut file = ByteSource::of(&self.media, &self.failure, 0)?;
        if self.mpeg_index.is_none() {
            self.mpeg_index = MpegIndex::open(&mut file);
        }
        let Some(index) = &mut self.mpeg_index else {
            self.give_up_if_failed(target)?;
            self.mpeg_delay = None;
            return Ok(false);
        };
        let frame_len = index.frame_len() as i64;
        let number = ((from + delay) / frame_len) as u64;
        let found = index.place_of(number, &mut file);
        self.give_up_if_failed(target)?;
        let Ok(Some((number @ 1.., place))) = found else { return Ok(false) };
        let opened = open_format(&self.media, &self.failure, place);
        self.give_up_if_failed(target)?;
        match opened {
            Ok(format)
                if format.first_track(TrackType::Audio).is_some_and(|t| t.id == self.track_id) =>
            {
                self.format = format;
                self.window_start = Some(number as i64 * frame_len - delay);
                self.exhausted = false;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Fails with what failed the reads, if anything did, standing at `frame`.
    fn give_up_if_failed(&mut self, frame: u64) -> Result<(), DecodeError> {
        let Some(failure) = self.failure.take() else { return Ok(()) };
        self.restart_at(frame);
        // Whoever was in the midst of reading does not know where it stands.
        self.exhausted = true;
        Err(failure)
    }

    /// Opens the format anew, at its very first packet.
    fn rewind(&mut self) -> Result<(), DecodeError> {
        self.exhausted = true;
        self.format = open_format(&self.media, &self.failure, 0)?;
        self.window_start = None;
        self.exhausted = false;
        self.restart_at(0);
        Ok(())
    }

    /// Forgets what was decoded; the next packets decide where the track stands.
    fn restart_at(&mut self, frame: u64) {
        self.codec.reset();
        self.stereo.clear();
        self.decoded_to = None;
        self.wanted_from = frame as i64;
        self.position = frame;
        self.primed = false;
        self.ended = false;
    }

    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut *self)));
        result.unwrap_or_else(|_| {
            self.ended = true;
            self.stereo.clear();
            Err(self.damaged("its structure contradicts itself"))
        })
    }

    fn damaged(&self, what: &str) -> DecodeError {
        DecodeError::Damaged { path: self.path.clone(), what: what.to_string() }
    }

    /// Sets where the music begins and ends in the track, from what the file tells.
    fn start_at(&mut self, start_ticks: i64, edits: Option<Audible>, told: Option<u64>) {
        let rate = f64::from(self.info.sample_rate);
        let skip = edits.map_or(0, |e| (e.skip_seconds * rate).round() as i64);
        self.first_frame = self.frames_of(start_ticks).saturating_add(skip);
        let told = told.map(|frames| frames.saturating_sub(skip as u64));
        let edited = edits.and_then(|e| e.seconds).map(|s| (s * rate).round() as u64);
        let frames = match (told, edited) {
            (Some(told), Some(edited)) => Some(told.min(edited)),
            (told, edited) => told.or(edited),
        };
        let most = MAX_HOURS * 3600 * u64::from(self.info.sample_rate);
        self.info.frames = frames.filter(|&frames| frames > 0 && frames <= most);
        let end = edits.and(self.info.frames).unwrap_or(most);
        self.end_frame = end.min(most) as i64;
    }

    /// Decodes until `stereo` holds frames to give out. False at the end.
    fn decode_more(&mut self) -> Result<bool, DecodeError> {
        self.stereo.clear();
        for _ in 0..MAX_SILENT_PACKETS {
            if self.ended {
                return Ok(false);
            }
            // Whatever the format says after its first packets, what was there has played: it ends here.
            let Ok(Some(mut packet)) = self.format.next_packet() else {
                self.give_up_if_failed(self.position)?;
                self.ended = true;
                self.exhausted = true;
                return Ok(false);
            };
            if packet.track_id != self.track_id {
                continue;
            }
            if self.window_start.is_some() {
                // In the midst of a file the format only guesses where the music ends, and cuts it there.
                packet.trim_start = TickCount::from(0_u64);
                packet.trim_end = TickCount::from(0_u64);
            }
            self.decode_packet(&packet)?;
            if !self.stereo.is_empty() {
                return Ok(true);
            }
        }
        Err(self.damaged("it goes on without sound"))
    }

    fn decode_packet(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let starts_at = packet.pts.get().saturating_add_unsigned(packet.trim_start.get());
        let mut damaged = false;
        let frames = match self.codec.decode(packet) {
            Ok(sound) if sound.frames() == 0 => return Ok(()),
            Ok(sound) => {
                let spec = (sound.spec().rate(), sound.spec().channels().count());
                let known = (self.info.sample_rate, self.info.channels);
                if self.info.channels == 0 {
                    self.info.sample_rate = spec.0;
                    self.info.channels = spec.1;
                    self.downmix = Downmix::new(sound.spec().channels());
                    if !SAMPLE_RATES.contains(&spec.0) || spec.1 == 0 {
                        let what = format!("{} channels at {} Hz", spec.1, spec.0);
                        return Err(self.damaged(&what));
                    }
                } else if spec != known {
                    // Another piece of music follows in the same file; one file is one track.
                    self.ended = true;
                    return Ok(());
                }
                sound.copy_to_vec_interleaved(&mut self.interleaved);
                sound.frames()
            }
            // Before the first good packet nothing tells how long the gap is.
            Err(_) if self.info.channels == 0 => {
                self.damaged_packets += 1;
                return Ok(());
            }
            Err(_) => {
                damaged = true;
                let frames = self.frames_of(packet.dur.get().min(1 << 40) as i64);
                let frames = (frames.max(0) as u64).min(MAX_GAP_FRAMES) as usize;
                self.interleaved.clear();
                self.interleaved.resize(frames * self.downmix.channels(), 0.0);
                frames
            }
        };
        let begin = self.decoded_to.unwrap_or_else(|| {
            let in_track = self.frames_of(starts_at).saturating_add(self.window_start.unwrap_or(0));
            in_track.saturating_sub(self.first_frame)
        });
        let end = begin.saturating_add(frames as i64);
        self.decoded_to = Some(end);
        let from = begin.max(self.wanted_from);
        // The first packets after a seek may lack what came before; they are not given out.
        self.damaged_packets += u64::from(damaged && end > self.wanted_from);
        // In the midst of the file the format does not know where the music ends.
        let told = self.window_start.and(self.info.frames).map_or(i64::MAX, |frames| frames as i64);
        let last = self.end_frame.min(told);
        let to = end.min(last);
        self.ended |= end >= last;
        if from < to {
            let channels = self.downmix.channels();
            let wanted = (from - begin) as usize * channels..(to - begin) as usize * channels;
            self.downmix.append(&self.interleaved[wanted], &mut self.stereo);
            self.position = from as u64;
        }
        Ok(())
    }

    /// Track ticks to frames, rounded.
    fn frames_of(&self, ticks: i64) -> i64 {
        let (numer, denom) = (self.ticks.numer.get(), self.ticks.denom.get());
        scale(ticks, u64::from(numer) * u64::from(self.info.sample_rate), u64::from(denom))
    }

    /// Frames to track ticks, rounded.
    fn ticks_of(&self, frames: i64) -> i64 {
        let (numer, denom) = (self.ticks.numer.get(), self.ticks.denom.get());
        scale(frames, u64::from(denom), u64::from(numer) * u64::from(self.info.sample_rate.max(1)))
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("path", &self.path)
            .field("info", &self.info)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// More frames than any file that is believed.
const MAX_FRAMES: u64 = MAX_HOURS * 3600 * *SAMPLE_RATES.end() as u64;

fn scale(value: i64, times: u64, by: u64) -> i64 {
    let by = i128::from(by.max(1));
    let scaled = (i128::from(value) * i128::from(times) + by / 2).div_euclid(by);
    i64::try_from(scaled).unwrap_or(if scaled < 0 { i64::MIN } else { i64::MAX })
}

fn make_codec(parameters: &AudioCodecParameters) -> Option<Box<dyn AudioDecoder>> {
    let options = AudioDecoderOptions::default();
    symphonia::default::get_codecs().make_audio_decoder(parameters, &options).ok()
}

fn codec_name(id: AudioCodecId) -> String {
    if let Some(known) = symphonia::default::get_codecs().get_audio_decoder(id) {
        return known.codec.info.long_name.to_string();
    }
    let name = match id {
        codec::CODEC_ID_OPUS => "Opus",
        codec::CODEC_ID_SPEEX => "Speex",
        codec::CODEC_ID_MP1 => "MP1",
        codec::CODEC_ID_MP2 => "MP2",
        codec::CODEC_ID_AC3 => "AC-3",
        codec::CODEC_ID_EAC3 => "E-AC-3",
        codec::CODEC_ID_DCA => "DTS",
        codec::CODEC_ID_WMA => "WMA",
        codec::CODEC_ID_TRUEHD => "TrueHD",
        codec::CODEC_ID_WAVPACK => "WavPack",
        codec::CODEC_ID_TTA => "TTA",
        _ => "a codec unknown to it",
    };
    name.to_string()
}
