//! The log of changes in a table of feastr's own.

use super::{
    registry::SqlRegistry,
    schema::CHANGES,
    value::{Cell, Parameter},
};
use crate::{
    model::ChangeRecord,
    problem::Problem,
    registry::change_log::{ChangeLog, WantedChanges},
};

/// How many records are read at a time.
const PAGE: usize = 200;

impl ChangeLog for SqlRegistry {
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        self.read(|session| {
            let mut found = Vec::new();
            if !self.columns(session)?.has_table(CHANGES.name) {
                return Ok(found);
            }
            let placeholder = self.database.dialect().placeholder;
            let since = wanted.since.map_or(i64::MIN, |since| since.micros());
            let parameters = [Parameter::Text(project), Parameter::Integer(since)];
            for page in 0.. {
                let statement = format!(
                    "SELECT record FROM {} WHERE project_id = {} AND changed >= {} ORDER BY changed DESC, change_id LIMIT \
                     {PAGE} OFFSET {}",
                    CHANGES.name,
                    placeholder(1),
                    placeholder(2),
                    page * PAGE
                );
                let texts: Vec<String> =
                    session.run(&statement, &parameters)?.into_iter().flatten().map(Cell::text).collect();
                // What a later feastr wrote in another form is left out.
                let records = texts.iter().filter_map(|text| serde_json::from_str(text).ok());
                found.extend(records.filter(|record| wanted.has(record)));
                if texts.len() < PAGE || found.len() >= wanted.limit {
                    break;
                }
            }
            found.truncate(wanted.limit);
            Ok(found)
        })
    }
}
