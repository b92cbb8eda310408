//! Online features of entities: builds entity keys from requests and statuses from stored values.

mod answer;
mod computed;
mod get_online;
mod keys;
mod request;

pub use answer::{Answer, AnswerColumn, Answered, Status};
pub use get_online::OnlineFeatures;
