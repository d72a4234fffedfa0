#!/usr/bin/env bash
# What a deployment would change, as a plan file that people (or a gate) read before it is applied. Prints the file and its digest.
source "$(dirname "$0")/environment.sh"
PLAN="${2:-plan-$ENVIRONMENT.json}"
az deployment sub what-if --location "$LOCATION" --parameters "$PARAMETERS" --result-format FullResourcePayloads --no-pretty-print --output json >"$PLAN"
sha256sum "$PLAN"
