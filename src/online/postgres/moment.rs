use std::error::Error;

use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use crate::{clients::postgres::ORIGIN, model::Timestamp};

/// A `timestamptz`: on the wire microseconds since 2000, whatever zone a session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub Timestamp);

impl ToSql for Moment {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.micros().saturating_sub(ORIGIN).to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        // The largest numbers stand for infinity.
        Ok(Self(Timestamp::from_micros(i64::from_sql(kind, raw)?.saturating_add(ORIGIN))))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}
