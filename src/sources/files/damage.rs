//! What is wrong with a file that should be parquet.

use std::io;

use super::{
    content::{first_bytes, is_gzip, is_zstd},
    format::{Format, recognised},
    place::Place,
};
use crate::problem::{Kind, Problem};

/// The problem of a file that should be parquet and is not, with the reason its bytes show.
pub(crate) fn not_parquet(place: &Place) -> Problem {
    let why = match damage(place) {
        Ok(why) => why,
        Err(error) => return place.unreadable(&error),
    };
    let (kind, help) = match recognised(place).filter(|format| *format != Format::Parquet) {
        Some(format) => (Kind::Invalid, format!("set `file_format: {}`", format.as_str())),
        None => (Kind::Internal, "write it again, or remove it".to_owned()),
    };
    Problem::new(kind, format!("{place} is not a readable parquet file: {why}"), help)
}

fn damage(place: &Place) -> io::Result<&'static str> {
    let start = first_bytes(&mut place.beginning()?)?;
    Ok(match start.as_slice() {
        b"" => "it is empty",
        b"PARE" => "it is encrypted",
        start if is_gzip(start) || is_zstd(start) => "it is compressed as a whole",
        b"PAR1" => {
            let mut end = place.end()?;
            let whole = end.bytes >= 12 && end.last(4)?.as_ref() == b"PAR1";
            if whole { "its footer cannot be understood" } else { "its end is missing" }
        }
        _ => "it does not begin as one",
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let problem = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let problem = not_parquet(&path.as_path().into());
            let why = problem.message.rsplit(": ").next().unwrap().to_owned();
            (why, problem.help().unwrap())
        };
        let again = "write it again, or remove it".to_owned();
        assert_eq!(problem("a.parquet", b""), ("it is empty".into(), again.clone()));
        assert_eq!(problem("b.parquet", b"PAR1"), ("its end is missing".into(), again.clone()));
        assert_eq!(problem("c.parquet", b"PAR1 12345 PAR1"), ("its footer cannot be understood".into(), again));
        assert_eq!(problem("d", b"{}").1, "set `file_format: json`");
        let csv = ("it does not begin as one".into(), "set `file_format: csv`".into());
        assert_eq!((problem("e.CSV", b"a,b"), problem("f", b"a,b")), (csv.clone(), csv));
        assert_eq!(problem("g.parquet", &gzip(b"PAR1")).0, "it is compressed as a whole");
    }
}
