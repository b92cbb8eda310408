//! The token in the header of a request.

use super::refusal::Refusal;

/// How many bytes a token may have. Those of people with many roles have a few thousand.
const LONGEST: usize = 16 << 10;

/// The token of `authorization` headers, of which there has to be one: `Bearer` in any case, then the token.
pub(in crate::auth) fn bearer<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Result<&'a str, Refusal> {
    let mut headers = headers.into_iter();
    let header = headers.next().ok_or(Refusal::Missing)?;
    if headers.next().is_some() {
        return Err(Refusal::Several);
    }
    // A token and the word before it; what is longer need not be looked at.
    if header.len() > LONGEST + 16 {
        return Err(Refusal::TooLong);
    }
    let text = std::str::from_utf8(header).map_err(|_| Refusal::NoBearer)?;
    let mut words = text.split_ascii_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(scheme), Some(token), None) if scheme.eq_ignore_ascii_case("bearer") => match token.len() <= LONGEST {
            true => Ok(token),
            false => Err(Refusal::TooLong),
        },
        _ => Err(Refusal::NoBearer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_word_and_a_token() {
        for right in ["Bearer a.b.c", "bearer a.b.c", "  BEARER   a.b.c "] {
            assert_eq!(bearer([right.as_bytes()]), Ok("a.b.c"), "{right}");
        }
        for wrong in [
            "",
            "Bearer",
            "a.b.c",
            "Basic a.b.c",
            "Bearer a b",
            "Bearer: a",
            "Bearer \u{fffd}".trim_end_matches('\u{fffd}'),
        ] {
            assert_eq!(bearer([wrong.as_bytes()]), Err(Refusal::NoBearer), "{wrong}");
        }
        assert_eq!(bearer([b"Bearer \xff".as_slice()]), Err(Refusal::NoBearer));
        assert_eq!(bearer([]), Err(Refusal::Missing));
        assert_eq!(bearer([b"Bearer a".as_slice(), b"Bearer a".as_slice()]), Err(Refusal::Several));
    }

    #[test]
    fn tokens_have_a_greatest_length() {
        let header = |length: usize| format!("Bearer {}", "a".repeat(length));
        assert_eq!(bearer([header(LONGEST).as_bytes()]).unwrap().len(), LONGEST);
        assert_eq!(bearer([header(LONGEST + 1).as_bytes()]), Err(Refusal::TooLong));
        assert_eq!(bearer([header(LONGEST + 100).as_bytes()]), Err(Refusal::TooLong));
    }
}
