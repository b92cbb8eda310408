//! The fields of protobuf messages, read and written without knowing which message they are of.

/// Deepest nesting of groups accepted.
const MAX_DEPTH: usize = 100;

/// Wire type of integers and booleans.
pub(super) const VARINT: u8 = 0;
/// Wire type of doubles.
pub(super) const FIXED64: u8 = 1;
/// Wire type of texts, bytes, messages and packed numbers.
pub(super) const DELIMITED: u8 = 2;
/// Wire type of floats.
pub(super) const FIXED32: u8 = 5;
/// Wire types of the two ends of a group, an encoding of messages that Feast never used.
const START_GROUP: u8 = 3;
const END_GROUP: u8 = 4;

/// One field of an encoded message.
pub(super) struct Field<'a> {
    /// The number that the message's definition gives it.
    pub(super) number: u32,
    /// Its position among the fields of the message, from 0.
    pub(super) at: usize,
    /// Everything, from the key to the end of the value.
    pub(super) bytes: &'a [u8],
    /// The content of a length-delimited field: text, bytes, a message or packed numbers.
    pub(super) content: Option<&'a [u8]>,
}

/// The fields in the order of the bytes; `None` when the bytes are not a message.
pub(super) fn split(bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let start = rest;
        let (number, wire_type) = read_key(&mut rest)?;
        let content = if wire_type == START_GROUP {
            skip_group(number, &mut rest)?;
            None
        } else {
            read_value(wire_type, &mut rest)?
        };
        let bytes = &start[..start.len() - rest.len()];
        fields.push(Field { number, at: fields.len(), bytes, content });
    }
    Some(fields)
}

/// Reads the number and the wire type of a field.
fn read_key(rest: &mut &[u8]) -> Option<(u32, u8)> {
    let key = read_varint(rest)?;
    let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0)?;
    Some((number, (key & 7) as u8))
}

/// Reads a value that is not a group, and gives its content if it is length-delimited.
fn read_value<'a>(wire_type: u8, rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match wire_type {
        VARINT => read_varint(rest).map(|_| None),
        FIXED64 => take(8, rest).map(|_| None),
        FIXED32 => take(4, rest).map(|_| None),
        DELIMITED => {
            let length = usize::try_from(read_varint(rest)?).ok()?;
            take(length, rest).map(Some)
        }
        _ => None,
    }
}

/// Reads to the end of a group.
fn skip_group(number: u32, rest: &mut &[u8]) -> Option<()> {
    let mut open = vec![number];
    while let Some(innermost) = open.last() {
        match read_key(rest)? {
            (number, START_GROUP) if open.len() < MAX_DEPTH => open.push(number),
            (number, END_GROUP) if number == *innermost => drop(open.pop()),
            (_, wire_type) => drop(read_value(wire_type, rest)?),
        }
    }
    Some(())
}

fn take<'a>(length: usize, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn read_varint(rest: &mut &[u8]) -> Option<u64> {
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

/// Writes number and wire type of a field; its value comes next.
pub(super) fn key(field: u32, wire_type: u8, out: &mut Vec<u8>) {
    varint(u64::from(field) << 3 | u64::from(wire_type), out);
}

/// Writes an integer.
pub(super) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes a signed integer: sign-extended to 64 bits, whatever its width.
pub(super) fn signed(number: i64, out: &mut Vec<u8>) {
    varint(number.cast_unsigned(), out);
}

/// Writes content with its length in front.
pub(super) fn bytes(content: &[u8], out: &mut Vec<u8>) {
    varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

/// Writes content whose length is known only afterwards, with its length in front.
pub(super) fn delimited<E>(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
    let start = out.len();
    out.push(0);
    content(out)?;
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
    } else {
        let mut prefix = Vec::with_capacity(10);
        varint(length as u64, &mut prefix);
        out.splice(start..=start, prefix);
    }
    Ok(())
}

/// A whole field with an integer.
pub(super) fn varint_field(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(20);
    key(number, VARINT, &mut out);
    varint(value, &mut out);
    out
}

/// A whole length-delimited field.
pub(super) fn length_delimited(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + OF_LENGTH);
    put_length_delimited(number, content, &mut out);
    out
}

/// The same at the end of a message.
pub(super) fn put_length_delimited(number: u32, content: &[u8], out: &mut Vec<u8>) {
    key(number, DELIMITED, out);
    bytes(content, out);
}

/// How many bytes stand before the content of a length-delimited field, at most as long as contents are not huge.
pub(super) const OF_LENGTH: usize = 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::encoding::encode_varint;

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
    fn broken_bytes_are_not_a_message() {
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

    #[test]
    fn varints_are_those_of_prost() {
        for number in [0, 1, 127, 128, 300, 1 << 35, i64::MAX as u64, u64::MAX] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            varint(number, &mut ours);
            encode_varint(number, &mut theirs);
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn lengths_are_put_in_front() {
        for length in [0, 1, 127, 128, 20_000] {
            let mut out = vec![7];
            delimited(&mut out, |out| {
                out.resize(out.len() + length, 9);
                Ok::<_, ()>(())
            })
            .unwrap();
            let mut expected = vec![7];
            bytes(&vec![9; length], &mut expected);
            assert_eq!(out, expected);
        }
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
