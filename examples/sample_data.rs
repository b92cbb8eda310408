//! Writes the data of `examples/feature_repo` anew: `cargo run --example sample_data`.

use std::{io, path::Path};

use feastr::{cli::sample_data, model::Timestamp};

/// The committed data ends here, so that it is the same whenever it is written.
const END: &str = "2026-11-01T00:00:00Z";

fn main() -> io::Result<()> {
    let end = Timestamp::parse(END, Timestamp::from_micros(0)).map_err(io::Error::other)?;
    sample_data::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data"), end)
}
