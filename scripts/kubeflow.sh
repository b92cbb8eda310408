#!/usr/bin/env bash
# The story of examples/kubeflow against an API server of Kubernetes: Alice and Charlie, data engineers, and Bob, a data
# scientist, each with the account of a namespace. Alice applies and materializes, Bob sees nothing; she binds a role to him, and
# he finds her view, builds a training set and reads it online. Everything else of hers, and all of Charlie's, stays closed.
#
# KUBE_URL, KUBE_CA (a file) and KUBE_TOKEN (of an administrator) say where the API server is; what is made there stays.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

need curl curl
need jq jq
need_server redis-server redis-server
[ -n "${KUBE_URL:-}" ] || fail "nobody says where an API server of Kubernetes is" "set KUBE_URL, KUBE_CA and KUBE_TOKEN"
# Tests bring a program that is built already.
if [ -z "${FEASTR:-}" ]; then
  need_build_tools
  say "Building feastr (the first time this compiles DuckDB, which takes half an hour on two cores)"
  cargo build --locked --manifest-path "$root/Cargo.toml"
  FEASTR="$CARGO_TARGET_DIR/debug/feastr"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/feastr-kubeflow.XXXXXX")
servers=()
finish() {
  local server
  for server in "${servers[@]}"; do
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT
cd "$work"

# kube METHOD PATH [OBJECT]
kube() {
  curl --silent --show-error --fail-with-body --cacert "$KUBE_CA" --header "Authorization: Bearer $KUBE_TOKEN" \
    --header "Content-Type: ${type:-application/json}" --request "$1" "$KUBE_URL$2" ${3:+--data-binary "$3"}
}

# create FILE KIND...: makes the objects of these kinds that a manifest has.
create() {
  local file=$1 document kind namespace path
  shift
  rm -f document.*
  awk 'BEGIN { n = 1 } /^---$/ { n++; next } { print > ("document." n) }' "$root/examples/kubeflow/$file"
  for document in document.*; do
    kind=$(sed -n 's/^kind: //p' "$document")
    [[ " $* " == *" $kind "* ]] || continue
    namespace=$(sed -n 's/^  namespace: //p' "$document")
    case $kind in
      ServiceAccount) path=/api/v1 ;;
      *) path=/apis/rbac.authorization.k8s.io/v1 ;;
    esac
    type=application/yaml kube POST "$path/${namespace:+namespaces/$namespace/}${kind,,}s" "@$document" >/dev/null
  done
}

# token NAMESPACE NAME [AUDIENCE]
token() {
  local spec='{"expirationSeconds": 3600}'
  [ -z "${3:-}" ] || spec="{\"audiences\": [\"$3\"], \"expirationSeconds\": 3600}"
  kube POST "/api/v1/namespaces/$1/serviceaccounts/$2/token" "{\"spec\": $spec}" | jq --raw-output .status.token
}

# await FILE TEXT: waits until a log says it.
await() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    grep --quiet "$2" "$1" 2>/dev/null && return
    sleep 0.1
  done
  cat "$1" >&2
  fail "a server does not start" "look at its log above"
}

# as PERSON COMMAND...
as() {
  local person=$1
  shift
  printf '\n\033[1m%s$ feastr %s\033[0m\n' "$person" "$*" >&2
  (cd "$person" && "$FEASTR" "$@")
}

# refused PERSON COMMAND...: has to fail, and to say that it is not allowed, or that nothing of the kind is there.
refused() {
  if as "$@" >refused 2>&1; then
    cat refused >&2
    fail "this was allowed" "look at the roles"
  fi
  grep --quiet "denied\|there is no\|is empty" refused || { cat refused >&2; exit 1; }
  tail -n 3 refused >&2
}

say "Namespaces, accounts and roles"
for namespace in kubeflow kubeflow-alice kubeflow-bob kubeflow-charlie; do
  kube POST /api/v1/namespaces "{\"metadata\": {\"name\": \"$namespace\"}}" >/dev/null
done
create server.yaml ServiceAccount ClusterRole ClusterRoleBinding
create roles.yaml ClusterRole
for person in alice bob charlie; do
  space=kubeflow-$person
  kube POST "/api/v1/namespaces/$space/serviceaccounts" '{"metadata": {"name": "default-editor"}}' >/dev/null
  # Kubeflow gives people these through its own roles.
  for role in feastr-view feastr-edit; do
    kube POST "/apis/rbac.authorization.k8s.io/v1/namespaces/$space/rolebindings" "{
      \"metadata\": {\"name\": \"$role\"},
      \"roleRef\": {\"apiGroup\": \"rbac.authorization.k8s.io\", \"kind\": \"ClusterRole\", \"name\": \"$role\"},
      \"subjects\": [{\"kind\": \"ServiceAccount\", \"name\": \"default-editor\", \"namespace\": \"$space\"}]}" >/dev/null
  done
done

say "The server of the registry, as in a pod"
mkdir -p pod server
token kubeflow feastr-registry >pod/token
cp "$KUBE_CA" pod/ca.crt
printf kubeflow >pod/namespace
address=${KUBE_URL#https://}
# The settings of the manifest, over another database; what is denied is asked again soon.
sed -n '/^  feature_store.yaml: |/,/^---/{s/^    //p;}' "$root/examples/kubeflow/server.yaml" \
  | sed "s|path: mysql.*|path: ${REGISTRY:-sqlite:///$work/registry.db}|; s|\(  *\)mode: .*|&\n\1cache_seconds: 1|" \
    >server/feature_store.yaml
(cd server && "$FEASTR" registry create-schema)
(cd server && KUBERNETES_SERVICE_HOST=${address%:*} KUBERNETES_SERVICE_PORT=${address##*:} \
  FEASTR_KUBERNETES_ACCOUNT="$work/pod" exec "$FEASTR" serve-registry --port 0 --registry-ttl-sec 0) >server.log 2>&1 &
servers+=($!)
await server.log "Listening on"
registry=$(sed -n 's|.*Listening on [a-z]*://\([0-9.:]*\).*|\1|p' server.log)

say "Redis"
redis_port=$(free_port)
"$(find_server redis-server)" --port "$redis_port" --bind 127.0.0.1 --save "" --requirepass administrator >redis.log 2>&1 &
servers+=($!)
await redis.log "Ready to accept"
redis() { redis-cli -p "$redis_port" -a administrator --no-auth-warning "$@"; }
# account NAME RULES: what `feastr redis acl` prints, with a password.
account() {
  # shellcheck disable=SC2086
  (set -f; redis $2 ">$1") | grep --quiet OK
}

"$FEASTR" init --quiet sample
# settings PERSON PROJECT
settings() {
  cat <<SETTINGS
project: $2
provider: local
registry: {registry_type: remote, path: '$registry'}
online_store: {type: redis, connection_string: '127.0.0.1:$redis_port,username=$1,password=$1'}
entity_key_serialization_version: 3
auth: {type: kubernetes}
feastr: {auth: {token_file: $work/$1/token}}
SETTINGS
}
for person in alice bob charlie; do
  mkdir -p "$person"
  token "kubeflow-$person" default-editor features.kubeflow.org >"$person/token"
  [ "$person" = bob ] || settings "$person" "kubeflow-$person" >"$person/feature_store.yaml"
done
for person in alice charlie; do
  sed "s|path: data/|path: $work/sample/data/|" "$root/examples/kubeflow/$person.yaml" >"$person/features.yaml"
done
# Bob looks at the projects of others.
for other in alice charlie; do
  mkdir "bob/$other"
  settings bob "kubeflow-$other" >"bob/$other/feature_store.yaml"
done

say "Alice and Charlie apply what they know, and Alice materializes it"
as alice whoami
as alice apply --yes
account alice "$(as alice redis acl --user alice --role owner)"
as alice materialize 2000-01-01 now
as charlie apply --yes

say "Bob sees nothing"
for other in alice charlie; do
  [ "$(as "bob/$other" feature-views list --json | jq length)" = 0 ] || fail "Bob sees views" "look at the roles"
done
refused bob/alice feature-views describe driver_stats
refused bob/alice get-online --features driver_stats:conv_rate --entity driver_id=1001
cp alice/features.yaml bob/alice/
refused bob/alice apply --yes
rm bob/alice/features.yaml

say "Alice shares a view with him"
create share.yaml Role RoleBinding
account bob "$(as alice redis acl --user bob --role reader)"
for ((tries = 0; tries < 100; tries++)); do
  names=$(as bob/alice feature-views list --json 2>/dev/null | jq --raw-output '[.[].spec.name] | join(" ")')
  [ -z "$names" ] || break
  sleep 0.1
done
[ "$names" = driver_stats ] || fail "Bob sees '$names'" "he has a role for driver_stats alone"
as bob/alice feature-views describe driver_stats
as bob/alice get-historical --features driver_stats:conv_rate driver_stats:acc_rate --entities-from driver_stats \
  --output training.parquet
as bob/alice get-online --features driver_stats:conv_rate --entity driver_id=1001

say "Everything else stays closed"
refused bob/alice feature-views describe driver_trips
refused bob/alice get-online --features driver_trips:avg_daily_trips --entity driver_id=1001
refused bob/charlie feature-views describe driver_days
[ "$(as bob/charlie feature-views list --json | jq length)" = 0 ] || fail "Bob sees Charlie's views" "look at the roles"
if as bob/alice materialize 2000-01-01 now >refused 2>&1; then
  fail "Bob has written values" "look at his account of Redis"
fi
say "Bob reads what Alice shares, and nothing else"
