//! From the text of a source's path to a path on this machine.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::{
    config::BucketUrl,
    problem::{Advice, Kind, Problem},
};

/// Where a source's path leads.
#[derive(Debug)]
pub(super) enum Location<'a> {
    /// A path on this machine, without `file://`.
    Here(Cow<'a, str>),
    /// A bucket, or something in one.
    Bucket(BucketUrl),
}

impl<'a> Location<'a> {
    /// Reads the path of a source.
    ///
    /// # Errors
    /// When the files are elsewhere, or the URL cannot be decoded.
    pub(super) fn of(text: &'a str) -> Result<Self, Problem> {
        match BucketUrl::parse(text) {
            Some(url) => url.map(Self::Bucket),
            None => local(text).map(Self::Here),
        }
    }
}

/// The path without `file://`.
fn local(text: &str) -> Result<Cow<'_, str>, Problem> {
    let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
        return Ok(Cow::Borrowed(text));
    };
    if !scheme.eq_ignore_ascii_case("file") {
        let message = format!("sources in `{scheme}://` are not supported");
        return Err(Problem::new(Kind::Unsupported, message, None).advise(Advice::SkipUnreadable));
    }
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
        let help = "write file:///folder/file with three slashes, or a path that starts at the repo";
        return Err(Problem::new(Kind::Invalid, format!("`{text}` is on another machine, `{host}`"), help.to_owned()));
    }
    if path.is_empty() {
        return Err(Problem::new(
            Kind::Invalid,
            format!("`{text}` has no path"),
            "write file:///folder/file".to_owned(),
        ));
    }
    percent_decode_str(path).decode_utf8().map_err(|_| {
        Problem::new(
            Kind::Invalid,
            format!("`{text}` does not decode to UTF-8"),
            "write the path without file://".to_owned(),
        )
    })
}

/// Whether this is the beginning of a URL; with slashes in it, it is a path.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|each| each.is_ascii_alphanumeric() || "+-.".contains(each))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_urls_are_paths() {
        assert_eq!(local("data/x.parquet").unwrap(), "data/x.parquet");
        assert_eq!(local("file:///srv/a%20b/100%.parquet").unwrap(), "/srv/a b/100%.parquet");
        assert_eq!(local("FILE://localhost/srv/%5Bx%5D").unwrap(), "/srv/[x]");
        assert_eq!(local("odd/s3://x").unwrap(), "odd/s3://x");
    }

    #[test]
    fn other_places_are_refused() {
        let message = |text: &str| local(text).unwrap_err().message;
        assert_eq!(message("hdfs://host/x"), "sources in `hdfs://` are not supported");
        assert!(local("hdfs://b/x").unwrap_err().advice == Some(Advice::SkipUnreadable));
        assert!(matches!(Location::of("gs://b/x").unwrap(), Location::Bucket(url) if url.key == "x"));
        assert_eq!(message("file://data/x.parquet"), "`file://data/x.parquet` is on another machine, `data`");
        assert_eq!(message("file://"), "`file://` has no path");
        assert_eq!(message("file:///%FF"), "`file:///%FF` does not decode to UTF-8");
    }
}
