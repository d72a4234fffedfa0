#!/usr/bin/env bash
# Builds, lints, compares the format, and lets the subscription validate. The offline checks come first. Changes nothing.
#
#   scripts/validate.sh ENV

TAKES=""
source "$(dirname "$0")/environment.sh"
need az node find
PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/infra/main.ts"
az bicep build --file "$INFRA/main.bicep" --stdout >/dev/null
az bicep lint --file "$INFRA/main.bicep"
while read -r file; do
  az bicep format --file "$file" --stdout | diff -q - "$file" >/dev/null || fail "$file is not formatted: az bicep format --file $file"
done < <(find "$INFRA" -name '*.bicep' | sort)
az deployment sub validate --location "$LOCATION" --parameters "$PARAMETERS" --output none
echo "validate: nothing found"
