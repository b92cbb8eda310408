//! How the rows of a view become commands.

use super::{
    calls::{Calls, push_argument},
    dump::{LONGEST_ENTRY, MOST_ENTRIES, push_entry, write_hash},
    layout::{fields, push_key, replaces, time_value},
    script::WRITE_NEWER,
    topology::slot,
};
use crate::{
    model::Timestamp,
    online::{
        view_layout::ViewLayout,
        writer::{EncodedRow, Replace},
    },
};

/// Keys of one script call: enough to make the call itself cheap, few enough not to keep others waiting.
const KEYS_PER_CALL: usize = 50;

/// Values of one script call, for views with many features.
const VALUES_PER_CALL: usize = 4_000;

/// How the rows of a view become commands.
#[derive(Clone)]
pub(crate) struct Packer {
    project: String,
    /// Names of the hash's fields, that of the time first.
    fields: Vec<Vec<u8>>,
    /// The same, packed.
    packed_fields: Vec<Vec<u8>>,
    /// The same as entries of a dump; `None` if they do not fit into one.
    dumped_fields: Option<Vec<Vec<u8>>>,
    key_ttl_seconds: u64,
    /// Which stored rows give way.
    replace: Replace,
    /// Whether keys must be grouped by slot.
    has_slots: bool,
}

/// Rows that are not sent yet, packed as far as they can be by themselves.
#[derive(Default)]
pub(crate) struct Rows {
    pub bytes: Vec<u8>,
    pub rows: Vec<Row>,
}

/// Where a row is in the bytes: its key, then its packed fields and values up to the end.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub event: Timestamp,
    slot: u16,
    key: usize,
    values: usize,
    end: usize,
}

impl Rows {
    /// Forgets the rows and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }

    /// The key of a row.
    pub(crate) fn key(&self, row: &Row) -> &[u8] {
        &self.bytes[row.key..row.values]
    }

    fn values(&self, row: &Row) -> &[u8] {
        &self.bytes[row.values..row.end]
    }
}

impl Packer {
    pub(crate) fn new(layout: &ViewLayout, key_ttl_seconds: u64, replace: Replace, has_slots: bool) -> Self {
        let fields = fields(layout);
        let packed = |field: &Vec<u8>| {
            let mut bytes = Vec::new();
            push_argument(&mut bytes, field);
            bytes
        };
        let packed_fields = fields.iter().map(packed).collect();
        let dumped = |field: &Vec<u8>| {
            let mut bytes = Vec::new();
            push_entry(&mut bytes, field);
            bytes
        };
        let fits = 2 * fields.len() <= MOST_ENTRIES && fields.iter().all(|field| field.len() <= LONGEST_ENTRY);
        let dumped_fields = fits.then(|| fields.iter().map(dumped).collect());
        let project = layout.project.clone();
        Self { project, fields, packed_fields, dumped_fields, key_ttl_seconds, replace, has_slots }
    }

    /// Whether it matters what is stored.
    pub(crate) fn compares(&self) -> bool {
        self.replace != Replace::Everything
    }

    /// Whether a row replaces one with this stored time.
    pub(crate) fn is_due(&self, row: &Row, stored: &[u8]) -> bool {
        replaces(row.event, stored, self.replace)
    }

    /// Appends the command that asks for the stored time of a row's entity.
    pub(crate) fn pack_look(&self, row: &Row, rows: &Rows, calls: &mut Calls) {
        calls.add(row.slot, &[b"HGET", rows.key(row), &self.fields[0]]);
    }

    /// Copies a row.
    pub(crate) fn take(&self, row: &EncodedRow<'_>, rows: &mut Rows) {
        let bytes = &mut rows.bytes;
        let key = bytes.len();
        push_key(bytes, row.key, &self.project);
        let values = bytes.len();
        let time = time_value(row.event);
        let all = std::iter::once(time.as_slice()).chain(row.values.iter().copied());
        for (field, value) in self.packed_fields.iter().zip(all) {
            bytes.extend_from_slice(field);
            push_argument(bytes, value);
        }
        let slot = if self.has_slots { slot(&bytes[key..values]) } else { 0 };
        rows.rows.push(Row { event: row.event, slot, key, values, end: bytes.len() });
    }

    /// The commands that write rows, each of which can be repeated.
    pub(crate) fn pack(&self, rows: &mut Rows, calls: &mut Calls) {
        if self.compares() {
            // Stable, so that rows of the same entity stay in order.
            rows.rows.sort_by_key(|row| row.slot);
            let keys = (VALUES_PER_CALL / self.fields.len()).clamp(1, KEYS_PER_CALL);
            for group in rows.rows.chunk_by(|one, other| one.slot == other.slot) {
                for rows_of_call in group.chunks(keys) {
                    self.pack_comparison(rows_of_call, rows, calls);
                }
            }
        } else {
            for row in &rows.rows {
                self.pack_replacement(row, rows, calls);
            }
        }
    }

    fn pack_comparison(&self, group: &[Row], rows: &Rows, calls: &mut Calls) {
        let width = self.fields.len();
        calls.begin(group[0].slot, 3 + group.len() + 3 + width + width * group.len());
        calls.argument(b"EVALSHA");
        calls.argument(WRITE_NEWER.hash.as_bytes());
        calls.argument(group.len().to_string().as_bytes());
        group.iter().for_each(|row| calls.argument(rows.key(row)));
        calls.argument(width.to_string().as_bytes());
        calls.argument(self.key_ttl_seconds.to_string().as_bytes());
        calls.argument(if self.replace == Replace::NotNewer { b"equal" } else { b"" });
        self.fields.iter().for_each(|field| calls.argument(field));
        for row in group {
            self.values(row, rows).for_each(|value| calls.packed(value.packed));
        }
    }

    /// The commands that create the hashes of rows whose keys are not there. Takes the rows they are about and
    /// leaves others, whose hashes Redis would keep in another form.
    pub(crate) fn pack_creations(&self, rows: &mut Rows, calls: &mut Calls) -> Vec<Row> {
        let Some(fields) = &self.dumped_fields else { return Vec::new() };
        let lifetime = self.key_ttl_seconds.saturating_mul(1_000).to_string();
        let (mut entries, mut dump) = (Vec::new(), Vec::new());
        let all = std::mem::take(&mut rows.rows);
        let (small, large) = all.into_iter().partition(|row| {
            if self.values(row, rows).any(|value| value.bytes().len() > LONGEST_ENTRY) {
                return false;
            }
            entries.clear();
            for (field, value) in fields.iter().zip(self.values(row, rows)) {
                entries.extend_from_slice(field);
                push_entry(&mut entries, value.bytes());
            }
            write_hash(&mut dump, &entries, 2 * fields.len());
            calls.add(row.slot, &[b"RESTORE", rows.key(row), lifetime.as_bytes(), &dump]);
            true
        });
        rows.rows = large;
        small
    }

    /// The values of a row, that of the time first.
    fn values<'a>(&'a self, row: &Row, rows: &'a Rows) -> impl Iterator<Item = PackedValue<'a>> {
        let mut rest = rows.values(row);
        self.packed_fields.iter().map(move |field| {
            let (value, behind) = PackedValue::split(&rest[field.len()..]);
            rest = behind;
            value
        })
    }

    /// Appends the commands that write a row, whatever is stored, and tells how many they are.
    pub(crate) fn pack_replacement(&self, row: &Row, rows: &Rows, calls: &mut Calls) -> usize {
        let key = rows.key(row);
        calls.begin(row.slot, 2 + 2 * self.fields.len());
        calls.argument(b"HSET");
        calls.argument(key);
        calls.packed(rows.values(row));
        if self.key_ttl_seconds == 0 {
            return 1;
        }
        calls.add(row.slot, &[b"EXPIRE", key, self.key_ttl_seconds.to_string().as_bytes()]);
        2
    }
}

/// A value as an argument of a command.
struct PackedValue<'a> {
    packed: &'a [u8],
    /// Where the value itself begins; it ends two bytes before the argument does.
    start: usize,
}

impl<'a> PackedValue<'a> {
    /// The one that bytes begin with, and what is behind it.
    fn split(bytes: &'a [u8]) -> (Self, &'a [u8]) {
        let digits = bytes[1..].iter().take_while(|byte| byte.is_ascii_digit());
        let (count, length) =
            digits.fold((0, 0), |(count, length), digit| (count + 1, length * 10 + usize::from(digit - b'0')));
        let start = 1 + count + 2;
        let (packed, behind) = bytes.split_at(start + length + 2);
        (Self { packed, start }, behind)
    }

    fn bytes(&self) -> &'a [u8] {
        &self.packed[self.start..self.packed.len() - 2]
    }
}
