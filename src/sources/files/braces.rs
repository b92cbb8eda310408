//! `{a,b}` in patterns.

use std::path::MAIN_SEPARATOR;

/// More alternatives than a person writes; they double with every pair of braces.
const MOST: usize = 1_000;

/// All that a pattern with `{a,b}` stands for, in order; braces may hold slashes and other braces.
/// A pattern in which they do not pair comes back as it is.
///
/// # Errors
/// When there are too many.
pub(super) fn alternatives(pattern: &str) -> Result<Vec<String>, String> {
    let (mut ready, mut waiting) = (Vec::new(), vec![pattern.to_owned()]);
    while let Some(text) = waiting.pop() {
        if ready.len() + waiting.len() > MOST {
            return Err(format!("it has more than {MOST} alternatives"));
        }
        match first_group(&text) {
            Some((before, inner, after)) => {
                waiting.extend(inner.iter().rev().map(|each| format!("{before}{each}{after}")));
            }
            None => ready.push(text),
        }
    }
    Ok(ready)
}

/// The text before the first braces, their alternatives, and the text behind them.
fn first_group(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let (mut depth, mut open, mut cuts) = (0_usize, 0, Vec::new());
    let mut skip_to = 0;
    for (index, each) in text.char_indices() {
        if index < skip_to {
            continue;
        }
        match each {
            '\\' if MAIN_SEPARATOR != '\\' => {
                skip_to = index + 1 + text[index + 1..].chars().next().map_or(0, char::len_utf8);
            }
            '[' => skip_to = class_end(text, index).unwrap_or(0),
            '{' => {
                if depth == 0 {
                    open = index;
                    cuts.push(index);
                }
                depth += 1;
            }
            ',' if depth == 1 => cuts.push(index),
            '}' if depth == 1 => {
                cuts.push(index);
                let inner = cuts.windows(2).map(|pair| &text[pair[0] + 1..pair[1]]).collect();
                return Some((&text[..open], inner, &text[index + 1..]));
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The end of `[…]`, in which braces mean nothing; a `]` at its beginning does not end it.
fn class_end(text: &str, start: usize) -> Option<usize> {
    let inner = &text[start + 1..];
    let first = usize::from(inner.starts_with(['!', '^']));
    let first = first + usize::from(inner[first..].starts_with(']'));
    inner[first..].find(']').map(|end| start + 1 + first + end + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn braces_are_written_out() {
        let of = |pattern: &str| alternatives(pattern).unwrap();
        assert_eq!(of("a*"), ["a*"]);
        assert_eq!(of("{a,b}/{c,d}"), ["a/c", "a/d", "b/c", "b/d"]);
        assert_eq!(of("x{a/b,{c,d}e,}y"), ["xa/by", "xcey", "xdey", "xy"]);
        assert_eq!(of("[{,}]{é,ü}"), ["[{,}]é", "[{,}]ü"]);
        assert_eq!(of("[]{]{a,b}"), ["[]{]a", "[]{]b"]);
        assert_eq!((of("{a"), of("a}"), of("{{a}")), (vec!["{a".into()], vec!["a}".into()], vec!["{{a}".into()]));
        #[cfg(unix)]
        assert_eq!(of(r"\{a,b\}{c}"), [r"\{a,b\}c"]);
        assert!(alternatives(&"{a,b}".repeat(30)).is_err());
    }

    proptest! {
        #[test]
        fn anything_ends(pattern in r"[\[\]!{},a\\é/*]{0,24}") {
            let _ = alternatives(&pattern);
        }
    }
}
