#!/usr/bin/env bash
# What a team does with its features in a bucket (examples/aws_repo), against an S3 server on this machine: rows are uploaded,
# a pull request is planned, what is merged is applied to staging and production, and everybody's features are read for
# batch predictions. Everything is gone afterwards.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
source "$root/scripts/buckets.sh"

need curl curl
install_seaweedfs
# Tests bring a program that is built already.
if [ -z "${FEASTR:-}" ]; then
  need_build_tools
  say "Building feastr (the first time this compiles DuckDB, which takes half an hour on two cores)"
  cargo build --locked --manifest-path "$root/Cargo.toml"
  FEASTR="$CARGO_TARGET_DIR/debug/feastr"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/feastr-workshop.XXXXXX")
store=
finish() {
  [ -z "$store" ] || kill -KILL "$store" 2>/dev/null || true
  [ -z "$store" ] || wait "$store" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

say "Starting an object store"
bucket=my-team-features
port=$(free_port)
filer_port=$(free_port)
(run_seaweedfs "$port" "$filer_port" "$work/store") >"$work/store.log" 2>&1 &
store=$!
make_bucket "$filer_port" "$bucket"
export AWS_ACCESS_KEY_ID=testkey AWS_SECRET_ACCESS_KEY=testsecret AWS_REGION=us-east-1
export FEAST_S3_ENDPOINT_URL="http://127.0.0.1:$port"
unset AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_PROFILE AWS_SESSION_TOKEN

run() {
  printf '\n\033[1m$ feastr %s\033[0m\n' "$*"
  "$FEASTR" "$@"
}

say "Uploading rows of the last days"
cd "$work"
"$FEASTR" init --quiet rows
for ((tries = 0; tries < 100; tries++)); do
  curl --silent --fail --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
    --upload-file rows/data/driver_stats.parquet "$FEAST_S3_ENDPOINT_URL/$bucket/data/driver_stats.parquet" && break
  sleep 0.2
done

cp -r "$root/examples/aws_repo" features
cd features
# The rows are where the store is.
sed -i "s|^    path: s3://.*|&\n    s3_endpoint_override: $FEAST_S3_ENDPOINT_URL|" definitions/drivers.yaml

say "The first pull request, and its merge"
run -f staging/feature_store.yaml plan
run -f staging/feature_store.yaml apply --yes
run -f production/feature_store.yaml apply --yes

say "Another pull request: the model wants to know how much a driver drives"
sed -i 's|^    source: driver_stats|      - {name: avg_daily_trips, dtype: Int64, description: Average daily trips}\n&|' \
  definitions/drivers.yaml
run -f staging/feature_store.yaml plan
run -f staging/feature_store.yaml apply --yes
run -f production/feature_store.yaml plan
run -f production/feature_store.yaml apply --yes

say "Batch predictions: the features of everybody, now"
run -f production/feature_store.yaml get-historical --feature-service driver_ranking \
  --entities-from driver_hourly_stats --at now
