//! A file of `src`: the modules and items it declares, and the paths that it writes.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, tokens};

/// Names of modules and items from the root of the crate, or as they are written.
pub type Names = Vec<String>;

/// What stands in a file that is a module, outside of tests.
#[derive(Debug, Default)]
pub struct Source {
    /// Modules below it.
    pub children: BTreeSet<String>,
    /// Those of them that are only there in tests.
    pub tests: BTreeSet<String>,
    /// Items it declares.
    pub items: BTreeSet<String>,
    /// Names it knows from elsewhere, as they were imported.
    pub imported: BTreeMap<String, Names>,
    /// Imported names that it only passes on: it does not use them itself.
    pub passed_on: BTreeSet<String>,
    /// Paths that end with `*`.
    pub globs: Vec<Names>,
    /// Paths that are used, without those passed on.
    pub paths: BTreeSet<Names>,
    /// Texts between quotes, as they are written.
    pub texts: Vec<String>,
    /// Whether there is `async` or `.await` in it.
    pub is_async: bool,
}

impl Source {
    pub fn read(text: &str, with_tests: bool) -> Self {
        let mut reader =
            Reader { tokens: tokens(text), at: 0, source: Self::default(), words: BTreeMap::new(), with_tests };
        reader.read();
        let Reader { mut source, words, .. } = reader;
        let unused = |name: &String| !words.contains_key(name);
        source.passed_on.retain(unused);
        for (name, path) in &source.imported {
            if !source.passed_on.contains(name) {
                source.paths.insert(path.clone());
            }
        }
        source
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    source: Source,
    /// Words outside of imports.
    words: BTreeMap<String, usize>,
    with_tests: bool,
}

/// Words before the name of an item.
const ITEMS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "macro_rules"];

impl Reader {
    fn read(&mut self) {
        while self.at < self.tokens.len() {
            if self.is_test_attribute() {
                self.skip_attributes();
                self.skip_item();
                continue;
            }
            match self.tokens[self.at].word().map(str::to_owned).as_deref() {
                Some("use") => self.import(),
                Some("mod") if self.sign_at(2, ';') => {
                    self.source.children.insert(self.word_at(1));
                    self.at += 3;
                }
                Some(word) => self.word(word),
                None => {
                    if let Token::Text(text) = &self.tokens[self.at] {
                        self.source.texts.push(text.clone());
                    }
                    self.at += 1;
                }
            }
        }
    }

    fn word(&mut self, word: &str) {
        self.source.is_async |=
            word == "async" || (word == "await" && self.at > 0 && self.tokens[self.at - 1] == Token::Sign('.'));
        if ITEMS.contains(&word) {
            let name = if word == "macro_rules" { 2 } else { 1 };
            self.source.items.insert(self.word_at(name));
        }
        *self.words.entry(word.to_owned()).or_default() += 1;
        let mut path = vec![word.to_owned()];
        self.at += 1;
        while self.tokens.get(self.at) == Some(&Token::Path)
            && self.tokens.get(self.at + 1).is_some_and(|next| next.word().is_some())
        {
            path.push(self.word_at(1));
            self.at += 2;
        }
        if path.len() > 1 {
            self.source.paths.insert(path);
        }
    }

    /// `use a::{b, c as d, e::*};`
    fn import(&mut self) {
        let before = self.at.checked_sub(1).map(|before| &self.tokens[before]);
        let is_passed_on = before.is_some_and(|token| token.is("pub") || *token == Token::Sign(')'));
        self.at += 1;
        self.tree(&mut Vec::new(), is_passed_on);
    }

    fn tree(&mut self, prefix: &mut Names, is_passed_on: bool) {
        let depth = prefix.len();
        while self.at < self.tokens.len() {
            let token = self.tokens[self.at].clone();
            self.at += 1;
            match token {
                Token::Path => {}
                Token::Sign('{') => loop {
                    self.tree(prefix, is_passed_on);
                    self.at += 1;
                    if self.tokens[self.at - 1] == Token::Sign('}') {
                        break;
                    }
                },
                Token::Sign('*') => self.source.globs.push(prefix.clone()),
                Token::Sign(',' | '}' | ';') => {
                    self.at -= 1;
                    break;
                }
                Token::Text(_) | Token::Sign(_) => {}
                Token::Word(word) => {
                    let follows = self.tokens.get(self.at) == Some(&Token::Path);
                    if word != "self" || prefix.is_empty() {
                        prefix.push(word);
                    }
                    if !follows {
                        self.leaf(prefix, is_passed_on);
                    }
                }
            }
        }
        prefix.truncate(depth);
    }

    fn leaf(&mut self, path: &[String], is_passed_on: bool) {
        let mut name = path.last().unwrap().clone();
        if self.tokens[self.at].is("as") {
            name = self.word_at(1);
            self.at += 2;
        }
        if name == "_" {
            self.source.paths.insert(path.to_vec());
            return;
        }
        if is_passed_on {
            self.source.passed_on.insert(name.clone());
        }
        self.source.imported.insert(name, path.to_vec());
    }

    fn word_at(&self, ahead: usize) -> String {
        self.tokens.get(self.at + ahead).and_then(Token::word).unwrap_or_default().to_owned()
    }

    fn sign_at(&self, ahead: usize, sign: char) -> bool {
        self.tokens.get(self.at + ahead) == Some(&Token::Sign(sign))
    }

    /// Whether the next item is only there in tests: `#[cfg(test)]`, `#[test]`.
    fn is_test_attribute(&self) -> bool {
        let is_attribute = self.sign_at(0, '#') && self.sign_at(1, '[');
        let words: Vec<_> =
            self.tokens[self.at..].iter().take(12).take_while(|token| **token != Token::Sign(']')).collect();
        let names = |word: &str| words.iter().any(|token| token.is(word));
        !self.with_tests && is_attribute && names("cfg") && names("test") && !names("not")
    }

    fn skip_attributes(&mut self) {
        while self.sign_at(0, '#') {
            self.at += 1;
            self.skip_group();
        }
    }

    /// Passes over brackets and what is in them.
    fn skip_group(&mut self) {
        let mut depth = 0;
        loop {
            match self.tokens[self.at] {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
    }

    fn skip_item(&mut self) {
        let is_module = (0..4).find(|ahead| self.word_at(*ahead) == "mod").filter(|ahead| self.sign_at(ahead + 2, ';'));
        if let Some(ahead) = is_module {
            let name = self.word_at(ahead + 1);
            self.source.tests.insert(name.clone());
            self.source.children.insert(name);
        }
        while self.at < self.tokens.len() {
            match self.tokens[self.at] {
                Token::Sign(';' | ',') => {
                    self.at += 1;
                    break;
                }
                Token::Sign('{') => {
                    self.skip_group();
                    break;
                }
                Token::Sign('(' | '[') => self.skip_group(),
                _ => self.at += 1,
            }
        }
    }
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let source = Source::read(
        "mod child; pub use child::Given; pub(crate) use child::Used; use super::{a::{self, B as C}, d::*, E as _};\n\
         struct Own(Used); fn f<T>() -> crate::x::Y { std::io::stdout(); $crate::z::new(); }\n\
         const TEXT: &str = \"said\"; #[cfg(test)] mod tests { use crate::only_in_tests::A; const T: &str = \"\"; }",
        false,
    );
    let path = |path: &str| path.split("::").map(str::to_owned).collect::<Names>();
    let paths: BTreeSet<Names> =
        ["child::Used", "super::a", "super::a::B", "super::E", "crate::x::Y", "std::io::stdout", "crate::z::new"]
            .map(path)
            .into();
    assert_eq!(source.paths, paths);
    assert_eq!(source.imported["C"], path("super::a::B"));
    assert_eq!(source.globs, [path("super::d")]);
    assert_eq!(source.passed_on, ["Given".to_owned()].into());
    assert_eq!(source.texts, ["said"]);
    assert!(source.children.contains("child") && source.items.contains("Own") && !source.is_async);
}
