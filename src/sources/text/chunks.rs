//! Files cut into pieces of whole records.

use std::io::Read;

use super::{RowProblem, csv::RecordEnds};

/// A good size of chunks: large enough to share between threads at no cost, small enough for memory.
pub(crate) const CHUNK_BYTES: usize = 4 << 20;

/// No record may be longer; one that seems to be misses a quote.
const LONGEST_RECORD: usize = 1 << 30;

/// Whole records one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The line of the file on which the first of them begins, counted from 1.
    pub first_line: u64,
    /// Their text.
    pub bytes: Vec<u8>,
}

/// Cuts a file into chunks.
pub(crate) struct Chunks {
    source: Source,
    ends: Ends,
}

/// What ends a record.
enum Ends {
    /// Every end of a line; the number is that of the bytes searched already.
    Lines(usize),
    /// An end of a line outside quotes.
    Records(RecordEnds),
}

impl Chunks {
    pub(super) fn of_lines(source: Source) -> Self {
        Self { source, ends: Ends::Lines(0) }
    }

    pub(super) fn of_records(source: Source, delimiter: u8) -> Self {
        Self { source, ends: Ends::Records(RecordEnds::new(delimiter)) }
    }

    /// The next chunk, or `None` at the end of the file. A chunk is larger than asked for only if a
    /// record is.
    ///
    /// # Errors
    /// When the file cannot be read, ends inside quotes, or has a record of more than 1 GiB.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>, RowProblem> {
        loop {
            let (length, finished) = (self.source.buffer.len(), self.source.finished);
            if !finished && length < self.source.size {
                self.source.more()?;
                continue;
            }
            let end = self.ends.last(&self.source.buffer, finished);
            if finished {
                if let Some(quote) = self.ends.open_quote() {
                    return Err(self.source.problem_at(quote, "has a quote that is never closed"));
                }
                return Ok((length > 0).then(|| self.take(length)));
            }
            if end > 0 {
                return Ok(Some(self.take(end)));
            }
            if length > LONGEST_RECORD {
                let open = self.ends.open_quote().unwrap_or(0);
                return Err(self.source.problem_at(open, "begins a record of more than 1 GiB"));
            }
            self.source.more()?;
        }
    }

    fn take(&mut self, end: usize) -> Chunk {
        self.ends.restart();
        self.source.take(end)
    }
}

impl Ends {
    /// Behind the last record that ends in the bytes, which begin with a record. More bytes may
    /// have come to those of the last call.
    fn last(&mut self, bytes: &[u8], finished: bool) -> usize {
        match self {
            Self::Records(records) => records.last(bytes, finished),
            Self::Lines(searched) => {
                let end = memchr::memrchr(b'\n', &bytes[*searched..]).map_or(0, |at| *searched + at + 1);
                *searched = bytes.len();
                end
            }
        }
    }

    /// Where the quotes begin in which the bytes end.
    fn open_quote(&self) -> Option<usize> {
        match self {
            Self::Lines(_) => None,
            Self::Records(records) => records.open_quote(),
        }
    }

    fn restart(&mut self) {
        match self {
            Self::Lines(searched) => *searched = 0,
            Self::Records(records) => records.restart(),
        }
    }
}

/// The part of a file that is read and not yet handed out.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    pub(super) buffer: Vec<u8>,
    /// The line on which the buffer begins.
    pub(super) line: u64,
    pub(super) finished: bool,
    size: usize,
}

impl Source {
    /// Looks at the beginning of a file, whose byte order mark is skipped.
    ///
    /// # Errors
    /// When it cannot be read or is UTF-16.
    pub(super) fn open(reader: Box<dyn Read + Send>, size: usize) -> Result<Self, RowProblem> {
        let mut source = Self { reader, buffer: Vec::new(), line: 1, finished: false, size: size.max(1) };
        while source.buffer.len() < 3 && !source.finished {
            source.more()?;
        }
        match source.buffer.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => drop(source.buffer.drain(..3)),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(RowProblem::of_file("is UTF-16 text; write it as UTF-8"));
            }
            _ => {}
        }
        Ok(source)
    }

    /// Reads until the buffer has the size of a chunk, or as much again if it is full.
    pub(super) fn more(&mut self) -> Result<(), RowProblem> {
        let wanted = match self.size.saturating_sub(self.buffer.len()) {
            0 => self.size,
            room => room,
        };
        self.buffer.reserve(wanted);
        let read = self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.buffer);
        let read = read.map_err(|error| RowProblem::of_reading(&error))?;
        self.finished = read < wanted;
        Ok(())
    }

    /// Hands out the beginning of the buffer.
    pub(super) fn take(&mut self, end: usize) -> Chunk {
        let rest = self.buffer.split_off(end);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let first_line = self.line;
        self.line += lines(&bytes);
        Chunk { first_line, bytes }
    }

    pub(super) fn problem_at(&self, offset: usize, message: &str) -> RowProblem {
        RowProblem::of_line(self.line + lines(&self.buffer[..offset]), message)
    }
}

/// How many lines end in a text.
pub(super) fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Error};

    use super::*;

    fn cut(text: &'static str, size: usize) -> Vec<(u64, String)> {
        let source = Source::open(Box::new(Cursor::new(text)), size).unwrap();
        let mut chunks = Chunks::of_lines(source);
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next_chunk().unwrap() {
            all.push((chunk.first_line, String::from_utf8(chunk.bytes).unwrap()));
        }
        all
    }

    #[test]
    fn chunks_are_whole_lines() {
        let text = "\u{feff}one\ntwo\n\nthree";
        let lines =
            |chunks: &[(u64, &str)]| chunks.iter().map(|(at, text)| (*at, (*text).to_owned())).collect::<Vec<_>>();
        assert_eq!(cut(text, 1), lines(&[(1, "one\n"), (2, "two\n"), (3, "\n"), (4, "three")]));
        assert_eq!(cut(text, 9), lines(&[(1, "one\ntwo\n\n"), (4, "three")]));
        assert_eq!(cut(text, 100), lines(&[(1, "one\ntwo\n\nthree")]));
        assert_eq!(cut("", 4), []);
        for size in 1..20 {
            let whole: String = cut(text, size).into_iter().map(|(_, text)| text).collect();
            assert_eq!(whole, "one\ntwo\n\nthree");
        }
    }

    #[test]
    fn files_that_cannot_be_read() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(Error::other("corrupt"))
            }
        }
        let problem = Source::open(Box::new(Broken), 8).err().unwrap();
        assert_eq!(problem.to_string(), "cannot be read: corrupt");
        let problem = Source::open(Box::new(Cursor::new(b"\xff\xfea\0")), 8).err().unwrap();
        assert_eq!(problem.to_string(), "is UTF-16 text; write it as UTF-8");
    }
}
