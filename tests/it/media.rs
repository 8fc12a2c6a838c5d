//! Bytes from memory, disk and a network that misbehaves: right, bounded, and with the reason where they fail.

mod cached;
mod decoded;
mod http;
mod reading;
pub(crate) mod server;

use std::sync::Arc;

use galvo::media::{
    FileSource, HttpParams, HttpSource, Location, MemorySource, StreamSource, SyncReaderParams,
};
use tokio::runtime::Runtime;

/// A runtime for one test.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Bytes that tell where they are from.
fn pattern(len: usize) -> Vec<u8> {
    (0..len as u64).map(|k| (k.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

/// Random numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

async fn open_http(url: &str, params: HttpParams) -> Arc<HttpSource> {
    let location = Location::Url(url.to_owned());
    StreamSource::<galvo::media::Http>::open(location, params).await.unwrap().into_inner()
}

fn in_file(bytes: &[u8]) -> (tempfile::NamedTempFile, Arc<FileSource>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let source = FileSource::open(file.path()).unwrap();
    (file, Arc::new(source))
}

fn in_memory(bytes: &[u8]) -> Arc<MemorySource> {
    Arc::new(MemorySource::new(bytes.to_vec()))
}

/// A small prefetch buffer, so that its ends are met often.
fn small_buffer() -> SyncReaderParams {
    SyncReaderParams { chunk_bytes: 16 << 10, chunks: 3, ..SyncReaderParams::default() }
}
