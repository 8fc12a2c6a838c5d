//! Decoding real files of every format: right samples, right time, and one clear sentence where it fails.

use std::path::{Path, PathBuf};

use galvo::audio::{DecodeError, Decoder};
use proptest::prelude::*;

/// Where the click is in all files of tests/data, in frames.
const CLICK_FRAME: usize = 11_025;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn decode_all(decoder: &mut Decoder) -> Vec<f32> {
    let mut all = Vec::new();
    while let Some(stereo) = decoder.next().unwrap() {
        all.extend_from_slice(stereo);
    }
    all
}

/// Centre of gravity of the click, in frames.
fn click_centre(stereo: &[f32]) -> f64 {
    let window = CLICK_FRAME - 200..CLICK_FRAME + 200;
    let power = |i: usize| f64::from(stereo[2 * i]).powi(2);
    let total: f64 = window.clone().map(power).sum();
    window.map(|i| i as f64 * power(i)).sum::<f64>() / total
}

const WHOLE: [&str; 5] = ["click.flac", "click.mp3", "click.ogg", "click.m4a", "click-alac.m4a"];

#[test]
fn the_click_is_at_its_sample_in_every_format() {
    for name in WHOLE {
        let mut decoder = Decoder::open(&data(name)).unwrap();
        let sound = decode_all(&mut decoder);
        let error = click_centre(&sound) - CLICK_FRAME as f64;
        let peak = sound.iter().fold(0.0_f32, |a, s| a.max(s.abs()));
        println!(
            "{name}: {:+.3} frames, {} frames, told {:?}, peak {peak:.3}, {:?}",
            error,
            sound.len() / 2,
            decoder.info().frames,
            decoder.info()
        );
        assert!(error.abs() < 0.5, "{name}: {error} frames");
        assert_eq!(decoder.damaged_packets(), 0);
        assert_eq!(decoder.position(), sound.len() as u64 / 2);
    }
}

#[test]
fn the_length_is_that_of_the_source() {
    for name in WHOLE {
        let mut decoder = Decoder::open(&data(name)).unwrap();
        let frames = decode_all(&mut decoder).len() / 2;
        // The edit list of an MP4 file counts in milliseconds.
        let spare = if name == "click.m4a" { 45 } else { 0 };
        assert!((44_100..=44_100 + spare).contains(&frames), "{name}: {frames}");
        let told = decoder.info().frames.unwrap() as usize;
        assert!((44_100..=44_100 + spare).contains(&told), "{name}: told {told}");
    }
}

#[test]
fn a_seek_gives_the_very_samples_that_playing_through_gives() {
    for name in WHOLE {
        let mut decoder = Decoder::open(&data(name)).unwrap();
        let whole = decode_all(&mut decoder);
        let frames = whole.len() / 2;
        for to in [0, 1, 1000, 11_000, 20_011, 30_000, 44_000, frames - 1, 5] {
            decoder.seek(to as u64).unwrap();
            assert_eq!(decoder.position(), to as u64, "{name}");
            let rest = decode_all(&mut decoder);
            assert_eq!(rest.len() / 2, frames - to, "{name} from {to}");
            let worst = rest
                .iter()
                .zip(&whole[2 * to..])
                .fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
            // AAC describes noise by its level alone, and the decoder draws it anew.
            let limit = if name == "click.m4a" { 1e-3 } else { 1e-5 };
            assert!(worst < limit, "{name} from {to}: differs by {worst}");
        }
        decoder.seek(10_000_000).unwrap();
        assert!(decoder.next().unwrap().is_none());
        decoder.seek(0).unwrap();
        assert!(decoder.next().unwrap().is_some());
    }
}

/// KS-30: a VBR file: every seek gives what decoding from the start gives there, near and far, forth and back.
#[test]
fn a_seek_in_an_mp3_of_varying_rate_is_exact() {
    let mut decoder = Decoder::open(&data("halves.mp3")).unwrap();
    let whole = decode_all(&mut decoder);
    let frames = whole.len() as u64 / 2;
    assert_eq!((frames, decoder.info().frames), (882_000, Some(882_000)));
    let mut at = 1;
    for turn in 0..60 {
        at = (at * 48_271) % 2_147_483_647;
        let to = at % frames;
        decoder.seek(to).unwrap();
        assert_eq!(decoder.position(), to);
        let mut rest = Vec::new();
        // Some to the very end, where the encoder's padding is left out.
        let most = if turn % 10 == 0 { usize::MAX } else { 8_000 };
        while rest.len() < most {
            let Some(stereo) = decoder.next().unwrap() else { break };
            rest.extend_from_slice(stereo);
        }
        let same = whole[2 * to as usize..].iter().zip(&rest);
        let worst = same.fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 1e-5, "from {to}: differs by {worst}");
        if most == usize::MAX {
            assert_eq!(rest.len() as u64 / 2, frames - to);
        }
    }
}

#[test]
fn album_and_cover_are_told() {
    let decoder = Decoder::open(&data("halves.mp3")).unwrap();
    let tags = &decoder.info().tags;
    assert_eq!(tags.album.as_deref(), Some("Tests"));
    let cover = tags.cover.as_ref().unwrap();
    assert_eq!(cover.media_type.as_deref(), Some("image/png"));
    let picture = image::load_from_memory(&cover.bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (8, 8));
    assert_eq!(Decoder::open(&data("click.mp3")).unwrap().info().tags.cover, None);
}

#[test]
fn title_artist_and_codec_are_told() {
    for name in ["click.flac", "click.mp3", "click.ogg", "click.m4a"] {
        let decoder = Decoder::open(&data(name)).unwrap();
        let info = decoder.info();
        assert_eq!(info.tags.title.as_deref(), Some("Click and tone"), "{name}");
        assert_eq!(info.tags.artist.as_deref(), Some("galvo"), "{name}");
        assert_eq!((info.sample_rate, info.channels), (44_100, 2), "{name}");
        assert!(!info.codec.is_empty());
    }
}

#[test]
fn aiff_and_compressed_wav_decode_too() {
    for name in ["click-short.aiff", "click-short-mulaw.wav"] {
        let mut decoder = Decoder::open(&data(name)).unwrap();
        let sound = decode_all(&mut decoder);
        assert_eq!(sound.len() / 2, 4410, "{name}");
        let loudest = (0..4410).max_by(|a, b| sound[2 * a].total_cmp(&sound[2 * b])).unwrap();
        assert!(loudest.abs_diff(CLICK_FRAME - 8820) <= 2, "{name}: {loudest}");
    }
}

fn wav(path: &Path, spec: hound::WavSpec, frames: usize) {
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for frame in 0..frames {
        for channel in 0..spec.channels {
            let value = (frame + usize::from(channel)) % 100;
            match (spec.sample_format, spec.bits_per_sample) {
                (hound::SampleFormat::Float, _) => writer.write_sample(value as f32 / 128.0),
                (_, bits) => writer.write_sample(((value as i64) << (bits - 8)) as i32),
            }
            .unwrap();
        }
    }
    writer.finalize().unwrap();
}

#[test]
fn every_common_kind_of_wav_gives_the_same_sound() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = [
        (8, hound::SampleFormat::Int),
        (16, hound::SampleFormat::Int),
        (24, hound::SampleFormat::Int),
        (32, hound::SampleFormat::Int),
        (32, hound::SampleFormat::Float),
    ];
    for (bits_per_sample, sample_format) in kinds {
        for channels in [1, 2] {
            let path = folder.path().join(format!("{bits_per_sample}-{channels}.wav"));
            let spec =
                hound::WavSpec { channels, sample_rate: 48_000, bits_per_sample, sample_format };
            wav(&path, spec, 3000);
            let mut decoder = Decoder::open(&path).unwrap();
            assert_eq!(decoder.info().frames, Some(3000));
            let sound = decode_all(&mut decoder);
            let right = usize::from(channels) - 1;
            for frame in 0..3000 {
                let expect = |offset: usize| ((frame + offset) % 100) as f32 / 128.0;
                assert_eq!(sound[2 * frame], expect(0));
                assert_eq!(sound[2 * frame + 1], expect(right));
            }
        }
    }
}

#[test]
fn what_is_not_music_is_refused_with_its_name_and_a_cure() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.mp3");
    std::fs::write(&text, "Set list:\n1. Ouvertüre\n2. Finale\n").unwrap();
    let noise = folder.path().join("noise.flac");
    std::fs::write(&noise, [0x17; 5000]).unwrap();
    let cut = folder.path().join("cut.flac");
    std::fs::write(&cut, &std::fs::read(data("click.flac")).unwrap()[..60]).unwrap();

    let said = |path: &Path| Decoder::open(path).unwrap_err().to_string();
    let expect = |path: &Path, what: &str| {
        let said = said(path);
        let name = path.file_name().unwrap().to_str().unwrap();
        println!("{said}");
        assert!(said.contains(name) && said.contains(what), "{said}");
    };
    expect(&text, "is a text file, not sound");
    expect(&noise, "no sound format that galvo reads");
    expect(&cut, "or it is damaged");
    expect(&data("click.opus"), "coded in Opus");
    expect(&data("no-audio.mp4"), "holds no audio track");
    expect(&data("no such file.mp3"), "check the spelling");
    assert!(matches!(Decoder::open(folder.path()), Err(DecodeError::Media(_))));
}

/// The header of the WAV it was made from lies inside, and what follows it is packed: played, it is full-scale noise.
#[test]
fn a_foreign_lossless_file_is_refused_by_name_and_never_played_as_noise() {
    for (name, format) in [("wavpack.wv", "WavPack"), ("riff-inside-other.ape", "Monkey's Audio")] {
        let said = Decoder::open(&data(name)).unwrap_err().to_string();
        println!("{said}");
        let says = [name, format, "does not decode: convert it to FLAC"];
        assert!(says.iter().all(|words| said.contains(words)), "{said}");
    }
}

#[test]
fn mpeg_behind_junk_plays_and_a_wav_behind_junk_does_not() {
    let folder = tempfile::tempdir().unwrap();
    for (name, plays) in [("click.mp3", true), ("click-short-mulaw.wav", false)] {
        let path = folder.path().join(name);
        let bytes = [vec![0x17; 700], std::fs::read(data(name)).unwrap()].concat();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Decoder::open(&path).is_ok(), plays, "{name}");
    }
}

#[test]
fn damaged_packets_are_counted_and_time_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scratched.mp3");
    let mut bytes = std::fs::read(data("click.mp3")).unwrap();
    let middle = bytes.len() * 7 / 10;
    bytes[middle..middle + 1500].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    let mut decoder = Decoder::open(&path).unwrap();
    let sound = decode_all(&mut decoder);
    println!("{} damaged, {} frames", decoder.damaged_packets(), sound.len() / 2);
    assert!((click_centre(&sound) - CLICK_FRAME as f64).abs() < 0.5);
    assert!(sound.len() / 2 <= 44_100);
}

#[test]
fn a_header_that_promises_ages_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.flac");
    let mut bytes = std::fs::read(data("click.flac")).unwrap();
    // STREAMINFO: 36 bits of total samples begin in the low half of byte 21.
    bytes[21] |= 0x0F;
    bytes[22..26].fill(0xFF);
    std::fs::write(&path, bytes).unwrap();
    let mut decoder = Decoder::open(&path).unwrap();
    assert_eq!(decoder.info().frames, None);
    assert_eq!(decode_all(&mut decoder).len() / 2, 44_100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn mutated_files_neither_panic_nor_run_away(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
        head in any::<bool>(),
        keep in 0.1_f64..1.0,
        seek in 0_u64..60_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let names = WHOLE.iter().chain(&["halves.mp3", "click-short.aiff", "click-short-mulaw.wav", "click.opus"]);
        for name in names {
            let mut bytes = std::fs::read(data(name)).unwrap();
            let area = if head { bytes.len().min(1500) } else { bytes.len() };
            for (at, value) in &changes {
                bytes[at.index(area)] = *value;
            }
            bytes.truncate((bytes.len() as f64 * keep) as usize);
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let Ok(mut decoder) = Decoder::open(&path) else { continue };
            for pass in 0..2 {
                let mut frames = 0;
                while let Ok(Some(stereo)) = decoder.next() {
                    prop_assert!(stereo.iter().all(|s| s.abs() <= 4.0));
                    frames += stereo.len() / 2;
                    if frames > 20_000_000 { break; }
                }
                if pass == 0 && decoder.seek(seek).is_err() { break; }
            }
        }
    }
}
