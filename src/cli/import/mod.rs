mod files;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::json;

use super::{
    CommandError, Context,
    context::display_path,
    exit::{self, Exit},
    origin::From,
};
use crate::{
    config::StoreConfig,
    definitions::{self, LoadOptions, write},
    diagnostics::{Diagnostics, Severity, counted},
    model::{Object, ObjectId, ObjectKind, RegistryState},
    offline,
    plan::{Change, Setting, diff},
    registry::state,
    ui::draw_diagnostics,
};
use files::StagedFiles;

/// Write the registry's objects as definitions
///
/// One file per kind of object, all of them or none. What YAML cannot express stays in the registry:
/// plan and apply leave it alone. The files are read back and compared with the registry before they
/// are put in place.
#[derive(Debug, clap::Args)]
#[command(after_help = format!(
    "Examples:\n  feastr import\n  feastr import --from sqlite:////srv/feast/registry.db --project demo\n  \
     feastr import --output definitions --force\n\n{}",
    exit::listed(&[
        (Exit::Done, "plan shows no change"),
        (Exit::Failed, "error"),
        (Exit::Changes, "plan shows changes or findings (whether the data of sources is there is not looked at)"),
    ]),
))]
pub struct Args {
    #[command(flatten)]
    from: From,
    /// The folder of the files [default: the repo's]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<ExitCode, CommandError> {
    let config = context.config()?;
    let (project, snapshot) = args.from.snapshot(context)?;
    let state = named_after_repo(state(&snapshot), &project, &config.project);
    let definitions = write(&state.objects);
    let counts: Vec<(&str, usize)> = definitions.counts().collect();
    let folder = args.output.as_ref().map_or_else(|| config.repo.clone(), |folder| context.target(folder));
    let texts = definitions.texts().map(|(name, text)| (format!("{name}.yaml"), text));
    let unwritable = |error| CommandError::new(format!("cannot write into {}: {error}", folder.display()), None);
    std::fs::create_dir_all(&folder).map_err(unwritable)?;
    // As the repo's folder is known, so that paths can be compared.
    let folder = std::fs::canonicalize(&folder).map_err(unwritable)?;
    let staged = StagedFiles::stage(&folder, texts).map_err(unwritable)?;
    let display_staged = |path: &Path| {
        let name = path.strip_prefix(staged.path()).unwrap_or(path);
        display_path(&folder.join(name))
    };
    let alone = StoreConfig { repo: staged.path().to_owned(), ..config.clone() };
    let mut check = check(&alone, &display_staged, &state)?;
    let written = staged.publish(args.force)?;
    let has_others = has_others(&written, &config, context)?;
    if has_others {
        // What plan will read is more than what was written.
        check = self::check(&config, &display_path, &state)?;
    }
    let written: Vec<(PathBuf, usize)> = written.into_iter().zip(counts.iter().map(|(_, count)| *count)).collect();
    report(&written, &state, (check, has_others), context)
}

/// Says which definitions the repo has besides; what they declare may now be declared twice. Whether there are any.
fn has_others(written: &[PathBuf], config: &StoreConfig, context: &Context) -> Result<bool, CommandError> {
    let found = definitions::definition_files(&config.repo, &config.file)?.files;
    let (ours, others): (Vec<_>, Vec<_>) = found.iter().partition(|path| written.contains(path));
    let has_others = !ours.is_empty() && !others.is_empty();
    if has_others {
        let names: Vec<String> = others.iter().map(|path| display_path(path).display().to_string()).collect();
        context.printer.warn(format_args!("the repo has other definitions, too: {}", names.join(", ")));
        context.printer.help("remove what is now declared twice, or write elsewhere with --output");
    }
    Ok(has_others)
}

/// Definitions take the name of the project they are part of.
fn named_after_repo(mut state: RegistryState, project: &str, configured: &str) -> RegistryState {
    if let Some(Object::Project(mut stored)) = state.objects.remove(&ObjectId::new(ObjectKind::Project, project)) {
        stored.name = configured.to_owned();
        state.objects.insert(ObjectId::new(ObjectKind::Project, configured), Object::Project(stored));
    }
    state
}

/// What reading the definitions shows.
enum Check {
    /// What plan would change.
    Changes(Vec<Change>),
    /// Plan would refuse them.
    Refused(Diagnostics),
}

fn check(
    config: &StoreConfig,
    display_path: &dyn Fn(&Path) -> PathBuf,
    state: &RegistryState,
) -> Result<Check, CommandError> {
    let store = offline::open(config);
    let options = LoadOptions {
        validate_sources: false,
        inspect: &|source| store.inspect(source),
        display_path,
        skip_view_names: false,
    };
    let mut diagnostics = Diagnostics::default();
    Ok(match definitions::load(config, &options, &mut diagnostics)? {
        Some(repo) => {
            let plan = diff(state, &repo, Setting::default()).map_err(crate::apply::ApplyError::Conflicts)?;
            Check::Changes(plan.changes)
        }
        None => Check::Refused(diagnostics),
    })
}

fn report(
    written: &[(PathBuf, usize)],
    state: &RegistryState,
    (check, has_others): (Check, bool),
    context: &Context,
) -> Result<ExitCode, CommandError> {
    let printer = context.printer;
    let (changes, refused) = match check {
        Check::Changes(changes) => (changes, None),
        Check::Refused(diagnostics) => {
            let mut found = diagnostics.into_sorted();
            // The files are written all the same: these are errors of the next plan.
            found.iter_mut().for_each(|found| found.severity = Severity::Warning);
            (Vec::new(), Some(found))
        }
    };
    if printer.json {
        printer.json(&json!({
            "files": written.iter().map(|(path, count)| json!({ "path": path, "objects": count })).collect::<Vec<_>>(),
            "kept": state.foreign,
            "changes": changes,
            "findings": refused.iter().flatten().map(|found| &found.message).collect::<Vec<_>>(),
        }))?;
    } else {
        for (path, count) in written {
            let objects = counted(*count, "object");
            printer.result_line(format_args!("Wrote {} ({objects})", display_path(path).display()))?;
        }
    }
    if !state.foreign.is_empty() {
        printer.say("\nYAML cannot express these; they stay in the registry, and plan and apply leave them alone:");
        for kept in &state.foreign {
            printer.say(format_args!("  {}: {}", kept.id, kept.reason));
        }
    }
    let is_clean = changes.is_empty() && refused.is_none();
    if let Some(found) = refused {
        printer.warn(if has_others {
            "plan refuses the repo's definitions until they are corrected"
        } else {
            "the registry holds what definitions may not say; plan refuses these files until they are corrected"
        });
        printer.stderr(draw_diagnostics(&found, printer.err));
    }
    if !changes.is_empty() {
        printer.warn(if has_others {
            "the repo's definitions are not what the registry holds; plan will show"
        } else {
            "the registry holds copies that differ from their originals; plan will show"
        });
        for change in &changes {
            printer.say(format_args!("  {} {}", change.action.verb(), change.id));
        }
    }
    Ok(if is_clean { Exit::Done.into() } else { Exit::Changes.into() })
}
