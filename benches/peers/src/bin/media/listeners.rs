//! The two sides: an address in, sound out.

use std::error::Error;
use std::io::{Read, Seek, SeekFrom};

use galvo::audio::Decoder;
use galvo::media::{Location, MediaOpener};
use stream_download::storage::temp::TempStorageProvider;
use stream_download::{Settings, StreamDownload};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::Timestamp;
use tokio::runtime::Runtime;

pub type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Someone who plays music from the network.
pub trait Listener: Send {
    /// The next block: its first frame, and interleaved stereo. Waits for the network.
    fn next(&mut self) -> Fallible<(u64, Vec<f32>)>;
    /// Goes to a frame.
    fn seek(&mut self, frame: u64) -> Fallible<()>;
}

/// galvo's opener without a cache, and its decoder.
pub struct Ours {
    decoder: Decoder,
    _opener: MediaOpener,
}

impl Ours {
    pub fn open(url: &str) -> Fallible<Self> {
        let opener = MediaOpener::new();
        let media = opener.open(&Location::parse(url))?;
        Ok(Self { decoder: Decoder::open_media(media)?, _opener: opener })
    }
}

impl Listener for Ours {
    fn next(&mut self) -> Fallible<(u64, Vec<f32>)> {
        let frame = self.decoder.position();
        let sound = self.decoder.next()?.ok_or("the music has ended")?;
        Ok((frame, sound.to_vec()))
    }

    fn seek(&mut self, frame: u64) -> Fallible<()> {
        Ok(self.decoder.seek(frame)?)
    }
}

struct Bytes(StreamDownload<TempStorageProvider>);

impl Read for Bytes {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf)
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

impl MediaSource for Bytes {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        self.0.content_length()
    }
}

/// stream-download with its default settings and storage, and Symphonia, which is what galvo decodes with as well.
pub struct Theirs {
    format: Box<dyn FormatReader>,
    codec: Box<dyn AudioDecoder>,
    track_id: u32,
    _runtime: Runtime,
}

impl Theirs {
    pub fn open(url: &str) -> Fallible<Self> {
        // galvo has reqwest built without a provider of its own; fails if one is installed already, which is as well.
        rustls::crypto::ring::default_provider().install_default().ok();
        // Two threads, as galvo's own runtime has.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let storage = TempStorageProvider::new();
        let stream = runtime
            .block_on(StreamDownload::new_http(url.parse()?, storage, Settings::default()))
            .map_err(|error| error.to_string())?;
        let options = MediaSourceStreamOptions::default();
        let stream = MediaSourceStream::new(Box::new(Bytes(stream)), options);
        let mut hint = Hint::new();
        hint.with_extension("wav");
        let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
        let format = symphonia::default::get_probe().probe(&hint, stream, format, metadata)?;
        let track = format.default_track(TrackType::Audio).ok_or("no track")?;
        let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or("no codec")?;
        let track_id = track.id;
        let options = AudioDecoderOptions::default();
        let codec = symphonia::default::get_codecs().make_audio_decoder(parameters, &options)?;
        Ok(Self { format, codec, track_id, _runtime: runtime })
    }
}

impl Listener for Theirs {
    fn next(&mut self) -> Fallible<(u64, Vec<f32>)> {
        let packet = self.format.next_packet()?.ok_or("the music has ended")?;
        let frame = u64::try_from(packet.pts.get())?;
        let mut sound = Vec::new();
        self.codec.decode(&packet)?.copy_to_vec_interleaved(&mut sound);
        Ok((frame, sound))
    }

    fn seek(&mut self, frame: u64) -> Fallible<()> {
        let ts = Timestamp::new(i64::try_from(frame)?);
        let to = SeekTo::Timestamp { ts, track_id: self.track_id };
        self.format.seek(SeekMode::Accurate, to)?;
        self.codec.reset();
        Ok(())
    }
}
