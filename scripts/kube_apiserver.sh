# Sourced by the other scripts, after environment.sh: the API server of Kubernetes and its etcd as processes, without a cluster
# around them. Accounts, roles and tokens are as in one; pods do not run.
# shellcheck shell=bash

kube_version=1.37.2

# install_kube_apiserver: sets and exports FEASTR_KUBE_APISERVER, a program that is built of Kubernetes' own modules. The first
# time takes ten minutes of a processor, and a gigabyte for modules.
install_kube_apiserver() {
  need_server etcd etcd-server
  need openssl openssl
  [ -z "${FEASTR_KUBE_APISERVER:-}" ] || return 0
  local sources="$root/scripts/kube_apiserver" state
  state=$(cat "$sources"/main.go "$sources"/go.* | sha256sum | cut -c1-12)
  export FEASTR_KUBE_APISERVER="$cache/kube-apiserver-$kube_version-$state/kube-apiserver"
  [ ! -x "$FEASTR_KUBE_APISERVER" ] || return 0
  say "Building the API server of Kubernetes $kube_version (ten minutes of a processor, once)"
  find_go
  local version=k8s.io/component-base/version
  CGO_ENABLED=0 "$go" build -C "$sources" -trimpath -o "$FEASTR_KUBE_APISERVER" -ldflags "-s -w \
    -X $version.gitVersion=v$kube_version -X $version.gitMajor=1 -X $version.gitMinor=${kube_version:2:2}" . \
    || fail "the API server could not be built" "set FEASTR_KUBE_APISERVER to the program kube-apiserver, version $kube_version"
}

# make_cluster FOLDER: what an API server needs to know. ca.crt verifies it as localhost, the token admin-token is that of its
# administrator, accounts.key signs tokens of accounts, and audit.log will have a line for each request, without bodies.
make_cluster() (
  mkdir -p "$1"
  cd "$1"
  exec 2>openssl.log
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=cluster -keyout ca.key -out ca.crt
  openssl req -newkey rsa:2048 -nodes -subj /CN=kube-apiserver -keyout server.key -out server.csr
  echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >extensions
  openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out server.crt
  openssl genrsa -out accounts.key 2048
  echo 'admin-token,admin,1,system:masters' >people.csv
  printf '%s\n' 'apiVersion: audit.k8s.io/v1' 'kind: Policy' 'rules: [{level: Metadata}]' >audit.yaml
)

# run_etcd PORT FOLDER: in place of this shell.
run_etcd() {
  local url="http://127.0.0.1:$1" peers
  peers="http://127.0.0.1:$(free_port)"
  exec "$(find_server etcd)" --name cluster --data-dir "$2/etcd" --log-level error --unsafe-no-fsync \
    --listen-client-urls "$url" --advertise-client-urls "$url" \
    --listen-peer-urls "$peers" --initial-advertise-peer-urls "$peers" --initial-cluster "cluster=$peers"
}

# run_kube_apiserver PORT ETCD_PORT FOLDER: with what make_cluster has put into the folder, in place of this shell. It is ready
# when /readyz says so to its administrator. No controllers run, so pods need no account of their namespace.
run_kube_apiserver() {
  cd "$3"
  exec "$FEASTR_KUBE_APISERVER" --etcd-servers="http://127.0.0.1:$2" --endpoint-reconciler-type=none \
    --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$1" --service-cluster-ip-range=10.96.0.0/24 \
    --tls-cert-file=server.crt --tls-private-key-file=server.key --token-auth-file=people.csv \
    --service-account-issuer=https://kubernetes.default.svc --api-audiences=https://kubernetes.default.svc \
    --service-account-signing-key-file=accounts.key --service-account-key-file=accounts.key \
    --authorization-mode=RBAC --disable-admission-plugins=ServiceAccount \
    --audit-policy-file=audit.yaml --audit-log-path=audit.log
}

# await_kube_apiserver PORT FOLDER
await_kube_apiserver() {
  local tries
  for ((tries = 0; tries < 900; tries++)); do
    curl --silent --fail --output /dev/null --cacert "$2/ca.crt" --header 'Authorization: Bearer admin-token' \
      "https://localhost:$1/readyz" && return
    sleep 0.2
  done
  fail "the API server does not start" "look at what it says"
}
