#!/usr/bin/env bash
# A step for an Entra administrator. Before the first deployment: the app registration that callers ask tokens for, with its app roles.
# After it: which identity has which role, and the migrator among the SQL administrators. Running it again changes nothing.
source "$(dirname "$0")/environment.sh"
NAME="agent-factory-$ENVIRONMENT"
CLIENT="$(az ad app list --display-name "$NAME" --query "[0].appId" --output tsv)"
if [[ -z "$CLIENT" ]]; then
  roles='[
    {"id":"0b7f1a52-5b0e-4f0e-9d53-2a1c0f4e7a01","value":"station","displayName":"station","description":"Claims jobs of the station pools.","allowedMemberTypes":["Application"],"isEnabled":true},
    {"id":"0b7f1a52-5b0e-4f0e-9d53-2a1c0f4e7a02","value":"verifier","displayName":"verifier","description":"Claims jobs of the verify pool.","allowedMemberTypes":["Application"],"isEnabled":true},
    {"id":"0b7f1a52-5b0e-4f0e-9d53-2a1c0f4e7a03","value":"effector","displayName":"effector","description":"Claims jobs of the fetch and effect pools.","allowedMemberTypes":["Application"],"isEnabled":true}
  ]'
  CLIENT="$(az ad app create --display-name "$NAME" --sign-in-audience AzureADMyOrg --requested-access-token-version 2 --app-roles "$roles" --query appId --output tsv)"
  az ad sp create --id "$CLIENT" --output none
fi
echo "FACTORY_API_CLIENT_ID=$CLIENT"

if [[ -z "$(az stack sub list --query "[?name=='$STACK'].name" --output tsv)" ]]; then
  echo "entra: not deployed yet; run this again after scripts/deploy.sh" >&2
  exit 0
fi
RESOURCE="$(az ad sp show --id "$CLIENT" --query id --output tsv)"
for role in station verifier effector; do
  principal="$(az identity list --resource-group "$GROUP" --query "[?starts_with(name, 'id-$role-')].principalId | [0]" --output tsv)"
  id="$(az ad app show --id "$CLIENT" --query "appRoles[?value=='$role'].id | [0]" --output tsv)"
  assigned="$(az rest --method get --url "https://graph.microsoft.com/v1.0/servicePrincipals/$principal/appRoleAssignments" --query "value[?appRoleId=='$id'].id | [0]" --output tsv)"
  [[ -n "$assigned" ]] || az rest --method post --url "https://graph.microsoft.com/v1.0/servicePrincipals/$principal/appRoleAssignments" \
    --body "{\"principalId\":\"$principal\",\"resourceId\":\"$RESOURCE\",\"appRoleId\":\"$id\"}" --output none
done
MIGRATOR="$(az identity list --resource-group "$GROUP" --query "[?starts_with(name, 'id-migrator-')].principalId | [0]" --output tsv)"
[[ "$(az ad group member check --group "$FACTORY_SQL_ADMIN_GROUP_ID" --member-id "$MIGRATOR" --query value --output tsv)" == true ]] ||
  az ad group member add --group "$FACTORY_SQL_ADMIN_GROUP_ID" --member-id "$MIGRATOR"
