//! What frames the rows of a binary `COPY`, in either direction.

/// How it begins; flags and the length of an extension follow.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Bytes of both.
pub(super) const FLAGS: usize = 8;

/// Stands where the number of columns stands in rows.
pub(super) const END: i16 = -1;
