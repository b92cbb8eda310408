//! Pages of the documentation that are examples: their files are written, their commands run, and what they say comes
//! out.

use std::{fs, path::Path, process::Command};

use crate::support::Project;

/// A block of the page between fences, with the words behind the first one.
struct Block<'a> {
    kind: &'a str,
    name: Option<&'a str>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some("") if open => open = false,
            Some(words) => {
                let (kind, name) = words.split_once(' ').map_or((words, None), |(kind, name)| (kind, Some(name)));
                blocks.push(Block { kind, name, text: String::new() });
                open = true;
            }
            None if open => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    blocks
}

/// Commands of a block, each with what it prints.
fn commands(block: &str) -> Vec<(&str, String)> {
    let mut commands: Vec<(&str, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, String::new())),
            (None, Some((_, printed))) => {
                printed.push_str(line);
                printed.push('\n');
            }
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    commands
}

/// Spaces at the ends of lines are those of the last column.
fn trimmed(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn historical_retrieval_is_as_shown() {
    assert_eq!(follow("docs/retrieval.md"), (5, 12));
}

#[test]
fn on_demand_features_are_as_shown() {
    assert_eq!(follow("docs/on-demand.md"), (4, 5));
}

#[test]
fn batch_views_are_as_shown() {
    assert_eq!(follow("docs/batch-views.md"), (4, 9));
}

/// The numbers of files and commands of a page, which are as it says.
fn follow(page: &str) -> (usize, usize) {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let project = Project::new(&[]);
    let programs = Path::new(env!("CARGO_BIN_EXE_feastr")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let (mut files, mut run) = (0, 0);
    for block in blocks(&page) {
        match (block.kind, block.name) {
            ("csv" | "yaml", Some(name)) => {
                fs::create_dir_all(project.path(name).parent().unwrap()).unwrap();
                project.write(name, &block.text);
                files += 1;
            }
            ("console" | "failing", _) => {
                for (command, printed) in commands(&block.text) {
                    let mut shell = Command::new("sh");
                    shell.args(["-c", command]).current_dir(project.folder.path()).env("PATH", &path);
                    let output = shell.output().unwrap();
                    let error = String::from_utf8_lossy(&output.stderr);
                    let fails = block.kind == "failing";
                    assert_eq!(output.status.success(), !fails, "{command}\n{error}");
                    let shown = if fails { error.clone() } else { String::from_utf8_lossy(&output.stdout) };
                    assert_eq!(trimmed(&shown), printed, "{command}\n{error}");
                    run += 1;
                }
            }
            (kind, name) => panic!("a block of {kind}, {name:?}"),
        }
    }
    (files, run)
}
