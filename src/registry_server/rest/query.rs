//! What a request says behind its path, as its route wants it.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::{
    parameters::{Parameter, Values},
    refusal::Refusal,
};
use crate::{
    app::registered::{Freshness, Paging, Sorting},
    model::{Tags, printable},
};

/// Parameters that are as they should be; others than those of the route are not read.
#[derive(Debug, Default)]
pub(super) struct Query {
    given: BTreeMap<&'static str, Vec<String>>,
}

impl Query {
    /// Reads the part behind the question mark.
    ///
    /// # Errors
    /// For the first parameter that is missing, or is not what it can be.
    pub(super) fn read<'p>(
        text: Option<&str>,
        parameters: impl Iterator<Item = &'p Parameter> + Clone,
    ) -> Result<Self, Refusal> {
        let mut given: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            if let Some(parameter) = parameters.clone().find(|parameter| parameter.name == name) {
                check(parameter, &value)?;
                given.entry(parameter.name).or_default().push(value.into_owned());
            }
        }
        for parameter in parameters.filter(|parameter| parameter.is_required) {
            if !given.contains_key(parameter.name) {
                return Err(Refusal::parameter(parameter.name, "it is missing"));
            }
        }
        Ok(Self { given })
    }

    /// A text; an empty one if it is not given.
    pub(super) fn text(&self, name: &str) -> &str {
        self.given.get(name).and_then(|values| values.last()).map_or("", String::as_str)
    }

    /// Texts, but for empty ones.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.given.get(name).into_iter().flatten().map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// Whether something is wanted that is not, unless one says so.
    pub(super) fn wants(&self, name: &str) -> bool {
        is_true(self.text(name)).unwrap_or(false)
    }

    /// How right the answer has to be.
    pub(super) fn freshness(&self) -> Freshness {
        if is_true(self.text("allow_cache")).unwrap_or(true) { Freshness::Kept } else { Freshness::Now }
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.text(name).parse().ok()
    }

    /// Labels; what is none is not read, as in Feast.
    pub(super) fn tags(&self) -> Tags {
        let pairs = self.texts("tags").filter_map(|tag| tag.split_once(':'));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Which part of a list is wanted: all of it, unless page and limit are given.
    pub(super) fn paging(&self) -> Paging {
        Paging { page: self.number("page").zip(self.number("limit")), sorting: self.sorting() }
    }

    /// Which part of a list over all projects is wanted: never all of it.
    pub(super) fn paging_of_many(&self) -> Paging {
        const LIMIT: u32 = 50;
        let page = (self.number("page").unwrap_or(1), self.number("limit").unwrap_or(LIMIT));
        Paging { page: Some(page), sorting: self.sorting() }
    }

    fn sorting(&self) -> Option<Sorting> {
        let by = self.text("sort_by");
        (!by.is_empty()).then(|| Sorting { by: by.to_owned(), is_descending: self.text("sort_order") == "desc" })
    }
}

fn check(parameter: &Parameter, value: &str) -> Result<(), Refusal> {
    let wrong = |why: String| Err(Refusal::parameter(parameter.name, &format!("{why}, not `{}`", printable(value))));
    match parameter.values {
        Values::Text | Values::Texts | Values::Tags => Ok(()),
        Values::Flag(_) if is_true(value).is_some() => Ok(()),
        Values::Flag(_) => wrong("it should be `true` or `false`".to_owned()),
        Values::Words(words) if words.contains(&value) => Ok(()),
        Values::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            wrong(format!("it should be one of {}", words.join(", ")))
        }
        Values::Number(most) => match value.parse::<u32>() {
            Ok(number) if (1..=most).contains(&number) => Ok(()),
            Ok(0) => wrong("it should be at least 1".to_owned()),
            Ok(_) => wrong(format!("it should be at most {most}")),
            Err(_) => wrong("it should be a whole number from 1 on".to_owned()),
        },
    }
}

/// The words of FastAPI for yes and no.
fn is_true(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "t" | "y" => Some(true),
        "false" | "0" | "no" | "off" | "f" | "n" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::parameters::{ALLOW_CACHE, LIMIT, PAGE, PROJECT, SORT_BY, SORT_ORDER, TAGS},
        *,
    };

    const ALL: [Parameter; 7] = [PROJECT, ALLOW_CACHE, PAGE, LIMIT, SORT_BY, SORT_ORDER, TAGS];

    fn read(text: &str) -> Result<Query, String> {
        Query::read(Some(text), ALL.iter()).map_err(|refusal| refusal.words())
    }

    #[test]
    fn what_is_said_is_read() {
        let query =
            read("project=a%2Fb&tags=x:1:2&tags=none&page=2&limit=100&sort_by=name&sort_order=desc&more=1").unwrap();
        assert_eq!(query.text("project"), "a/b");
        assert_eq!(query.tags(), Tags::from([("x".to_owned(), "1:2".to_owned())]));
        let sorting = Some(Sorting { by: "name".to_owned(), is_descending: true });
        assert_eq!(query.paging(), Paging { page: Some((2, 100)), sorting });
        assert_eq!(query.freshness(), Freshness::Kept);
        assert_eq!(read("project=x&allow_cache=no").unwrap().freshness(), Freshness::Now);
        assert_eq!(read("project=x&page=3").unwrap().paging().page, None, "as in Feast");
        assert_eq!(read("project=x&page=3").unwrap().paging_of_many().page, Some((3, 50)));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, why) in [
            ("", "`project`: it is missing"),
            ("project=x&page=0", "`page`: it should be at least 1, not `0`"),
            ("project=x&limit=1000", "`limit`: it should be at most 100, not `1000`"),
            ("project=x&limit=-1", "`limit`: it should be a whole number from 1 on, not `-1`"),
            ("project=x&sort_order=up", "`sort_order`: it should be one of `asc`, `desc`, not `up`"),
            ("project=x&allow_cache=maybe%0A", "`allow_cache`: it should be `true` or `false`, not `maybe\\n`"),
        ] {
            assert_eq!(read(text).unwrap_err(), format!("the parameter {why}"), "{text}");
        }
    }
}
