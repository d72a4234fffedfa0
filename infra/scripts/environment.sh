# shellcheck shell=bash
# Read by the other scripts: which environment, where its templates are, what its resource group is called.
# usage of each script: scripts/NAME.sh dev|prod
set -euo pipefail
ENVIRONMENT="${1:-}"
INFRA="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
ROOT="$(cd "$INFRA/.." && pwd)"
PARAMETERS="$INFRA/main.$ENVIRONMENT.bicepparam"
WORKLOAD="${FACTORY_WORKLOAD:-factory}"
GROUP="rg-$WORKLOAD-$ENVIRONMENT"
STACK="$WORKLOAD-$ENVIRONMENT"
LOCATION="${AZURE_LOCATION:-westeurope}"
fail() { echo "$*" >&2; exit 1; }
[[ -f "$PARAMETERS" ]] || fail "There is no main.$ENVIRONMENT.bicepparam. Usage: $(basename "$0") dev|prod"
command -v az >/dev/null || fail "The Azure CLI (az) is not on PATH."
output() { az stack sub show --name "$STACK" --query "outputs.$1.value" --output tsv; }
