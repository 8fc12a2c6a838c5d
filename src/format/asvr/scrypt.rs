//! scrypt (RFC 7914) with the parameters of ASVR, on SHA-256 (FIPS 180-4) and its HMAC (RFC 2104).

use super::sha256::Sha256;

/// Cost: 16 384 rounds of memory,
const N: usize = 16_384;
/// in blocks of 8 × 128 bytes: 16 MiB,
const R: usize = 8;

/// Bytes of one scrypt block in words.
type Words = Vec<u32>;

/// The key of a passphrase and a salt: N = 16 384, r = 8, p = 1. Takes 16 MiB and tens of milliseconds.
pub(super) fn key(passphrase: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    scrypt(passphrase, salt, N, R, 1, &mut out);
    out
}

fn scrypt(passphrase: &[u8], salt: &[u8], n: usize, r: usize, p: usize, out: &mut [u8]) {
    let mut blocks = vec![0_u8; p * 128 * r];
    pbkdf2(passphrase, salt, &mut blocks);
    let mut memory = vec![0_u32; n * 32 * r];
    for block in blocks.chunks_mut(128 * r) {
        let mut x: Words =
            block.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        mix_through_memory(&mut x, n, &mut memory);
        for (bytes, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(x) {
            *bytes = word.to_le_bytes();
        }
    }
    pbkdf2(passphrase, &blocks, out);
}

/// `scryptROMix`.
fn mix_through_memory(x: &mut Words, n: usize, memory: &mut [u32]) {
    let len = x.len();
    let mut scratch = vec![0; len];
    for row in memory.chunks_exact_mut(len) {
        row.copy_from_slice(x);
        mix_block(x, &mut scratch);
    }
    for _ in 0..n {
        let row = x[len - 16] as usize % n;
        let row = &memory[row * len..(row + 1) * len];
        x.iter_mut().zip(row).for_each(|(x, v)| *x ^= v);
        mix_block(x, &mut scratch);
    }
}

/// `scryptBlockMix`: even blocks first, then the odd ones.
fn mix_block(x: &mut Words, scratch: &mut Words) {
    let (blocks, _) = x.as_chunks::<16>();
    let count = blocks.len();
    let mut last = blocks[count - 1];
    for (k, block) in blocks.iter().enumerate() {
        last.iter_mut().zip(block).for_each(|(a, b)| *a ^= b);
        salsa20_8(&mut last);
        let place = k / 2 + if k % 2 == 0 { 0 } else { count / 2 };
        scratch[place * 16..(place + 1) * 16].copy_from_slice(&last);
    }
    std::mem::swap(x, scratch);
}

fn salsa20_8(block: &mut [u32; 16]) {
    const COLUMNS: [[usize; 4]; 4] = [[0, 4, 8, 12], [5, 9, 13, 1], [10, 14, 2, 6], [15, 3, 7, 11]];
    const ROWS: [[usize; 4]; 4] = [[0, 1, 2, 3], [5, 6, 7, 4], [10, 11, 8, 9], [15, 12, 13, 14]];
    let mut x = *block;
    for _ in 0..4 {
        for [a, b, c, d] in COLUMNS.into_iter().chain(ROWS) {
            x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
            x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
            x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
            x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
        }
    }
    block.iter_mut().zip(x).for_each(|(word, x)| *word = word.wrapping_add(x));
}

/// PBKDF2 with one iteration (RFC 8018), all that scrypt needs.
fn pbkdf2(passphrase: &[u8], salt: &[u8], out: &mut [u8]) {
    for (k, piece) in out.chunks_mut(32).enumerate() {
        let number = (k as u32 + 1).to_be_bytes();
        piece.copy_from_slice(&hmac(passphrase, &[salt, &number])[..piece.len()]);
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut padded = [0_u8; 64];
    if key.len() > padded.len() {
        padded[..32].copy_from_slice(&Sha256::of(&[key]));
    } else {
        padded[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.take(&padded.map(|byte| byte ^ 0x36));
    for part in parts {
        inner.take(part);
    }
    Sha256::of(&[&padded.map(|byte| byte ^ 0x5c), &inner.finish()])
}

#[cfg(test)]
mod tests {
    use super::super::super::asvp::samples::bytes;
    use super::*;

    /// RFC 7914, section 12, the first two vectors.
    #[test]
    fn the_vectors_of_the_rfc() {
        let mut out = [0; 64];
        scrypt(b"", b"", 16, 1, 1, &mut out);
        let first = "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442\
             fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906";
        assert_eq!(out[..], bytes(first));
        scrypt(b"password", b"NaCl", 1024, 8, 16, &mut out);
        let second = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
             2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640";
        assert_eq!(out[..], bytes(second));
    }

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn the_hmacs_of_the_rfc() {
        let short = hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(short[..], bytes(expected));
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(hmac(&[0xaa; 131], &[text])[..], bytes(expected));
    }
}
