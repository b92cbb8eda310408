//! Advice in the words of the command line.

use crate::problem::Advice;

/// What to do, with the flags that do it.
pub fn advice(advice: &Advice) -> String {
    match advice {
        Advice::Apply => "run `feastr apply` first".to_owned(),
        Advice::FillRegistry => "the registry has none: run `feastr apply`".to_owned(),
        Advice::ApplyService(error) => {
            format!("the service was applied before the view changed: run `feastr apply` ({error})")
        }
        Advice::ApplyForTables => "run `feastr apply`, which creates missing tables".to_owned(),
        Advice::LookWhetherChanged => "they are there in whole or not at all: `feastr plan` tells which".to_owned(),
        Advice::CreateRunLog => "create it with `feastr registry create-schema` and `schema_mode: auto`".to_owned(),
        Advice::WriteSettings => {
            "it needs at least `project` and `registry`; `feastr init` writes an example".to_owned()
        }
        Advice::NameFeatures => {
            "name some with --features view:feature, or a service with --feature-service".to_owned()
        }
        Advice::QualifyNames => {
            "use --full-feature-names, which puts the view's name in front, or ask for each feature once".to_owned()
        }
        Advice::QualifyOrRename => "use --full-feature-names, or rename the column".to_owned(),
        Advice::GiveMoment => {
            "call the column with the time of each row `event_timestamp`, or give one time for all with --at".to_owned()
        }
        Advice::TranslatePython => {
            "`feastr import --translate-python` makes SQL of it where that gives the same values; or ask \
                                    for the features that it is computed from"
                .to_owned()
        }
        Advice::GiveRequestField(field) => {
            format!("give it with --request {field}=…, or as a column of the file that --entities names")
        }
        Advice::GiveJoinKey(key) => format!("give it with --entity {key}=…"),
        Advice::LongerChunks(most) => {
            format!("choose longer ones with --chunk, so that there are no more than {most}")
        }
        Advice::WholeRunOrEngine => {
            "leave --shards out, or name an engine in feature_store.yaml, such as `batch_engine: {type: spark.engine}` with \
             its `spark_conf`"
                .to_owned()
        }
        Advice::OneFile => {
            "name one file with --output, such as result.parquet, or divide the result with --partition-by".to_owned()
        }
        Advice::OneView => "name one with --views, and run once for each".to_owned(),
        Advice::OpenRun => {
            "`feastr materialize history` shows open runs; `feastr materialize START END --views VIEW --shards N` begins one"
                .to_owned()
        }
        Advice::EndRun(run) => format!("wait for its shards, or end it with `feastr materialize give-up {run}`"),
        Advice::NameShard(of) => format!("write --shard 0/{of} and so on"),
        Advice::AllowFuture => "write `now`, or add --allow-future if it is wanted".to_owned(),
        Advice::AllowFutureRows => {
            "correct it, or add --allow-future if it is wanted: until then it would be the newest value".to_owned()
        }
        Advice::PastStart => "give a START that is past".to_owned(),
        Advice::SwapEnds => "swap them: materialize START END".to_owned(),
        Advice::LaterEndOrRange => {
            "give a later END, or write a range again with `feastr materialize START END`".to_owned()
        }
        Advice::CopyElsewhere => "give the copy another name with --to-project, or name another registry".to_owned(),
        Advice::OtherFolder => "write to an empty folder with --output, or overwrite with --force".to_owned(),
        Advice::Overwrite => "choose another one, or replace what is there with --allow-overwrite".to_owned(),
        Advice::Replace => "replace everything it holds with --force".to_owned(),
        Advice::LogIn => {
            "run `feastr login`, or let `auth` in feature_store.yaml say how to get a token, such as with `username` and \
             `password`"
                .to_owned()
        }
        Advice::NameRepo => "name the feature repo's folder with --chdir".to_owned(),
        Advice::WriteData => "write its data first, or use --skip-source-validation".to_owned(),
        Advice::SkipUnreadable => {
            "feastr cannot read it; to plan and apply all the same, declare the view's `schema` and the source's \
             `timestamp_field`, and use --skip-source-validation"
                .to_owned()
        }
        Advice::MoreMemory => "allow more with --memory-limit or FEASTR_MEMORY_LIMIT".to_owned(),
        Advice::MoreSpaceOrMemory => {
            "free space in the folder for temporary files (TMPDIR), or give more memory with --memory-limit".to_owned()
        }
        Advice::Text(text) => text.clone(),
    }
}
