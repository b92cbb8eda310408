use super::raw::{EntityValueType, RawProjection};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    feast::data_types,
    model::{DataType, Ttl},
    yaml::{Content, Node, Read, Scalar, Spanned},
};

/// A ttl as written.
#[derive(Debug, Clone)]
pub struct Timespan(pub Ttl);

impl Read for Timespan {
    const EXPECTED: &'static str = "a duration such as 1d";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let parsed = match node.scalar() {
            Some(Scalar::Integer(0)) => Ok(Ttl::UNLIMITED),
            Some(Scalar::Text(text)) => text.parse::<Ttl>().map_err(|error| (error.to_string(), None)),
            Some(Scalar::Integer(number)) => {
                Err((format!("`{number}` is a duration without a unit"), Some(format!("write {number}s for seconds"))))
            }
            _ => Err((format!("expected {}, found {}", Self::EXPECTED, node.describe()), None)),
        };
        match parsed {
            Ok(ttl) => Some(Self(ttl)),
            Err((message, help)) => {
                diagnostics.error_with_help(&node.span, message, help);
                None
            }
        }
    }
}

impl Read for DataType {
    const EXPECTED: &'static str = "a type such as Int64";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        match text.parse::<Self>() {
            Ok(dtype) if data_types::to_wire(&dtype).number != 0 => Some(dtype),
            Ok(dtype) => {
                diagnostics.error(&node.span, format!("Feast has no way to store values of type {dtype}"));
                None
            }
            Err(_) => {
                let help = did_you_mean(&text, Self::names());
                diagnostics.error_with_help(&node.span, format!("`{text}` is not a type"), help);
                None
            }
        }
    }
}

impl Read for EntityValueType {
    const EXPECTED: &'static str = "a type such as INT64";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        const NAMES: [&str; 5] = ["STRING", "INT64", "INT32", "BYTES", "UNIX_TIMESTAMP"];
        let text = String::read(node, diagnostics)?;
        let Some(dtype) = data_types::parse_value_type(&text).or_else(|| text.parse().ok()) else {
            diagnostics.error_with_help(&node.span, format!("`{text}` is not a type"), did_you_mean(&text, NAMES));
            return None;
        };
        if !dtype.is_join_key() {
            diagnostics.error_with_help(
                &node.span,
                format!("entities cannot be identified by {text} values"),
                format!("use one of {}", NAMES.join(", ")),
            );
            return None;
        }
        Some(Self(dtype))
    }
}

/// A member of a feature service in any of its three forms.
#[derive(Debug, Clone)]
pub struct Member {
    pub view: Spanned<String>,
    /// `None` selects every feature of the view.
    pub features: Option<Vec<Spanned<String>>>,
    pub name_alias: Option<Spanned<String>>,
    pub join_key_map: Option<Spanned<crate::model::Tags>>,
}

impl Read for Member {
    const EXPECTED: &'static str = "a view name, or {view: [features]}";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.content {
            Content::Scalar(_) => {
                let view = Spanned::read(node, diagnostics)?;
                Some(Self { view, features: None, name_alias: None, join_key_map: None })
            }
            // `{view: [a]}` selects features of a view that is called `view`.
            Content::Mapping(entries) if entries.len() == 1 && matches!(entries[0].1.content, Content::List(_)) => {
                let (view, features) = &entries[0];
                let view = Spanned::read(view, diagnostics);
                let features = Vec::read(features, diagnostics);
                Some(Self { view: view?, features: Some(features?), name_alias: None, join_key_map: None })
            }
            Content::Mapping(_) => {
                let raw = RawProjection::read(node, diagnostics)?;
                Some(Self {
                    view: raw.view,
                    features: raw.features,
                    name_alias: raw.name_alias,
                    join_key_map: raw.join_key_map,
                })
            }
            Content::List(_) => {
                diagnostics.error(&node.span, format!("expected {}, found {}", Self::EXPECTED, node.describe()));
                None
            }
        }
    }
}
