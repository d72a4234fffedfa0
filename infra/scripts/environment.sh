# shellcheck shell=bash disable=SC2034
# Read by the other scripts, each of which says in TAKES which options it has: the environment, its names, and how a script fails.
# Exit codes: 0 done, 1 failed, 2 wrong use, 3 the plan is not what would change any more. Runs on the bash of macOS too (3.2).
set -euo pipefail

SCRIPT="$(basename "$0")"
INFRA="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
ROOT="$(cd "$INFRA/.." && pwd)"

fail() { echo "$SCRIPT: $*" >&2; exit 1; }
# The comment at the head of a script is its help.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }
wrong() { { echo "$SCRIPT: $*"; echo; usage; } >&2; exit 2; }

ENVIRONMENT="" OPTION_plan="" OPTION_to="" OPTION_digest="" OPTION_role="" OPTION_package="" OPTION_backend="" OPTION_yes=""
while [[ $# -gt 0 ]]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --*)
      [[ " ${TAKES:-} " == *" $1 "* ]] || wrong "there is no option $1"
      if [[ "$1" == --yes ]]; then
        OPTION_yes=yes
      else
        [[ -n "${2:-}" && "${2:-}" != --* ]] || wrong "$1 needs a value"
        printf -v "OPTION_${1#--}" '%s' "$2"
        shift
      fi
      ;;
    *) [[ -z "$ENVIRONMENT" ]] || wrong "there is one environment, not $ENVIRONMENT and $1"; ENVIRONMENT="$1" ;;
  esac
  shift
done
[[ -n "$ENVIRONMENT" ]] || wrong "which environment?"
[[ "$ENVIRONMENT" =~ ^[a-z][a-z0-9]{0,15}$ ]] || wrong "$ENVIRONMENT is no name of an environment"
PARAMETERS="$INFRA/main.$ENVIRONMENT.bicepparam"
[[ -f "$PARAMETERS" ]] || wrong "there is no environment $ENVIRONMENT: main.$ENVIRONMENT.bicepparam is not in $INFRA"

WORKLOAD="${FACTORY_WORKLOAD:-factory}"
GROUP="rg-$WORKLOAD-$ENVIRONMENT"
STACK="$WORKLOAD-$ENVIRONMENT"
LOCATION="${AZURE_LOCATION:-westeurope}"
POLL_SECONDS="${FACTORY_POLL_SECONDS:-10}"
[[ "$POLL_SECONDS" =~ ^[0-9]+$ ]] || fail "FACTORY_POLL_SECONDS is no number of seconds"

# Every tool that a script needs, all missing ones named at once.
need() {
  local missing=""
  for tool in "$@"; do command -v "$tool" >/dev/null || missing="$missing $tool"; done
  [[ -z "$missing" ]] || fail "not on PATH:$missing"
}
# Every value that a script needs from the environment, all missing ones named at once.
values() {
  local missing=""
  for name in "$@"; do [[ -n "${!name:-}" ]] || missing="$missing $name"; done
  [[ -z "$missing" ]] || fail "not set:$missing (infra/README.md says what each is)"
}
# The Node.js that npm installed with the project, or else the machine's.
deployment() { PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/deployment/main.ts" "$@"; }
subscription() { az account show --query id --output tsv || fail "not signed in to Azure: az login"; }
# az writes the word None for a value that is not there.
output() { az stack sub show --name "$STACK" --query "outputs.$1.value" --output tsv | sed 's/^None$//'; }
deployed() { [[ -n "$(az stack sub list --query "[?name=='$STACK'].name" --output tsv)" ]]; }
digest() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1; }

# Compiles the environment's template and parameters into DIR/template.json and DIR/parameters.json.
compile() {
  az bicep build --file "$INFRA/main.bicep" --outfile "$1/template.json"
  az bicep build-params --file "$PARAMETERS" --outfile "$1/parameters.json"
}

# Asks what deploying DIR/template.json with DIR/parameters.json would change, and puts the whole into DIR/plan.json.
look() {
  local directory="$1" subscription="$2" location="$3"
  az deployment sub what-if --location "$location" --template-file "$directory/template.json" --parameters "$directory/parameters.json" \
    --result-format FullResourcePayloads --no-pretty-print --output json >"$directory/what-if.json"
  deployment plan "$directory" "$ENVIRONMENT" "$subscription" "$STACK" "$location"
}

# The object id of a role's managed identity.
principal_of() { az identity list --resource-group "$GROUP" --query "[?starts_with(name, 'id-$1-')].principalId | [0]" --output tsv; }
# The assignments of an app role to an identity; empty when it has not got it.
assignment_of() {
  az rest --method get --url "https://graph.microsoft.com/v1.0/servicePrincipals/$1/appRoleAssignments" --query "value[?appRoleId=='$2'].id | [0]" --output tsv
}
app_role() { az ad app show --id "$1" --query "appRoles[?value=='$2'].id | [0]" --output tsv; }
