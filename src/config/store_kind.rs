use crate::{
    diagnostics::{Diagnostics, Span, did_you_mean},
    yaml::{Node, Read, Spanned},
};

/// The `type` of a store mapping, before its other keys are looked at.
pub(crate) fn mapping_kind(
    store: &str,
    node: &Node,
    default: &str,
    kinds: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let entry = node.entries().and_then(|entries| entries.iter().find(|(key, _)| key.as_text() == Some("type")));
    let kind = match entry {
        Some((_, value)) => Spanned::<String>::read(value, diagnostics)?,
        None => Spanned { value: default.to_owned(), span: node.span.clone() },
    };
    if kinds.contains(&kind.value.as_str()) {
        Some(kind.value)
    } else {
        unsupported_store(store, &kind.value, &kind.span, kinds, diagnostics)
    }
}

/// Says that there is no such kind of store here.
pub(crate) fn unsupported_store<T>(
    store: &str,
    kind: &str,
    span: &Span,
    kinds: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let help = did_you_mean(kind, kinds.iter().copied());
    diagnostics.error_with_help(span, format!("{store} store `{kind}` is not supported yet"), help);
    None
}

/// Says that a switch which is on does nothing.
pub(crate) fn unsupported_flag(flag: &Spanned<bool>, name: &str, diagnostics: &mut Diagnostics) {
    if flag.value {
        diagnostics.error(&flag.span, format!("`{name}` is not supported yet"));
    }
}
