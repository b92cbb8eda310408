//! One view of a join with its source open.

use std::sync::{Arc, Mutex, PoisonError};

use ahash::RandomState;
use arrow::{
    array::{Array, AsArray, Int64Array},
    compute::{max, min},
    datatypes::{DataType as ArrowType, Int64Type, UInt64Type},
};
use hashbrown::HashMap;

use super::{
    Place,
    beside::plain_type,
    entity_rows::Asked,
    features::Features,
    keys::{Entity, Keys, NOBODY},
    moments::{Moments, NEVER},
    winners::{Candidate, NOWHERE, Winners},
};
use crate::{
    model::{Field, Interval, Reach, Timestamp},
    offline::{
        Cancel,
        join::Side,
        query::{ExplainedView, HistoricalRead, Progress},
        reading::read,
        transformation::{About, AskedMoments, Needed, Span, Transform, inputs, transformation},
        view_source::{OpenSources, ViewColumns, ViewScan, ViewSource},
    },
    problem::{Kind, Problem},
    sources::{Places, Rows, Ticks, Whereabouts},
};

/// A side of the join.
pub(super) struct OpenSide<'a> {
    pub side: &'a Side<'a>,
    source: ViewSource<'a>,
    /// Of a view with aggregates the rows that they are made of, and who makes them.
    aggregated: Option<(ViewSource<'a>, &'a dyn Transform)>,
    /// Which rows of the source matter to what is known at a moment.
    reach: Reach,
    /// Values that became null when rows were kept, because they do not fit.
    kept_unfit: u64,
}

/// Of entity rows: who they are about, when, and what their times count.
type AskedAbout<'a> = (&'a Keys, &'a Moments, Ticks);

impl<'a> OpenSide<'a> {
    /// Finds the files of the views' sources, for those who ask at moments between two (microseconds), if they are known.
    ///
    /// # Errors
    /// When there are none, or a view has no source that can be read.
    pub(super) fn open_all(
        whereabouts: &'a Whereabouts,
        sides: &'a [Side<'a>],
        moments: Option<(i64, i64)>,
    ) -> Result<Vec<Self>, Problem> {
        let mut sources = OpenSources::new(whereabouts);
        let reach = |side: &Side<'_>| {
            Ok::<_, Problem>(transformation(side.view)?.map_or(Reach::Span(0), |transformation| transformation.reach()))
        };
        let reaches: Vec<Reach> = sides.iter().map(reach).collect::<Result<_, _>>()?;
        // In microseconds nothing is lost: days are longer.
        let events = |(side, reach): (&'a Side<'a>, &Reach)| {
            (side.view, moments.and_then(|moments| Span::of_moments(moments, side.ttl).events(*reach)))
        };
        let views: Vec<_> = sides.iter().zip(&reaches).map(events).collect();
        sources.look_ahead(&views);
        let opened = sides.iter().zip(reaches).zip(views).map(|((side, reach), (view, events))| {
            Ok(Self { side, source: sources.open(view, events)?, aggregated: None, reach, kept_unfit: 0 })
        });
        opened.collect()
    }

    /// The same over the rows that the view's transformation makes, for moments between two (microseconds) or all, if
    /// somebody will read rows. Those of aggregates are made for each chunk of entity rows.
    ///
    /// # Errors
    /// When the transformation cannot be carried out.
    pub(super) fn transformed(
        self,
        transform: &'a dyn Transform,
        reads: Option<Option<(i64, i64)>>,
    ) -> Result<Self, Problem> {
        let side = self.side;
        let span = |moments: Option<_>| moments.map_or(Span::ALL, |moments| Span::of_moments(moments, side.ttl));
        let rows = transform.queried(self.source, reads.map(span))?;
        let aggregates = transformation(side.view)?.is_some_and(|made| !made.aggregations.is_empty());
        let reach = Reach::Span(0);
        if !aggregates {
            return Ok(Self { source: rows, reach, ..self });
        }
        let needed = Needed { features: &side.features, about: About::Nobody, by_created: side.by_created };
        let source = transform.aggregated(&rows, &needed)?;
        Ok(Self { source, aggregated: Some((rows, transform)), reach, ..self })
    }

    /// Makes the aggregates that entity rows ask for, if this side is one of aggregates.
    fn aggregate(&mut self, asked: &Asked, ticks: Ticks, noticed: &mut HistoricalRead) -> Result<(), Problem> {
        let (Some((rows, transform)), side) = (&self.aggregated, self.side) else { return Ok(()) };
        let times: Int64Array = asked.times.unary(|time| ticks.to_micros(time));
        let Some(bounds) = min(&times).zip(max(&times)) else { return Ok(()) };
        let span = Span::of_moments(bounds, side.ttl);
        let keys = side.keys.iter().map(|key| Arc::clone(&asked.keys[*key])).collect();
        let moments = AskedMoments { keys, times, span };
        let needed = Needed { features: &side.features, about: About::Asked(&moments), by_created: side.by_created };
        self.source = transform.aggregated(rows, &needed)?;
        noticed.unfit += self.source.unfit();
        Ok(())
    }

    /// The types of the features.
    ///
    /// # Errors
    /// When the source lacks one of them, or has it as something else.
    pub(super) fn feature_types(&self) -> Result<Vec<ArrowType>, Problem> {
        let scan = self.source.scan(&self.features())?;
        Ok(scan.scan.columns().into_iter().skip(scan.columns.first_feature()).map(plain_type).collect())
    }

    fn features(&self) -> Vec<&'a Field> {
        self.side.features.iter().map(|feature| &self.side.view.features[*feature]).collect()
    }

    /// Finds the row that counts at each moment, and reads its features. `is_all`: nobody will ask about others.
    ///
    /// # Errors
    /// When the source cannot be read, or a value does not fit.
    pub(super) fn join(
        &mut self,
        (place, progress): (&Place<'_>, &Progress),
        (rows, asked): (&Asked, AskedAbout<'_>),
        is_all: bool,
        noticed: &mut HistoricalRead,
    ) -> Result<Features, Problem> {
        self.aggregate(rows, asked.2, noticed)?;
        if !self.source.is_cheap() {
            self.keep(place, self.side.features.clone(), asked, is_all, noticed)?;
        }
        let (_, moments, ticks) = asked;
        let scan = self.of_asked(self.source.scan(&[])?, asked)?;
        let source_ticks = scan.ticks();
        progress.scanned.expect(scan.scan.about_rows());
        let mut winners = self.locate(scan, asked, (place.cancel, progress))?;
        progress.scanned.complete();
        let limit = self.side.ttl.map(|ttl| source_ticks.of_micros(ttl));
        let settled = winners.settled(moments, limit, |moment| ticks.convert(moments.time(moment), source_ticks));
        let tied = self.tied(&settled, &winners);
        if !tied.is_empty() && !self.source.has_all_features() {
            drop((settled, winners));
            self.keep(place, (0..self.side.view.features.len()).collect(), asked, is_all, noticed)?;
            return self.join((place, progress), (rows, asked), is_all, noticed);
        }
        noticed.ties += tied.iter().map(|(_, places)| places.len() as u64 - 1).sum::<u64>();
        self.decide(&tied, &mut winners, place.cancel)?;
        let of_moment = |counts: &u32| if *counts == NEVER { NOWHERE } else { winners.place(*counts) };
        let places: Vec<u64> = settled.iter().map(of_moment).collect();
        drop((settled, winners));
        let features = Features::read(self.source.scan(&self.features())?, &places, place.cancel)?;
        noticed.unfit += features.unfit;
        Ok(features)
    }

    /// Keeps the rows that can matter in a file, because reading the source twice would take long.
    fn keep(
        &mut self,
        place: &Place<'_>,
        features: Vec<usize>,
        asked: AskedAbout<'_>,
        is_all: bool,
        noticed: &mut HistoricalRead,
    ) -> Result<(), Problem> {
        let fields: Vec<&Field> = features.iter().map(|feature| &self.side.view.features[*feature]).collect();
        let mut scan = self.source.scan_files(&fields)?;
        if is_all {
            scan = self.of_asked(scan, asked)?;
        }
        let unfit = self.source.keep(&place.spill.path()?, scan, features, place.cancel)?;
        // Rows that are kept again count once.
        noticed.unfit += unfit.saturating_sub(std::mem::replace(&mut self.kept_unfit, unfit));
        Ok(())
    }

    /// Only rows of those who are asked about, as far as others can be left out, and of events that can matter to them.
    fn of_asked(&self, scan: ViewScan, (keys, moments, ticks): AskedAbout<'_>) -> Result<ViewScan, Problem> {
        let keys = keys.values();
        let keys =
            keys.map_err(|error| Problem::new(Kind::Internal, format!("{}: {error}", self.source.what()), None))?;
        Ok(self.between(scan, moments.range(), ticks).among(&keys))
    }

    /// Only the events that can matter to somebody who asks at moments between two.
    fn between(&self, scan: ViewScan, range: Option<(i64, i64)>, ticks: Ticks) -> ViewScan {
        let (first, last) = self.window(range, ticks, scan.ticks()).unwrap_or((i64::MAX, i64::MIN));
        scan.between(first, last)
    }

    /// The first and the last event that can matter, in ticks of the source.
    fn window(&self, range: Option<(i64, i64)>, ticks: Ticks, source_ticks: Ticks) -> Option<(i64, i64)> {
        let (first, last) = range?;
        let [first, last] = [first, last].map(|time| ticks.convert(time, source_ticks));
        let before = |first: i64, micros: i64| first.saturating_sub(source_ticks.of_micros(micros));
        Some(match (self.side.ttl, self.reach) {
            (Some(ttl), Reach::Span(reach)) => (before(before(first, ttl), reach), last),
            (None, Reach::Span(_)) | (_, Reach::Past) => (i64::MIN, last),
            (_, Reach::All) => (i64::MIN, i64::MAX),
        })
    }

    /// What is read of the source for entity rows with times between two.
    ///
    /// # Errors
    /// When the source lacks a column.
    pub(super) fn explain(&self, range: Option<(i64, i64)>, ticks: Ticks) -> Result<ExplainedView, Problem> {
        let scan = match transformation(self.side.view)? {
            Some(transformation) => self.source.scan_columns(inputs(&transformation, &self.source))?,
            None => self.source.scan(&self.features())?,
        };
        let source_ticks = scan.ticks();
        let events = self.window(range, ticks, source_ticks).map(|(first, last)| Interval {
            start: if first == i64::MIN { Timestamp::FIRST } else { source_ticks.moment(first) },
            end: if last == i64::MAX { Timestamp::LAST } else { source_ticks.moment(last) },
        });
        let mut size = self.between(scan, range, ticks).scan.size();
        size.files.all += self.source.other_days();
        Ok(ExplainedView { view: self.side.view.name.clone(), source: self.source.name().to_owned(), events, size })
    }

    /// The newest row that is there at each moment and was not there at the one before.
    fn locate(
        &self,
        scan: ViewScan,
        asked: AskedAbout<'_>,
        (cancel, progress): (&Cancel, &Progress),
    ) -> Result<Winners, Problem> {
        let (keys, moments, _) = asked;
        let winners = Mutex::new(Winners::new(moments.len()));
        if moments.len() > 0 {
            let (columns, ticks) = (scan.columns, scan.ticks);
            let scan = Arc::new(scan.scan.with_places());
            read(&scan, cancel, |rows| {
                let of = keys
                    .find(&rows.columns[..columns.keys], rows.count)
                    .map_err(|error| Problem::new(Kind::Internal, format!("{}: {error}", self.source.what()), None))?;
                let candidates = self.candidates(&rows, &of, (columns, ticks), asked);
                winners.lock().unwrap_or_else(PoisonError::into_inner).offer(&candidates);
                progress.scanned.add(rows.count as u64);
                Ok(())
            })?;
        }
        Ok(winners.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Of rows, whose entities are known, those that count at some moment unless there is a newer one.
    fn candidates(
        &self,
        rows: &Rows,
        entities: &[Entity],
        (columns, source_ticks): (ViewColumns, [Ticks; 2]),
        (_, moments, ticks): AskedAbout<'_>,
    ) -> Vec<Candidate> {
        let events = rows.columns[columns.keys].as_primitive::<Int64Type>();
        let created = columns.has_created.then(|| rows.columns[columns.keys + 1].as_primitive::<Int64Type>());
        let places = rows.columns[columns.first_feature()].as_primitive::<UInt64Type>();
        let limit = self.side.ttl.map(|ttl| source_ticks[0].of_micros(ttl));
        let candidate = |(row, entity): (usize, &Entity)| {
            if *entity == NOBODY || events.is_null(row) {
                return None;
            }
            let event = events.value(row);
            let created = created.filter(|created| created.is_valid(row)).map(|created| created.value(row));
            let mut there_from = source_ticks[0].convert_up(event, ticks);
            if self.side.by_created && columns.has_created {
                there_from = there_from.max(source_ticks[1].convert_up(created?, ticks));
            }
            let moment = moments.first_from(*entity, there_from)?;
            let time = ticks.convert(moments.time(moment), source_ticks[0]);
            // Later it is older still.
            if limit.is_some_and(|limit| event < time.saturating_sub(limit)) {
                return None;
            }
            let recency = (event, created.unwrap_or(i64::MIN));
            Some(Candidate { moment: moment as u32, recency, place: places.value(row) })
        };
        entities.iter().enumerate().filter_map(candidate).collect()
    }

    /// The rows between which the values decide, with the moment for which each group of them is meant.
    fn tied(&self, settled: &[u32], winners: &Winners) -> Vec<(u32, Vec<u64>)> {
        if self.side.features.is_empty() {
            return Vec::new();
        }
        let mut tied: Vec<(u32, Vec<u64>)> = Vec::new();
        for counts in settled.iter().filter(|counts| **counts != NEVER) {
            // Moments that one row counts at are one behind the other.
            if tied.last().is_some_and(|(last, _)| last == counts) {
                continue;
            }
            tied.extend(winners.tied(*counts).map(|places| (*counts, places.to_vec())));
        }
        tied
    }

    /// Decides between equally new rows by what they hold: the greatest values count, as when they are materialized.
    fn decide(&self, tied: &[(u32, Vec<u64>)], winners: &mut Winners, cancel: &Cancel) -> Result<(), Problem> {
        if tied.is_empty() {
            return Ok(());
        }
        let all: Vec<&Field> = self.side.view.features.iter().collect();
        let scan = self.source.scan(&all)?.with_content();
        let with_places = scan.columns.first_feature() + scan.columns.features;
        let places = Places::new(tied.iter().flat_map(|(_, places)| places).copied().collect());
        let scan = Arc::new(scan.scan.with_places().only(places));
        let contents = read(&scan, cancel, |rows| {
            let places = rows.columns[with_places].as_primitive::<UInt64Type>().values().to_vec();
            let contents =
                rows.columns[with_places + 1].as_binary::<i32>().iter().map(|bytes| bytes.map(<[u8]>::to_vec));
            Ok(places.into_iter().zip(contents).collect::<Vec<_>>())
        })?;
        let contents: HashMap<u64, Option<Vec<u8>>, RandomState> = contents.into_iter().flatten().collect();
        for (moment, places) in tied {
            let greatest =
                places.iter().max_by(|one, other| (contents.get(*one), other).cmp(&(contents.get(*other), one)));
            if let Some(place) = greatest {
                winners.decide(*moment, *place);
            }
        }
        Ok(())
    }
}
