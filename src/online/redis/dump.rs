//! Hashes as Redis itself keeps and dumps them, so that a whole one is created by one `RESTORE`: that
//! takes Redis less time than an `HSET` of the same fields, and never touches a key that exists.
//!
//! The format is that of Redis 7.0 (`rdb.h` for the type and its version, `listpack.c` for the entries,
//! `createDumpPayload` in `cluster.c` for the end), which later ones read as well.

use crc::{CRC_64_REDIS, Crc, Table};

/// Entries that a hash may have in this form, as far as Redis is not set up otherwise; twice the fields.
pub(crate) const MOST_ENTRIES: usize = 2 * 128;

/// Bytes of the longest entry. Redis itself would take one more.
pub(crate) const LONGEST_ENTRY: usize = 63;

/// `RDB_TYPE_HASH_LISTPACK`.
const HASH: u8 = 16;

/// The version of the format that has it first.
const VERSION: u16 = 10;

static CHECKSUM: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);

/// Appends an entry of at most [`LONGEST_ENTRY`] bytes: its length, its bytes, and the length of both for
/// those who read backwards.
pub(crate) fn push_entry(entries: &mut Vec<u8>, entry: &[u8]) {
    const TEXT: u8 = 0x80;
    debug_assert!(entry.len() <= LONGEST_ENTRY);
    // Both fit into seven bits.
    let length = entry.len() as u8;
    entries.push(TEXT | length);
    entries.extend_from_slice(entry);
    entries.push(length + 1);
}

/// Replaces `dump` by the hash with these entries, in which fields and values alternate.
pub(crate) fn write_hash(dump: &mut Vec<u8>, entries: &[u8], count: usize) {
    const HEAD: usize = 6;
    const END: u8 = 0xff;
    dump.clear();
    dump.push(HASH);
    // At most 256 entries of 65 bytes.
    let length = (HEAD + entries.len() + 1) as u32;
    push_length(dump, length);
    dump.extend_from_slice(&length.to_le_bytes());
    dump.extend_from_slice(&(count as u16).to_le_bytes());
    dump.extend_from_slice(entries);
    dump.push(END);
    dump.extend_from_slice(&VERSION.to_le_bytes());
    dump.extend_from_slice(&CHECKSUM.checksum(dump).to_le_bytes());
}

/// Appends the length of a text: in 6, 14 or 32 bits, big end first.
fn push_length(dump: &mut Vec<u8>, length: u32) {
    match length {
        0..0x40 => dump.push(length as u8),
        0x40..0x4000 => dump.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
        _ => {
            dump.push(0x80);
            dump.extend_from_slice(&length.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_dumped_as_redis_does() {
        let (mut entries, mut dump) = (Vec::new(), vec![1]);
        for entry in [b"a".as_slice(), b"\x20\x05", b"\x01\x02\x03\x04", b"", b"_ts:v", b"\x08\x01"] {
            push_entry(&mut entries, entry);
        }
        write_hash(&mut dump, &entries, 6);
        // What Redis 7.0 answers to `DUMP`.
        let redis = b"\x10\x21\x21\x00\x00\x00\x06\x00\x81\x61\x02\x82\x20\x05\x03\x84\x01\x02\x03\x04\x05\x80\x01\
                      \x85\x5f\x74\x73\x3a\x76\x06\x82\x08\x01\x03\xff\x0a\x00\x59\x6d\x6e\x23\x95\x8d\x59\xd5";
        assert_eq!(dump, redis);
    }

    #[test]
    fn lengths_have_three_forms() {
        let of = |length| {
            let mut bytes = Vec::new();
            push_length(&mut bytes, length);
            bytes
        };
        assert_eq!(of(63), [63]);
        assert_eq!(of(64), [0x40, 64]);
        assert_eq!(of(16_383), [0x7f, 0xff]);
        assert_eq!(of(16_384), [0x80, 0, 0, 0x40, 0]);
    }
}
