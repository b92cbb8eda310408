//! Which version of a Delta table is read, as written.

use serde_json::{Value, json};

use crate::{
    diagnostics::Diagnostics,
    model::Timestamp,
    yaml::{Node, Read, Schemas},
};

/// The number of a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableNumber(pub u64);

impl Read for TableNumber {
    const EXPECTED: &'static str = "the number of a version";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let number = i64::read(node, diagnostics)?;
        let version = u64::try_from(number).map_err(|_| {
            diagnostics.error(&node.span, format!("versions are counted from 0, and this is {number}"));
        });
        version.ok().map(Self)
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

/// The moment as of which a table is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableMoment(pub Timestamp);

impl Read for TableMoment {
    const EXPECTED: &'static str = "a moment such as 2026-01-31T12:00:00Z";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        let moment = Timestamp::absolute(&text);
        if moment.is_none() {
            let help = "write it like 2026-01-31T12:00:00Z; without a zone it is UTC".to_owned();
            diagnostics.error_with_help(&node.span, format!("`{text}` is not a moment"), help);
        }
        moment.map(Self)
    }

    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "string", "examples": ["2026-01-31", "2026-01-31T12:00:00Z"] })
    }
}
