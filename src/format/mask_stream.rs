//! What every form of mask stream can do, behind one trait: which bytes are wanted, and what they mean.
//!
//! A new form is a type that is a [`MaskStream`] and a line in [`open`]; scheduler, cache and handle stay.

use std::fmt;
use std::ops::Range;

use flate2::Decompress;

use super::asvp::{self, FormatError, HEADER_BYTES, Table};
use super::asvr::{self, Key};
use super::outlines::Outlines;

/// An open mask stream: where the frames lie, and how their bytes are read.
pub trait MaskStream: Send + Sync + fmt::Debug {
    /// Its form: `ASVP`, `ASVR`.
    fn form(&self) -> &'static str;
    /// Number of frames.
    fn frames(&self) -> usize;
    /// The bytes of a frame in the source; `None` past the last one.
    fn range(&self, index: usize) -> Option<Range<u64>>;
    /// What is odd about the stream, yet no error.
    fn warnings(&self) -> &[String];
    /// Reads a frame from exactly the bytes of its range, which are changed. `scratch` is memory to work in.
    ///
    /// # Errors
    /// The bytes are not what the form demands.
    fn decode(
        &self,
        index: usize,
        block: &mut [u8],
        scratch: &mut Scratch,
        outlines: &mut Outlines,
    ) -> Result<(), FormatError>;
}

/// Memory to decode in, used again from frame to frame.
pub struct Scratch {
    inflate: Decompress,
    payload: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { inflate: Decompress::new(true), payload: Vec::new() }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("bytes", &self.payload.capacity()).finish_non_exhaustive()
    }
}

/// A source of bytes for [`open`]: a range in, its bytes out, fewer only at the end of the source.
pub type ReadRange<'a, E> = &'a mut dyn FnMut(Range<u64>) -> Result<Vec<u8>, E>;

/// Opens a stream of any form: a plain one by its magic, else a keyed one if there is a key that fits, else a
/// plain one with odd magic. A key that is not needed does no harm.
///
/// # Errors
/// Reading fails, the bytes are too few, or they are no mask stream. At most 64 MiB are read, with a key of
/// another stream twice that.
pub fn open<E: From<FormatError>>(
    read: ReadRange<'_, E>,
    key: Option<Key>,
) -> Result<Box<dyn MaskStream>, E> {
    let head = read(0..HEADER_BYTES as u64)?;
    let Some(key) = key.filter(|_| !head.starts_with(b"ASVP")) else {
        let (table, warnings) = read_table(read, &head, None)??;
        return Ok(Box::new(Stream { key: None, table, warnings }));
    };
    // The magic is a hint, and so does not decide; the checksum of the table does.
    if let Ok((table, warnings)) = read_table(read, &head, Some(&key))? {
        return Ok(Box::new(Stream { key: Some(key), table, warnings }));
    }
    // A wrong key makes a random length of the table: then it is the key that is wrong, and not the file short.
    let plain = read_table(read, &head, None)?.map_err(|_| FormatError::NotAStream);
    let (table, warnings) = plain?;
    Ok(Box::new(Stream { key: None, table, warnings }))
}

/// A table, and what is odd about its header.
type Found = Result<(Table, Vec<String>), FormatError>;

/// Reads header and table as those of a plain stream, or of one with this key.
fn read_table<E>(read: ReadRange<'_, E>, head: &[u8], key: Option<&Key>) -> Result<Found, E> {
    let mut head = head.to_vec();
    let decipher = |run: &mut [u8]| {
        if let Some(key) = key {
            key.apply_to_head(run);
        }
    };
    let mut plain = head.clone();
    decipher(&mut plain);
    let header = match asvp::parse_header(&plain) {
        Ok(header) => header,
        Err(error) => return Ok(Err(error)),
    };
    let body = HEADER_BYTES as u64 + u64::from(header.table_bytes);
    head.extend(read(HEADER_BYTES as u64..body)?);
    if (head.len() as u64) < body {
        return Ok(Err(FormatError::Short { needed: body }));
    }
    decipher(&mut head);
    let table = match asvp::parse_table(&head[HEADER_BYTES..], body) {
        Ok(table) => table,
        Err(error) => return Ok(Err(error)),
    };
    let mut warnings = Vec::new();
    let known = if key.is_some() { asvr::is_known_magic(&header.magic) } else { header.is_plain() };
    if !known {
        warnings.push(format!("the header begins with {:02x?}, which is unknown", header.magic));
    }
    if header.frames_hint as usize != table.len() && header.frames_hint != 0 {
        let (said, found) = (header.frames_hint, table.len());
        warnings.push(format!("the header says {said} frames, the table lists {found}"));
    }
    Ok(Ok((table, warnings)))
}

#[derive(Debug)]
struct Stream {
    /// `None` for a plain one.
    key: Option<Key>,
    table: Table,
    warnings: Vec<String>,
}

impl MaskStream for Stream {
    fn form(&self) -> &'static str {
        if self.key.is_some() { "ASVR" } else { "ASVP" }
    }

    fn frames(&self) -> usize {
        self.table.len()
    }

    fn range(&self, index: usize) -> Option<Range<u64>> {
        self.table.range(index)
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn decode(
        &self,
        index: usize,
        block: &mut [u8],
        scratch: &mut Scratch,
        outlines: &mut Outlines,
    ) -> Result<(), FormatError> {
        if let Some(key) = &self.key {
            // A table holds 2²⁴ frames at most.
            key.apply_to_block(index as u32, block);
        }
        asvp::inflate_block(block, &mut scratch.inflate, &mut scratch.payload)?;
        asvp::parse_payload(&scratch.payload, outlines)
    }
}

#[cfg(test)]
mod tests {
    use super::super::asvp::samples::{A, B, C, R, bytes};
    use super::super::asvp::write::Writer;
    use super::super::asvr::{KeyedName, Passphrase};
    use super::super::outlines::Place;
    use super::*;

    fn key(scene: u32) -> Key {
        let passphrase = Passphrase::new(std::array::from_fn(|k| k as u8));
        let name = KeyedName { scene, version: "1.5.0".into(), resource: "demo.asvr".into() };
        Key::derive(&passphrase, &name)
    }

    fn open_bytes(file: &[u8], key: Option<Key>) -> Result<Box<dyn MaskStream>, FormatError> {
        let readings = if key.is_some() { 2 } else { 1 };
        let mut asked = 0;
        let read = &mut |range: Range<u64>| {
            asked += range.end - range.start;
            let end = (range.end as usize).min(file.len());
            Ok(file[(range.start as usize).min(end)..end].to_vec())
        };
        let opened = open(read, key);
        assert!(asked <= 16 + readings * u64::from(asvp::MAX_TABLE_BYTES));
        opened
    }

    fn decode(stream: &dyn MaskStream, file: &[u8], index: usize) -> Result<usize, FormatError> {
        let range = stream.range(index).unwrap();
        let mut block = file[range.start as usize..range.end as usize].to_vec();
        let mut outlines = Outlines::default();
        stream.decode(index, &mut block, &mut Scratch::default(), &mut outlines)?;
        Ok(outlines.places().len())
    }

    /// AS-14, AS-15, AS-16: one call opens every form.
    #[test]
    fn every_form_opens_through_the_same_call() {
        for (file, form, frames, places, warnings) in
            [(A, "ASVP", 1, 5, 0), (B, "ASVP", 2, 0, 0), (C, "ASVP", 1, 5, 1), (R, "ASVR", 1, 5, 0)]
        {
            let file = bytes(file);
            let key = (form == "ASVR").then(|| key(7));
            let stream = open_bytes(&file, key).unwrap();
            assert_eq!((stream.form(), stream.frames()), (form, frames));
            assert_eq!(decode(stream.as_ref(), &file, 0), Ok(places));
            assert_eq!(stream.warnings().len(), warnings, "{:?}", stream.warnings());
            assert_eq!(stream.range(frames), None);
        }
        // A key does no harm to a plain stream, not even to one without magic.
        for plain in [A, C] {
            let file = bytes(plain);
            let stream = open_bytes(&file, Some(key(7))).unwrap();
            assert_eq!((stream.form(), decode(stream.as_ref(), &file, 0)), ("ASVP", Ok(5)));
        }
    }

    /// AS-18: sheet §3.
    #[test]
    fn what_is_no_stream_is_refused() {
        let refused = |file: &[u8], key| open_bytes(file, key).unwrap_err();
        let a = bytes(A);
        assert_eq!(refused(&[], None), FormatError::Short { needed: 16 });
        assert_eq!(refused(&a[..20], None), FormatError::Short { needed: 35 });
        let mut absurd = a.clone();
        absurd[12..16].fill(0xff);
        assert_eq!(refused(&absurd, None), FormatError::NotAStream);
        assert_eq!(refused(&bytes(R), Some(key(8))), FormatError::NotAStream);
        assert_eq!(refused(&bytes(R)[..10], Some(key(7))), FormatError::NotAStream);
        assert_eq!(refused(&bytes(R)[..20], Some(key(7))), FormatError::NotAStream);
        assert_eq!(open_bytes(&a[..40], None).unwrap().frames(), 1);
    }

    #[test]
    fn a_keyed_stream_of_ours_reads_back_frame_by_frame() {
        let mut writer = Writer::default();
        for k in 0..5 {
            let mut outlines = Outlines::default();
            outlines.push((0..k + 3).map(|n| Place::new(10 * n, 7 * n * n)));
            writer.push(&outlines).unwrap();
        }
        let key = key(9);
        let file = asvr::emit(&writer, &key);
        let stream = open_bytes(&file, Some(key)).unwrap();
        assert!(stream.warnings().is_empty());
        for k in 0..5 {
            assert_eq!(decode(stream.as_ref(), &file, k), Ok(k + 3));
        }
    }
}
