#!/usr/bin/env bash
# Starts the migration job inside the network and waits for it, 180 looks at most. Running it again changes nothing.
#
#   scripts/migrate.sh ENV
#
#   FACTORY_POLL_SECONDS   seconds between two looks (10)

TAKES=""
source "$(dirname "$0")/environment.sh"
need az
JOB="$(output MIGRATION_JOB)"
[[ -n "$JOB" ]] || fail "there is no migration job yet: set FACTORY_WORKER_IMAGE and deploy again"
EXECUTION="$(az containerapp job start --name "$JOB" --resource-group "$GROUP" --query name --output tsv)"
[[ -n "$EXECUTION" ]] || fail "$JOB was started, and az did not say which execution it is: look at it in the portal"
for _ in $(seq 180); do
  state="$(az containerapp job execution show --name "$JOB" --resource-group "$GROUP" --job-execution-name "$EXECUTION" --query properties.status --output tsv)"
  case "$state" in
    Succeeded) echo "migrate: $EXECUTION succeeded"; exit 0 ;;
    Failed | Stopped | Degraded) fail "$EXECUTION is $state: look at its log in the workspace (ContainerAppConsoleLogs)" ;;
  esac
  sleep "$POLL_SECONDS"
done
fail "$EXECUTION has not ended after 180 looks; it may still end by itself"
