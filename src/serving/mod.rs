//! Online features of entities: builds entity keys from requests and statuses from stored values, or asks a feature server.

mod answer;
mod answer_json;
mod asked;
mod computed;
mod get_online;
mod key_column;
mod keys;
mod registered_keys;
mod request;
mod request_keys;
mod served;

pub use answer::{Answer, AnswerColumn, Answered, AnsweredView, Status, ViewVersion};
pub use asked::{Asked, RequestColumns};
pub use get_online::OnlineFeatures;
pub use served::ServedFeatures;
