//! Records taken apart.

use memchr::memchr;

/// A field of a record, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether quotes in it are doubled.
    pub(super) doubled: bool,
}

/// What keeps bytes from being a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The quotes of its last field are never closed.
    OpenQuote,
    /// There is more than a delimiter behind the quotes of its last field.
    TextBehindQuote,
}

/// Appends the fields of the record that begins at `start`, and tells where the next one begins and
/// how many lines are between.
pub(super) fn split(
    bytes: &[u8],
    start: usize,
    delimiter: u8,
    fields: &mut Vec<Field>,
) -> Result<(usize, u64), Malformed> {
    let (mut at, mut lines) = (start, 1);
    loop {
        if bytes.get(at) == Some(&b'"') {
            let (field, inner) = quoted(bytes, at + 1).ok_or(Malformed::OpenQuote)?;
            fields.push(field);
            lines += inner;
            let behind = field.end + 1;
            match &bytes[behind..] {
                [] | [b'\r'] => return Ok((bytes.len(), lines)),
                [b'\n', ..] => return Ok((behind + 1, lines)),
                [b'\r', b'\n', ..] => return Ok((behind + 2, lines)),
                [next, ..] if *next == delimiter => at = behind + 1,
                _ => return Err(Malformed::TextBehindQuote),
            }
        } else {
            let end = field_end(bytes, at, delimiter);
            if bytes.get(end) == Some(&delimiter) {
                fields.push(Field { start: at, end, doubled: false });
                at = end + 1;
            } else {
                let return_before = end > at && bytes[end - 1] == b'\r';
                fields.push(Field { start: at, end: end - usize::from(return_before), doubled: false });
                return Ok((bytes.len().min(end + 1), lines));
            }
        }
    }
}

/// The field whose quotes open before `start`, and how many lines end in it.
fn quoted(bytes: &[u8], start: usize) -> Option<(Field, u64)> {
    let (mut at, mut doubled) = (start, false);
    loop {
        at += memchr(b'"', &bytes[at..])?;
        if bytes.get(at + 1) != Some(&b'"') {
            let lines = crate::sources::text::chunks::lines(&bytes[start..at]);
            return Some((Field { start, end: at, doubled }, lines));
        }
        doubled = true;
        at += 2;
    }
}

/// Where the next delimiter or end of a line is. Fields are short, so looking at eight bytes at once
/// is faster than a search that is made for long texts.
#[inline]
fn field_end(bytes: &[u8], start: usize, delimiter: u8) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH_BITS: u64 = ONES << 7;
    // The lowest of the high bits marks the first zero byte; higher ones may be wrong.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH_BITS;
    let (delimiters, line_ends) = (ONES * u64::from(delimiter), ONES * u64::from(b'\n'));
    let mut at = start;
    while let Some(eight) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let found = zeros(word ^ delimiters) | zeros(word ^ line_ends);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let ends = |byte: &u8| *byte == delimiter || *byte == b'\n';
    bytes[at..].iter().position(ends).map_or(bytes.len(), |length| at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<Vec<&str>, Malformed> {
        let mut fields = Vec::new();
        split(text.as_bytes(), 0, b',', &mut fields)?;
        Ok(fields.iter().map(|field| &text[field.start..field.end]).collect())
    }

    #[test]
    fn fields_may_be_in_quotes() {
        for (text, expected) in [
            ("a,b\n", &["a", "b"][..]),
            ("a,b\r\nc", &["a", "b"]),
            ("a,b\r", &["a", "b"]),
            (",", &["", ""]),
            (",\r\n", &["", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"a\nb\"\r\n", &["a\nb"]),
            ("\"\",\"\"\r", &["", ""]),
            ("a \"b\",5\"\n", &["a \"b\"", "5\""]),
            ("\"a\"\"b\"", &["a\"\"b"]),
            (
                "a field of many bytes,and another one of many bytes\n",
                &["a field of many bytes", "and another one of many bytes"],
            ),
        ] {
            assert_eq!(fields(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(fields("a,\"b"), Err(Malformed::OpenQuote));
        assert_eq!(fields("\"a\" ,b"), Err(Malformed::TextBehindQuote));
    }

    #[test]
    fn records_tell_where_the_next_one_begins() {
        let next = |text: &str| split(text.as_bytes(), 0, b',', &mut Vec::new());
        assert_eq!(next("a,b\nc"), Ok((4, 1)));
        assert_eq!(next("a,\"b\n\n\"\r\nc"), Ok((9, 3)));
        assert_eq!(next("a,b"), Ok((3, 1)));
    }
}
