//! Takes an encoded message apart into its fields, without knowing which message it is.

/// Deepest nesting of groups accepted.
const MAX_DEPTH: usize = 100;

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const START_GROUP: u64 = 3;
const END_GROUP: u64 = 4;
const FIXED_32: u64 = 5;

/// One field of an encoded message.
pub(in crate::feast) struct Field<'a> {
    pub number: u32,
    /// Its place among the fields of the message, from 0.
    pub at: usize,
    /// Everything, from the key to the end of the value.
    pub bytes: &'a [u8],
    /// The content of a length-delimited field: text, bytes, a message or packed numbers.
    pub content: Option<&'a [u8]>,
}

/// The fields in the order of the bytes; `None` when the bytes are no message.
pub(in crate::feast) fn split(bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let start = rest;
        let (number, wire_type) = key(&mut rest)?;
        let content = if wire_type == START_GROUP {
            skip_group(number, &mut rest)?;
            None
        } else {
            value(wire_type, &mut rest)?
        };
        let bytes = &start[..start.len() - rest.len()];
        fields.push(Field { number, at: fields.len(), bytes, content });
    }
    Some(fields)
}

/// A length-delimited field.
pub(in crate::feast) fn length_delimited(number: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 10);
    put_varint(u64::from(number) << 3 | LENGTH_DELIMITED, &mut bytes);
    put_varint(content.len() as u64, &mut bytes);
    bytes.extend(content);
    bytes
}

/// Reads the number and the wire type of a field.
fn key(rest: &mut &[u8]) -> Option<(u32, u64)> {
    let key = varint(rest)?;
    let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0)?;
    Some((number, key & 7))
}

/// Reads a value that is no group, and gives its content if it is length-delimited.
fn value<'a>(wire_type: u64, rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match wire_type {
        VARINT => varint(rest).map(|_| None),
        FIXED_64 => take(8, rest).map(|_| None),
        FIXED_32 => take(4, rest).map(|_| None),
        LENGTH_DELIMITED => {
            let length = usize::try_from(varint(rest)?).ok()?;
            take(length, rest).map(Some)
        }
        _ => None,
    }
}

/// Reads to the end of a group, an encoding of messages that Feast never used.
fn skip_group(number: u32, rest: &mut &[u8]) -> Option<()> {
    let mut open = vec![number];
    while let Some(innermost) = open.last() {
        match key(rest)? {
            (number, START_GROUP) if open.len() < MAX_DEPTH => open.push(number),
            (number, END_GROUP) if number == *innermost => drop(open.pop()),
            (_, wire_type) => drop(value(wire_type, rest)?),
        }
    }
    Some(())
}

fn take<'a>(length: usize, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(1, rest)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn put_varint(mut value: u64, output: &mut Vec<u8>) {
    while value >= 0x80 {
        output.push(value as u8 | 0x80);
        value >>= 7;
    }
    output.push(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(bytes: &[u8]) -> Option<Vec<u32>> {
        split(bytes).map(|fields| fields.iter().map(|field| field.number).collect())
    }

    #[test]
    fn every_wire_type_is_taken_whole() {
        let bytes = [
            &[0x08, 0x96, 0x01][..],
            &[0x11, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x1a, 2, b'h', b'i'],
            &[0x23, 0x08, 0x01, 0x2b, 0x2c, 0x24],
            &[0x35, 1, 2, 3, 4],
            &[0xd2, 0x01, 0],
        ];
        let all = bytes.concat();
        let fields = split(&all).unwrap();
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4, 6, 26]);
        assert_eq!(fields.iter().map(|field| field.bytes).collect::<Vec<_>>(), bytes);
        assert_eq!(fields[2].content, Some(&b"hi"[..]));
        assert_eq!(fields[5].content, Some(&[][..]));
        assert!([0, 1, 3, 4].iter().all(|at| fields[*at].content.is_none()));
    }

    #[test]
    fn broken_bytes_are_no_message() {
        let deep_groups = [0x0b; 200];
        for bytes in [
            &[0x08][..],
            &[0x00, 0x01],
            &[0x0a, 0x05, 0x01],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            &[0x0b, 0x08, 0x01],
            &[0x0b, 0x14],
            &[0x0c],
            &[0x0e],
            &deep_groups,
        ] {
            assert_eq!(numbers(bytes), None, "{bytes:x?}");
        }
        assert_eq!(numbers(&[]), Some(vec![]));
    }

    proptest! {
        #[test]
        fn written_fields_are_read(number in 1_u32..1 << 29, content in proptest::collection::vec(any::<u8>(), 0..300)) {
            let bytes = length_delimited(number, &content);
            let fields = split(&bytes).unwrap();
            prop_assert_eq!(fields.len(), 1);
            prop_assert_eq!((fields[0].number, fields[0].content), (number, Some(&content[..])));
        }

        #[test]
        fn fields_cover_the_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            if let Some(fields) = split(&bytes) {
                prop_assert_eq!(fields.iter().map(|field| field.bytes).collect::<Vec<_>>().concat(), bytes);
            }
        }
    }
}
