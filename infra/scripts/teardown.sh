#!/usr/bin/env bash
# Takes an environment down: lifts its locks, deletes the stack with everything in it. Asks for the name of the environment first.
# What stays: vaults and keys, recoverable and unpurgeable for softDeleteDays (their names stay taken); anchors under a locked
# immutability policy, which keep their storage account; long-term backups of the database; the app registration.
source "$(dirname "$0")/environment.sh"
read -r -p "This deletes $GROUP with its database and artifacts. Type $ENVIRONMENT to go on: " answer
[[ "$answer" == "$ENVIRONMENT" ]] || fail "teardown: nothing was done"
az lock list --resource-group "$GROUP" --query "[].id" --output tsv | while read -r id; do az lock delete --ids "$id"; done
az stack sub delete --name "$STACK" --action-on-unmanage deleteAll --yes --output none
az keyvault list-deleted --query "[].name" --output tsv
