//! What the first bytes of a file say, and reading text that may be compressed.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::place::Place;

/// Bytes that are read from disk at once.
const BUFFER: usize = 128 * 1024;
/// How many bytes tell text from other data.
const LOOKED_AT: u64 = 512;

/// What a file holds, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Empty,
    Parquet,
    /// Text that begins with an object.
    Json,
    Text,
    Binary,
}

/// Opens a CSV or JSON file. Gzip (also of several members) and zstd are unpacked, whatever the
/// name says. Reads from disk are buffered, small reads of the text are not.
///
/// # Errors
/// When the file cannot be opened or its first bytes cannot be read.
pub(crate) fn open_text(place: &Place) -> io::Result<Box<dyn Read + Send>> {
    unpacked(place.read()?)
}

/// The same of bytes that come from elsewhere.
///
/// # Errors
/// When the first of them cannot be read.
pub(crate) fn unpacked(mut file: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let start = first_bytes(&mut file)?;
    let (gzip, zstd) = (is_gzip(&start), is_zstd(&start));
    // Not rewound but put in front again, because a pipe cannot be rewound.
    let input = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(file));
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(input))
    } else if zstd {
        Box::new(zstd::stream::read::Decoder::with_buffer(input)?)
    } else {
        Box::new(input)
    })
}

pub(super) fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b, 0x08])
}

pub(super) fn is_zstd(start: &[u8]) -> bool {
    // The second kind is a frame to skip, with which some programs begin.
    start == [0x28, 0xb5, 0x2f, 0xfd] || matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

/// The first four bytes, or fewer if there are no more.
pub(super) fn first_bytes(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut start)?;
    Ok(start)
}

/// Looks at the beginning of a file, unpacked.
pub(super) fn look(file: impl Read + Send + 'static) -> io::Result<Content> {
    let mut bytes = Vec::new();
    unpacked(file)?.take(LOOKED_AT).read_to_end(&mut bytes)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(if bytes.is_empty() {
        Content::Empty
    } else if bytes.starts_with(b"PAR1") {
        Content::Parquet
    } else if bytes.contains(&0) {
        Content::Binary
    } else if text.trim_ascii_start().starts_with(b"{") {
        Content::Json
    } else {
        Content::Text
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), bytes)?;
        let mut text = Vec::new();
        open_text(&file.path().into())?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn members_and_frames_are_read_to_the_end() {
        assert_eq!(read(&[gzip(b"a,b\n"), gzip(b"1,2\n")].concat()).unwrap(), b"a,b\n1,2\n");
        let frame = |text: &[u8]| zstd::encode_all(text, 0).unwrap();
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9].to_vec();
        assert_eq!(read(&[skipped, frame(b"a,b\n"), frame(b"1,2\n")].concat()).unwrap(), b"a,b\n1,2\n");
        assert!(read(&gzip(b"cut off")[..12]).is_err());
        assert_eq!(read(b"").unwrap(), b"");
    }

    proptest! {
        #[test]
        fn text_comes_back(text in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            prop_assert_eq!(&read(&gzip(&text)).unwrap(), &text);
            prop_assert_eq!(&read(&zstd::encode_all(text.as_slice(), 0).unwrap()).unwrap(), &text);
            prop_assume!(!is_gzip(&text) && !is_zstd(text.get(..4).unwrap_or_default()));
            prop_assert_eq!(&read(&text).unwrap(), &text);
        }
    }
}
