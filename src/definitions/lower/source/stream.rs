use super::LoweredSource;
use crate::{
    definitions::format::{RawFormat, RawSource, SourceRef},
    diagnostics::Diagnostics,
    model::{KafkaSource, KinesisSource, PushSource, SourceKind, StreamFormat},
};

/// A source whose rows arrive one by one, and what it says about its history. `None` for other
/// sources.
pub(crate) fn lower(raw: RawSource, diagnostics: &mut Diagnostics) -> Option<(LoweredSource, Option<SourceRef>)> {
    // Filled in when all sources are known.
    let batch_source = None;
    match raw {
        RawSource::Push(raw) => {
            let kind = SourceKind::Push(PushSource { batch_source });
            Some((LoweredSource::timeless(raw.name, kind, raw.about), raw.batch_source))
        }
        RawSource::Kafka(raw) => {
            let kind = SourceKind::Kafka(KafkaSource {
                bootstrap_servers: raw.kafka_bootstrap_servers,
                topic: raw.topic,
                message_format: raw.message_format.map(lower_format),
                watermark_delay_threshold: raw.watermark_delay_threshold.map(|threshold| threshold.0),
                batch_source,
            });
            Some((LoweredSource::timed(raw.name, kind, raw.times, diagnostics), raw.batch_source))
        }
        RawSource::Kinesis(raw) => {
            let kind = SourceKind::Kinesis(KinesisSource {
                region: raw.region,
                stream_name: raw.stream_name,
                record_format: raw.record_format.map(lower_format),
                batch_source,
            });
            Some((LoweredSource::timed(raw.name, kind, raw.times, diagnostics), raw.batch_source))
        }
        _ => None,
    }
}

fn lower_format(raw: RawFormat) -> StreamFormat {
    match raw {
        RawFormat::Avro(raw) => StreamFormat::Avro { schema_json: raw.schema_json },
        RawFormat::Json(raw) => StreamFormat::Json { schema_json: raw.schema_json },
        RawFormat::Proto(raw) => StreamFormat::Proto { class_path: raw.class_path },
    }
}
