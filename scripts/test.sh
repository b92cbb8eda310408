#!/usr/bin/env bash
# Installs what the tests need and runs them. Arguments go to `cargo test`.
#
# Python Feast, which reads and writes the same stores in some tests, is that of
# $FEASTR_FEAST_PYTHON if set, else one in a virtual environment made here.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

feast_version=0.67.0

need_build_tools
need python3 python3
need jq jq
# The tests start servers of their own.
need openssl openssl
need_server initdb postgresql
need_server mariadbd mariadb-server
need_server redis-server redis-server
need_server redis-sentinel redis-sentinel

if [ -z "${FEASTR_FEAST_PYTHON:-}" ]; then
  venv="$cache/feast-$feast_version"
  if ! [ -e "$venv/complete" ]; then
    say "Installing Feast $feast_version into $venv"
    python3 -c 'import venv, ensurepip' 2>/dev/null || install_package "Python's venv module" python3-venv
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "feast[redis,postgres,duckdb]==$feast_version" \
      || fail "Feast could not be installed" "set FEASTR_FEAST_PYTHON to a Python that has Feast $feast_version"
    touch "$venv/complete"
  fi
  export FEASTR_FEAST_PYTHON="$venv/bin/python"
fi

say "Testing"
exec cargo test --locked --manifest-path "$root/Cargo.toml" "$@"
