#!/usr/bin/env bash
# Starts the migration job inside the network and waits for it, half an hour at most. Running it again changes nothing.
source "$(dirname "$0")/environment.sh"
JOB="$(output MIGRATION_JOB)"
[[ -n "$JOB" ]] || fail "There is no migration job yet: set FACTORY_WORKER_IMAGE and deploy again."
EXECUTION="$(az containerapp job start --name "$JOB" --resource-group "$GROUP" --query name --output tsv)"
for _ in $(seq 180); do
  state="$(az containerapp job execution show --name "$JOB" --resource-group "$GROUP" --job-execution-name "$EXECUTION" --query properties.status --output tsv)"
  case "$state" in
    Succeeded) echo "migrate: $EXECUTION succeeded"; exit 0 ;;
    Failed | Stopped | Degraded) fail "migrate: $EXECUTION is $state: look at its log in the workspace (ContainerAppConsoleLogs)" ;;
  esac
  sleep 10
done
fail "migrate: $EXECUTION has not ended within half an hour"
