//! Made-up statistics of five drivers, the same on every run for the same end.

use std::{fs::File, io, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Float32Array, Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, TimeUnit},
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

use crate::model::Timestamp;

const DRIVERS: [i64; 5] = [1001, 1002, 1003, 1004, 1005];
const HOURS: i64 = 15 * 24;
const HOUR: i64 = 3_600_000_000;
const MINUTE: i64 = 60_000_000;

/// The files of the sample data.
pub const FILES: [&str; 3] = ["driver_stats.parquet", "entity_rows.csv", "pushed_rows.csv"];

/// Writes `driver_stats.parquet` (one row per driver and hour of 15 days, the last full hour before
/// `end` being the newest), `entity_rows.csv` (drivers at times within them) and `pushed_rows.csv` (what came since) into
/// `folder`.
///
/// # Errors
/// When the files cannot be written.
pub fn write(folder: &Path, end: Timestamp) -> io::Result<()> {
    let last_hour = end.micros() - end.micros().rem_euclid(HOUR);
    let [stats, rows, pushed] = FILES;
    write_stats(&folder.join(stats), last_hour)?;
    std::fs::write(folder.join(rows), entity_rows(last_hour))?;
    std::fs::write(folder.join(pushed), pushed_rows(end))
}

fn write_stats(path: &Path, last_hour: i64) -> io::Result<()> {
    let mut random = Random(0x5EED);
    let rows = (0..HOURS).rev().flat_map(|hours_ago| DRIVERS.map(|driver| (last_hour - hours_ago * HOUR, driver)));
    let (mut events, mut drivers, mut conv, mut acc, mut trips, mut created) =
        <(Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    for (event, driver) in rows {
        events.push(event);
        drivers.push(driver);
        conv.push(random.share());
        acc.push(random.share());
        trips.push(i64::from(random.next() % 1000));
        // Rows are written a few minutes after the hour they describe.
        created.push(event + 7 * MINUTE);
    }
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let schema = Arc::new(Schema::new(vec![
        Field::new("event_timestamp", time.clone(), false),
        Field::new("driver_id", DataType::Int64, false),
        Field::new("conv_rate", DataType::Float32, false),
        Field::new("acc_rate", DataType::Float32, false),
        Field::new("avg_daily_trips", DataType::Int64, false),
        Field::new("created", time, false),
    ]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMicrosecondArray::from(events).with_timezone("UTC")),
        Arc::new(Int64Array::from(drivers)),
        Arc::new(Float32Array::from(conv)),
        Arc::new(Float32Array::from(acc)),
        Arc::new(Int64Array::from(trips)),
        Arc::new(TimestampMicrosecondArray::from(created).with_timezone("UTC")),
    ];
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(io::Error::other)?;
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_created_by("feastr".to_owned()).build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, schema, Some(properties)).map_err(io::Error::other)?;
    writer.write(&batch).map_err(io::Error::other)?;
    writer.close().map_err(io::Error::other)?;
    Ok(())
}

/// Times after, before and far outside of the statistics' hours, and a driver nobody knows; with the values of a request.
fn entity_rows(last_hour: i64) -> String {
    let rows = [
        (1001, last_hour - 26 * HOUR + 41 * MINUTE),
        (1002, last_hour - 3 * HOUR + 12 * MINUTE),
        (1003, last_hour),
        (1004, last_hour - 40 * 24 * HOUR),
        (1099, last_hour),
    ];
    let lines = rows
        .iter()
        .zip(1..)
        .map(|((driver, at), number)| format!("{driver},{},{number},{}\n", Timestamp::from_micros(*at), 10 * number));
    format!("driver_id,event_timestamp,val_to_add,val_to_add_2\n{}", lines.collect::<String>())
}

/// Statistics of two drivers at the end, which is a second after a full hour at least.
fn pushed_rows(end: Timestamp) -> String {
    const SECOND: i64 = 1_000_000;
    let end = end.micros() - end.micros().rem_euclid(SECOND);
    let at = Timestamp::from_micros(if end % HOUR == 0 { end + SECOND } else { end });
    format!(
        "driver_id,event_timestamp,created,conv_rate,acc_rate,avg_daily_trips\n1001,{at},{at},0.9125,0.9874,12\n\
         1002,{at},{at},0.4375,0.9511,7\n"
    )
}

/// A linear congruential generator: all that made-up numbers need, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// A number from 0 to below 1 with four digits.
    fn share(&mut self) -> f32 {
        (self.next() % 10_000) as f32 / 10_000.0
    }
}
