#!/usr/bin/env bash
# Takes an environment down: lifts its locks, deletes the stack with everything in it. Says what that is and asks for the name of the
# environment first. What stays: vaults and keys, recoverable and unpurgeable for softDeleteDays (their names stay taken); anchors
# under a locked immutability policy, which keep their storage account; long-term backups of the database; the app registration.
#
#   scripts/teardown.sh ENV [--yes]
#
#   --yes   does not ask

TAKES="--yes"
source "$(dirname "$0")/environment.sh"
need az
SUBSCRIPTION="$(subscription)"
if ! deployed; then
  echo "teardown: there is no stack $STACK in subscription $SUBSCRIPTION: nothing to take down"
  exit 0
fi
echo "teardown: this deletes, in subscription $SUBSCRIPTION, with the database and the artifacts:"
az stack sub show --name "$STACK" --query "resources[].id" --output tsv
if [[ -z "$OPTION_yes" ]]; then
  printf 'Type %s to go on: ' "$ENVIRONMENT"
  read -r answer || answer=""
  [[ "$answer" == "$ENVIRONMENT" ]] || fail "nothing was done"
fi
LOCKS="$(az lock list --resource-group "$GROUP" --query "[].id" --output tsv)"
for lock in $LOCKS; do az lock delete --ids "$lock"; done
az stack sub delete --name "$STACK" --action-on-unmanage deleteAll --yes --output none
echo "teardown: deleted vaults that can be recovered, and keep their names:"
az keyvault list-deleted --query "[].name" --output tsv
