//! Rows that somebody has in hand, for a push source: checked against all views that it feeds before anything is written,
//! then the newest of each entity for the online store, and all of them beside the history of the source.

mod columns;
mod days;
mod exact;
mod fed;
mod history;
mod newest;
mod one_view;
mod outgoing;
mod report;
mod sent_rows;
mod to;

pub use columns::{Naming, Needs};
pub use fed::{Fed, FedView};
pub use history::{History, Staged};
pub use newest::{Checks, Newest};
pub use one_view::named_view;
pub use outgoing::Outgoing;
pub use report::{Added, LeftOut, PushReport, Sent, ViewReport};
pub use to::To;
