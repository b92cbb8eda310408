//! Removes values: finds the keys of entities page by page, and deletes the fields of views.
//!
//! A field is a hash of view and feature. `apply` refuses views over the same entity whose fields are
//! alike, so what is deleted here belongs to the given views alone.

use std::collections::BTreeMap;

use redis::Value;

use super::{
    calls::Calls,
    exchange::Refusal,
    layout::{fields, is_key_of, pattern, time_value},
    script::REMOVE,
    servers::Servers,
};
use crate::{
    config::RedisNode,
    model::Timestamp,
    online::view_layout::ViewLayout,
    problem::{Kind, Problem},
};

/// Keys a server looks at before it answers; keeps the pauses for others short.
const PAGE: usize = 1000;

/// Keys of one script call.
const KEYS_PER_CALL: usize = 50;

/// Values of a view to remove.
pub(crate) type Removal<'a> = (&'a ViewLayout, Which);

/// Which values of a view are removed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    All,
    /// Those of the layout's features; the view has others, and so the time stays.
    Features,
    /// Those whose event is before a moment.
    Before(Timestamp),
}

/// Removes values, and returns how many entities had some, counted per view.
///
/// # Errors
/// When the servers cannot be reached or used; what was removed until then is gone.
pub(crate) fn remove(
    servers: &mut Servers,
    removals: &[Removal<'_>],
    on_page: &mut dyn FnMut(u64),
) -> Result<u64, Problem> {
    // Views over the same join keys are in the same hashes, which are looked through once.
    let mut groups: BTreeMap<(&str, Vec<u8>), Vec<Removal<'_>>> = BTreeMap::new();
    for removal in removals {
        groups.entry((&removal.0.project, removal.0.key_prefix()?)).or_default().push(*removal);
    }
    let mut removed = 0;
    for ((project, prefix), removals) in groups {
        for master in servers.masters()? {
            let mut pages = Pages { pattern: pattern(&prefix, project), cursor: Some(0) };
            while let Some(mut keys) = pages.next(servers, &master)? {
                keys.retain(|key| is_key_of(key, &prefix, project));
                if !keys.is_empty() {
                    removed += remove_from(servers, &removals, keys)?;
                    on_page(removed);
                }
            }
        }
    }
    Ok(removed)
}

/// The keys of a server that match a pattern.
struct Pages {
    pattern: Vec<u8>,
    /// Where the server goes on; nothing at the end.
    cursor: Option<u64>,
}

impl Pages {
    fn next(&mut self, servers: &mut Servers, server: &RedisNode) -> Result<Option<Vec<Vec<u8>>>, Problem> {
        let Some(cursor) = self.cursor else { return Ok(None) };
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(PAGE);
        let answer: (u64, Vec<Vec<u8>>) = redis::from_redis_value(servers.ask(server, &scan)?).map_err(|error| {
            Problem::new(
                Kind::Unavailable,
                format!("Redis at {server} answers SCAN with something else: {error}"),
                None,
            )
        })?;
        self.cursor = Some(answer.0).filter(|cursor| *cursor != 0);
        Ok(Some(answer.1))
    }
}

fn remove_from(servers: &mut Servers, removals: &[Removal<'_>], mut keys: Vec<Vec<u8>>) -> Result<u64, Problem> {
    let slot = |key: &Vec<u8>| servers.slot(key);
    keys.sort_by_key(slot);
    let mut calls = Calls::default();
    for (layout, which) in removals {
        let fields = fields(layout);
        for keys in keys.chunk_by(|one, other| slot(one) == slot(other)) {
            for keys in keys.chunks(KEYS_PER_CALL) {
                pack(&mut calls, slot(&keys[0]), keys, &fields, *which);
            }
        }
    }
    let answers = servers.exchange(&calls, Refusal::Fails)?;
    Ok(answers.iter().map(|answer| if let Value::Int(removed) = answer { removed.unsigned_abs() } else { 0 }).sum())
}

fn pack(calls: &mut Calls, slot: u16, keys: &[Vec<u8>], fields: &[Vec<u8>], which: Which) {
    calls.begin(slot, 3 + keys.len() + 2 + fields.len());
    calls.argument(b"EVALSHA");
    calls.argument(REMOVE.hash.as_bytes());
    calls.argument(keys.len().to_string().as_bytes());
    keys.iter().for_each(|key| calls.argument(key));
    let (word, time): (&[u8], _) = match which {
        Which::All => (b"all", Vec::new()),
        Which::Features => (b"features", Vec::new()),
        Which::Before(before) => (b"before", time_value(before)),
    };
    calls.argument(word);
    calls.argument(&time);
    fields.iter().for_each(|field| calls.argument(field));
}
