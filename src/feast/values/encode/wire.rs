//! The protobuf encoding, written from the front into one buffer.

/// Wire type of integers and booleans.
pub(super) const VARINT: u8 = 0;
/// Wire type of doubles.
pub(super) const FIXED64: u8 = 1;
/// Wire type of texts, bytes, messages and packed numbers.
pub(super) const DELIMITED: u8 = 2;
/// Wire type of floats.
pub(super) const FIXED32: u8 = 5;

pub(super) fn key(field: u32, wire_type: u8, out: &mut Vec<u8>) {
    varint(u64::from(field << 3 | u32::from(wire_type)), out);
}

pub(super) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Signed integers are sign-extended to 64 bits, whatever their width.
pub(super) fn signed(number: i64, out: &mut Vec<u8>) {
    varint(number.cast_unsigned(), out);
}

pub(super) fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Writes content whose length is known only afterwards.
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

#[cfg(test)]
mod tests {
    use prost::encoding::encode_varint;

    use super::*;

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
}
