//! Online features of entities: builds entity keys from requests and statuses from stored values.

mod answer;
mod get_online;
mod keys;

pub use answer::{Answer, AnswerColumn, Answered, Status};
pub use get_online::OnlineFeatures;
