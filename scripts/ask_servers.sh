# Sourced by the other scripts: asks the servers of the local setup, with the settings of docker/client.
# shellcheck shell=bash

# run COMMAND: shows and runs a command of feastr.
run() {
  printf '\n\033[1m$ feastr %s\033[0m\n' "$*"
  "$feastr" "$@"
}

# refused COMMAND: a command that must fail, and give nothing.
refused() {
  printf '\n\033[1m$ feastr %s\033[0m\n' "$*"
  local answer status=0
  answer=$("$feastr" "$@") || status=$?
  [ "$status" -ne 0 ] && [ -z "$answer" ] ||
    fail "$OIDC_USER was answered" "look at permissions.yaml, and at roles in the realm"
}

# ask_servers FEASTR ENTITY_ROWS: both, as `admin`, who has the role `super-reader`, and as `eve`, who has not.
ask_servers() {
  local feastr=$1 entity_rows=$2
  local view=driver_hourly_stats
  local features=$view:conv_rate,$view:acc_rate,$view:avg_daily_trips
  local historical=(get-historical --entities "$entity_rows" --features "$features")
  local online=(get-online --features "$features" --entity driver_id=1004 --entity driver_id=1005 --json)

  say "admin has the role super-reader"
  export OIDC_USER=admin OIDC_PASSWORD=admin
  run "${historical[@]}"
  run "${online[@]}"

  say "eve has not"
  export OIDC_USER=eve OIDC_PASSWORD=eve
  refused "${historical[@]}"
  refused "${online[@]}"
}
