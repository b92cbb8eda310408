use std::io::{self, BufRead as _, IsTerminal as _};

use crate::ui::Printer;

/// Whether a question would be seen and could be answered.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question; only a line that says yes agrees to it.
///
/// The terminal stays as it is: Ctrl-C ends the program, and the end of the input, which a job without anybody at
/// its terminal comes to at once, is a no.
///
/// # Errors
/// When the answer cannot be read.
pub(crate) fn agreed(question: &str, printer: Printer) -> io::Result<bool> {
    printer.stderr(format_args!("{} [y/N] ", printer.err.strong(question)));
    let mut answer = Vec::new();
    if io::stdin().lock().read_until(b'\n', &mut answer)? == 0 {
        printer.stderr("\n");
    }
    let answer = answer.trim_ascii().to_ascii_lowercase();
    Ok(answer == b"y" || answer == b"yes")
}
