use std::{path::Path, sync::Arc};

use feastr::{
    config::{self, StoreConfig},
    definitions::{self, LoadOptions},
    diagnostics::{Diagnostics, SourceText},
    model::{DataSource, RegistryState, SourceKind},
    plan::{Setting, diff},
    problem::{Kind, Problem},
    sources::{Column, Columns, OpenSource},
    ui::{Style, draw_diagnostics},
};

/// The settings file; half of all variables are set, to something odd.
pub fn settings(bytes: &[u8]) {
    let file = SourceText::new(config::FILE_NAME, String::from_utf8_lossy(bytes).into_owned());
    let environment = |name: &str| name.len().is_multiple_of(2).then(|| format!("a: [{name}] $é"));
    let mut diagnostics = Diagnostics::default();
    let folder = Path::new("/repo");
    let loaded = config::load(&Arc::new(file), [folder, &folder.join("s.yaml")], &environment, &mut diagnostics);
    assert_eq!(loaded.is_none(), draw(diagnostics), "there are settings, or there is an error");
}

/// A definition file, alone in its repo. What it declares can be planned, and is then what is there.
pub fn definitions(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("definitions.yaml"), bytes).unwrap();
    let options = LoadOptions {
        validate_sources: true,
        skip_view_names: false,
        looks_at: &|kind| matches!(kind, SourceKind::File(_) | SourceKind::Postgres(_)),
        inspect: &inspect,
        misfits: &|_| Ok(Vec::new()),
        check_transformation: &|_, _| Ok(()),
        display_path: &|path| path.to_owned(),
    };
    let mut diagnostics = Diagnostics::default();
    let loaded = definitions::load(&settings_of(folder.path()), &options, &mut diagnostics).unwrap();
    assert_eq!(loaded.is_none(), draw(diagnostics), "there is a repo, or there is an error");
    if let Some(repo) = loaded {
        drop(diff(&RegistryState::default(), &repo, Setting::default()));
        let same = RegistryState { objects: repo.objects().clone(), ..RegistryState::default() };
        let plan = diff(&same, &repo, Setting::default()).unwrap();
        assert!(plan.changes.is_empty(), "{:?}", plan.changes);
    }
}

/// Draws the findings as a person would see them, and says whether one is an error.
fn draw(diagnostics: Diagnostics) -> bool {
    let has_errors = diagnostics.has_errors();
    drop(draw_diagnostics(&diagnostics.into_sorted(), Style { enabled: true }));
    has_errors
}

/// Sources look different from each other, and some cannot be looked at.
fn inspect(source: &DataSource) -> Result<OpenSource, Problem> {
    use arrow::datatypes::{DataType, TimeUnit};
    let known = |columns: Vec<Column>, rows| OpenSource::known(source, Columns { columns, rows });
    let column = Column::typed;
    let time = || DataType::Timestamp(TimeUnit::Microsecond, None);
    match source.name.len() % 3 {
        0 => Err(Problem::new(Kind::Invalid, "it is away", None)),
        1 => known(vec![column("a", DataType::Utf8), column("t", time())], Some(0)),
        _ => known(
            vec![
                column("driver_id", DataType::Int64),
                column("event_timestamp", time()),
                column("created", time()),
                column("conv_rate", DataType::Float32),
            ],
            None,
        ),
    }
}

fn settings_of(folder: &Path) -> StoreConfig {
    let text = "project: fuzzed\nregistry: {registry_type: sql, path: 'sqlite:///r.db'}\n".to_owned();
    let path = folder.join(config::FILE_NAME);
    let file = Arc::new(SourceText::new(path.clone(), text));
    config::load(&file, [folder, &path], &|_| None, &mut Diagnostics::default()).unwrap()
}
