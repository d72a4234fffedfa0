#!/usr/bin/env bash
# Asks the plane from outside whether it answers, and that what is closed is closed. Changes nothing.
#
#   scripts/smoke.sh ENV

TAKES=""
source "$(dirname "$0")/environment.sh"
need az curl
INGRESS="$(output INGRESS_HOSTNAME)"
HOST="${INGRESS:-$(output CONTROL_HOSTNAME)}"
[[ -n "$HOST" ]] || fail "the stack $STACK names no host: deploy first"
expect() {
  local got
  got="$(curl --silent --show-error --max-time 30 --output /dev/null --write-out '%{http_code}' "https://$HOST$1")" || fail "https://$HOST$1 can't be reached"
  [[ " $2 " == *" $got "* ]] || fail "$1 answers $got, not $2"
  echo "smoke: $1 answers $got"
}
expect /api/v1/health 200
expect /api/v1/ready 200
expect /api/v1/requests 401
if [[ -n "$INGRESS" ]]; then
  expect /runtime/webhooks/durabletask/instances '403 404'
  expect /admin/host/status '403 404'
  expect /api/v1/pools/plan/claim '403 404'
fi
