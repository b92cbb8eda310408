//! Texts exactly as Python writes them, where stored bytes depend on it.

/// A float as Python's `repr`: the shortest digits that read back, `1e-05`, `1e+16`, `100000.0`, `nan`.
pub(crate) fn float(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string().to_ascii_lowercase();
    }
    let shortest = format!("{value:e}");
    let (mantissa, _) = split_exponent(&shortest);
    let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    // Between two shortest texts that are equally near Python takes the even digit, as rounding does.
    let nearest = format!("{value:.places$e}");
    let text = if nearest.parse() == Ok(value) { nearest } else { shortest };

    let (mantissa, exponent) = split_exponent(&text);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    match usize::try_from(exponent) {
        Ok(16..) => format!("{sign}{mantissa}e+{exponent}"),
        Ok(whole) if digits.len() <= whole + 1 => format!("{sign}{digits:0<width$}.0", width = whole + 1),
        Ok(whole) => format!("{sign}{}.{}", &digits[..=whole], &digits[whole + 1..]),
        Err(_) if exponent < -4 => format!("{sign}{mantissa}e-{:02}", -exponent),
        Err(_) => format!("{sign}0.{digits:0>width$}", width = digits.len() + exponent.unsigned_abs() as usize - 1),
    }
}

fn split_exponent(scientific: &str) -> (&str, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

/// A decimal number as Python's `str(Decimal)`: `digits`, an integer with an optional sign, times
/// ten to the power of `-scale`.
pub(crate) fn decimal(digits: &str, scale: i8) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let exponent = -i64::from(scale);
    let leading = exponent + digits.len() as i64 - 1;
    if exponent > 0 || leading < -6 {
        let (first, rest) = digits.split_at(digits.len().min(1));
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{leading:+}");
    }
    let places = usize::from(scale.unsigned_abs());
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

/// Appends a text as `json.dumps` writes it: quoted, everything but printable ASCII escaped.
pub(crate) fn json_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (100_000.0, "100000.0"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (123_456_789_012_345_678.0, "1.2345678901234568e+17"),
            (1_059_438_285_926_254.2, "1059438285926254.2"),
            (26_363_981_746_409.312, "26363981746409.312"),
            (9_007_199_254_740_992.0, "9007199254740992.0"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (-1.5e300, "-1.5e+300"),
            (0.0001, "0.0001"),
            (0.000_123_45, "0.00012345"),
            (0.000_099_999_999_999_999_99, "9.999999999999999e-05"),
            (0.00001, "1e-05"),
            (5e-324, "5e-324"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
        ] {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn decimals() {
        for (digits, scale, expected) in [
            ("123", 2, "1.23"),
            ("110", 2, "1.10"),
            ("0", 0, "0"),
            ("0", 2, "0.00"),
            ("0", 8, "0E-8"),
            ("1", 8, "1E-8"),
            ("-1", 7, "-1E-7"),
            ("-1", 6, "-0.000001"),
            ("10", 6, "0.000010"),
            ("12345", 10, "0.0000012345"),
            ("12345", 12, "1.2345E-8"),
            ("5", -2, "5E+2"),
            ("-123", -1, "-1.23E+3"),
            ("12345678901234567890123456789", 9, "12345678901234567890.123456789"),
        ] {
            assert_eq!(decimal(digits, scale), expected);
        }
    }

    #[test]
    fn json_strings() {
        let mut out = String::new();
        json_string("ü\u{7f}\u{1f}\"\\/\n\u{2028}🚕", &mut out);
        assert_eq!(out, r#""\u00fc\u007f\u001f\"\\/\n\u2028\ud83d\ude95""#);
    }
}
