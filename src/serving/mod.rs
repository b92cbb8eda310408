//! Online features of entities: keys out of what is asked, statuses out of what is stored.

mod answer;
mod get_online;
mod keys;

pub use answer::{Answer, AnswerColumn, Answered, Status};
pub use get_online::get_online;
