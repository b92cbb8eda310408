//! Values of JSON.

use std::fmt;

use arrow::datatypes::Fields;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    json::{Json, is_json, is_object},
    node::{Node, Values},
    texts::TextKind,
};
use crate::sources::text::{
    Unfit,
    numbers::{double, integer, named_double, single},
    times::{Moment, Times},
};

impl Node {
    /// Appends a value of JSON without blanks around it; one that does not fit is an error and appends nothing.
    pub(super) fn push_json(&mut self, json: &str, times: &Times) -> Result<(), Unfit> {
        let unfit = |node: &Self| Err(Unfit::new(json, &node.expected));
        let Some(value) = Json::look(json) else { return unfit(self) };
        let pushed = match (&mut self.values, &value) {
            (_, Json::Null) => {
                self.push_null();
                return Ok(());
            }
            (Values::Bool(values), Json::Bool(value)) => {
                values.append(*value);
                Some(())
            }
            (Values::Int32(values), Json::Number(digits)) => {
                integer(digits).and_then(|number| i32::try_from(number).ok()).map(|number| values.push(number))
            }
            (Values::Int64(values), Json::Number(digits)) => integer(digits).map(|number| values.push(number)),
            (Values::Float32(values), number) => float(number).and_then(single).map(|number| values.push(number)),
            (Values::Float64(values), number) => float(number).map(|number| values.push(number)),
            (Values::Micros(values), Json::Number(digits)) => {
                times.moment_of_number(digits).and_then(Moment::micros).map(|micros| values.push(micros))
            }
            // Whether they count seconds, nobody says.
            (Values::Nanos(_), Json::Number(_)) if matches!(times, Times::Iso) => None,
            (Values::Nanos(values), Json::Number(digits)) => {
                times.moment_of_number(digits).and_then(Moment::nanos).map(|nanos| values.push(nanos))
            }
            (Values::Text(TextKind::AsIs | TextKind::String, texts), Json::String(content)) => {
                texts.push(content.as_bytes())
            }
            // What is not a string is the text that is written.
            (Values::Text(TextKind::AsIs | TextKind::String, texts), _) => texts.push(json.as_bytes()),
            (Values::Text(TextKind::Decimal, texts), Json::Number(digits)) => texts.push(digits.as_bytes()),
            // JSON in a string is how columns of JSON are exported.
            (Values::Text(TextKind::Json, texts), Json::String(content)) => {
                Some(content).filter(|content| is_json(content)).and_then(|content| texts.push(content.as_bytes()))
            }
            (Values::Text(TextKind::Json, texts), _) => texts.push(json.as_bytes()),
            (Values::Text(TextKind::Map, texts), Json::String(content)) => {
                Some(content).filter(|content| is_object(content)).and_then(|content| texts.push(content.as_bytes()))
            }
            (Values::Text(TextKind::Map, texts), Json::Object) => texts.push(json.as_bytes()),
            (Values::List(..), Json::Array) | (Values::Struct(..), Json::Object) => {
                return self.push_nested(json, times);
            }
            (Values::List(..) | Values::Struct(..), Json::String(content)) => return self.push_nested(content, times),
            (
                Values::Micros(_)
                | Values::Nanos(_)
                | Values::Bytes(_)
                | Values::Text(TextKind::Decimal | TextKind::Uuid, _),
                Json::String(content),
            ) => return self.push_text(content, times),
            _ => None,
        };
        match pushed {
            Some(()) => {
                self.nulls.append_non_null();
                Ok(())
            }
            None => unfit(self),
        }
    }

    /// Appends a list from the text of an array, or a struct from that of an object.
    pub(super) fn push_nested(&mut self, json: &str, times: &Times) -> Result<(), Unfit> {
        let length = self.len();
        let mut unfit = None;
        let mut parser = serde_json::Deserializer::from_str(json);
        let parts = Parts { values: &mut self.values, times, unfit: &mut unfit };
        match parts.deserialize(&mut parser).and_then(|()| parser.end()) {
            Ok(()) => {
                self.nulls.append_non_null();
                Ok(())
            }
            Err(_) => {
                match &mut self.values {
                    Values::List(ends, element, _) => {
                        ends.truncate(length + 1);
                        element.truncate(ends.last().map_or(0, |end| *end as usize));
                    }
                    Values::Struct(members, _) => members.iter_mut().for_each(|member| member.truncate(length)),
                    _ => {}
                }
                Err(unfit.unwrap_or_else(|| Unfit::new(json, &self.expected)))
            }
        }
    }
}

fn float(value: &Json<'_>) -> Option<f64> {
    match value {
        Json::Number(digits) => double(digits),
        // JSON has no numbers for these.
        Json::String(name) => named_double(name),
        _ => None,
    }
}

/// Appends the elements or members of one value; those before an error stay.
struct Parts<'a> {
    values: &'a mut Values,
    times: &'a Times,
    /// The first part that does not fit.
    unfit: &'a mut Option<Unfit>,
}

impl Parts<'_> {
    /// An error for the parser, which cannot hold ours.
    fn stop<E: serde::de::Error>(unfit: &mut Option<Unfit>, reason: Unfit) -> E {
        *unfit = Some(reason);
        E::custom("unfit")
    }
}

impl<'de> DeserializeSeed<'de> for Parts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.values {
            Values::List(..) => deserializer.deserialize_seq(self),
            _ => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Parts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Values::List(ends, element, _) = self.values else { return Err(A::Error::custom("no list")) };
        while let Some(json) = elements.next_element::<&RawValue>()? {
            element.push_json(json.get(), self.times).map_err(|unfit| Self::stop(self.unfit, unfit))?;
        }
        ends.push(i32::try_from(element.len()).map_err(A::Error::custom)?);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Values::Struct(members, fields) = self.values else { return Err(A::Error::custom("no struct")) };
        let mut found: Vec<Option<&RawValue>> = vec![None; members.len()];
        while let Some(member) = object.next_key_seed(MemberName(fields))? {
            match member.and_then(|member| found.get_mut(member)) {
                Some(slot) => *slot = Some(object.next_value()?),
                None => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        for (member, json) in members.iter_mut().zip(found) {
            match json {
                Some(json) => {
                    member.push_json(json.get(), self.times).map_err(|unfit| Self::stop(self.unfit, unfit))?
                }
                None => member.push_null(),
            }
        }
        Ok(())
    }
}

/// Finds a member by its name.
struct MemberName<'a>(&'a Fields);

impl<'de> DeserializeSeed<'de> for MemberName<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberName<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|field| field.name() == name))
    }
}
