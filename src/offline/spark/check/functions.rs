//! Functions that statements of feastr need.

use crate::{offline::spark::session::Session, problem::Problem};

/// Each with an expression that uses it.
const FUNCTIONS: [(&str, &str); 13] = [
    ("unix_micros", "unix_micros(TIMESTAMP '2024-03-01 00:00:00')"),
    ("timestamp_micros", "timestamp_micros(0L)"),
    ("try_to_timestamp", "try_to_timestamp('2024-03-01')"),
    ("try_cast", "try_cast('x' AS BIGINT)"),
    ("coalesce", "coalesce(NULL, 1)"),
    ("greatest", "greatest(1, 2)"),
    ("named_struct", "named_struct('a', 1)"),
    ("max_by", "max_by(1, 2)"),
    ("count_if", "count_if(true)"),
    ("approx_count_distinct", "approx_count_distinct(1)"),
    ("last_value", "last_value(1) IGNORE NULLS OVER (ORDER BY 1)"),
    ("row_number", "row_number() OVER (ORDER BY 1)"),
    ("monotonically_increasing_id", "monotonically_increasing_id()"),
];

/// Those that a server does not have.
///
/// # Errors
/// When it is away.
pub(super) fn missing(session: &Session) -> Result<Vec<&'static str>, Problem> {
    let mut missing = Vec::new();
    for (name, expression) in FUNCTIONS {
        if !session.understands(&format!("SELECT {expression} AS x"))? {
            missing.push(name);
        }
    }
    Ok(missing)
}
