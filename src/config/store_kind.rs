use crate::{
    diagnostics::{Diagnostics, Span, closest, did_you_mean},
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
    let instead = match store {
        "offline" => "`offline_store: {type: duckdb}` reads files on disks and in buckets",
        _ => "`online_store: {type: sqlite}` needs no server, `online_store: null` serves nothing online",
    };
    let offered = did_you_mean(kind, kinds.iter().copied());
    let help = match closest(kind, kinds.iter().copied()) {
        Some(_) => offered,
        None => offered.map(|kinds| format!("{kinds}; {instead}")),
    };
    diagnostics.error_with_help(span, format!("{store} store `{kind}` is not supported yet"), help);
    None
}

/// Says that a switch which is on does nothing.
pub(crate) fn unsupported_flag(flag: &Spanned<bool>, name: &str, diagnostics: &mut Diagnostics) {
    if flag.value {
        diagnostics.error(&flag.span, format!("`{name}` is not supported yet"));
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::{config::load, diagnostics::SourceText};

    #[test]
    fn what_repos_for_clouds_name_leads_to_what_there_is() {
        for (settings, line) in [
            ("provider: aws\noffline_store: {type: redshift, region: r}", "`offline_store: {type: duckdb}`"),
            ("provider: gcp\noffline_store: bigquery", "`offline_store: {type: duckdb}`"),
            ("provider: aws\nonline_store: {type: dynamodb, region: r}", "`online_store: {type: sqlite}`"),
            ("provider: gcp\nonline_store: datastore", "`online_store: null`"),
        ] {
            let text = format!("project: p\nregistry: s3://b/registry.pb\n{settings}\n");
            let file = Arc::new(SourceText::new("/repo/feature_store.yaml", text));
            let mut diagnostics = Diagnostics::default();
            let paths = [Path::new("/repo"), Path::new("/repo/feature_store.yaml")];
            assert!(load(&file, paths, &|_| None, &mut diagnostics).is_none());
            let found = diagnostics.into_sorted();
            let help = found[0].advice.as_ref().map(ToString::to_string).unwrap_or_default();
            assert!(found.len() == 1 && help.contains(line), "{settings}: {found:?}");
        }
    }
}
