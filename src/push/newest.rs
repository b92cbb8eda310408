//! The newest row of each entity of a view, found in one reading that checks all rows, and written in another one.

use std::sync::Arc;

use ahash::RandomState;
use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, UInt64Array, new_null_array},
    datatypes::{Field, Int64Type, Schema, UInt64Type},
};
use hashbrown::{HashMap, hash_map::EntryRef};

use super::{FedView, Naming, ViewReport, columns::Needs};
use crate::{
    feast::values::encode::micros_in_utc,
    model::{self, DataSource, FeatureView, OutOfRange, Timestamp},
    online::{BatchEncoder, OnlineStore, Replace, ViewLayout, WriteCounts},
    problem::{Advice, Kind, Problem},
    retrieval::Entities,
    sources::{Part, Places, Role, Rows, Scan, Ticks, Wanted},
};

/// So many rows are written without the threads and connections that many rows are worth.
const FEW: usize = 1_000;

/// What is checked of rows besides their types.
#[derive(Debug, Clone, Copy)]
pub struct Checks {
    /// The time of day.
    pub now: Timestamp,
    /// Whether rows may be of later.
    pub allow_future: bool,
}

/// The newest rows of a view among rows that were checked.
pub struct Newest<'a> {
    fed: &'a FedView,
    pub(super) view: ViewRows<'a>,
    pub(super) places: Places,
    /// How many rows there are in all.
    rows: u64,
}

/// The columns of a view among those of rows.
pub(super) struct ViewRows<'a> {
    pub(super) view: &'a FeatureView,
    rows: Naming<'a>,
    /// Keys, event times, creation times if there are any, features.
    wanted: Vec<Wanted>,
    pub(super) has_created: bool,
    pub(super) out_of_range: OutOfRange,
}

/// What decides between rows of an entity: event and creation time; no creation time is the least.
type Recency = (i64, i64);

/// The newest row of an entity so far, and those that are as new.
struct Best {
    recency: Recency,
    place: u64,
    tied: Vec<u64>,
}

impl FedView {
    /// The columns that the view needs.
    ///
    /// # Errors
    /// When it does not say which column has the times.
    pub fn needs(&self) -> Result<Needs<'_>, Problem> {
        let source = source(&self.view)?;
        let keys = self.view.join_keys().iter().map(|key| source.unmapped(&key.name));
        let features = self.view.features.iter().map(|feature| source.unmapped(&feature.name));
        let created = Some(source.created_column()).filter(|created| !created.is_empty());
        let columns = keys.chain([source.event_column()]).chain(created).chain(features).collect();
        Ok(Needs { who: format!("view `{}`", self.view.name), source, columns })
    }
}

impl<'a> Newest<'a> {
    /// Reads all rows, asserts that they are right for a view, and notes the newest of each entity.
    ///
    /// # Errors
    /// When a value does not fit, a join key or time is missing, or a time is out of the question; the row is named.
    pub fn of(fed: &'a FedView, rows: Naming<'a>, checks: Checks) -> Result<Self, Problem> {
        let view = ViewRows::new(&fed.view, rows)?;
        let encoder = BatchEncoder::new(view.view, view.out_of_range);
        let scan = Arc::new(rows.rows.scan(view.wanted.clone())?.with_places());
        let ticks = view.ticks(&scan);
        let mut newest: HashMap<Vec<u8>, Best, RandomState> = HashMap::default();
        let mut count = 0;
        let run = scan.run();
        while let Some(mut part) = run.part()? {
            while let Some(batch) = run.batch(&mut part)? {
                view.check(&batch, &part, (checks, ticks[0]))?;
                count += batch.count as u64;
                let encoded = encoder.encode(&view.batch(&batch, ticks)?)?;
                let recency = view.recency(&batch);
                let places = batch.columns[view.wanted.len()].as_primitive::<UInt64Type>();
                for (row, encoded) in encoded.rows().iter().enumerate() {
                    offer(&mut newest, encoded.key, recency(row), places.value(row));
                }
            }
        }
        let places = view.decide(newest.into_values())?;
        Ok(Self { fed, view, places, rows: count })
    }

    /// How many rows there are in all.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the view's values are written to the online store.
    pub const fn goes_online(&self) -> bool {
        self.fed.goes_online
    }

    /// The view.
    pub const fn view(&self) -> &FeatureView {
        self.view.view
    }

    /// The join keys of the newest rows as rows of entities, so many at once, with their event times.
    ///
    /// # Errors
    /// When the rows cannot be read a second time.
    pub fn entities(&self, most: usize) -> Result<Vec<(Entities, Vec<Timestamp>)>, Problem> {
        let keys = self.view.events();
        let scan = Arc::new(self.view.rows.rows.scan(self.view.wanted[..=keys].to_vec())?.only(self.places.clone()));
        let (run, ticks) = (scan.run(), scan.ticks(keys));
        let names = self.view.view.join_keys().iter().map(|key| key.name.as_str());
        let fields: Vec<Field> = names.zip(scan.columns()).map(|(name, kind)| Field::new(name, kind, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let mut all = Vec::new();
        while let Some(mut part) = run.part()? {
            while let Some(batch) = run.batch(&mut part)? {
                let times = batch.columns[keys].as_primitive::<Int64Type>();
                let options = RecordBatchOptions::new().with_row_count(Some(batch.count));
                let rows =
                    RecordBatch::try_new_with_options(Arc::clone(&schema), batch.columns[..keys].to_vec(), &options)
                        .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
                for first in (0..batch.count).step_by(most) {
                    let count = most.min(batch.count - first);
                    let events = times.values()[first..first + count].iter().map(|time| ticks.moment(*time));
                    let rows = Entities::of_batches(Arc::clone(&schema), vec![rows.slice(first, count)]);
                    all.push((rows, events.collect()));
                }
            }
        }
        Ok(all)
    }

    /// Writes the newest rows to the online store. A stored row stays if it is newer; one of the same moment gives way, so
    /// that a mistake can be corrected.
    ///
    /// # Errors
    /// When the store cannot be written; rows of some entities may be there then.
    pub fn write(&self, project: &str, online: &dyn OnlineStore) -> Result<ViewReport, Problem> {
        let layout = ViewLayout::of(project, self.view.view);
        let (mut counts, mut out_of_range) = (WriteCounts::default(), 0);
        let mut writer = match self.places.as_slice().len() {
            ..=FEW => None,
            _ => Some(online.writer(layout.clone(), Replace::NotNewer)?),
        };
        let encoder = BatchEncoder::new(self.view.view, self.view.out_of_range);
        let (scan, ticks) = self.view.scan(&self.places)?;
        let run = scan.run();
        while let Some(mut part) = run.part()? {
            while let Some(batch) = run.batch(&mut part)? {
                let encoded = encoder.encode(&self.view.batch(&batch, ticks)?)?;
                out_of_range += encoded.out_of_range;
                counts = counts
                    + match &mut writer {
                        Some(writer) => writer.write(&encoded.rows())?,
                        None => online.put(&layout, Replace::NotNewer, &encoded.rows())?,
                    };
            }
        }
        if let Some(writer) = writer {
            counts = counts + writer.finish()?;
        }
        Ok(ViewReport {
            view: self.view.view.name.clone(),
            written: counts.written,
            older: self.rows.saturating_sub(counts.written),
            out_of_range: out_of_range + scan.unfit(),
        })
    }
}

impl<'a> ViewRows<'a> {
    fn new(view: &'a FeatureView, rows: Naming<'a>) -> Result<Self, Problem> {
        let source = source(view)?;
        let out_of_range = model::Checks::of(&view.tags).unwrap_or_default().out_of_range;
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut want = |column: &'a str, role: Role, null_if_unfit: bool| {
            let column = rows.find(source, column)?.unwrap_or(column).to_owned();
            wanted.push(Wanted { column, role, null_if_unfit });
            Ok::<_, Problem>(())
        };
        for key in view.join_keys() {
            want(source.unmapped(&key.name), Role::Key(key.dtype.clone()), false)?;
        }
        want(source.event_column(), Role::Time, false)?;
        let has_created = !source.created_column().is_empty();
        if has_created {
            want(source.created_column(), Role::Time, false)?;
        }
        for feature in &view.features {
            let role = Role::Value(feature.dtype.clone());
            want(source.unmapped(&feature.name), role, out_of_range == OutOfRange::AsNull)?;
        }
        Ok(Self { view, rows, wanted, has_created, out_of_range })
    }

    /// The place of the event times.
    fn events(&self) -> usize {
        self.view.join_keys().len()
    }

    /// The place of the first feature.
    fn features(&self) -> usize {
        self.events() + 1 + usize::from(self.has_created)
    }

    /// A reading of the rows at some places, and what their times count.
    pub(super) fn scan(&self, places: &Places) -> Result<(Arc<Scan>, [Ticks; 2]), Problem> {
        let scan = self.rows.rows.scan(self.wanted.clone())?.only(places.clone());
        let ticks = self.ticks(&scan);
        Ok((Arc::new(scan), ticks))
    }

    /// What event and creation times count.
    fn ticks(&self, scan: &Scan) -> [Ticks; 2] {
        let events = scan.ticks(self.events());
        [events, if self.has_created { scan.ticks(self.events() + 1) } else { events }]
    }

    /// Asserts that all rows of a batch have keys and times that can be.
    fn check(&self, batch: &Rows, part: &Part, (checks, ticks): (Checks, Ticks)) -> Result<(), Problem> {
        for (column, wanted) in batch.columns[..=self.events()].iter().zip(&self.wanted) {
            if let Some(row) = (0..batch.count).find(|row| column.null_count() > 0 && column.is_null(*row)) {
                let Wanted { column, role, .. } = wanted;
                let what = if *role == Role::Time { "an event time" } else { "a join key" };
                let message =
                    format!("{}, column `{column}`: it is missing, and every row needs {what}", part.place(row));
                return Err(Problem::new(Kind::Invalid, message, "write it, or leave out the row".to_owned()));
            }
        }
        let events = batch.columns[self.events()].as_primitive::<Int64Type>();
        let said = |row: usize| format!("{}, column `{}`", part.place(row), self.wanted[self.events()].column);
        for (row, ticks_of_row) in events.values().iter().enumerate() {
            let event = ticks.moment(*ticks_of_row);
            if !(Timestamp::FIRST..=Timestamp::LAST).contains(&event) {
                let message = format!("{}: it is before year 1 or after year 9999", said(row));
                return Err(Problem::new(Kind::Invalid, message, None));
            }
            if !checks.allow_future && event.is_beyond(checks.now) {
                let message = format!("{}: {event} is in the future", said(row));
                return Err(Problem::new(Kind::Refused, message, None).advise(Advice::AllowFutureRows));
            }
        }
        Ok(())
    }

    /// The columns as the encoder takes them.
    pub(super) fn batch(&self, rows: &Rows, ticks: [Ticks; 2]) -> Result<RecordBatch, Problem> {
        let (events, features) = (self.events(), self.features());
        let created = match self.has_created {
            true => ticks[1].moments(&rows.columns[events + 1]),
            false => new_null_array(&micros_in_utc(), rows.count),
        };
        let times = [ticks[0].moments(&rows.columns[events]), created];
        let features = rows.columns[features..self.wanted.len()].iter().cloned();
        let columns: Vec<ArrayRef> = rows.columns[..events].iter().cloned().chain(times).chain(features).collect();
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new("", column.data_type().clone(), true)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))
    }

    fn recency<'b>(&self, batch: &'b Rows) -> impl Fn(usize) -> Recency + use<'b> {
        let times = |column: usize| batch.columns[column].as_primitive::<Int64Type>();
        let (events, created): (_, Option<&Int64Array>) =
            (times(self.events()), self.has_created.then(|| times(self.events() + 1)));
        move |row| {
            let created = created.filter(|created| created.is_valid(row)).map(|created| created.value(row));
            (events.value(row), created.unwrap_or(i64::MIN))
        }
    }

    /// The places of the best rows. Between those that are equally new the greatest values decide, as everywhere.
    fn decide(&self, newest: impl Iterator<Item = Best>) -> Result<Places, Problem> {
        let (clear, tied): (Vec<Best>, Vec<Best>) = newest.partition(|best| best.tied.is_empty());
        let mut places: Vec<u64> = clear.into_iter().map(|best| best.place).collect();
        let contents = self.contents(&tied)?;
        for Best { place, tied, .. } in &tied {
            let all = std::iter::once(place).chain(tied);
            places.extend(all.max_by(|one, other| (contents.get(*one), other).cmp(&(contents.get(*other), one))));
        }
        Ok(Places::new(places))
    }

    /// Bytes that order the rows that are equally new as their features do.
    fn contents(&self, tied: &[Best]) -> Result<HashMap<u64, Option<Vec<u8>>, RandomState>, Problem> {
        let mut contents = HashMap::default();
        if tied.is_empty() || self.view.features.is_empty() {
            return Ok(contents);
        }
        let places = tied.iter().flat_map(|best| best.tied.iter().copied().chain([best.place]));
        let all = self.wanted.len();
        let scan = self.rows.rows.scan(self.wanted.clone())?.with_content(self.features()..all);
        let run = Arc::new(scan.with_places().only(Places::new(places.collect()))).run();
        while let Some(mut part) = run.part()? {
            while let Some(batch) = run.batch(&mut part)? {
                let places: &UInt64Array = batch.columns[all].as_primitive();
                let bytes = batch.columns[all + 1].as_binary::<i32>().iter().map(|bytes| bytes.map(<[u8]>::to_vec));
                contents.extend(places.values().iter().copied().zip(bytes));
            }
        }
        Ok(contents)
    }
}

/// Takes a row in.
fn offer(newest: &mut HashMap<Vec<u8>, Best, RandomState>, key: &[u8], recency: Recency, place: u64) {
    match newest.entry_ref(key) {
        EntryRef::Vacant(free) => _ = free.insert(Best { recency, place, tied: Vec::new() }),
        EntryRef::Occupied(mut known) => {
            let best = known.get_mut();
            if recency > best.recency {
                *best = Best { recency, place, tied: Vec::new() };
            } else if recency == best.recency {
                best.tied.push(place);
            }
        }
    }
}

/// The source whose columns a view names.
pub(super) fn source(view: &FeatureView) -> Result<&DataSource, Problem> {
    match &view.source {
        Some(source) if !source.timestamp_field.is_empty() => Ok(source),
        _ => Err(Problem::new(
            Kind::Conflict,
            format!("nothing says which column has the event times of view `{}`", view.name),
            "declare a `batch_source` with a `timestamp_field` for its push source, and apply it".to_owned(),
        )),
    }
}
