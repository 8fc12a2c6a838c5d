//! The ChaCha20 key stream (RFC 8439), as ASVR uses it: a nonce of zeros and the key id, counted from block 0.

/// Block of the key stream, bytes.
const BLOCK: usize = 64;

/// Enciphers or deciphers `bytes`, a run that begins at byte 0 of the stream of `key_id`.
pub(super) fn apply(key: &[u8; 32], key_id: u32, bytes: &mut [u8]) {
    for (counter, block) in bytes.chunks_mut(BLOCK).enumerate() {
        // 2³² blocks are 256 GiB; no run of a stream comes near.
        let stream = block_of(key, counter as u32, [0, 0, key_id]);
        block.iter_mut().zip(stream).for_each(|(byte, key)| *byte ^= key);
    }
}

fn block_of(key: &[u8; 32], counter: u32, nonce: [u32; 3]) -> [u8; BLOCK] {
    let mut state = [0_u32; 16];
    state[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    for (word, bytes) in state[4..12].iter_mut().zip(key.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    state[12] = counter;
    state[13..].copy_from_slice(&nonce);
    let mut x = state;
    for _ in 0..10 {
        for [a, b, c, d] in [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]] {
            quarter(&mut x, a, b, c, d);
        }
        for [a, b, c, d] in [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] {
            quarter(&mut x, a, b, c, d);
        }
    }
    let mut out = [0; BLOCK];
    for ((bytes, x), state) in out.as_chunks_mut::<4>().0.iter_mut().zip(x).zip(state) {
        *bytes = x.wrapping_add(state).to_le_bytes();
    }
    out
}

fn quarter(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(16);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(12);
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(8);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(7);
}

#[cfg(test)]
mod tests {
    use super::super::super::asvp::samples::bytes;
    use super::*;

    /// RFC 8439, section 2.3.2.
    #[test]
    fn the_block_of_the_rfc() {
        let key: [u8; 32] = std::array::from_fn(|k| k as u8);
        let block = block_of(&key, 1, [0x0900_0000, 0x4a00_0000, 0]);
        let expected = bytes(
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e\
             d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
        );
        assert_eq!(block[..], expected);
    }
}
