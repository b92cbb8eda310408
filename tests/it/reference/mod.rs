//! Pages of `docs` that are drawn from the program, so that they say what it does.

mod command_line;
mod configuration;

use std::path::Path;

/// The first lines of a page.
fn heading(title: &str) -> String {
    format!(
        "# {title}\n\n<!-- Drawn from the program by tests/it/reference. Written anew by:\n     \
         FEASTR_WRITE_DOCS=1 scripts/test.sh reference:: -->\n\n"
    )
}

/// Holds a page of `docs` to what the program says of itself. With `FEASTR_WRITE_DOCS` the page is written.
fn keep(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    if std::env::var_os("FEASTR_WRITE_DOCS").is_some() {
        return std::fs::write(path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(text.lines()).position(|(one, other)| one != other);
    let at = differs.unwrap_or_else(|| written.lines().count().min(text.lines().count()));
    assert!(
        written == text,
        "docs/{page} is out of date from line {} on; FEASTR_WRITE_DOCS=1 scripts/test.sh reference:: writes it",
        at + 1
    );
}
