#!/usr/bin/env bash
# The entity index at work: an object store that tells of its files, a server that indexes them, and features of everybody
# who was seen in a range of time. Needs feastr and versitygw (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0);
# FEASTR and VERSITYGW name them if they are elsewhere than on the path, and the ports are free to choose.
set -euo pipefail

feastr=${FEASTR:-feastr}
versitygw=${VERSITYGW:-versitygw}
needs() { # needs PROGRAM HELP
  command -v "$1" >/dev/null && return
  printf 'error: %s is missing\nhelp: %s\n' "$1" "$2" >&2
  exit 1
}
needs "$feastr" "build it (scripts/quickstart.sh), then put it on the path or name it by FEASTR"
needs "$versitygw" "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, or name it by VERSITYGW"
needs curl "apt-get install curl"
store_port=${STORE_PORT:-7070}
index_port=${INDEX_PORT:-6571}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
store='' index=''
# shellcheck disable=SC2317 # called by the trap
clean_up() {
  [ -z "$index" ] || kill "$index" 2>/dev/null || true
  [ -z "$store" ] || kill "$store" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

# How everybody here reaches the store.
export AWS_ENDPOINT_URL=http://127.0.0.1:$store_port AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=testkey AWS_SECRET_ACCESS_KEY=testsecret
s3() { # s3 METHOD KEY [CURL ARGUMENTS]: one request for an object
  curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
    --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --request "$1" "$AWS_ENDPOINT_URL/$2" "${@:3}"
}
until_true() { # tries a command for a while
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  echo "this does not come true: $*" >&2
  cat "$work"/*.log >&2
  return 1
}
jobs_done() { # jobs_done COUNT: whether so many jobs are done
  [ "$("$feastr" --json entity-index jobs --status done | grep -c '"id"')" -ge "$1" ]
}

cp "$here"/*.yaml "$work/"
cd "$work"
"$feastr" --quiet apply --skip-source-validation

# The server is there before anybody tells of something. Versitygw sends no token; MinIO and SeaweedFS do.
"$feastr" entity-index serve --port "$index_port" --no-token 2>"$work/index.log" &
index=$!
until_true curl --silent --fail "http://127.0.0.1:$index_port/ready"
mkdir -p "$work/objects/features"
"$versitygw" --port "127.0.0.1:$store_port" --access "$AWS_ACCESS_KEY_ID" --secret "$AWS_SECRET_ACCESS_KEY" \
  --region us-east-1 --quiet --event-webhook-url "http://127.0.0.1:$index_port/events" posix "$work/objects" \
  >"$work/store.log" 2>&1 &
store=$!
until_true s3 GET features

echo "A file comes into the bucket"
s3 PUT features/drivers/stats-1.parquet --upload-file "$here/../feature_repo/data/driver_stats.parquet"
until_true jobs_done 1
"$feastr" entity-index jobs

echo "Features of everybody who was seen, without knowing who"
"$feastr" get-historical --features driver_stats:conv_rate --entities-from index:driver --at now

echo "The file is gone"
s3 DELETE features/drivers/stats-1.parquet
until_true jobs_done 2
"$feastr" entity-index verify
