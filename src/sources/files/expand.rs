//! Looking for what matches a pattern, in no more folders than necessary.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::{
    left_out::{LeftOut, Reason},
    pattern::{Component, Pattern},
    tree::{DELTA_LOG, EntryKind, FollowedPath, is_hidden},
};

use crate::problem::Problem;

/// What a pattern found.
#[derive(Default)]
pub(super) struct Expansion {
    /// What matches, and whether the pattern names its ending.
    pub matches: Vec<(FollowedPath, EntryKind, bool)>,
    /// What would match if its name were not hidden.
    pub left_out: Vec<LeftOut>,
    pub beside_delta_log: bool,
}

/// How far a path has come: the alternative, and the part that comes next.
pub(super) type Step = (usize, usize);
pub(super) type Steps = BTreeSet<Step>;

/// Finds what matches one of the alternatives below `base`. All of them are looked for in one walk.
///
/// # Errors
/// When a folder on the way cannot be read.
pub(super) fn expand(base: &Path, patterns: &[Pattern]) -> Result<Expansion, Problem> {
    let mut expansion = Expansion::default();
    // Behind a link, with the same steps ahead, a folder shows the same again: circles end here.
    let mut linked: HashMap<(PathBuf, Steps), PathBuf> = HashMap::new();
    let start: Steps = (0..patterns.len()).map(|pattern| (pattern, 0)).collect();
    let mut waiting = vec![(FollowedPath::start(base)?, start)];
    while let Some((folder, steps)) = waiting.pop() {
        let steps = past_deep(patterns, &steps);
        if folder.linked {
            if let Some(first) = linked.get(&(folder.real.clone(), steps.clone())) {
                if !folder.path.starts_with(first) {
                    expansion.left_out.push(LeftOut { path: folder.path, reason: Reason::ReadAs(first.clone()) });
                }
                continue;
            }
            linked.insert((folder.real.clone(), steps.clone()), folder.path.clone());
        }
        if steps.iter().any(|step| is_last(patterns, *step)) {
            expansion.matches.push((folder.clone(), EntryKind::Folder, false));
        }
        // What sorts first is taken from the stack first.
        for (place, kind, steps) in next(&folder, patterns, &steps, &mut expansion)?.into_iter().rev() {
            let ends = || steps.iter().filter(|step| is_last(patterns, **step)).map(|step| &patterns[step.0]);
            if kind == EntryKind::Folder {
                waiting.push((place, steps));
            } else if ends().any(|pattern| !pattern.only_folders) {
                let ending_named = ends().any(|pattern| pattern.ending_named);
                expansion.matches.push((place, kind, ending_named));
            }
        }
    }
    expansion.matches.sort_by(|one, other| one.0.path.cmp(&other.0.path));
    Ok(expansion)
}

pub(super) fn is_last(patterns: &[Pattern], (pattern, part): Step) -> bool {
    part == patterns[pattern].parts.len()
}

pub(super) fn part(patterns: &[Pattern], (pattern, part): Step) -> Option<&Component> {
    patterns[pattern].parts.get(part)
}

/// `**` also stands for no folder at all.
pub(super) fn past_deep(patterns: &[Pattern], steps: &Steps) -> Steps {
    let mut all = steps.clone();
    for step in steps {
        if matches!(part(patterns, *step), Some(Component::Deep)) {
            let next = (step.0, step.1 + 1);
            if is_last(patterns, next) {
                // The folder matches, and with it everything below.
                all.remove(step);
            }
            all.insert(next);
        }
    }
    all
}

/// What in a folder matches the next parts, and the steps that are left behind each.
fn next(
    folder: &FollowedPath,
    patterns: &[Pattern],
    steps: &Steps,
    expansion: &mut Expansion,
) -> Result<Vec<(FollowedPath, EntryKind, Steps)>, Problem> {
    let mut found: BTreeMap<OsString, (FollowedPath, EntryKind, Steps)> = BTreeMap::new();
    for step in steps {
        if let Some(Component::Literal(name)) = part(patterns, *step)
            && let Some((place, kind)) = folder.named(name)?
        {
            let entry = found.entry(name.into()).or_insert_with(|| (place, kind, Steps::new()));
            entry.2.insert((step.0, step.1 + 1));
        }
    }
    let is_open = |step: &Step| matches!(part(patterns, *step), Some(Component::Wild(_) | Component::Deep));
    let open: Vec<Step> = steps.iter().copied().filter(is_open).collect();
    if !open.is_empty() {
        for (name, file_type) in folder.entries()? {
            let mut candidates = open.iter().filter(|step| may_match(patterns, **step, &name)).peekable();
            if candidates.peek().is_none() && name != DELTA_LOG {
                continue;
            }
            let (place, kind) = folder.child(&name, file_type)?;
            let steps = steps_behind(patterns, candidates, &name, kind);
            if !steps.shown.is_empty() {
                found.entry(name).or_insert_with(|| (place, kind, Steps::new())).2.extend(steps.shown);
                continue;
            }
            expansion.beside_delta_log |= name == DELTA_LOG && kind == EntryKind::Folder;
            if steps.hidden {
                expansion.left_out.push(LeftOut { path: place.path, reason: Reason::Hidden });
            }
        }
    }
    Ok(found.into_values().collect())
}

pub(super) fn may_match(patterns: &[Pattern], step: Step, name: &OsStr) -> bool {
    match part(patterns, step) {
        Some(Component::Wild(wild)) => wild.matches(name),
        Some(Component::Deep) => true,
        Some(Component::Literal(_)) | None => false,
    }
}

/// What is left of patterns behind a name.
pub(super) struct StepsBehind {
    pub shown: Steps,
    /// Whether there were more, if the name were not hidden.
    pub hidden: bool,
}

pub(super) fn steps_behind<'a>(
    patterns: &[Pattern],
    candidates: impl Iterator<Item = &'a Step>,
    name: &OsStr,
    kind: EntryKind,
) -> StepsBehind {
    let name_hidden = is_hidden(name, kind);
    let mut behind = StepsBehind { shown: Steps::new(), hidden: false };
    for step in candidates {
        let next = (step.0, step.1 + 1);
        let (asked_for, next) = match part(patterns, *step) {
            Some(Component::Wild(wild)) if kind == EntryKind::Folder || is_last(patterns, next) => (wild.hidden, next),
            Some(Component::Deep) if kind == EntryKind::Folder => (false, *step),
            _ => continue,
        };
        if name_hidden && !asked_for {
            behind.hidden = true;
        } else {
            behind.shown.insert(next);
        }
    }
    behind
}
