#!/usr/bin/env bash
# Writes what a deployment would change into a plan file, and prints its digest: what people (or a gate) read and approve.
# The file holds the compiled template and its parameters too, so that exactly this is applied. Changes nothing (a what-if).
#
#   scripts/whatif.sh ENV [--plan FILE]
#
#   --plan FILE   the file to write (plan-ENV.json)

TAKES="--plan"
source "$(dirname "$0")/environment.sh"
need az node
PLAN="${OPTION_plan:-plan-$ENVIRONMENT.json}"
SUBSCRIPTION="$(subscription)"
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
compile "$WORK"
look "$WORK" "$SUBSCRIPTION" "$LOCATION"
mv "$WORK/plan.json" "$PLAN"
echo "whatif: $(deployment summary "$PLAN")" >&2
echo "$(digest "$PLAN")  $PLAN"
