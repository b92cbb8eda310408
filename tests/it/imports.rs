//! The directions in which modules may import each other (see ARCHITECTURE.md).

use std::{collections::BTreeSet, path::Path};

#[test]
fn imports_point_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (room, allowed) in allowed() {
        for used in imports(&src, room) {
            if used != room && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{room} imports {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The rows of the table in ARCHITECTURE.md: a room and what it may use. `cli`, which may use
/// everything, is left out.
fn allowed() -> Vec<(&'static str, Vec<&'static str>)> {
    let rooms: Vec<_> = include_str!("../../ARCHITECTURE.md")
        .lines()
        .skip_while(|line| *line != "| room | may use |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter(|line| !line.ends_with("| everything |"))
        .flat_map(|line| {
            let (rooms, used) = line[1..].split_once('|').expect("two cells");
            quoted(rooms).into_iter().map(move |room| (room, quoted(used)))
        })
        .collect();
    assert!(rooms.iter().any(|(room, _)| *room == "model"), "no table of rooms: {rooms:?}");
    rooms
}

/// What stands between backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The rooms whose names follow `crate::` in the files of a room.
fn imports(src: &Path, room: &str) -> BTreeSet<String> {
    let mut files = Vec::new();
    let single = src.join(format!("{room}.rs"));
    if single.exists() {
        files.push(single)
    } else {
        collect(&src.join(room), &mut files)
    }
    assert!(!files.is_empty(), "no room {room}");
    let mut used = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let mut rest = text.as_str();
        while let Some(at) = rest.find("crate::") {
            rest = &rest[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                // `use crate::{a::b, c::{d, e}};`: the names on the first level.
                Some(group) => used.extend(first_level(group)),
                None => used.extend(word(rest)),
            }
        }
    }
    used
}

fn first_level(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                names.extend(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
