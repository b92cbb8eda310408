use std::path::PathBuf;

/// The name of a file for what is written besides the results, which have standard output.
///
/// # Errors
/// When it is `-`.
pub(crate) fn output_file(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" => Err("standard output has the results (with --json as JSON); name a file".to_owned()),
        name => Ok(PathBuf::from(name)),
    }
}
