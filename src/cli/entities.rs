//! Entities as they are named on the command line: a file, standard input, or `KEY=VALUE`.

use std::{io, path::Path};

use super::{CommandError, context::display_path};
use crate::retrieval::Entities;

/// The rows of a file in any format; `-` is standard input.
pub(crate) fn of_file(path: &Path) -> Result<Entities, CommandError> {
    Ok(match path == Path::new("-") {
        true => Entities::of_stream(&mut io::stdin().lock(), "stdin")?,
        false => Entities::of_file(path, &display_path(path).display().to_string())?,
    })
}

/// Entities as `KEY=VALUE`, several keys with commas.
pub(crate) fn of_pairs(entities: &[String]) -> Result<Entities, CommandError> {
    let rows = entities.iter().map(|entity| pairs(entity)).collect::<Result<Vec<_>, _>>()?;
    Ok(Entities::of_texts(&rows)?)
}

fn pairs(entity: &str) -> Result<Vec<(String, String)>, CommandError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in entity.split(',') {
        match (piece.split_once('='), pairs.last_mut()) {
            (Some((key, value)), _) if !key.trim().is_empty() => {
                pairs.push((key.trim().to_owned(), value.to_owned()));
            }
            // A comma inside of a value: `name=Smith, John`.
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            _ => {
                return Err(CommandError::new(
                    format!("`{entity}` is not an entity"),
                    "write --entity driver_id=1001".to_owned(),
                ));
            }
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_have_commas_and_equals_signs() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(pairs("name=Smith, John,id=7").unwrap(), [pair("name", "Smith, John"), pair("id", "7")]);
        assert_eq!(pairs(" k =a=b").unwrap(), [pair("k", "a=b")]);
        for wrong in ["7", "=7", ",a=1", ""] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
    }
}
