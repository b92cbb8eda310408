//! Batches of rows into the format that is asked for, as they come.

use std::ops::ControlFlow;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Format, Target,
    target::LastFailure,
    writer::{OpenWriter, RowWriter, SinkError},
};
use crate::offline::BatchSink;

/// Writes a streamed result.
pub struct RowSink {
    /// Taken when the columns are known.
    opening: Option<(OpenWriter, Target)>,
    writer: Option<Box<dyn RowWriter>>,
    rows: usize,
    failure: Option<SinkError>,
    target_failure: LastFailure,
}

impl RowSink {
    /// Rows in this format, to this target.
    pub fn new(format: Format, target: Target) -> Self {
        Self::written_by(Box::new(move |target, schema| format.writer(target, schema)), target)
    }

    /// Rows as somebody else writes them, to this target.
    pub fn written_by(open: OpenWriter, target: Target) -> Self {
        let target_failure = target.failure();
        Self { opening: Some((open, target)), writer: None, rows: 0, failure: None, target_failure }
    }

    /// Completes the output and tells how many rows went through.
    ///
    /// # Errors
    /// When anything could not be written, now or before.
    pub fn finish(self) -> Result<usize, SinkError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if let Some(writer) = self.writer {
            let target = writer.finish().map_err(|error| self.target_failure.get().map_or(error, SinkError::Io))?;
            target.finish()?;
        }
        Ok(self.rows)
    }

    /// Whether writing failed, which is why a query was broken off.
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    fn settle(&mut self, result: Result<(), SinkError>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(self.target_failure.get().map_or(failure, SinkError::Io));
                ControlFlow::Break(())
            }
        }
    }
}

impl BatchSink for RowSink {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let Some((open, target)) = self.opening.take() else { return ControlFlow::Continue(()) };
        let opened = open(target, schema).map(|writer| self.writer = Some(writer));
        self.settle(opened)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let Some(writer) = &mut self.writer else { return ControlFlow::Continue(()) };
        let written = writer.write(batch);
        self.rows += batch.num_rows();
        self.settle(written)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{Array as _, ArrayRef, Float32Array, Float64Array, ListArray, StructArray},
        datatypes::{Field, Float64Type},
    };

    use super::*;

    fn lines(columns: Vec<(&str, ArrayRef)>) -> Vec<String> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let mut sink = RowSink::new(Format::Jsonl, Target::file(&path).unwrap());
        assert!(sink.start(&batch.schema()).is_continue() && sink.batch(&batch).is_continue());
        sink.finish().unwrap();
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn json_has_words_for_floats_that_are_no_numbers() {
        let doubles = Float64Array::from(vec![Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(f64::NAN), None]);
        let floats = Float32Array::from(vec![Some(f32::NAN), Some(0.1), None, Some(f32::INFINITY)]);
        let list = [Some(vec![Some(1.5), Some(f64::NEG_INFINITY), None]), None, Some(vec![]), Some(vec![Some(2.0)])];
        let list = ListArray::from_iter_primitive::<Float64Type, _, _>(list);
        let member: (_, ArrayRef) =
            (Arc::new(Field::new("m", floats.data_type().clone(), true)), Arc::new(floats.clone()));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("d", Arc::new(doubles)),
            ("f", Arc::new(floats)),
            ("l", Arc::new(list)),
            ("s", Arc::new(StructArray::from(vec![member]))),
        ];
        assert_eq!(
            lines(columns),
            [
                r#"{"d":"Infinity","f":"NaN","l":[1.5,"-Infinity",null],"s":{"m":"NaN"}}"#,
                r#"{"d":"-Infinity","f":0.1,"l":null,"s":{"m":0.1}}"#,
                r#"{"d":"NaN","f":null,"l":[],"s":{"m":null}}"#,
                r#"{"d":null,"f":"Infinity","l":[2.0],"s":{"m":"Infinity"}}"#,
            ]
        );
    }
}
