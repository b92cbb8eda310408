//! Lists in an order, and in pages, as Feast's registry server cuts them.

use std::cmp::Ordering;

use serde_json::Value;

/// What part of a list is wanted, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paging {
    /// The page, from 1, and how many entries it has; `None` for all.
    pub page: Option<(u32, u32)>,
    /// The order; `None` leaves it as it is.
    pub sorting: Option<Sorting>,
}

/// An order of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorting {
    /// The path to a value in Feast's words, such as `name` or `meta.created_timestamp`.
    pub by: String,
    /// From the last to the first.
    pub is_descending: bool,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Which page, from 1, and how many entries a page has; 0 if there are no pages or no entries.
    pub number: u32,
    /// See `number`.
    pub limit: u32,
    /// How many entries there are.
    pub total: usize,
    /// How many pages there are; 0 without entries.
    pub pages: usize,
    /// Whether there is one after this.
    pub has_next: bool,
    /// Whether there is one before this.
    pub has_previous: bool,
}

/// What entries are compared by. Texts are compared without their case, and what has no value comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct SortValue {
    text: String,
    is_there: bool,
    number: f64,
}

impl Paging {
    /// The part of a list; `value` gives what an entry is compared by.
    pub fn cut<T>(&self, mut entries: Vec<T>, value: impl Fn(&T, &str) -> SortValue) -> Page<T> {
        let total = entries.len();
        if total == 0 {
            return Page { entries, number: 0, limit: 0, total, pages: 0, has_next: false, has_previous: false };
        }
        if let Some(Sorting { by, is_descending }) =
            self.sorting.as_ref().filter(|sorting| !sorting.by.trim().is_empty())
        {
            let mut keyed: Vec<(SortValue, T)> = entries.into_iter().map(|entry| (value(&entry, by), entry)).collect();
            // What is equal stays in its order, also backwards.
            keyed.sort_by(|(a, _), (b, _)| if *is_descending { b.compare(a) } else { a.compare(b) });
            entries = keyed.into_iter().map(|(_, entry)| entry).collect();
        }
        let Some((number, limit)) = self.page.filter(|(number, limit)| *number > 0 && *limit > 0) else {
            return Page { entries, number: 0, limit: 0, total, pages: 1, has_next: false, has_previous: false };
        };
        let (at, size) = (number as usize - 1, limit as usize);
        let pages = total.div_ceil(size);
        let entries = entries.into_iter().skip(at.saturating_mul(size)).take(size).collect();
        Page { entries, number, limit, total, pages, has_next: (number as usize) < pages, has_previous: number > 1 }
    }
}

impl SortValue {
    /// A text.
    pub fn text(text: &str) -> Self {
        // Times are texts whose fractions have as many digits as they need, before a Z.
        Self { text: text.to_lowercase().trim_end_matches('z').to_owned(), is_there: true, number: 0.0 }
    }

    /// Nothing.
    pub const fn none() -> Self {
        Self { text: String::new(), is_there: false, number: 0.0 }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let key = |value: &Self| (value.is_there, value.number);
        let (a, b) = (key(self), key(other));
        self.text.cmp(&other.text).then(a.0.cmp(&b.0)).then(a.1.total_cmp(&b.1))
    }
}

impl From<&Value> for SortValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::none(),
            Value::String(text) => Self::text(text),
            Value::Number(number) => {
                Self { number: number.as_f64().unwrap_or_default(), is_there: true, text: String::new() }
            }
            other => Self::text(&other.to_string()),
        }
    }
}

/// The value at a path of Feast's words in the JSON of an object, which is looked for in the object, its `spec` and its
/// `meta`.
pub fn sort_value(json: &Value, path: &str) -> SortValue {
    let places = [Some(json), json.get("spec"), json.get("meta")];
    let found = places.into_iter().flatten().find_map(|place| {
        path.split('.').try_fold(place, |place, word| place.get(camel_case(word)).or_else(|| place.get(word)))
    });
    found.map_or_else(SortValue::none, SortValue::from)
}

fn camel_case(word: &str) -> String {
    let mut parts = word.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut name, part| {
        let mut letters = part.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cut(page: Option<(u32, u32)>, by: Option<(&str, bool)>, entries: &[Value]) -> Page<Value> {
        let sorting = by.map(|(by, is_descending)| Sorting { by: by.to_owned(), is_descending });
        Paging { page, sorting }.cut(entries.to_vec(), sort_value)
    }

    #[test]
    fn pages_tell_where_they_are() {
        let entries: Vec<Value> = (0..5).map(|number| json!({"spec": {"name": format!("e{number}")}})).collect();
        let names =
            |page: &Page<Value>| page.entries.iter().map(|entry| entry["spec"]["name"].clone()).collect::<Vec<_>>();
        let page = cut(Some((2, 2)), Some(("name", true)), &entries);
        assert_eq!(names(&page), ["e2", "e1"]);
        assert_eq!((page.number, page.limit, page.total, page.pages), (2, 2, 5, 3));
        assert!(page.has_next && page.has_previous);
        let beyond = cut(Some((4, 2)), None, &entries);
        assert!(beyond.entries.is_empty() && !beyond.has_next && beyond.has_previous);
        assert_eq!(cut(Some((u32::MAX, u32::MAX)), None, &entries).entries.len(), 0);
        let all = cut(None, None, &entries);
        assert_eq!((all.entries.len(), all.number, all.limit, all.pages), (5, 0, 0, 1));
        // Without entries, Feast tells of no page at all.
        let none = cut(Some((1, 10)), None, &[]);
        assert_eq!((none.number, none.limit, none.pages, none.has_next), (0, 0, 0, false));
    }

    #[test]
    fn values_are_found_by_the_words_of_feast() {
        let entry = json!({"spec": {"name": "B", "tags": {"a_b": "x"}, "joinKey": "k"}, "meta": {"createdTimestamp": "2026-01-01T00:00:00Z"}});
        for (path, text) in [
            ("name", "b"),
            ("spec.name", "b"),
            ("join_key", "k"),
            ("tags.a_b", "x"),
            ("created_timestamp", "2026-01-01t00:00:00"),
        ] {
            assert_eq!(
                sort_value(&entry, path),
                SortValue { text: text.to_owned(), is_there: true, number: 0.0 },
                "{path}"
            );
        }
        for path in ["", "nothing", "name.more", "spec..name"] {
            assert_eq!(sort_value(&entry, path), SortValue::none(), "{path}");
        }
    }

    #[test]
    fn entries_without_the_value_come_first_and_numbers_are_compared_as_such() {
        let entries = [json!({"n": 10}), json!({"n": 9}), json!({})];
        let order = cut(None, Some(("n", false)), &entries).entries;
        assert_eq!(order, [json!({}), json!({"n": 9}), json!({"n": 10})]);
    }
}
