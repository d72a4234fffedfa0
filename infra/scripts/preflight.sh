#!/usr/bin/env bash
# Looks at everything that would fail a deployment halfway: variables, providers, policies, Entra, address ranges, quotas, names.
# Names every fault, not the first alone. Changes nothing.
#
#   scripts/preflight.sh ENV

TAKES=""
source "$(dirname "$0")/environment.sh"
need az node
faults=0
fault() { echo "preflight: $*" >&2; faults=$((faults + 1)); }
warning() { echo "preflight: warning: $*" >&2; }
subscription >/dev/null

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
  state="$(az provider show --namespace "$provider" --query registrationState --output tsv)" || state="unknown"
  [[ "$state" == Registered ]] || fault "$provider is $state: az provider register --namespace $provider"
done

# The ids of built-in policies are written in modules/policy.bicep: each must exist in this cloud.
while read -r id; do
  az policy definition show --name "$id" --output none || fault "policy definition $id does not exist"
done < <(grep -oE "id: '[0-9a-f-]{36}'" "$INFRA/modules/policy.bicep" | cut -d"'" -f2)

# Entra: the group, the app registration with its roles and its scope, and, once deployed, who has which role.
GROUP_ID="${FACTORY_SQL_ADMIN_GROUP_ID:-}" CLIENT="${FACTORY_API_CLIENT_ID:-}"
[[ -z "$GROUP_ID" ]] || az ad group show --group "$GROUP_ID" --output none || fault "the group of the SQL administrators does not exist"
if [[ -n "$CLIENT" ]]; then
  if az ad app show --id "$CLIENT" --output none; then
    [[ -n "$(az ad app show --id "$CLIENT" --query "api.oauth2PermissionScopes[].id" --output tsv)" ]] || fault "the app registration has no scope, so nobody gets a token: run scripts/entra.sh"
    installed=""
    ! deployed || installed=yes
    for role in station verifier effector; do
      id="$(app_role "$CLIENT" "$role")"
      [[ -n "$id" ]] || { fault "the app registration has no app role $role: run scripts/entra.sh"; continue; }
      [[ -n "$installed" ]] || continue
      principal="$(principal_of "$role")"
      [[ -n "$principal" && -n "$(assignment_of "$principal" "$id")" ]] || fault "the identity of $role has no app role, so control refuses it: run scripts/entra.sh"
    done
  else
    fault "the app registration does not exist: run scripts/entra.sh first"
  fi
fi

# What the effector is to deploy to, and as what. Owner and who assigns roles can give themselves everything: that is said, not refused.
if given="$(deployment rights "${FACTORY_DEPLOYMENT_RIGHTS:-[]}" 2>&1)"; then
  while read -r at role; do
    [[ "$at $role" =~ ^[0-9a-fA-F-]{36}\ [0-9a-f-]{36}$ ]] || continue
    name="$(az role definition list --name "$role" --subscription "$at" --query "[0].roleName" --output tsv)" || name=""
    [[ -n "$name" ]] || fault "FACTORY_DEPLOYMENT_RIGHTS names the role $role, which subscription $at does not have"
    [[ ! "$name" =~ ^(Owner|User\ Access\ Administrator|Role\ Based\ Access\ Control\ Administrator)$ ]] || warning "the effector becomes $name of $at: what it deploys there can give anybody anything"
  done <<<"$given"
else
  fault "FACTORY_DEPLOYMENT_RIGHTS: ${given//$'\n'/ }"
fi

# CIDR: the range of the network may not overlap one that it will be peered with.
prefix="$(sed -n "s/^param addressPrefix [a-z ]*= '\(.*\)'$/\1/p; s/^param addressPrefix = '\(.*\)'$/\1/p" "$INFRA/main.bicep" "$PARAMETERS" | tail -n 1)"
networks="$(az network vnet list --query "[?resourceGroup!='$GROUP'].{name:name, ranges:addressSpace.addressPrefixes}" --output json)"
overlaps="$(deployment overlaps "$prefix" <<<"$networks")" || fault "the address ranges of the networks can't be compared"
[[ -z "$overlaps" ]] || warning "$prefix overlaps ${overlaps//$'\n'/, }: they can't be peered"

# Quotas of the network in the region. Those of Container Apps and Flex Consumption can be read by no command before there is an app.
used="$(az network list-usages --location "$LOCATION" --query "[?to_number(currentValue) >= to_number(limit) && to_number(limit) > \`0\`].localName" --output tsv)"
[[ -z "$used" ]] || warning "quota used up in $LOCATION: ${used//$'\n'/, }"
warning "quotas of Container Apps and Flex Consumption cores are not looked at: see Quotas in the portal"

locations="$(az functionapp list-flexconsumption-locations --query "[].name" --output tsv | tr -d ' ' | tr '[:upper:]' '[:lower:]')"
grep -qix "${LOCATION// /}" <<<"$locations" || fault "$LOCATION has no Flex Consumption"
deleted="$(az keyvault list-deleted --query "[?starts_with(name, 'kv-')].name" --output tsv)" || deleted=""
[[ -z "$deleted" ]] || warning "deleted vaults keep their names: ${deleted//$'\n'/, } (az keyvault recover)"

[[ $faults -eq 0 ]] || fail "$faults faults"
echo "preflight: nothing found"
