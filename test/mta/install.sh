#!/usr/bin/env bash
# Fetches Debian's packages of the mail servers that `npm run test:mta` talks to. It installs none of them: they are kept
# as files, and each test unpacks them in a temporary folder. So no service can start, no mail server of the machine
# is replaced, and servers that exclude each other are there side by side. Needs apt and root.
set -euo pipefail

cache=${MTA_CACHE:-/var/cache/rcpt-mta}
servers=(postfix exim4-daemon-light opensmtpd postgrey)

is_there() { compgen -G "$cache/$1/*.deb" >/dev/null && [ -e "$cache/$1/complete" ]; }

missing=()
for server in "${servers[@]}"; do is_there "$server" || missing+=("$server"); done
[ ${#missing[@]} -eq 0 ] && { echo "mail servers: all there in $cache"; exit; }

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o DPkg::Lock::Timeout=60)
timeout 180 "${apt[@]}" update >/dev/null
for server in "${missing[@]}"; do
  mkdir -p "$cache/$server/partial"
  # --reinstall: also where the machine has it.
  timeout 120 "${apt[@]}" -o Dir::Cache::archives="$cache/$server" --no-install-recommends --reinstall --download-only \
    install "$server" >/dev/null
  touch "$cache/$server/complete"
  echo "mail servers: $server fetched"
done
