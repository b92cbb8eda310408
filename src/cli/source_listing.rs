//! What `plan --verbose` says of sources: which files are read, which lie beside them, how many rows
//! are as new as others.

use std::fmt::Write as _;

use crate::{
    app::FeatureStore,
    diagnostics::counted,
    model::{DataSource, FeatureView, Repo, SourceKind, printable},
    sources::OpenSource,
};

/// How many files of each source are named.
const NAMED: usize = 50;

/// The files of the repo's sources in words, one source behind the other; empty without sources of files.
pub(crate) fn draw(repo: &Repo, store: &FeatureStore) -> String {
    let (offline, folder) = (store.offline(), &store.config().repo);
    let mut text = String::new();
    for source in repo.all::<DataSource>().filter(|source| matches!(source.kind, SourceKind::File(_))) {
        // Those that cannot be read were reported, unless nobody wants them looked at.
        let Ok(opened) = offline.inspect(source) else { continue };
        let views: Vec<&FeatureView> = repo.all().filter(|view| is_over(view, source)).collect();
        write_source(&mut text, source, &opened, folder);
        for view in views {
            if let Ok(ties @ 1..) = offline.ties(view) {
                let rows = counted(ties, "row");
                let _ = writeln!(
                    text,
                    "  {rows} as new as another one of the same entity in view `{}`: the greater values count",
                    view.name
                );
            }
        }
    }
    text
}

fn is_over(view: &FeatureView, source: &DataSource) -> bool {
    view.source.as_ref().is_some_and(|own| own.name == source.name)
}

fn write_source(text: &mut String, source: &DataSource, opened: &OpenSource, folder: &std::path::Path) {
    let files = &opened.files;
    let bytes: u64 = files.files.iter().map(|file| file.bytes).sum();
    let rows = opened.columns().rows.map_or_else(String::new, |rows| format!(", {}", counted(rows, "row")));
    let shown = |path: &std::path::Path| {
        let path = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        printable(&path).into_owned()
    };
    let count = counted(files.files.len() as u64, "file");
    let _ = writeln!(text, "source {}: {count}, {}{rows}", source.name, indicatif::HumanBytes(bytes));
    for file in files.files.iter().take(NAMED) {
        let _ = writeln!(text, "  read      {}", printable(&file.place.shown_from(folder)));
    }
    if files.files.len() > NAMED {
        let _ = writeln!(text, "  read      … and {} more", files.files.len() - NAMED);
    }
    for left in files.left_out.iter().take(NAMED) {
        let _ = writeln!(text, "  left out  {} {}", shown(&left.path), left.reason);
    }
    if files.left_out.len() > NAMED {
        let _ = writeln!(text, "  left out  … and {} more", files.left_out.len() - NAMED);
    }
}
