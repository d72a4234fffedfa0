#!/usr/bin/env bash
# Publishes the package of a role, syncs the triggers, and waits until the functions that the app lists are those of the role.
# usage: scripts/publish.sh dev|prod control|effector PACKAGE-DIRECTORY [dts|azure-storage]
source "$(dirname "$0")/environment.sh"
ROLE="${2:-}" PACKAGE="${3:-}" BACKEND="${4:-dts}"
[[ "$ROLE" == control || "$ROLE" == effector ]] || fail "There is a function app of control and one of effector."
[[ -f "$PACKAGE/host.json" ]] || fail "$PACKAGE holds no host.json: build the package of the role first."
APP="$(output "${ROLE^^}_NAME")"
STAGE="$(mktemp -d)"
trap 'rm -rf "$STAGE"' EXIT
cp -R "$PACKAGE/." "$STAGE/"
# The backend of the environment goes over the host.json of the package; everything else stays as it is tested.
node --input-type=module -e '
  import { readFileSync, writeFileSync } from "node:fs";
  const [host, over] = process.argv.slice(1).map((file) => JSON.parse(readFileSync(file, "utf8")));
  const durableTask = { ...host.extensions.durableTask, ...over.extensions.durableTask };
  writeFileSync(process.argv[1], JSON.stringify({ ...host, ...over, extensions: { ...host.extensions, durableTask } }, null, 2) + "\n");
' "$STAGE/host.json" "$INFRA/host/$BACKEND.json"
(cd "$STAGE" && zip -qr package.zip .)
az functionapp deployment source config-zip --name "$APP" --resource-group "$GROUP" --src "$STAGE/package.zip" --output none
ID="$(az functionapp show --name "$APP" --resource-group "$GROUP" --query id --output tsv)"
node "$ROOT/scripts/infra/main.ts" functions "$ROLE" >"$STAGE/expected"
for _ in $(seq 30); do
  az rest --method post --url "$ID/syncfunctiontriggers?api-version=2024-11-01" --output none || true
  az functionapp function list --name "$APP" --resource-group "$GROUP" --query "[].name" --output tsv | sed 's|.*/||' | sort >"$STAGE/listed"
  if cmp -s "$STAGE/expected" "$STAGE/listed"; then echo "publish: $APP lists the functions of $ROLE"; exit 0; fi
  sleep 10
done
diff "$STAGE/expected" "$STAGE/listed" >&2 || true
fail "publish: $APP does not list the functions of $ROLE"
