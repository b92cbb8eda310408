//! Objects as rows of columns.

use std::{collections::HashMap, fmt};

use memchr::memchr;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{no_object, no_utf8};
use crate::sources::text::{
    RowProblem,
    batch::{Limits, Wanted},
    chunk_text::{ChunkText, Place},
};

/// Reads the wanted members of objects.
pub(in crate::sources::text) struct Objects {
    members: Members,
    /// Which member each wanted column is; two columns may be the same one.
    positions: Vec<usize>,
}

impl Objects {
    pub(in crate::sources::text) fn new<'a>(wanted: impl Iterator<Item = &'a str>) -> Self {
        let mut known = HashMap::new();
        let mut position = |name: &str| {
            let next = known.len();
            *known.entry(name.to_owned()).or_insert(next)
        };
        let positions = wanted.map(&mut position).collect();
        Self { members: Members { known, order: Vec::new() }, positions }
    }

    /// Appends rows to the columns as long as they are within the limits, and tells the line of each.
    pub(in crate::sources::text) fn fill(
        &mut self,
        text: &ChunkText,
        place: &mut Place,
        wanted: &mut [Wanted],
        limits: Limits,
    ) -> Result<Vec<u64>, RowProblem> {
        let bytes = text.bytes();
        let last = place.offset.saturating_add(limits.bytes);
        let mut found: Vec<Option<&RawValue>> = vec![None; self.members.known.len()];
        let mut lines = Vec::new();
        while lines.len() < limits.rows && place.offset < bytes.len().min(last) {
            let (start, line) = (place.offset, place.line);
            let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
            *place = Place { offset: bytes.len().min(end + 1), line: line + 1 };
            if bytes[start..end].trim_ascii().is_empty() {
                continue;
            }
            let row = text.get(start, end).ok_or_else(|| no_utf8(line))?;
            found.fill(None);
            let mut parser = serde_json::Deserializer::from_str(row);
            let read = Row { members: &mut self.members, found: &mut found }.deserialize(&mut parser);
            read.and_then(|()| parser.end()).map_err(|error| no_object(line, &error))?;
            for (position, wanted) in self.positions.iter().zip(&mut *wanted) {
                match found[*position] {
                    Some(json) => wanted.push(line, |column| column.push_json(json))?,
                    None => wanted.push_null(),
                }
            }
            lines.push(line);
        }
        Ok(lines)
    }
}

/// Finds members by name.
struct Members {
    known: HashMap<String, usize>,
    /// The names of the object before: most objects have theirs in the same order, and comparing
    /// with one name is faster than looking among all.
    order: Vec<(String, Option<usize>)>,
}

/// How many names are remembered; others are looked for each time, so that hostile objects take no memory.
const LONGEST_ORDER: usize = 4_096;

impl Members {
    /// Which member the name at this place in an object is, if it is wanted.
    fn find(&mut self, place: usize, name: &str) -> Option<usize> {
        if let Some((before, member)) = self.order.get(place)
            && before == name
        {
            return *member;
        }
        let member = self.known.get(name).copied();
        let length = self.order.len();
        match self.order.get_mut(place) {
            Some(known) => *known = (name.to_owned(), member),
            None if place == length && place < LONGEST_ORDER => self.order.push((name.to_owned(), member)),
            None => {}
        }
        member
    }
}

/// Puts the wanted members of one object where they belong; the last of a name stays.
struct Row<'a, 'de> {
    members: &'a mut Members,
    found: &'a mut [Option<&'de RawValue>],
}

impl<'de> DeserializeSeed<'de> for Row<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(member) = object.next_key_seed(Name { members: &mut *self.members, place })? {
            match member.and_then(|member| self.found.get_mut(member)) {
                Some(slot) => *slot = Some(object.next_value()?),
                None => drop(object.next_value::<IgnoredAny>()?),
            }
            place += 1;
        }
        Ok(())
    }
}

struct Name<'a> {
    members: &'a mut Members,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.members.find(self.place, name))
    }
}
