# Sourced by the other scripts, after environment.sh: Keycloak as a process, from the distribution in Maven's packages.
# shellcheck shell=bash

keycloak_version=26.7.3

# install_keycloak: sets and exports FEASTR_KEYCLOAK, the folder of a distribution that is built for databases in memory.
install_keycloak() {
  [ -z "${FEASTR_KEYCLOAK:-}" ] || return 0
  FEASTR_KEYCLOAK="$cache/keycloak-$keycloak_version"
  export FEASTR_KEYCLOAK
  [ ! -e "$FEASTR_KEYCLOAK/complete" ] || return 0
  need java openjdk-17-jre-headless
  need mvn maven
  say "Installing Keycloak $keycloak_version into $FEASTR_KEYCLOAK"
  local artifact=keycloak-quarkus-dist
  rm -rf "$FEASTR_KEYCLOAK"
  mkdir -p "$FEASTR_KEYCLOAK"
  mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dmdep.useBaseVersion=true \
    -Dartifact="org.keycloak:$artifact:$keycloak_version:tar.gz" -DoutputDirectory="$FEASTR_KEYCLOAK"
  tar -xzf "$FEASTR_KEYCLOAK/$artifact-$keycloak_version.tar.gz" -C "$FEASTR_KEYCLOAK" --strip-components=1
  rm "$FEASTR_KEYCLOAK/$artifact-$keycloak_version.tar.gz"
  "$FEASTR_KEYCLOAK/bin/kc.sh" build --db=dev-mem --health-enabled=true >&2
  touch "$FEASTR_KEYCLOAK/complete"
}

# run_keycloak PORT MANAGEMENT_PORT REALM FOLDER: a server with a realm, in place of this shell. It is ready when the
# realm's description can be read, a while after its log says so. FOLDER is made for it; nothing of it is needed later.
run_keycloak() {
  local port=$1 management_port=$2 realm=$3 folder=$4
  # Realms are imported from a folder of the distribution, of which each run has its own.
  cp -R "$FEASTR_KEYCLOAK" "$folder"
  mkdir -p "$folder/data/import"
  cp "$realm" "$folder/data/import/"
  export KC_BOOTSTRAP_ADMIN_USERNAME=root KC_BOOTSTRAP_ADMIN_PASSWORD=root
  # Small, and ready early: it has few to serve.
  export JAVA_OPTS_KC_HEAP="-Xms64m -Xmx384m" JAVA_OPTS_APPEND="-XX:TieredStopAtLevel=1"
  exec "$folder/bin/kc.sh" start --optimized --import-realm --http-enabled=true --http-host=127.0.0.1 \
    --http-port="$port" --http-management-port="$management_port" --hostname-strict=false --cache=local
}
