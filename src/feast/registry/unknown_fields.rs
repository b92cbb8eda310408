//! Carries fields that a newer Feast wrote through a change made by this version.
//!
//! Decoding drops what [`messages`](super::messages) do not declare. Here the bytes are compared
//! without knowing any message: what the stored bytes have and their re-encoding lacks was
//! dropped, and goes into the changed bytes at the same place.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::fields::NAMES;
use crate::feast::wire::{Field, length_delimited, split};

/// Deepest nesting followed; the decoder of messages has the same limit.
const MAX_DEPTH: usize = 100;

/// Adds to `changed` what `original` holds and `reencoded` lacks.
///
/// `original` are the stored bytes, `reencoded` the same after decoding and encoding, `changed`
/// the encoding of the message that shall replace them. Fields that `changed` no longer has are
/// gone on purpose, with all they held.
///
/// # Errors
/// When the change touches an element of a list, or replaces an object by another one, that holds
/// fields this version does not know: nobody can tell whether they still apply.
pub(crate) fn keep_unknown(original: &[u8], reencoded: &[u8], changed: Vec<u8>) -> Result<Vec<u8>, UnknownFieldsLost> {
    if original == reencoded {
        return Ok(changed);
    }
    merge(original, reencoded, &changed, &mut Vec::new())
}

/// A change that would lose fields of a newer Feast version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} holds settings of a newer Feast version, which this change would lose", place(.path))]
pub struct UnknownFieldsLost {
    path: Vec<u32>,
}

impl UnknownFieldsLost {
    /// The field numbers from the outermost message to the field that cannot be changed; empty
    /// when the bytes as a whole cannot be read.
    pub fn path(&self) -> &[u32] {
        &self.path
    }
}

fn place(path: &[u32]) -> String {
    if path.is_empty() {
        return "the stored object".to_owned();
    }
    let numbers: Vec<String> = path.iter().map(u32::to_string).collect();
    format!("field {} of the stored object", numbers.join("."))
}

/// The fields of one message by number.
type Fields<'f, 'a> = BTreeMap<u32, Vec<&'f Field<'a>>>;

fn by_number<'f, 'a>(fields: &'f [Field<'a>]) -> Fields<'f, 'a> {
    let mut numbers = Fields::new();
    for field in fields {
        numbers.entry(field.number).or_default().push(field);
    }
    numbers
}

fn merge(original: &[u8], reencoded: &[u8], changed: &[u8], path: &mut Vec<u32>) -> Result<Vec<u8>, UnknownFieldsLost> {
    let (Some(original), Some(reencoded), Some(changed)) = (split(original), split(reencoded), split(changed)) else {
        return Err(UnknownFieldsLost { path: path.clone() });
    };
    let mut output: Vec<Vec<u8>> = changed.iter().map(|field| field.bytes.to_vec()).collect();
    let (reencoded, changed) = (by_number(&reencoded), by_number(&changed));
    for (number, before) in by_number(&original) {
        let known = reencoded.get(&number).map_or(&[][..], Vec::as_slice);
        let now = changed.get(&number).map_or(&[][..], Vec::as_slice);
        match (known, now) {
            ([], []) => output.extend(before.iter().map(|field| field.bytes.to_vec())),
            ([], _) | (_, []) => {}
            _ if same(&before, known) => {}
            _ => {
                path.push(number);
                restore(&before, known, now, &mut output, path)?;
                path.pop();
            }
        }
    }
    Ok(output.concat())
}

/// Brings back what the values of one field lost; `now` are those of the changed message, whose
/// fields are in `output`.
fn restore(
    before: &[&Field],
    known: &[&Field],
    now: &[&Field],
    output: &mut [Vec<u8>],
    path: &mut Vec<u32>,
) -> Result<(), UnknownFieldsLost> {
    if let [first, others @ ..] = now
        && same(known, now)
    {
        output[first.at] = before.iter().flat_map(|field| field.bytes).copied().collect();
        others.iter().for_each(|field| output[field.at].clear());
        return Ok(());
    }
    if before.iter().all(|field| field.content.is_none()) {
        // A number has no room for unknown fields: the new one replaces it.
        return Ok(());
    }
    if let ([old], [known], [new]) = (before, known, now)
        && let (Some(old), Some(known), Some(content)) = (old.content, known.content, new.content)
        && path.len() <= MAX_DEPTH
        && same_object(known, content)
    {
        output[new.at] = length_delimited(new.number, &merge(old, known, content, path)?);
        return Ok(());
    }
    if before.len() == known.len() && restore_elements(before, known, now, output) {
        return Ok(());
    }
    Err(UnknownFieldsLost { path: path.clone() })
}

/// Gives elements of a list back what they lost if they are still there. Fails when one of those
/// is not there any more but a new one is, which may be the same one after a change.
fn restore_elements(before: &[&Field], known: &[&Field], now: &[&Field], output: &mut [Vec<u8>]) -> bool {
    let mut places: HashMap<&[u8], VecDeque<usize>> = HashMap::new();
    for field in now {
        places.entry(field.bytes).or_default().push_back(field.at);
    }
    let mut gone = false;
    for (old, known) in before.iter().zip(known) {
        match places.get_mut(known.bytes).and_then(VecDeque::pop_front) {
            Some(at) => output[at] = old.bytes.to_vec(),
            None => gone |= old.bytes != known.bytes,
        }
    }
    !gone || places.values().all(VecDeque::is_empty)
}

/// Whether two messages are states of one object, as far as names tell: a list of one element
/// looks like a single message, and its element may have been exchanged.
fn same_object(known: &[u8], new: &[u8]) -> bool {
    let (Some(known), Some(new)) = (split(known), split(new)) else { return false };
    NAMES.iter().all(|number| match (content(&known, *number), content(&new, *number)) {
        (Some(known), Some(new)) => known == new,
        _ => true,
    })
}

/// The content of the first field with this number.
fn content<'a>(fields: &[Field<'a>], number: u32) -> Option<&'a [u8]> {
    fields.iter().find(|field| field.number == number)?.content
}

fn same(a: &[&Field], b: &[&Field]) -> bool {
    a.iter().map(|field| field.bytes).eq(b.iter().map(|field| field.bytes))
}

#[cfg(test)]
mod tests;
