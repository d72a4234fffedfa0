#!/usr/bin/env bash
# Deploys as a stack. What leaves the template is detached, never deleted: it may hold state.
# With a plan file and its digest, refuses when what would change is no longer what was read: scripts/deploy.sh prod plan-prod.json sha256
source "$(dirname "$0")/environment.sh"
if [[ -n "${2:-}" ]]; then
  [[ "$(sha256sum "$2" | cut -d' ' -f1)" == "${3:-}" ]] || fail "$2 is not the plan that was approved"
  now="$(mktemp)"
  trap 'rm -f "$now"' EXIT
  az deployment sub what-if --location "$LOCATION" --parameters "$PARAMETERS" --result-format FullResourcePayloads --no-pretty-print --output json >"$now"
  cmp -s "$now" "$2" || fail "What would change is not what $2 says any more: look again with scripts/whatif.sh"
fi
az stack sub create --name "$STACK" --location "$LOCATION" --parameters "$PARAMETERS" \
  --action-on-unmanage detachAll --deny-settings-mode none --yes --output none
# Front Door waits for the owner of the app.
APP="$(az functionapp show --name "$(output CONTROL_NAME)" --resource-group "$GROUP" --query id --output tsv)"
while read -r connection; do
  az network private-endpoint-connection approve --id "$connection" --description "Ingress of the plane." --output none
done < <(az network private-endpoint-connection list --id "$APP" --query "[?properties.privateLinkServiceConnectionState.status=='Pending'].id" --output tsv)
