#!/usr/bin/env bash
# Looks at everything that would fail a deployment halfway: variables, providers, policies, address ranges, quotas, names. Changes nothing.
source "$(dirname "$0")/environment.sh"
faults=0
fault() { echo "preflight: $*" >&2; faults=$((faults + 1)); }

for name in FACTORY_SQL_ADMIN_GROUP FACTORY_SQL_ADMIN_GROUP_ID FACTORY_API_CLIENT_ID FACTORY_POLICY_OWNER_ID FACTORY_ALERT_EMAILS FACTORY_BUDGET_START; do
  [[ -n "${!name:-}" ]] || fault "$name is not set"
done
[[ "$ENVIRONMENT" != dev || -n "${FACTORY_ALLOWED_RANGES:-}" ]] || fault "FACTORY_ALLOWED_RANGES is not set: dev is public, and must be so to named ranges only"
[[ -z "${FACTORY_BUDGET_START:-}" || "$FACTORY_BUDGET_START" =~ ^[0-9]{4}-[0-9]{2}-01$ ]] || fault "FACTORY_BUDGET_START is not the first of a month"
ranges="${FACTORY_ALLOWED_RANGES:-}"
for range in ${ranges//,/ }; do
  [[ "$range" =~ ^[0-9.]+/(3[0-2]|2[0-9]|1[6-9])$ ]] || fault "range $range is no IPv4 CIDR of /16 or narrower"
done

for provider in Microsoft.ApiManagement Microsoft.App Microsoft.Cdn Microsoft.ContainerRegistry Microsoft.DurableTask Microsoft.Insights \
  Microsoft.KeyVault Microsoft.ManagedIdentity Microsoft.Network Microsoft.OperationalInsights Microsoft.ServiceBus Microsoft.Sql Microsoft.Storage Microsoft.Web; do
  state="$(az provider show --namespace "$provider" --query registrationState --output tsv)"
  [[ "$state" == Registered ]] || fault "$provider is $state: az provider register --namespace $provider"
done

# The ids of built-in policies are written in modules/policy.bicep: each must exist in this cloud.
while read -r id; do
  az policy definition show --name "$id" --output none || fault "policy definition $id does not exist"
done < <(grep -oE "id: '[0-9a-f-]{36}'" "$INFRA/modules/policy.bicep" | cut -d"'" -f2)

az ad group show --group "${FACTORY_SQL_ADMIN_GROUP_ID:-none}" --output none || fault "the group of the SQL administrators does not exist"
az ad app show --id "${FACTORY_API_CLIENT_ID:-none}" --output none || fault "the app registration does not exist: run scripts/entra.sh first"

# CIDR: the range of the network may not overlap one that will be peered.
prefix="${FACTORY_ADDRESS_PREFIX:-10.40.0.0/23}"
if command -v python3 >/dev/null; then
  az network vnet list --query "[].{name:name, ranges:addressSpace.addressPrefixes}" --output json | python3 -c '
import ipaddress, json, sys
own = ipaddress.ip_network(sys.argv[1])
for vnet in json.load(sys.stdin):
    for text in vnet["ranges"]:
        if own.overlaps(ipaddress.ip_network(text)): print("preflight: warning: " + sys.argv[1] + " overlaps " + vnet["name"], file=sys.stderr)
' "$prefix"
fi

# Quotas: cores of the network and container services in the region.
az network list-usages --location "$LOCATION" --query "[?currentValue >= limit].localName" --output tsv | while read -r name; do echo "preflight: quota of $name is used up in $LOCATION" >&2; done
az containerapp env list-usages --name none --resource-group none --output none 2>/dev/null || echo "preflight: quota of Container Apps and Flex Consumption cores can't be read before the first deployment: look in the portal under Quotas" >&2

az functionapp list-flexconsumption-locations --query "[].name" --output tsv | tr -d ' ' | grep -qix "${LOCATION// /}" || fault "$LOCATION has no Flex Consumption"
deleted="$(az keyvault list-deleted --query "[?starts_with(name, 'kv-')].name" --output tsv || true)"
[[ -z "$deleted" ]] || echo "preflight: deleted vaults that keep their names: $deleted (az keyvault recover)" >&2

[[ $faults -eq 0 ]] || fail "preflight: $faults faults"
echo "preflight: nothing found"
