//! What is answered, as JSON.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value as Json};

use crate::app::registered::Page;

/// An answer in JSON, which no page may frame or take for something else.
pub(super) fn json(status: StatusCode, value: &Json) -> Response {
    // It consists of texts and numbers.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ];
    (status, headers, text).into_response()
}

/// Where a page is, as the JSON of protobuf has it: what is 0 or false is left out.
pub(super) fn pagination<T>(page: &Page<T>) -> Json {
    let mut info = Map::new();
    let mut number = |name: &str, number: usize| {
        if number > 0 {
            info.insert(name.to_owned(), number.into());
        }
    };
    number("page", page.number as usize);
    number("limit", page.limit as usize);
    number("totalCount", page.total);
    number("totalPages", page.pages);
    if page.has_next {
        info.insert("hasNext".to_owned(), true.into());
    }
    if page.has_previous {
        info.insert("hasPrevious".to_owned(), true.into());
    }
    Json::Object(info)
}

/// The same of a list over all projects, which tells its page also where it has no entries.
pub(super) fn pagination_of_many<T>(page: &Page<T>, (number, limit): (u32, u32)) -> Json {
    let mut info = pagination(page);
    if let (Json::Object(info), 0) = (&mut info, page.total) {
        info.insert("page".to_owned(), number.into());
        info.insert("limit".to_owned(), limit.into());
    }
    info
}
