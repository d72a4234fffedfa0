#!/usr/bin/env bash
# Asks the plane from outside whether it answers, and that what is closed is closed. Needs nothing but curl besides az.
source "$(dirname "$0")/environment.sh"
HOST="$(output INGRESS_HOSTNAME)"
[[ -n "$HOST" ]] || HOST="$(output CONTROL_HOSTNAME)"
status() { curl --silent --show-error --max-time 30 --output /dev/null --write-out '%{http_code}' "https://$HOST$1"; }
expect() { local got; got="$(status "$1")"; [[ "$2" == *"$got"* ]] || fail "smoke: $1 answers $got, not $2"; echo "smoke: $1 answers $got"; }
expect /api/v1/health 200
expect /api/v1/ready 200
expect /api/v1/requests 401
if [[ -n "$(output INGRESS_HOSTNAME)" ]]; then
  expect /runtime/webhooks/durabletask/instances '403 404'
  expect /admin/host/status '403 404'
  expect /api/v1/pools/plan/claim '403 404'
fi
