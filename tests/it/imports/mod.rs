//! The directions in which modules may import each other, the crates that only some rooms use, and where nothing is
//! asynchronous, all of which ARCHITECTURE.md says in its tables; and that only faces know commands and flags.

mod house;
mod source;
mod tokens;

use std::{collections::BTreeMap, path::Path};

use clap::{Command, CommandFactory as _};
use house::{Home, House};
use source::Names;

pub use source::Source;

const ARCHITECTURE: &str = include_str!("../../../ARCHITECTURE.md");

/// Modules that use each other in a circle, and why they may.
const HONEST_CIRCLES: &[(&[&str], &str)] = &[
    (&["feast::registry::convert::data_source", "feast::registry::convert::source_kind"], "a source may hold a source"),
    (&["feast::registry::messages::json", "feast::registry::messages::map"], "a value may hold values"),
    (
        &["feast::values::encode::node", "feast::values::encode::object", "feast::values::encode::scalar"],
        "a value may hold values",
    ),
    (&["yaml::read", "yaml::record", "yaml::schema"], "what is read describes itself, and records hold records"),
];

fn house(with_tests: bool) -> House {
    House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), with_tests)
}

#[test]
fn imports_point_one_way() {
    let house = house(true);
    let allowed = table("| room | what is in it | may use |");
    assert!(allowed.iter().any(|(room, _)| *room == "model"), "no table of rooms: {allowed:?}");
    let mut wrong = Vec::new();
    for module in house.modules.keys().filter(|module| !module.is_empty()) {
        let room = &module[0];
        let Some((_, allowed)) = allowed.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{room} is not in the table"));
            continue;
        };
        let used = house.rooms(module).into_iter().filter(|used| used != room && !allowed.contains(used));
        wrong.extend(used.map(|used| format!("{} imports {used}", module.join("::"))));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn modules_of_a_room_use_each_other_in_no_circle() {
    let circles: Vec<Vec<String>> =
        house(false).circles().iter().map(|circle| circle.iter().map(|module| module.join("::")).collect()).collect();
    let lies_in = |circle: &[String], honest: &[&str]| circle.iter().all(|module| honest.contains(&module.as_str()));
    let is_honest = |circle: &Vec<String>| HONEST_CIRCLES.iter().any(|(honest, _)| lies_in(circle, honest));
    let wrong: Vec<_> = circles.iter().filter(|circle| !is_honest(circle)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (honest, _) in HONEST_CIRCLES {
        assert!(circles.iter().any(|circle| circle == honest), "{honest:?} is not a circle any more");
    }
}

#[test]
fn crates_are_used_where_they_belong() {
    let house = house(false);
    for (name, rooms) in table("| crate | used only in |") {
        let is_used = |module: &&Names| house.used[*module].contains(&Home::Elsewhere(name.to_owned()));
        let users: Vec<&Names> = house.modules.keys().filter(is_used).collect();
        for module in users {
            let path = module.join("/");
            let belongs = |room: &&str| path == **room || path.starts_with(&format!("{room}/"));
            assert!(rooms.iter().any(belongs), "{path} uses the crate {name}");
        }
    }
}

/// Everybody else asks `feast::registry` about the bytes of an object.
#[test]
fn messages_are_read_in_feast() {
    let house = house(false);
    let is_message = |home: &Home| match home {
        Home::Module(used) => used.len() > 3 && used.starts_with(&["feast", "registry", "messages"].map(str::to_owned)),
        Home::Elsewhere(_) => false,
    };
    let is_wrong = |module: &&Names| {
        module.first().is_some_and(|room| room != "feast") && house.used[*module].iter().any(is_message)
    };
    let wrong: Vec<_> = house.modules.keys().filter(is_wrong).map(|module| module.join("::")).collect();
    assert!(house.used.values().flatten().any(is_message) && wrong.is_empty(), "messages in {wrong:?}");
}

#[test]
fn async_stays_at_the_edge() {
    let line = ARCHITECTURE.lines().find(|line| line.starts_with("Nothing is `async` in "));
    let rooms = quoted(line.expect("a line about async"));
    let is_wrong = |(module, source): &(&Names, &Source)| {
        source.is_async && module.first().is_some_and(|room| rooms.contains(&room.as_str()))
    };
    let house = house(false);
    let wrong: Vec<_> = house.modules.iter().filter(is_wrong).map(|(module, _)| module.join("::")).collect();
    assert!(rooms.len() > 3 && wrong.is_empty(), "async in {wrong:?}");
}

/// What a person can type is for a face to say: others give an `Advice`.
#[test]
fn only_faces_name_commands_and_flags() {
    let program = feastr::cli::Cli::command();
    let commands: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
    let house = house(false);
    let is_face = |module: &Names| module.first().is_some_and(|room| ["cli", "ui"].contains(&room.as_str()));
    let texts = |faces: bool| {
        let modules = house.modules.iter().filter(move |(module, _)| is_face(module) == faces);
        modules.flat_map(|(module, source)| source.texts.iter().map(|text| (module.join("::"), text)))
    };
    let wrong: Vec<_> = texts(false).filter(|(_, text)| names_what_is_typed(text, &commands)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(texts(true).filter(|(_, text)| names_what_is_typed(text, &commands)).count() > 10);
}

/// Whether a text has `feastr COMMAND` or `--flag` in it, where it is not about another program.
fn names_what_is_typed(text: &str, commands: &[&str]) -> bool {
    // A backslash goes on in the next line.
    let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "\\").collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-').to_owned();
    let is_typed = |pair: &[&str]| {
        let (before, word) = (bare(pair[0]), bare(pair[1]));
        let is_flag = word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
        before == "feastr" && commands.contains(&word.as_str()) || is_flag && before != "redis-cli"
    };
    std::iter::once("").chain(words).collect::<Vec<_>>().windows(2).any(is_typed)
}

/// The rows of a table of ARCHITECTURE.md: each name of the first column with those of the last one.
fn table(heading: &str) -> BTreeMap<&'static str, Vec<&'static str>> {
    ARCHITECTURE
        .lines()
        .skip_while(|line| *line != heading)
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let (names, others) = (cells[0], cells[cells.len() - 1]);
            let bare = |name: &'static str| name.trim_end_matches('/').trim_end_matches(".rs");
            quoted(names).into_iter().map(move |name| (bare(name), quoted(others)))
        })
        .collect()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}
