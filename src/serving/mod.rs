//! Online features of entities: keys out of what is asked, statuses out of what is stored.

mod answer;
mod entities;
mod get_online;

pub use answer::{Answer, AnswerColumn, Answered, Status};
pub use entities::EntityTable;
pub use get_online::get_online;
