//! Rust sources as words, texts and signs, without comments.

/// A part of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword; without the `r#` of names that are keywords.
    Word(String),
    /// What stands between quotes, with its escapes.
    Text(String),
    /// `::`
    Path,
    /// Any other sign.
    Sign(char),
}

impl Token {
    /// The name, if it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Text(_) | Self::Path | Self::Sign(_) => None,
        }
    }

    pub fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }
}

pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let c = rest.chars().next().unwrap();
        at += if c.is_whitespace() {
            c.len_utf8()
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_text(rest) {
            tokens.push(text_of(&rest[..length]));
            length
        } else if c == '"' || rest.starts_with("b\"") || rest.starts_with("c\"") {
            let length = quoted(rest, '"');
            tokens.push(text_of(&rest[..length]));
            length
        } else if c == '\'' || rest.starts_with("b'") {
            character(rest)
        } else if c.is_alphanumeric() || c == '_' {
            let rest = rest.strip_prefix("r#").unwrap_or(rest);
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_owned()));
            length + (text.len() - at - rest.len())
        } else if bytes[at..].starts_with(b"::") {
            tokens.push(Token::Path);
            2
        } else {
            tokens.push(Token::Sign(c));
            c.len_utf8()
        };
    }
    tokens
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text.as_bytes()[at..].starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text.as_bytes()[at..].starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// What is between the quotes of a literal.
fn text_of(literal: &str) -> Token {
    let start = literal.find('"').map_or(0, |quote| quote + 1);
    let end = literal.rfind('"').map_or(literal.len(), |quote| quote.max(start));
    Token::Text(literal[start..end].to_owned())
}

/// The length of `r"…"`, `r#"…"#` and their kin.
fn raw_text(text: &str) -> Option<usize> {
    let start = ["br", "cr", "r"].iter().find(|start| text.starts_with(**start))?.len();
    let hashes = text[start..].bytes().take_while(|byte| *byte == b'#').count();
    let body = text[start + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(start + hashes + 1 + body.find(&end)? + end.len())
}

/// The length of a text with escapes.
fn quoted(text: &str, end: char) -> usize {
    let start = text.find(end).unwrap() + 1;
    let mut is_escaped = false;
    for (at, c) in text[start..].char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == end => return start + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character, or of the sign that begins a lifetime.
fn character(text: &str) -> usize {
    let inner = text.trim_start_matches('b').strip_prefix('\'').unwrap();
    let mut characters = inner.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(text, '\''),
        _ => 1,
    }
}

#[test]
fn comments_and_texts_are_no_words() {
    let words =
        |text: &str| tokens(text).iter().filter_map(|token| token.word().map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
    assert_eq!(words(r##"a "b \" c" d r#"e " f"# b"g" h"##), ["a", "d", "h"]);
    let texts: Vec<_> =
        tokens(r##"a "b \" c" d r#"e " f"# b"g" h"##).into_iter().filter(|t| t.word().is_none()).collect();
    assert_eq!(texts, [r#"b \" c"#, "e \" f", "g"].map(|text| Token::Text(text.to_owned())));
    assert_eq!(words("x: &'a str = 'b'; '\\'' '\"' r#type 1.0"), ["x", "a", "str", "type", "1", "0"]);
}
