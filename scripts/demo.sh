#!/usr/bin/env bash
# The local setup of compose.yml as processes, for machines without containers: PostgreSQL, Redis, Keycloak, and feastr's
# servers of online and of historical features. Then both are asked by `admin`, who has the role `super-reader`, and by `eve`,
# who has not. Everything is gone afterwards.
#
#   scripts/demo.sh [--keep] [--data FILE]
#
# --keep       leaves the servers running until Ctrl-C, and says how to ask them
# --data FILE  rows of other drivers instead of the example's: the `driver_stats.parquet` of the public demo "Feast local setup"
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
source "$root/scripts/keycloak.sh"
source "$root/scripts/ask_servers.sh"

keep= data=
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=1 ;;
    --data) data=$(realpath "$2") && shift ;;
    *) fail "no such argument: $1" "scripts/demo.sh [--keep] [--data FILE]" ;;
  esac
  shift
done

need_build_tools
need curl curl
need_server initdb postgresql
need_server redis-server redis-server
install_keycloak
say "Building feastr (the first time this compiles DuckDB, which takes half an hour on two cores)"
cargo build --locked --manifest-path "$root/Cargo.toml"
feastr="$CARGO_TARGET_DIR/debug/feastr"

work=$(mktemp -d "${TMPDIR:-/tmp}/feastr-demo.XXXXXX")
running=()
finish() {
  for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${running[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

# start NAME COMMAND: a server with its log in a file.
start() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  running+=($!)
}

# await WHAT COMMAND: until a command succeeds that proves what is needed.
await() {
  local what=$1
  shift
  for _ in $(seq 600); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  tail -20 "$work"/*.log >&2
  fail "$what does not answer" "its log is above"
}

start_postgres() {
  local programs port as_other=()
  programs=$(dirname "$(find_server initdb)")
  port=$(free_port)
  mkdir "$work/postgres"
  # PostgreSQL does not run as root.
  if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$work"
    chown postgres "$work/postgres"
    as_other=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  fi
  (cd "$work/postgres" && "${as_other[@]}" "$programs/initdb" -D "$work/postgres/data" -U feast -A trust -E UTF8 >/dev/null)
  start postgres "${as_other[@]}" "$programs/postgres" -D "$work/postgres/data" -h 127.0.0.1 -p "$port" -k "$work/postgres"
  await PostgreSQL "$programs/psql" -h 127.0.0.1 -p "$port" -U feast -d postgres -c 'select 1'
  export REGISTRY_URL="postgresql+psycopg://feast@127.0.0.1:$port/postgres"
}

start_redis() {
  local port
  port=$(free_port)
  start redis redis-server --bind 127.0.0.1 --port "$port" --dir "$work" --save '' --appendonly no
  await Redis redis-cli -p "$port" ping
  export REDIS_SERVER="127.0.0.1:$port"
}

say "Starting PostgreSQL, Redis and Keycloak"
start_postgres
start_redis
keycloak_port=$(free_port)
start keycloak run_keycloak "$keycloak_port" "$(free_port)" "$root/keycloak/realm-export.json" "$work/keycloak"
export REALM_URL="http://127.0.0.1:$keycloak_port/realms/feature-store-demo"

# The servers' repo, and the one of those who ask.
cp -R "$root/examples/feature_repo" "$work/feature_repo"
cp "$root/docker/feature_store.yaml" "$work/feature_repo/"
cp -R "$root/docker/client" "$work/client"
cp "$root/examples/feature_repo/data/entity_rows.csv" "$work/client/"
[ -z "$data" ] || cp "$data" "$work/feature_repo/data/driver_stats.parquet"

cd "$work/feature_repo"
run apply
run materialize 1970-01-01 now
await Keycloak curl -fs "$REALM_URL/.well-known/openid-configuration"

online_port=$(free_port)
export ONLINE_SERVER="http://127.0.0.1:$online_port" OFFLINE_SERVER_HOST=127.0.0.1 OFFLINE_SERVER_PORT
OFFLINE_SERVER_PORT=$(free_port)
say "Starting feastr serve and feastr serve-offline"
start online-server "$feastr" serve --port "$online_port"
start offline-server "$feastr" serve-offline --port "$OFFLINE_SERVER_PORT"
run ready --wait 30s "$ONLINE_SERVER" "grpc://127.0.0.1:$OFFLINE_SERVER_PORT"

cd "$work/client"
if [ -n "$data" ]; then
  cat > entity_rows.csv <<'ROWS'
driver_id,event_timestamp
1001,2021-04-12T10:59:42Z
1002,2021-04-12T08:12:10Z
1003,2021-04-12T16:40:26Z
ROWS
fi
ask_servers "$feastr" entity_rows.csv

[ -n "$keep" ] || exit 0
say "The servers run until Ctrl-C. Ask them in another terminal:"
for name in REGISTRY_URL REALM_URL ONLINE_SERVER OFFLINE_SERVER_HOST OFFLINE_SERVER_PORT; do
  printf 'export %s=%s\n' "$name" "${!name}"
done
printf 'cd %s\nOIDC_USER=admin OIDC_PASSWORD=admin %s get-online --features driver_hourly_stats:conv_rate --entity driver_id=1001\n' \
  "$work/client" "$feastr"
wait
