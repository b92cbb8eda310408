use clap::ValueEnum;

use super::{CommandError, Context, Exit};
use crate::{
    app::discovery::{Hit, SearchRequest, Searched, search},
    diagnostics::counted,
    discovery::Sought,
    model::{ObjectKind, printable},
    ui::Table,
};

/// Find objects and features by their names, descriptions, labels and owners
///
/// Case does not count, and a word with a slip is found, too. Of several words each must be found. All projects of the
/// registry are looked through, and objects that definitions cannot declare are found like others.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  feastr search driver\n  feastr search 'conversion rate' --kind feature\n  \
                        feastr search team=marketing --project shop --json")]
pub(crate) struct Args {
    /// What to look for
    #[arg(value_name = "TEXT", num_args = 1.., required = true)]
    text: Vec<String>,
    /// Only in these projects [default: all of the registry]
    #[arg(long, value_name = "PROJECT", value_delimiter = ',')]
    project: Vec<String>,
    /// Only things of these kinds [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_enum)]
    kind: Vec<KindOfThing>,
    /// Show at most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
}

/// What can be found.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindOfThing {
    Project,
    DataSource,
    Entity,
    View,
    Feature,
    FeatureService,
    Permission,
    SavedDataset,
    ValidationReference,
}

impl KindOfThing {
    fn sought(self) -> Vec<Sought> {
        let kind = match self {
            Self::Feature => return vec![Sought::Feature, Sought::Label],
            Self::View => return ObjectKind::VIEWS.map(Sought::Object).to_vec(),
            Self::Project => ObjectKind::Project,
            Self::DataSource => ObjectKind::DataSource,
            Self::Entity => ObjectKind::Entity,
            Self::FeatureService => ObjectKind::FeatureService,
            Self::Permission => ObjectKind::Permission,
            Self::SavedDataset => ObjectKind::SavedDataset,
            Self::ValidationReference => ObjectKind::ValidationReference,
        };
        vec![Sought::Object(kind)]
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let printer = context.printer;
    let text = args.text.join(" ");
    let kinds: Vec<Sought> = args.kind.iter().flat_map(|kind| kind.sought()).collect();
    let request = SearchRequest { text: &text, projects: &args.project, kinds: &kinds };
    let Searched { registry, projects, hits, meant } = search(&context.store()?, &context.caller(), request)?;
    if hits.is_empty() {
        let hint = meant.map(|name| format!("; did you mean `{}`?", printable(&name))).unwrap_or_default();
        let searched = counted(projects.len(), "project");
        printer.say(format_args!("Nothing in {searched} of {registry} is like `{}`{hint}", printable(&text)));
    }
    let shown = &hits[..hits.len().min(args.limit)];
    if printer.json {
        printer.json(&shown)?;
    } else if !hits.is_empty() {
        printer.result(draw(shown, projects.len() > 1))?;
    }
    if shown.len() < hits.len() {
        let message = format!("{} more are not shown; --limit shows more", hits.len() - shown.len());
        printer.say(message);
    }
    Ok(Exit::Done)
}

/// The hits as a table; with the project where there are several.
fn draw(hits: &[Hit], with_project: bool) -> Table {
    let project = with_project.then_some("PROJECT");
    let mut table = Table::new(["NAME", "KIND"].into_iter().chain(project).chain(["OWNER", "DESCRIPTION"]));
    for hit in hits {
        let (name, kind) = match &hit.view {
            Some(view) if hit.kind == ObjectKind::LabelView => (format!("{view}:{}", hit.name), "label"),
            Some(view) => (format!("{view}:{}", hit.name), "feature"),
            None => (hit.name.clone(), hit.kind.as_str()),
        };
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let project = with_project.then(|| hit.project.clone());
        let cells = [name, kind.to_owned()].into_iter().chain(project);
        let cells = cells.chain([or_dash(&hit.owner), or_dash(&hit.description)]);
        table.row(cells.map(|cell| printable(&cell).into_owned()));
    }
    table
}
