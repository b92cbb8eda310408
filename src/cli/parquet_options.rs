use std::num::NonZeroUsize;

use clap::ValueEnum;

use crate::sink::{Compression, ParquetOptions};

/// How parquet files are written.
#[derive(Debug, clap::Args)]
pub(crate) struct ParquetArgs {
    /// How parquet is compressed [default: snappy]
    #[arg(long, value_enum, value_name = "CODEC")]
    compression: Option<Codec>,
    /// Rows in a group of a parquet file at most [default: rows of 32 MiB]
    #[arg(long, value_name = "ROWS")]
    row_group_size: Option<NonZeroUsize>,
}

/// How columns are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Codec {
    Zstd,
    Snappy,
    Gzip,
    Lz4,
    Brotli,
    None,
}

impl ParquetArgs {
    /// The first of the flags that were given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        match (self.compression, self.row_group_size) {
            (Some(_), _) => Some("--compression"),
            (None, Some(_)) => Some("--row-group-size"),
            (None, None) => None,
        }
    }

    pub(crate) fn options(&self) -> ParquetOptions {
        let compression = match self.compression {
            Some(Codec::Zstd) => Compression::Zstd,
            Some(Codec::Gzip) => Compression::Gzip,
            Some(Codec::Lz4) => Compression::Lz4,
            Some(Codec::Brotli) => Compression::Brotli,
            Some(Codec::None) => Compression::None,
            Some(Codec::Snappy) | None => Compression::Snappy,
        };
        ParquetOptions { compression, row_group_size: self.row_group_size.map(NonZeroUsize::get) }
    }
}
