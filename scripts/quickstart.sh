#!/usr/bin/env bash
# Builds feastr and runs the whole loop on a new example repo: definitions, plan, apply,
# training data, online values, pushed rows. Needs no server. The repo stays for you to play with.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

need_build_tools
say "Building feastr (the first time this compiles DuckDB, which takes half an hour on two cores)"
cargo build --locked --manifest-path "$root/Cargo.toml"
feastr="$CARGO_TARGET_DIR/debug/feastr"

folder="$(mktemp -d "${TMPDIR:-/tmp}/feastr-quickstart.XXXXXX")"
cd "$folder"

run() {
  printf '\n\033[1m$ feastr %s\033[0m\n' "$*"
  "$feastr" "$@"
}

run init feature_repo
cd feature_repo
run plan
run apply
run plan
run get-historical --entities data/entity_rows.csv --feature-service driver_activity_v2
run materialize-incremental now
request=val_to_add=1,val_to_add_2=10
run get-online --feature-service driver_activity_v2 --entity driver_id=1001 --entity driver_id=1099 --request "$request"
run push driver_stats_push_source --input data/pushed_rows.csv --to online_and_offline
run get-online --feature-service driver_activity_v3 --entity driver_id=1001 --request "$request"

say "The repo is in $folder/feature_repo, the program is $feastr"
