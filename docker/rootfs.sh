#!/usr/bin/env bash
# rootfs.sh PROGRAM FOLDER: makes a folder with a program and all that it needs of a system: the libraries it is linked with,
# certificates of the authorities to trust, a user, a place for temporary files.
set -euo pipefail
program=$1 out=$2

mkdir -p "$out/etc/ssl/certs" "$out/tmp"
chmod 1777 "$out/tmp"
install -m 755 "$program" "$out/feastr"

# Where a library is, from what the loader says; names of hosts are looked up by libraries that nothing is linked with.
libraries() {
  ldd "$program" | grep -o '/[^ ]*'
  find /lib /usr/lib -name 'libnss_dns.so.2' -o -name 'libnss_files.so.2' -o -name 'libresolv.so.2'
}
libraries | sort -u | while read -r library; do
  install -D "$(readlink -f "$library")" "$out$library"
done

install -m 644 /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/"
echo 'feastr:x:10001:10001::/tmp:/feastr' > "$out/etc/passwd"
echo 'feastr:x:10001:' > "$out/etc/group"
echo 'hosts: files dns' > "$out/etc/nsswitch.conf"
