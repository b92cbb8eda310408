//! How files are encoded, by declaration, by name and by content.

use std::{
    fmt,
    fs::{self, File},
    io,
    path::Path,
};

use super::{
    content::{self, Content},
    place::Place,
};
use crate::model::FileFormat;

/// The formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Delimited text with a header; also with tabs.
    Csv,
    /// One JSON object per line.
    Json,
}

impl Format {
    /// The format of a source that declares this one; parquet when it declares none.
    pub const fn declared(format: Option<FileFormat>) -> Self {
        match format {
            // The files of Delta tables are parquet.
            None | Some(FileFormat::Parquet | FileFormat::Delta) => Self::Parquet,
            Some(FileFormat::Csv) => Self::Csv,
            Some(FileFormat::Json) => Self::Json,
        }
    }

    /// The format of a file nobody declared one for: by its ending, else by its content.
    ///
    /// # Errors
    /// When the content has to be read and cannot be.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        if let Ending::Of(format) = Ending::of(path) {
            return Ok(format);
        }
        // A pipe can be read only once, so nothing is taken from it here.
        if !fs::metadata(path)?.is_file() {
            return Ok(Self::Csv);
        }
        Ok(match content::look(File::open(path)?)? {
            Content::Parquet => Self::Parquet,
            Content::Json => Self::Json,
            Content::Empty | Content::Text | Content::Binary => Self::Csv,
        })
    }

    /// The word of the definitions format, as in `file_format: csv`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// The name as it stands in a sentence.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parquet => "parquet",
            Self::Csv => "CSV",
            Self::Json => "JSON",
        })
    }
}

/// What the end of a file's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Of(Format),
    /// One that says nothing to us, such as `.txt`.
    Unknown,
    Missing,
}

impl Ending {
    /// Looks at the name only; case and the endings of compressed files do not count.
    pub(super) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let plain = [".gz", ".zst", ".zstd"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
        match Path::new(plain).extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
            "parquet" | "pq" => Self::Of(Format::Parquet),
            "csv" | "tsv" => Self::Of(Format::Csv),
            "json" | "jsonl" | "ndjson" => Self::Of(Format::Json),
            "" => Self::Missing,
            _ => Self::Unknown,
        }
    }
}

/// The format that a file seems to have, for advice only.
pub(super) fn recognised(place: &Place) -> Option<Format> {
    let ending = Ending::of(place.name());
    if let Ending::Of(format) = ending {
        return Some(format);
    }
    match content::look(place.beginning().ok()?).ok()? {
        Content::Parquet => Some(Format::Parquet),
        Content::Json => Some(Format::Json),
        Content::Text => (ending == Ending::Missing).then_some(Format::Csv),
        Content::Binary | Content::Empty => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_formats() {
        assert_eq!(Format::declared(None), Format::Parquet);
        assert_eq!(Format::declared(Some(FileFormat::Json)), Format::Json);
        assert_eq!(Format::declared(Some(FileFormat::Delta)), Format::Parquet);
    }

    #[test]
    fn endings() {
        let of = |name: &str| Ending::of(Path::new(name));
        assert_eq!(of("a/B.PARQUET"), Ending::Of(Format::Parquet));
        assert_eq!(of("b.Pq"), Ending::Of(Format::Parquet));
        assert_eq!(of("b.tsv.ZSTD"), Ending::Of(Format::Csv));
        assert_eq!(of("b.ndjson.gz"), Ending::Of(Format::Json));
        assert_eq!((of("b.txt"), of("b.txt.gz")), (Ending::Unknown, Ending::Unknown));
        assert_eq!((of("part-0"), of("part-0.gz"), of("part.")), (Ending::Missing, Ending::Missing, Ending::Missing));
    }

    #[test]
    fn undeclared_formats() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).unwrap();
            Format::of_file(&folder.path().join(name)).unwrap()
        };
        assert_eq!(of("a.CSV.gz", b""), Format::Csv);
        assert_eq!(of("a.txt", b"PAR1..."), Format::Parquet);
        assert_eq!(of("b", b"\xef\xbb\xbf \n{\"a\": 1}"), Format::Json);
        assert_eq!(of("c", b"a,b\n"), Format::Csv);
        assert_eq!(of("d", b""), Format::Csv);
        assert_eq!(of("e", &zstd::encode_all(&b"{\"a\": 1}"[..], 0).unwrap()), Format::Json);
        assert!(Format::of_file(&folder.path().join("gone")).is_err());
    }
}
