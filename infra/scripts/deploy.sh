#!/usr/bin/env bash
# Applies a plan that was approved, as a deployment stack. Refuses a file with another digest, another subscription, and (exit code 3)
# a plan that is not what would change any more. What leaves the template is detached, never deleted: it may hold state.
# Running it again with the plan that was applied last applies nothing.
#
#   scripts/deploy.sh ENV --plan FILE --digest SHA256
#
#   --plan FILE       what scripts/whatif.sh wrote
#   --digest SHA256   what was approved

TAKES="--plan --digest"
source "$(dirname "$0")/environment.sh"
[[ -n "$OPTION_plan" && -n "$OPTION_digest" ]] || wrong "needs --plan and --digest: look first with scripts/whatif.sh"
[[ -f "$OPTION_plan" ]] || fail "there is no $OPTION_plan"
need az node
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
# From here on a copy counts: the file may change after its digest was taken.
cp "$OPTION_plan" "$WORK/approved.json"
[[ "$(digest "$WORK/approved.json")" == "$OPTION_digest" ]] || fail "$OPTION_plan is not the plan that was approved: its digest is $(digest "$WORK/approved.json")"
TARGET="$(deployment unpack "$WORK/approved.json" "$WORK")"
{ read -r FOR_ENVIRONMENT; read -r FOR_SUBSCRIPTION; read -r FOR_STACK; read -r FOR_LOCATION; } <<<"$TARGET"
[[ "$FOR_ENVIRONMENT" == "$ENVIRONMENT" ]] || fail "$OPTION_plan is a plan of $FOR_ENVIRONMENT, not of $ENVIRONMENT"
[[ "$FOR_STACK" == "$STACK" ]] || fail "$OPTION_plan is a plan of the stack $FOR_STACK, not of $STACK: is FACTORY_WORKLOAD as it was?"
SUBSCRIPTION="$(subscription)"
[[ "$FOR_SUBSCRIPTION" == "$SUBSCRIPTION" ]] || fail "$OPTION_plan is a plan of subscription $FOR_SUBSCRIPTION, not of $SUBSCRIPTION: az account set --subscription $FOR_SUBSCRIPTION"

MARK="plan sha256:$OPTION_digest"
# What the stack says of itself: which plan it was made of, and how far that got.
state() { az stack sub list --query "[?name=='$STACK'].join(' | ', [description || 'none', provisioningState]) | [0]" --output tsv | tr '[:upper:]' '[:lower:]'; }

if [[ "$(state)" == "$MARK | succeeded" ]]; then
  echo "deploy: the stack $STACK is of this plan already"
else
  look "$WORK" "$SUBSCRIPTION" "$FOR_LOCATION"
  if ! cmp -s "$WORK/plan.json" "$WORK/approved.json"; then
    echo "deploy: what would change is not what $OPTION_plan says any more ($(deployment summary "$WORK/plan.json")): look again with scripts/whatif.sh" >&2
    exit 3
  fi
  az stack sub create --name "$STACK" --location "$FOR_LOCATION" --template-file "$WORK/template.json" --parameters "$WORK/parameters.json" \
    --description "$MARK" --action-on-unmanage detachAll --deny-settings-mode none --yes --output none
  seen="$(state)"
  [[ "$seen" == "$MARK | succeeded" ]] || fail "the stack $STACK was to be of $MARK; looked at again it is: $seen"
  echo "deploy: the stack $STACK is of this plan now"
fi

# Front Door waits for the owner of the app.
CONTROL="$(output CONTROL_NAME)"
APP="$(az functionapp show --name "$CONTROL" --resource-group "$GROUP" --query id --output tsv)"
PENDING="$(az network private-endpoint-connection list --id "$APP" --query "[?properties.privateLinkServiceConnectionState.status=='Pending'].id" --output tsv)"
for connection in $PENDING; do
  az network private-endpoint-connection approve --id "$connection" --description "Ingress of the plane." --output none
done
