#!/usr/bin/env bash
# A step for an Entra administrator. Before the first deployment: the app registration that callers ask tokens for, with the app roles of
# the workers and the scope that people's tokens carry (a token with neither is refused). After it: which identity has which app role,
# and the migrator among the SQL administrators. Running it again changes nothing.
#
#   scripts/entra.sh ENV
#
#   FACTORY_SQL_ADMIN_GROUP_ID   object id of the group of the SQL administrators; needed after the deployment

TAKES=""
source "$(dirname "$0")/environment.sh"
need az
NAME="agent-factory-$ENVIRONMENT"
# az filters names by their beginning: another environment's may begin alike.
CLIENT="$(az ad app list --display-name "$NAME" --query "[?displayName=='$NAME'].appId" --output tsv)"
[[ "$CLIENT" != *$'\n'* ]] || fail "there is more than one app registration $NAME: delete those that are not used"
if [[ -z "$CLIENT" ]]; then
  roles='[
    {"id":"0b7f1a52-5b0e-4f0e-9d53-2a1c0f4e7a01","value":"station","displayName":"station","description":"Claims jobs of the station pools.","allowedMemberTypes":["Application"],"isEnabled":true},
    {"id":"0b7f1a52-5b0e-4f0e-9d53-2a1c0f4e7a02","value":"verifier","displayName":"verifier","description":"Claims jobs of the verify pool.","allowedMemberTypes":["Application"],"isEnabled":true},
    {"id":"0b7f1a52-5b0e-4f0e-9d53-2a1c0f4e7a03","value":"effector","displayName":"effector","description":"Claims jobs of the fetch and effect pools.","allowedMemberTypes":["Application"],"isEnabled":true}
  ]'
  CLIENT="$(az ad app create --display-name "$NAME" --sign-in-audience AzureADMyOrg --app-roles "$roles" --query appId --output tsv)"
fi
echo "FACTORY_API_CLIENT_ID=$CLIENT"
[[ -n "$(az ad sp list --filter "appId eq '$CLIENT'" --query "[].id" --output tsv)" ]] || az ad sp create --id "$CLIENT" --output none

# Version 2 is what control takes. The scope first: a client can be let in only for a scope that is there.
SCOPE=0b7f1a52-5b0e-4f0e-9d53-2a1c0f4e7a10
APPLICATION="https://graph.microsoft.com/v1.0/applications(appId='$CLIENT')"
if [[ -z "$(az ad app show --id "$CLIENT" --query "api.oauth2PermissionScopes[?id=='$SCOPE'].id" --output tsv)" ]]; then
  az rest --method patch --url "$APPLICATION" --output none --body \
    "{\"identifierUris\":[\"api://$CLIENT\"],\"api\":{\"requestedAccessTokenVersion\":2,\"oauth2PermissionScopes\":[{\"id\":\"$SCOPE\",\"value\":\"Factory.Use\",\"type\":\"User\",\"isEnabled\":true,\"adminConsentDisplayName\":\"Use the factory\",\"adminConsentDescription\":\"Calls the plane as the person who signed in.\",\"userConsentDisplayName\":\"Use the factory\",\"userConsentDescription\":\"Calls the plane as you.\"}]}}"
fi
# So that people can call the plane by the token of az account get-access-token: the well-known client of the Azure CLI.
CLI=04b07795-8ddb-461a-bbee-02f9e1bf7b46
if [[ -z "$(az ad app show --id "$CLIENT" --query "api.preAuthorizedApplications[?appId=='$CLI'].appId" --output tsv)" ]]; then
  az rest --method patch --url "$APPLICATION" --output none --body \
    "{\"api\":{\"preAuthorizedApplications\":[{\"appId\":\"$CLI\",\"delegatedPermissionIds\":[\"$SCOPE\"]}]}}"
fi

if ! deployed; then
  echo "entra: not deployed yet; run this again after scripts/deploy.sh" >&2
  exit 0
fi
values FACTORY_SQL_ADMIN_GROUP_ID
RESOURCE="$(az ad sp show --id "$CLIENT" --query id --output tsv)"
for role in station verifier effector; do
  principal="$(principal_of "$role")"
  [[ -n "$principal" ]] || fail "$GROUP has no identity of the role $role"
  id="$(app_role "$CLIENT" "$role")"
  [[ -n "$id" ]] || fail "the app registration $NAME has no app role $role"
  [[ -n "$(assignment_of "$principal" "$id")" ]] || az rest --method post --url "https://graph.microsoft.com/v1.0/servicePrincipals/$principal/appRoleAssignments" \
    --body "{\"principalId\":\"$principal\",\"resourceId\":\"$RESOURCE\",\"appRoleId\":\"$id\"}" --output none
done
MIGRATOR="$(principal_of migrator)"
[[ -n "$MIGRATOR" ]] || fail "$GROUP has no identity of the migrator"
[[ "$(az ad group member check --group "$FACTORY_SQL_ADMIN_GROUP_ID" --member-id "$MIGRATOR" --query value --output tsv)" == true ]] ||
  az ad group member add --group "$FACTORY_SQL_ADMIN_GROUP_ID" --member-id "$MIGRATOR"
echo "entra: the identities have their app roles; the migrator is among the SQL administrators"
