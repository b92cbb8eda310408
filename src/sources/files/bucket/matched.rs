//! What a pattern says of a key.

use std::ffi::OsStr;

use crate::sources::files::{
    expand::{Step, Steps, is_last, may_match, part, past_deep, steps_behind},
    pattern::{Component, Pattern},
    tree::{DELTA_LOG, EntryKind},
};

/// What a pattern says of a key, and whether the key is in the log of a Delta table that the pattern comes by.
pub(super) struct Matched {
    pub(super) matching: Matching,
    pub(super) beside_delta_log: bool,
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matching {
    /// It matches, and whether the pattern names its ending.
    File { ending_named: bool },
    /// A folder of it matches, which ends at this byte.
    Folder(usize),
    /// It would match if a name in it, which ends at this byte, were not hidden.
    Hidden(usize),
    /// It does not match.
    Nothing,
}

impl Matched {
    /// Looks at a key whose first component the patterns begin with, with the eyes of all of them at once.
    pub(super) fn of(patterns: &[Pattern], key: &str) -> Self {
        let mut steps: Steps = (0..patterns.len()).map(|pattern| (pattern, 0)).collect();
        let (mut folder, mut hidden, mut begin, mut beside_delta_log) = (None, None, 0, false);
        loop {
            steps = past_deep(patterns, &steps);
            if steps.iter().any(|step| is_last(patterns, *step)) {
                folder.get_or_insert(begin);
            }
            let length = key[begin..].find('/');
            let end = length.map_or(key.len(), |length| begin + length);
            let (name, kind) = (&key[begin..end], if length.is_some() { EntryKind::Folder } else { EntryKind::File });
            let behind = behind(patterns, &steps, name, kind);
            if behind.shown.is_empty() {
                beside_delta_log |= behind.is_open && name == DELTA_LOG && kind == EntryKind::Folder;
                hidden = hidden.or(behind.hidden.then_some(end));
            }
            steps = behind.shown;
            if kind == EntryKind::File || steps.is_empty() {
                break;
            }
            begin = end + 1;
        }
        let ends = || steps.iter().filter(|step| is_last(patterns, **step)).map(|step| &patterns[step.0]);
        // All components are behind when a file matches.
        if begin + key[begin..].find('/').unwrap_or(key.len() - begin) == key.len()
            && ends().any(|pattern| !pattern.only_folders)
        {
            let ending_named = ends().any(|pattern| pattern.ending_named);
            return Self { matching: Matching::File { ending_named }, beside_delta_log };
        }
        let matching = folder.map(Matching::Folder).or(hidden.map(Matching::Hidden)).unwrap_or(Matching::Nothing);
        Self { matching, beside_delta_log }
    }
}

struct Behind {
    shown: Steps,
    /// Whether there were more, if the name were not hidden.
    hidden: bool,
    /// Whether any name might have matched.
    is_open: bool,
}

fn behind(patterns: &[Pattern], steps: &Steps, name: &str, kind: EntryKind) -> Behind {
    let named = OsStr::new(name);
    let literal = |step: &Step| matches!(part(patterns, *step), Some(Component::Literal(literal)) if literal == name);
    let mut shown: Steps = steps.iter().copied().filter(literal).map(|(pattern, part)| (pattern, part + 1)).collect();
    let is_open = steps.iter().any(|step| matches!(part(patterns, *step), Some(Component::Wild(_) | Component::Deep)));
    let open = steps.iter().filter(|step| may_match(patterns, **step, named));
    let more = steps_behind(patterns, open, named, kind);
    shown.extend(more.shown);
    Behind { shown, hidden: more.hidden, is_open }
}
