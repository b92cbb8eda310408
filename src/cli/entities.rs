//! Entities as they are named on the command line: a file, standard input, or `KEY=VALUE`; for training data also by a
//! question or a range of time.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{CommandError, Context, context::display_path};
use crate::{
    app::get_historical::{About, Over},
    config::BucketUrl,
    model::Timestamp,
    retrieval::Entities,
    sources::read_object,
};

/// Whom features are asked about, and when.
#[derive(Debug, clap::Args)]
#[group(id = "about")]
pub(crate) struct AboutArgs {
    /// Entity rows: a parquet, CSV, JSON-lines or Arrow file, or - for stdin
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    entities: Option<PathBuf>,
    /// Entity rows as the answer to a question in DuckDB's SQL over files of the repo
    #[arg(long, value_name = "SQL", conflicts_with_all = ["entities"], help_heading = HEADING)]
    entity_sql: Option<String>,
    /// An entity as KEY=VALUE, several keys with commas; once per entity
    #[arg(long, value_name = "KEY=VALUE", requires = "at", conflicts_with_all = ["entities", "entity_sql"],
          help_heading = HEADING)]
    entity: Vec<String>,
    /// The entities that the source of a view, or a data source, has (between --start and --end); at the times of its
    /// rows, or all --at one time. With index:ENTITY (or index:ENTITY,ENTITY for several join keys) those that the index
    /// of entities knows
    #[arg(long, value_name = "VIEW|SOURCE|index:ENTITY", conflicts_with_all = ["entities", "entity_sql", "entity"],
          help_heading = HEADING)]
    entities_from: Option<String>,
    /// Everybody of whom something is known at this time and not too old for its ttl
    #[arg(long, value_name = "TIME", conflicts_with_all = ["entities", "entity_sql", "entity", "entities_from", "at"],
          help_heading = HEADING)]
    as_of: Option<String>,
    /// The time of all entity rows, which have none of their own: ISO 8601, now, or relative to now such as -7d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = HEADING)]
    at: Option<String>,
    /// Without entities: every row of the features' sources from this time on [default: as long before the end as the
    /// longest ttl is, or 30 days]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true,
          conflicts_with_all = ["entities", "entity_sql", "entity", "as_of"], help_heading = HEADING)]
    start: Option<String>,
    /// The end of that range; rows of this time are in it [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true,
          conflicts_with_all = ["entities", "entity_sql", "entity", "as_of"], help_heading = HEADING)]
    end: Option<String>,
}

/// In front of the name of an entity: those that the index of entities knows.
pub(crate) const INDEX: &str = "index:";

/// Above these arguments.
const HEADING: &str = "Entities";

impl AboutArgs {
    /// What they mean.
    pub(crate) fn about(&self, context: &Context) -> Result<About, CommandError> {
        let moment = |text: &Option<String>| {
            let read = |text: &String| Timestamp::parse(text, context.now);
            text.as_ref().map(read).transpose().map_err(|error| CommandError::new(error.to_string(), None))
        };
        let [at, start, end, as_of] =
            [moment(&self.at)?, moment(&self.start)?, moment(&self.end)?, moment(&self.as_of)?];
        let fixed = |rows: Entities| match at {
            Some(at) => rows.at(at),
            None => rows,
        };
        if let Some(path) = &self.entities {
            return Ok(About::Rows(fixed(of_file(path, context)?)));
        }
        if let Some(sql) = &self.entity_sql {
            return Ok(About::Sql { sql: sql.clone(), at, over: Over::Repo });
        }
        if !self.entity.is_empty() {
            return Ok(About::Rows(fixed(of_pairs(&self.entity)?)));
        }
        if let Some(name) = &self.entities_from {
            return Ok(match name.strip_prefix(INDEX) {
                Some(entities) => About::Index { entities: of_index(entities), start, end, at },
                None => About::From { name: name.clone(), start, end, at },
            });
        }
        if let Some(at) = as_of {
            return Ok(About::AsOf(at));
        }
        if start.is_none() && end.is_none() {
            return Err(CommandError::new(
                "nobody is asked about",
                "name entity rows with --entities FILE, --entity-sql SQL or --entity KEY=VALUE --at TIME, or ask about \
                 all: --as-of TIME, --start TIME --end TIME, --entities-from VIEW"
                    .to_owned(),
            ));
        }
        if at.is_some() {
            return Err(CommandError::new(
                "--at is one time for all, and rows of a range have their own",
                "leave out --at, or ask about everybody known then with --as-of TIME".to_owned(),
            ));
        }
        Ok(About::Range { start, end: end.unwrap_or(context.now) })
    }
}

/// The names of entities of the index.
pub(crate) fn of_index(names: &str) -> Vec<String> {
    names.split(',').map(|name| name.trim().to_owned()).collect()
}

/// The rows of a file in any format, which may be in a bucket; `-` is standard input.
pub(crate) fn of_file(path: &Path, context: &Context) -> Result<Entities, CommandError> {
    if let Some(url) = path.to_str().and_then(BucketUrl::parse) {
        let url = url?;
        return Ok(Entities::of_stream(&mut read_object(context.bucket(&url)?, &url)?, &url.to_string())?);
    }
    Ok(match path == Path::new("-") {
        true => Entities::of_stream(&mut io::stdin().lock(), "stdin")?,
        false => Entities::of_file(path, &display_path(path).display().to_string())?,
    })
}

/// Entities as `KEY=VALUE`, several keys with commas.
fn of_pairs(entities: &[String]) -> Result<Entities, CommandError> {
    of_requests(entities, &[])
}

/// The same with fields of requests: those of all entities, or as many as there are entities.
pub(crate) fn of_requests(entities: &[String], requests: &[String]) -> Result<Entities, CommandError> {
    let all = |texts: &[String]| texts.iter().map(|text| pairs(text)).collect::<Result<Vec<_>, _>>();
    let (mut rows, requests) = (all(entities)?, all(requests)?);
    match requests.as_slice() {
        [] => {}
        [one] if !rows.is_empty() => rows.iter_mut().for_each(|row| row.extend(one.iter().cloned())),
        each if rows.is_empty() => rows = each.to_vec(),
        each if each.len() == rows.len() => {
            rows.iter_mut().zip(each).for_each(|(row, request)| row.extend(request.iter().cloned()));
        }
        each => {
            return Err(CommandError::new(
                format!("there are {} entities and {} requests", rows.len(), each.len()),
                "give --request once for all entities, or once for each".to_owned(),
            ));
        }
    }
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
    fn requests_are_of_all_entities_or_of_one_each() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let count = |entities: &[&str], requests: &[&str]| {
            let entities = of_requests(&texts(entities), &texts(requests)).ok()?;
            let opened = entities.open().unwrap();
            Some((opened.columns().rows?, opened.columns().columns.len()))
        };
        assert_eq!(count(&["k=1", "k=2"], &["x=1,y=2"]), Some((2, 3)));
        assert_eq!(count(&["k=1", "k=2"], &["x=1", "x=2"]), Some((2, 2)));
        assert_eq!(count(&[], &["x=1", "x=2"]), Some((2, 1)));
        assert_eq!(count(&["k=1", "k=2"], &["x=1", "x=2", "x=3"]), None);
        assert_eq!(count(&["k=1", "k=2"], &["x=1", "y=2"]), None);
    }

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
