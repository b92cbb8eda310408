//! Parquet files: their footers, and their rows as Arrow arrays.

use std::{collections::HashMap, ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef},
    datatypes::{DataType as ArrowType, Field, FieldRef, Fields, Schema, TimeUnit},
    error::ArrowError,
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
            RowSelection, statistics::StatisticsConverter,
        },
    },
    basic::{ColumnOrder, LogicalType, Type as PhysicalType},
    errors::ParquetError,
    file::{
        metadata::{
            ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy, RowGroupMetaData,
        },
        reader::ChunkReader,
        statistics::Statistics,
    },
};

use super::{
    files::{End, Place, not_parquet},
    unify::element,
};
use crate::{
    model::printable,
    problem::{Kind, Problem},
};

/// Arrow's name of the extension type of UUIDs.
const EXTENSION_NAME: &str = "ARROW:extension:name";
const UUID: &str = "arrow.uuid";

/// The footer of a file.
#[derive(Debug, Clone)]
pub(crate) struct Footer {
    metadata: ArrowReaderMetadata,
    /// The columns as the file says; UUIDs are marked as such.
    pub fields: Fields,
}

impl Footer {
    /// Reads the footer of a file, which messages call `shown`; what it says of values only if that is
    /// wanted.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a parquet file.
    pub(crate) fn read(place: &Place, shown: &str, with_statistics: bool) -> Result<Self, Problem> {
        let mut end = place.end().map_err(|error| unreadable(shown, &error))?;
        let options = ParquetMetaDataOptions::new()
            .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_column_stats_policy(wanted(with_statistics))
            .with_size_stats_policy(wanted(with_statistics));
        let metadata =
            decoded(&mut end, &options).map_err(|error| within(&error).unwrap_or_else(|| not_parquet(place)))?;
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::new())
            .map_err(|_| not_parquet(place))?;
        let types = metadata.parquet_schema().root_schema().get_fields();
        let fields = metadata.schema().fields().iter().zip(types).map(|(field, kind)| {
            let field = field.as_ref().clone();
            let field = match field.data_type() {
                // How values are repeated is of no concern; not all kinds can be read so.
                ArrowType::Dictionary(_, values) => {
                    let values = values.as_ref().clone();
                    field.with_data_type(values)
                }
                // Parquet has days, unless something else is meant.
                ArrowType::Date64 if kind.is_primitive() && kind.get_physical_type() == PhysicalType::INT32 => {
                    field.with_data_type(ArrowType::Date32)
                }
                _ => field,
            };
            // Nanoseconds since 1970 do not hold all that twelve bytes can.
            if kind.is_primitive() && kind.get_physical_type() == PhysicalType::INT96 {
                return Arc::new(field.with_data_type(ArrowType::Timestamp(TimeUnit::Microsecond, None)));
            }
            if matches!(kind.get_basic_info().logical_type_ref(), Some(LogicalType::Uuid)) {
                let mut metadata = field.metadata().clone();
                metadata.insert(EXTENSION_NAME.to_owned(), UUID.to_owned());
                return Arc::new(field.with_metadata(metadata));
            }
            Arc::new(field)
        });
        let fields = fields.collect();
        Ok(Self { metadata, fields })
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// The row groups, in order.
    pub(crate) fn row_groups(&self) -> &[RowGroupMetaData] {
        self.metadata.metadata().row_groups()
    }

    /// Least and greatest value of a column in a row group, each an array of one, with the types of
    /// [`reading_schema`](Self::reading_schema); `None` where the file does not say, or means another order than that of
    /// the type. They may be beyond all values: long texts are cut off.
    pub(crate) fn bounds(&self, schema: &Schema, column: usize, row_group: usize) -> Option<(ArrayRef, ArrayRef)> {
        let name = schema.field(column).name();
        let converter = StatisticsConverter::try_new(name, schema, self.metadata.parquet_schema()).ok()?;
        let group = self.row_groups().get(row_group)?;
        let leaf = converter.parquet_column_index()?;
        let kind = schema.field(column).data_type();
        if !is_signed(kind) && !self.is_ordered(group, leaf) {
            return None;
        }
        Some((converter.row_group_mins([group]).ok()?, converter.row_group_maxes([group]).ok()?))
    }

    /// Whether bounds of a column follow the order of its type: before parquet-format 2.4 all values were compared as
    /// signed numbers.
    fn is_ordered(&self, group: &RowGroupMetaData, leaf: usize) -> bool {
        let orders = self.metadata.metadata().file_metadata().column_orders();
        let order = orders.and_then(|orders| orders.get(leaf));
        let is_old = group
            .columns()
            .get(leaf)
            .and_then(|chunk| chunk.statistics())
            .is_some_and(Statistics::is_min_max_deprecated);
        !is_old && order.is_some_and(|order| !matches!(order, ColumnOrder::UNDEFINED | ColumnOrder::UNKNOWN))
    }

    /// How many values of a column are null in a row group; `None` where the file does not say.
    pub(crate) fn nulls(&self, schema: &Schema, column: usize, row_group: usize) -> Option<u64> {
        let name = schema.field(column).name();
        let converter = StatisticsConverter::try_new(name, schema, self.metadata.parquet_schema()).ok()?;
        let converter = converter.with_missing_null_counts_as_zero(false);
        let nulls = converter.row_group_null_counts([self.row_groups().get(row_group)?]).ok()?;
        (nulls.len() == 1 && nulls.is_valid(0)).then(|| nulls.value(0))
    }

    /// How columns are asked for: texts and bytes stay where the pages have them.
    pub(crate) fn reading_schema(&self) -> Schema {
        let as_read = |(said, read): (&FieldRef, &FieldRef)| {
            let kind = match said.data_type() {
                ArrowType::Utf8 | ArrowType::LargeUtf8 => ArrowType::Utf8View,
                ArrowType::Binary | ArrowType::LargeBinary => ArrowType::BinaryView,
                _ => said.data_type().clone(),
            };
            Arc::new(read.as_ref().clone().with_data_type(kind))
        };
        let fields: Vec<FieldRef> = self.fields.iter().zip(self.metadata.schema().fields()).map(as_read).collect();
        Schema::new_with_metadata(fields, self.metadata.schema().metadata().clone())
    }

    /// The footer for reading rows.
    ///
    /// # Errors
    /// When the file's own schema contradicts itself.
    pub(crate) fn for_reading(&self, shown: &str) -> Result<ArrowReaderMetadata, Problem> {
        let options = ArrowReaderOptions::new().with_schema(Arc::new(self.reading_schema()));
        ArrowReaderMetadata::try_new(Arc::clone(self.metadata.metadata()), options)
            .map_err(|error| broken(shown, &error))
    }
}

/// The footer at the end of a file: the last bytes are read at once, and only if the footer is larger,
/// it is read once more.
fn decoded(file: &mut End<'_>, options: &ParquetMetaDataOptions) -> Result<ParquetMetaData, ParquetError> {
    /// Behind the footer: its length and the mark of the format.
    const BEHIND: usize = 8;
    let mut end = file.last(file.guess())?;
    let no_footer = || ParquetError::General("there is no footer".to_owned());
    let Some((_, [a, b, c, d, b'P', b'A', b'R', b'1'])) = end.split_last_chunk::<BEHIND>() else {
        return Err(no_footer());
    };
    let whole = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d]))? + BEHIND;
    if whole as u64 > file.bytes {
        return Err(no_footer());
    }
    if whole > end.len() {
        end = file.last(whole as u64)?;
    }
    ParquetMetaDataReader::decode_metadata_with_options(&end[end.len() - whole..end.len() - BEHIND], Some(options))
}

/// The problem that kept bytes from being read, in words of its own.
fn within(error: &ParquetError) -> Option<Problem> {
    let ParquetError::External(error) = error else { return None };
    Problem::within(error.downcast_ref()?).cloned()
}

/// Whether values of a type are numbers with signs, which were compared alike at all times.
const fn is_signed(kind: &ArrowType) -> bool {
    use ArrowType::{Date32, Date64, Float16, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp};
    matches!(kind, Int8 | Int16 | Int32 | Int64 | Float16 | Float32 | Float64 | Date32 | Date64 | Timestamp(..))
}

const fn wanted(wanted: bool) -> ParquetStatisticsPolicy {
    if wanted { ParquetStatisticsPolicy::KeepAll } else { ParquetStatisticsPolicy::SkipAll }
}

/// A column without a name whose values are UUIDs.
pub(crate) fn uuid_field(kind: ArrowType) -> Field {
    let metadata = HashMap::from([(EXTENSION_NAME.to_owned(), UUID.to_owned())]);
    Field::new("", kind, true).with_metadata(metadata)
}

/// Whether a column is one of UUIDs.
pub(crate) fn is_uuid(field: &Field) -> bool {
    field.metadata().get(EXTENSION_NAME).is_some_and(|name| name == UUID)
}

/// Reads columns of one row group.
///
/// `roots` are positions among the file's columns, ascending; batches have those columns. `picked` are the numbers of
/// the rows that are read, ascending; `None` is all.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read_row_group(
    file: impl ChunkReader + 'static,
    shown: &str,
    (metadata, roots): (ArrowReaderMetadata, &[usize]),
    row_group: usize,
    picked: Option<impl Iterator<Item = usize>>,
) -> Result<ParquetRecordBatchReader, Problem> {
    let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
    let rows = rows_at_once(&metadata, roots, row_group);
    let all = usize::try_from(metadata.metadata().row_group(row_group).num_rows()).unwrap_or(0);
    let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_row_groups(vec![row_group])
        .with_batch_size(rows);
    if let Some(picked) = picked {
        reader = reader.with_row_selection(RowSelection::from_consecutive_ranges(runs(picked).into_iter(), all));
    }
    reader.build().map_err(|error| broken(shown, &error))
}

/// Rows as runs of neighbours.
fn runs(rows: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some(run) if run.end == row => run.end += 1,
            _ => runs.push(row..row + 1),
        }
    }
    runs
}

/// Rows of a batch, unless their values are large.
const ROWS: usize = 8192;
/// The same for columns with lists, of which the engine copies whole batches.
const ROWS_OF_LISTS: usize = 2048;
/// About how many bytes a batch of large values has.
const BYTES: u64 = 4 << 20;

/// How many rows of a row group make a batch: it follows their size, so that memory does not.
fn rows_at_once(metadata: &ArrowReaderMetadata, roots: &[usize], row_group: usize) -> usize {
    let group = metadata.metadata().row_group(row_group);
    let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
    let schema = metadata.parquet_schema();
    let mut bytes = 0_u64;
    for (leaf, chunk) in group.columns().iter().enumerate() {
        if !roots.contains(&schema.get_column_root_idx(leaf)) {
            continue;
        }
        let sizes = [
            chunk.uncompressed_size(),
            // What a dictionary has once is there for every row.
            chunk.unencoded_byte_array_data_bytes().unwrap_or(0),
            chunk.num_values().saturating_mul(8),
        ];
        bytes += sizes.into_iter().filter_map(|size| u64::try_from(size).ok()).max().unwrap_or(0);
    }
    let nested = roots.iter().any(|root| has_lists(metadata.schema().field(*root).data_type()));
    let most = if nested { ROWS_OF_LISTS } else { ROWS };
    let fitting = BYTES.saturating_mul(rows) / bytes.max(1);
    usize::try_from(fitting).unwrap_or(most).clamp(1, most)
}

/// Whether values of a type are of any length, in elements.
pub(crate) fn has_lists(kind: &ArrowType) -> bool {
    match kind {
        ArrowType::Struct(fields) => fields.iter().any(|field| has_lists(field.data_type())),
        ArrowType::Map(..) => true,
        kind => element(kind).is_some(),
    }
}

/// The problem of a file that cannot be opened or read.
pub(crate) fn unreadable(shown: &str, error: &std::io::Error) -> Problem {
    let problem = || Problem::new(Kind::Unavailable, format!("cannot read {shown}: {error}"), None);
    Problem::within(error).cloned().unwrap_or_else(problem)
}

fn broken(shown: &str, error: &ParquetError) -> Problem {
    let reason = printable(&error.to_string()).into_owned();
    Problem::new(Kind::Internal, format!("{shown} is not a readable parquet file: {reason}"), None)
}

/// The problem of rows that cannot be decoded.
pub(crate) fn undecodable(shown: &str, error: &ArrowError) -> Problem {
    let reason = error.to_string();
    Problem::new(Kind::Internal, format!("{shown} is damaged: {}", printable(&reason)), "write it again".to_owned())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, path::Path};

    use arrow::array::{Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;

    use super::*;

    /// A file with one row.
    fn write(path: &Path, columns: usize) {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
        let columns = (0..columns).map(|index| (format!("column{index}"), Arc::clone(&column)));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn footers_of_all_sizes_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.parquet");
        for columns in [1, 30, 2_000] {
            write(&path, columns);
            let footer = Footer::read(&path.as_path().into(), "rows", true).unwrap();
            assert_eq!((footer.fields.len(), footer.rows()), (columns, 1));
            let (least, greatest) = footer.bounds(&footer.reading_schema(), columns - 1, 0).unwrap();
            assert_eq!((least.len(), greatest.len()), (1, 1));
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 1, 7, 8, 4_000, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(Footer::read(&path.as_path().into(), "rows", true).is_err(), "{cut} bytes");
        }
        let mut lying = whole;
        let length = lying.len() - 8;
        lying[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        std::fs::write(&path, lying).unwrap();
        assert!(Footer::read(&path.as_path().into(), "rows", true).is_err());
    }
}
