//! PostgreSQL's binary form of `numeric`.

/// Why a number is none of a column of decimals.
const NOT_FINITE: &str = "NaN or infinity, which is no decimal";

/// The value as an integer of its last digit, `scale` digits behind the point.
///
/// # Errors
/// When it is no such number.
pub(super) fn decimal(bytes: &[u8], scale: i8) -> Result<i128, &'static str> {
    const DAMAGED: &str = "a number that is damaged";
    let (head, digits) = bytes.split_first_chunk::<8>().ok_or(DAMAGED)?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (count, weight, sign) = (usize::from(word(0)), word(2).cast_signed(), word(4));
    if sign & 0xc000 == 0xc000 {
        return Err(NOT_FINITE);
    }
    if digits.len() != count * 2 {
        return Err(DAMAGED);
    }
    let mut sum: i128 = 0;
    // Each is one of ten thousand; the first counts that to the power of the weight.
    for (index, digit) in digits.chunks_exact(2).enumerate() {
        let digit = i128::from(u16::from_be_bytes([digit[0], digit[1]]));
        let power = 4 * (i32::from(weight) - i32::try_from(index).unwrap_or(i32::MAX)) + i32::from(scale);
        let part = match u32::try_from(power) {
            Ok(power) => 10i128.checked_pow(power).and_then(|unit| digit.checked_mul(unit)),
            Err(_) => 10i128.checked_pow(power.unsigned_abs()).map(|unit| digit / unit),
        };
        sum = part.and_then(|part| sum.checked_add(part)).ok_or("a number with too many digits")?;
    }
    Ok(if sign == 0x4000 { -sum } else { sum })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn digits_of_ten_thousand_become_an_integer() {
        // 12345.67, -0.05, 0 and 10000 with two digits behind the point.
        assert_eq!(decimal(&wire(&[3, 1, 0, 2, 1, 2345, 6700]), 2), Ok(1_234_567));
        assert_eq!(decimal(&wire(&[1, 0xffff, 0x4000, 2, 500]), 2), Ok(-5));
        assert_eq!(decimal(&wire(&[0, 0, 0, 2]), 2), Ok(0));
        assert_eq!(decimal(&wire(&[1, 1, 0, 2, 1]), 2), Ok(1_000_000));
        assert_eq!(decimal(&wire(&[0, 0, 0xc000, 0]), 2), Err(NOT_FINITE));
        assert!(decimal(&wire(&[1, 0, 0, 0]), 0).is_err());
        assert!(decimal(&wire(&[1, 40, 0, 0, 1]), 0).is_err());
        assert!(decimal(&[1], 0).is_err());
    }
}
