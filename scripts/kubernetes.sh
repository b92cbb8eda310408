#!/usr/bin/env bash
# The real API server of Kubernetes, without a cluster around it: what `auth: {type: kubernetes}` asks whose tokens are and what
# they may. It is built the first time, which takes ten minutes of a processor; so the test command has a stand-in.
#
#   scripts/kubernetes.sh [test FILTER…]  the tests of kubernetes/ with it, or those that the filters name
#   scripts/kubernetes.sh story           the story of examples/kubeflow with it
#   scripts/kubernetes.sh serve           starts it, says how it is reached, and waits; everything is gone afterwards
#   scripts/kubernetes.sh record          the tests that compare its answers with tests/golden/kubernetes write them anew
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
source "$root/scripts/kube_apiserver.sh"

what=${1:-test}
[ $# -eq 0 ] || shift
install_kube_apiserver

case $what in
  test)
    [ $# -gt 0 ] || set -- kubernetes::
    exec "$root/scripts/test.sh" --test it "$@"
    ;;
  record)
    FEASTR_WRITE_RECORDINGS=1 exec "$root/scripts/test.sh" --test it kubernetes::recorded
    ;;
  serve | story) ;;
  *) fail "there is no \`$what\`" "say test, record, story or serve" ;;
esac

need curl curl
work=$(mktemp -d "${TMPDIR:-/tmp}/feastr-kubernetes.XXXXXX")
servers=()
finish() {
  local server
  for server in "${servers[@]}"; do
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT
trap exit INT TERM
make_cluster "$work"
etcd_port=$(free_port)
port=$(free_port)
(run_etcd "$etcd_port" "$work") >"$work/etcd.log" 2>&1 &
servers+=($!)
(run_kube_apiserver "$port" "$etcd_port" "$work") >"$work/log" 2>&1 &
servers=("$!" "${servers[@]}")
await_kube_apiserver "$port" "$work"
export KUBE_URL="https://localhost:$port" KUBE_CA="$work/ca.crt" KUBE_TOKEN=admin-token
if [ "$what" = story ]; then
  "$root/scripts/kubeflow.sh"
  exit
fi
cat >"$work/kubeconfig" <<CONFIG
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: admin}}]
clusters: [{name: here, cluster: {server: $KUBE_URL, certificate-authority: $KUBE_CA}}]
users: [{name: admin, user: {token: $KUBE_TOKEN}}]
CONFIG
say "The API server of Kubernetes $kube_version is at $KUBE_URL, until this is interrupted"
cat >&2 <<HOW
  for kubectl:        export KUBECONFIG=$work/kubeconfig
  for feastr:         feastr: {auth: {kubernetes: {kubeconfig: $work/kubeconfig}}}
  for the story:      KUBE_URL=$KUBE_URL KUBE_CA=$KUBE_CA KUBE_TOKEN=$KUBE_TOKEN scripts/kubeflow.sh
  who asks for what:  $work/audit.log
HOW
wait
