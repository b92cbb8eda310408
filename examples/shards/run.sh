#!/bin/sh
# Materializes a view by an indexed Job: run.sh START END VIEW SHARDS, in a feature repo that names an engine.
set -eu
[ $# -eq 4 ] || { echo "usage: run.sh START END VIEW SHARDS" >&2; exit 2; }
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
run=$(feastr materialize "$1" "$2" --views "$3" --shards "$4" --json | jq --raw-output '.views[0].run // empty')
# Nothing new is no run.
[ -n "$run" ] || exit 0
sed -e "s/RUN/$run/g" -e "s/SHARDS/$4/g" "$here/job.yaml" | kubectl apply -f -
kubectl wait --for=condition=complete --timeout=12h "job/feastr-shards-$run"
feastr materialize history "$3" --limit 1
