//! Where records end.

use memchr::{memchr, memrchr};

/// Looks for ends of lines outside quotes. Quotes begin only where a field does, as for
/// [`split`](super::split::split).
pub(in crate::sources::text) struct RecordEnds {
    delimiter: u8,
    /// Number of bytes that are searched already.
    searched: usize,
    /// Where the quotes begin that are open there.
    quote: Option<usize>,
    /// Behind the last record that ended.
    end: usize,
}

impl RecordEnds {
    pub(in crate::sources::text) fn new(delimiter: u8) -> Self {
        Self { delimiter, searched: 0, quote: None, end: 0 }
    }

    /// Begins anew, with other bytes.
    pub(in crate::sources::text) fn restart(&mut self) {
        *self = Self::new(self.delimiter);
    }

    pub(in crate::sources::text) fn open_quote(&self) -> Option<usize> {
        self.quote
    }

    /// Behind the last record that ends in the bytes, which begin with a record. More bytes may have
    /// come to those of the last call, and will come unless they are `all`.
    pub(in crate::sources::text) fn last(&mut self, bytes: &[u8], all: bool) -> usize {
        loop {
            let next = memchr(b'"', &bytes[self.searched..]).map(|at| self.searched + at);
            if self.quote.is_none() {
                let until = next.unwrap_or(bytes.len());
                if let Some(at) = memrchr(b'\n', &bytes[self.searched..until]) {
                    self.end = self.searched + at + 1;
                }
            }
            let Some(next) = next else {
                self.searched = bytes.len();
                return self.end;
            };
            match (self.quote, bytes.get(next + 1)) {
                (None, _) => {
                    let before = next.checked_sub(1).map_or(b'\n', |before| bytes[before]);
                    if before == b'\n' || before == self.delimiter {
                        self.quote = Some(next);
                    }
                    self.searched = next + 1;
                }
                (Some(_), Some(b'"')) => self.searched = next + 2,
                // The next byte decides, when it is there.
                (Some(_), None) if !all => {
                    self.searched = next;
                    return self.end;
                }
                (Some(_), _) => {
                    self.quote = None;
                    self.searched = next + 1;
                }
            }
        }
    }
}
