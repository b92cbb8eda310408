//! Decimal numbers as PostgreSQL has them on the wire: groups of four digits.

/// How many decimal digits are in a group.
const GROUP: usize = 4;

/// Appends a number, given as its digits with a point and a sign, to what is sent; `None` if it is none.
pub(super) fn put_numeric(text: &str, out: &mut Vec<u8>) -> Option<()> {
    const NEGATIVE: u16 = 0x4000;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (0, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !(whole.bytes().chain(fraction.bytes())).all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Whole groups on both sides of the point.
    let (front, back) = (whole.len().next_multiple_of(GROUP), fraction.len().next_multiple_of(GROUP));
    let padded = format!("{whole:0>front$}{fraction:0<back$}");
    let groups = padded.as_bytes().chunks(GROUP);
    let mut groups: Vec<i16> =
        groups.map(|group| group.iter().fold(0, |number, digit| number * 10 + i16::from(digit - b'0'))).collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    let trailing = groups.iter().rev().take_while(|group| **group == 0).count();
    groups.truncate(groups.len() - trailing);
    let weight = i16::try_from(front / GROUP).ok()? - 1 - i16::try_from(leading).ok()?;
    let weight = if groups.is_empty() { 0 } else { weight };
    let sign = if groups.is_empty() { 0 } else { sign };
    out.extend(i16::try_from(groups.len()).ok()?.to_be_bytes());
    out.extend(weight.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend(i16::try_from(fraction.len()).ok()?.to_be_bytes());
    groups.iter().for_each(|group| out.extend(group.to_be_bytes()));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<Vec<i16>> {
        let mut out = Vec::new();
        put_numeric(text, &mut out)?;
        Some(out.chunks(2).map(|word| i16::from_be_bytes([word[0], word[1]])).collect())
    }

    /// As PostgreSQL itself sends them.
    #[test]
    fn numbers_are_groups_of_four_digits() {
        assert_eq!(words("0").unwrap(), [0, 0, 0, 0]);
        assert_eq!(words("0.00").unwrap(), [0, 0, 0, 2]);
        assert_eq!(words("1").unwrap(), [1, 0, 0, 0, 1]);
        assert_eq!(words("-12345.678").unwrap(), [3, 1, 0x4000, 3, 1, 2345, 6780]);
        assert_eq!(words("10000").unwrap(), [1, 1, 0, 0, 1]);
        assert_eq!(words("0.00001").unwrap(), [1, -2, 0, 5, 1000]);
        assert_eq!(words("18446744073709551615").unwrap(), [5, 4, 0, 0, 1844, 6744, 737, 955, 1615]);
        assert_eq!(words("1e5"), None);
    }
}
