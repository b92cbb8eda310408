//! Under which name Redis keeps a feature of a view.

/// The hash field of a feature: four bytes, little endian, of murmur3 (x86, 32 bits, seed 0) over
/// `view:feature`.
///
/// `view` is the name online data is kept under, with its version suffix if it has one.
pub fn feature_field(view: &str, feature: &str) -> [u8; 4] {
    murmur3(format!("{view}:{feature}").as_bytes()).to_le_bytes()
}

fn murmur3(bytes: &[u8]) -> u32 {
    let mut hash = 0u32;
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        hash ^= scramble(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    hash ^= scramble(u32::from_le_bytes(last));

    // The algorithm is defined over the length modulo 2^32.
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

fn scramble(block: u32) -> u32 {
    block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_feast() {
        assert_eq!(feature_field("driver_hourly_stats", "conv_rate"), [0x61, 0x60, 0xe3, 0xda]);
        assert_eq!(feature_field("v", "é"), [0xda, 0x00, 0xbd, 0x27]);
        assert_eq!(feature_field("stats", "trips"), [0xeb, 0x34, 0x2a, 0x65]);
    }

    #[test]
    fn hash_of_every_tail_length() {
        for (text, hash) in
            [("", 0), ("a", 0x3c25_69b2), ("ab", 0x9bbf_d75f), ("abc", 0xb3dd_93fa), ("abcd", 0x43ed_676a)]
        {
            assert_eq!(murmur3(text.as_bytes()), hash, "{text}");
        }
    }
}
