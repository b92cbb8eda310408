use std::{cmp::Ordering, ops::Range, path::PathBuf, sync::Arc};

use super::secrets;

/// A file that was read, with the name it is shown under.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// As shown to the person: relative to the working directory where possible.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// Byte offsets of the second line and those after it.
    lines: Vec<usize>,
    /// Whether its values may be passwords.
    is_settings: bool,
}

impl SourceText {
    /// A file with this text.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = text.match_indices('\n').map(|(newline, _)| newline + 1).collect();
        Self { path: path.into(), text, lines, is_settings: false }
    }

    /// A settings file, in which passwords may stand.
    pub fn settings(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { is_settings: true, ..Self::new(path, text) }
    }

    /// The text with stars for what may be a password, byte for byte.
    pub fn shown(&self) -> String {
        if self.is_settings { secrets::settings(&self.text) } else { secrets::definitions(&self.text) }
    }
}

/// A stretch of a file.
#[derive(Debug, Clone)]
pub struct Span {
    /// The file it is in.
    pub file: Arc<SourceText>,
    /// Byte offsets into the text.
    pub range: Range<usize>,
}

impl Span {
    /// The part of `file` between two byte offsets, cut to what the file has and widened to whole
    /// characters.
    pub fn new(file: &Arc<SourceText>, range: Range<usize>) -> Self {
        let end = file.text.ceil_char_boundary(range.end);
        Self { file: Arc::clone(file), range: file.text.floor_char_boundary(range.start.min(end))..end }
    }

    /// The beginning of a file, for findings about the file as a whole.
    pub fn start_of(file: &Arc<SourceText>) -> Self {
        Self::new(file, 0..0)
    }

    /// Line and column of the start, both from 1; columns count characters.
    pub fn line_column(&self) -> (usize, usize) {
        let start = self.range.start;
        let line = self.file.lines.partition_point(|line| *line <= start);
        let line_start = line.checked_sub(1).map_or(0, |index| self.file.lines[index]);
        (line + 1, self.file.text.get(line_start..start).unwrap_or_default().chars().count() + 1)
    }

    /// The text the span covers.
    pub fn text(&self) -> &str {
        self.file.text.get(self.range.clone()).unwrap_or_default()
    }

    /// Whether all of `other` is in this stretch.
    pub fn contains(&self, other: &Self) -> bool {
        self.file.path == other.file.path && self.range.start <= other.range.start && other.range.end <= self.range.end
    }

    fn order(&self) -> (&PathBuf, usize, usize) {
        (&self.file.path, self.range.start, self.range.end)
    }
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Span {}

impl PartialOrd for Span {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Span {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        let file = Arc::new(SourceText::new("a.yaml", "é: 1\nname: x\n"));
        let at = file.text.find('x').unwrap();
        assert_eq!(Span::new(&file, at..at + 1).line_column(), (2, 7));
        assert_eq!(Span::new(&file, 4..5).line_column(), (1, 4));
        assert_eq!(Span::new(&file, 99..200).line_column(), (3, 1));
        assert_eq!(Span::new(&file, 1..1).range, 0..2);
    }
}
