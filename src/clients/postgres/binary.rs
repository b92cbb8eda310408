//! What PostgreSQL's binary forms begin, end and count with, in either direction.

/// How a binary `COPY` begins; [`COPY_FLAGS`] bytes of flags and the length of an extension follow.
pub const COPY_SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Bytes of flags and the length of an extension.
pub const COPY_FLAGS: usize = 8;

/// Stands where the number of columns stands in rows of a binary `COPY`.
pub const COPY_END: i16 = -1;

/// Midnight before 2000-01-01, where PostgreSQL counts from, in microseconds since 1970.
pub const ORIGIN: i64 = 946_684_800_000_000;
