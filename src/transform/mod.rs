//! On-demand features, computed: the expressions of views over rows of their inputs, in an embedded DuckDB that can reach
//! nothing else. Training, serving and materialization compute through the same [`Evaluator`], so that they cannot differ.

mod engine;
mod evaluator;
mod fit;
mod input_rows;
mod parameters;
mod training;

pub use engine::Engine;
pub use evaluator::{Computed, Evaluator, FailedCell};
pub use fit::misfits;
pub use training::{ComputedRows, computed_columns};

#[cfg(test)]
mod tests;
