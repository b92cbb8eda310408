//! New rows from those of a log: the few expressions that finding files needs.

use std::sync::Arc;

use delta_kernel::{
    EngineData, Expression, ExpressionEvaluator, ExpressionRef, KernelError, KernelResult,
    expressions::Scalar,
    schema::{DataType, SchemaRef, StructType},
};
use serde_json::{Map, Value};

use super::rows::{Rows, at};

/// A row of columns from each row.
pub(super) struct Projection {
    expression: ExpressionRef,
    output: SchemaRef,
}

impl Projection {
    /// # Errors
    /// When the output is not a row.
    pub(super) fn new(expression: ExpressionRef, output: DataType) -> KernelResult<Self> {
        match output {
            DataType::Struct(output) => Ok(Self { expression, output: Arc::from(output) }),
            other => Err(KernelError::unsupported(format!("values of type {other} from a log"))),
        }
    }
}

impl ExpressionEvaluator for Projection {
    fn evaluate(&self, batch: &dyn EngineData) -> KernelResult<Box<dyn EngineData>> {
        let Some(rows) = batch.any_ref().downcast_ref::<Rows>() else {
            return Err(KernelError::engine_data_type("rows of a log"));
        };
        let projected = rows.iter().map(|row| value(&self.expression, row, Some(&self.output)));
        Ok(Box::new(Rows::new(Arc::clone(&self.output), projected.collect::<KernelResult<_>>()?)))
    }
}

/// What an expression is of a row; `members` names the parts of a struct.
fn value(expression: &Expression, row: &Value, members: Option<&StructType>) -> KernelResult<Value> {
    match (expression, members) {
        (Expression::Column(name), _) => Ok(at(row, name.path()).clone()),
        (Expression::Literal(Scalar::Null(_)), _) => Ok(Value::Null),
        (Expression::Struct(parts, None), Some(members)) if parts.len() == members.fields().len() => {
            let mut object = Map::with_capacity(parts.len());
            for (part, member) in parts.iter().zip(members.fields()) {
                let members = match member.data_type() {
                    DataType::Struct(members) => Some(&**members),
                    _ => None,
                };
                object.insert(member.name().clone(), value(part, row, members)?);
            }
            Ok(Value::Object(object))
        }
        (other, _) => Err(KernelError::unsupported(format!("the expression {other} over a log"))),
    }
}
