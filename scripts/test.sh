#!/usr/bin/env bash
# Installs what the tests need and runs them. Arguments go to `cargo test`.
#
# Python Feast, which reads and writes the same stores in some tests, is that of
# $FEASTR_FEAST_PYTHON if set, else one in a virtual environment made here. So is Schemathesis, which asks the server of
# features for whatever its description allows; $FEASTR_SCHEMATHESIS names its program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
source "$(dirname "${BASH_SOURCE[0]}")/keycloak.sh"
source "$(dirname "${BASH_SOURCE[0]}")/buckets.sh"
source "$(dirname "${BASH_SOURCE[0]}")/spark.sh"

feast_version=0.67.0
schemathesis_version=4.32.5

need_build_tools
# The first time DuckDB is compiled, which takes long: meanwhile the rest is installed.
cargo test --no-run --locked --manifest-path "$root/Cargo.toml" "$@" &
compiling=$!
trap 'kill "$compiling" 2>/dev/null || true' EXIT
need python3 python3
need jq jq
# The tests start servers of their own.
need openssl openssl
need_server initdb postgresql
need_server mariadbd mariadb-server
need_server redis-server redis-server
need_server redis-sentinel redis-sentinel

if [ -z "${FEASTR_FEAST_PYTHON:-}" ]; then
  # Its servers check tokens by a package that they do not ask for; of what it wants for Amazon, registries take this.
  environment feast "$feast_version" "feast[redis,postgres,duckdb,grpcio]" cryptography boto3 \
    || fail "Feast could not be installed" "set FEASTR_FEAST_PYTHON to a Python that has Feast $feast_version"
  export FEASTR_FEAST_PYTHON="$venv/bin/python"
fi
if [ -z "${FEASTR_SCHEMATHESIS:-}" ]; then
  environment schemathesis "$schemathesis_version" schemathesis \
    || fail "Schemathesis could not be installed" "set FEASTR_SCHEMATHESIS to its program, version $schemathesis_version"
  export FEASTR_SCHEMATHESIS="$venv/bin/schemathesis"
fi

# Who people are, for the servers that ask them.
install_keycloak
# Where files are that are not on this machine.
install_buckets
# Engines beyond this machine.
install_spark

say "Compiling"
wait "$compiling"
trap - EXIT
say "Testing"
exec cargo test --locked --manifest-path "$root/Cargo.toml" "$@"
