//! Numbers in decimal notation.

/// A whole number of 64 bits as it may be written: sign and digits, or a decimal or exponent
/// notation whose value is whole, such as `2.0` or `1e3`; blanks around it are ignored. `None` for
/// everything else and out of range.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    plain(text).or_else(|| match Digits::read(text)?.scaled(0)? {
        (number, true) => i64::try_from(number).ok(),
        (_, false) => None,
    })
}

/// The usual case: at most 18 digits, which cannot overflow, and maybe a sign.
fn plain(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(if negative { -number } else { number })
}

/// A number times a power of ten, rounded down.
pub(super) fn scaled(text: &str, power: u32) -> Option<i128> {
    match plain(text) {
        Some(number) => Some(i128::from(number) * 10_i128.pow(power)),
        None => Some(Digits::read(text)?.scaled(i64::from(power))?.0),
    }
}

/// The nearest double: digits, `inf`, `infinity` or `NaN` in any case. `None` for other texts, and
/// for digits that are beyond every double.
pub(super) fn double(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() || !has_digits(text)).then_some(number)
}

/// `inf`, `infinity` or `NaN` in any case.
pub(super) fn named_double(text: &str) -> Option<f64> {
    if has_digits(text) { None } else { text.parse().ok() }
}

/// A double in 32 bits; `None` if it is finite and beyond them.
pub(super) fn single(number: f64) -> Option<f32> {
    let single = number as f32;
    (single.is_finite() || !number.is_finite()).then_some(single)
}

fn has_digits(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// `-1.50`, `2`, `.5`, `1E-8`, `Infinity`, `NaN` and the like.
pub(super) fn is_decimal(text: &str) -> bool {
    Digits::read(text).is_some() || named_double(text).is_some()
}

/// A number taken apart: `-12.5e3`.
struct Digits<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Digits<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (negative, number) = sign(text.as_bytes());
        let (mantissa, exponent) = match number.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&number[..at], power_of_ten(&number[at + 1..])?),
            None => (number, 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &[][..]),
        };
        let digits = whole.len() + fraction.len() > 0 && all_digits(whole) && all_digits(fraction);
        digits.then_some(Self { negative, whole, fraction, exponent })
    }

    /// The number times a power of ten, rounded down, and whether it was whole. `None` beyond 128
    /// bits.
    fn scaled(&self, power: i64) -> Option<(i128, bool)> {
        let point = (self.whole.len() as i64).saturating_add(self.exponent).saturating_add(power);
        let (mut number, mut exact, mut digits) = (0_i128, true, 0_i64);
        for byte in self.whole.iter().chain(self.fraction) {
            let digit = i128::from(byte - b'0');
            if digits < point {
                number = number.checked_mul(10)?.checked_add(digit)?;
            } else if digit != 0 {
                exact = false;
                break;
            }
            digits += 1;
        }
        // Zero stays zero, and anything else soon overflows.
        while number != 0 && digits < point {
            number = number.checked_mul(10)?;
            digits += 1;
        }
        Some(match self.negative {
            true => (-number - i128::from(!exact), exact),
            false => (number, exact),
        })
    }
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn power_of_ten(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !all_digits(digits) {
        return None;
    }
    let power = digits.iter().fold(0_i64, |power, byte| power.saturating_mul(10).saturating_add((byte - b'0').into()));
    Some(if negative { -power } else { power })
}

fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_may_be_written_as_decimals() {
        for (text, number) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("+7", 7),
            (" 7\t", 7),
            ("007", 7),
            ("1.0", 1),
            ("2.", 2),
            ("1e3", 1_000),
            ("1.5E+1", 15),
            ("1200e-2", 12),
            (".0", 0),
            ("0e999999999999999999999", 0),
            ("0.000e-5", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775807.000", i64::MAX),
            ("-9.223372036854775808e18", i64::MIN),
            ("9007199254740993", 9_007_199_254_740_993),
            ("00000000000000000000000000000000000000000000000005", 5),
        ] {
            assert_eq!(integer(text), Some(number), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_integers() {
        for text in [
            "",
            " ",
            "-",
            "+",
            "--1",
            "1.6",
            "0.1",
            "1e-1",
            "1_000",
            "1,000",
            "0x1",
            "1e",
            "e1",
            ".",
            "1 2",
            "9223372036854775808",
            "-9223372036854775809",
            "1e19",
            "1e999999999999999999999",
            "inf",
            "NaN",
            "true",
            "１",
            "1.2.0",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn doubles() {
        for (text, number) in [("1", 1.0), ("-1.5e3", -1500.0), (".5", 0.5), ("5.", 5.0), ("-Inf", f64::NEG_INFINITY)] {
            assert_eq!(double(text), Some(number), "{text}");
        }
        assert_eq!(double("INFINITY"), Some(f64::INFINITY));
        assert!(double("-nAn").is_some_and(f64::is_nan));
        for text in ["", ".", "1e", "1e999", "-1e400", "0x1", "1_0", "1,5", "one", "1 "] {
            assert_eq!(double(text), None, "{text}");
        }
        assert_eq!(named_double("+Infinity"), Some(f64::INFINITY));
        assert_eq!(named_double("1"), None);
        assert_eq!(single(1e39), None);
        assert_eq!(single(f64::INFINITY), Some(f32::INFINITY));
        assert_eq!(single(0.1), Some(0.1_f32));
    }

    #[test]
    fn decimals() {
        for text in ["1", "-1.10", "+.5", "5.", "1E-8", "1e+20", "Infinity", "-inf", "NaN"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", "-", ".", "e5", "1e", "1e+", "1.2.3", "0x1", "1_000", " 1", "one", "1é"] {
            assert!(!is_decimal(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_scaled_exactly_and_rounded_down() {
        for (text, power, number) in [
            ("1.5", 0, 1),
            ("-1.5", 0, -2),
            ("1700000000.123456789", 9, 1_700_000_000_123_456_789),
            ("-0.0000000001", 9, -1),
            ("1.7e9", 3, 1_700_000_000_000),
        ] {
            assert_eq!(scaled(text, power), Some(number), "{text}");
        }
        assert_eq!(scaled("1e300", 9), None);
        assert_eq!(scaled("now", 9), None);
    }

    proptest! {
        #[test]
        fn integers_read_back(number: i64, zeros in 0_usize..5) {
            prop_assert_eq!(integer(&number.to_string()), Some(number));
            prop_assert_eq!(integer(&format!("{number}.{}", "0".repeat(zeros))), Some(number));
            prop_assert_eq!(integer(&format!("{number}{}e-{zeros}", "0".repeat(zeros))), Some(number));
            prop_assert_eq!(integer(&format!("{number}.01")), None);
        }

        #[test]
        fn floats_read_back(bits: u64) {
            let number = f64::from_bits(bits);
            let read = double(&format!("{number:e}"));
            prop_assert!(read == Some(number) || number.is_nan() && read.is_some_and(f64::is_nan));
        }

        #[test]
        fn decimals_are_decimals(text in "[+-]?[0-9]{1,30}(\\.[0-9]{0,30})?([eE][+-]?[0-9]{1,4})?") {
            prop_assert!(is_decimal(&text));
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = (integer(&text), double(&text), is_decimal(&text), scaled(&text, 9));
        }
    }
}
