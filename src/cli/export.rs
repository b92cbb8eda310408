use super::{CommandError, Context, Exit, origin::From};
use crate::app::export::{Exported, export};

/// Print the registry's objects as definitions
///
/// The text is what `import` writes into files, as one document.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  feastr export > /tmp/all.yaml\n  feastr export --json | jq '.feature_views[].name'\n  \
                        diff <(feastr export --from staging/feature_store.yaml) \\\n       \
                        <(feastr export --from production/feature_store.yaml)"
)]
pub(crate) struct Args {
    #[command(flatten)]
    from: From,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let (_, snapshot) = args.from.snapshot(context)?;
    let Exported { definitions, kept } = export(&context.caller(), &snapshot)?;
    if printer.json {
        printer.json(&definitions.into_tree())?;
    } else {
        printer.result(definitions.texts().map(|(_, text)| text).collect::<Vec<_>>().join("\n"))?;
    }
    for kept in &kept {
        printer.warn(format_args!("{} is not among them: {}", kept.id, kept.reason));
    }
    Ok(Exit::Done)
}
