#!/usr/bin/env bash
# Publishes the package of a role, syncs the triggers, and waits until the functions that the app lists are those of the role, 30 looks at most.
#
#   scripts/publish.sh ENV --role control|effector --package DIR [--backend dts|azure-storage]
#
#   --package DIR          the package, as npm run build makes it: dist/control, dist/effector
#   --backend NAME         the environment's durable backend, whose part of host.json is put over the package's (dts)
#   FACTORY_POLL_SECONDS   seconds between two looks (10)

TAKES="--role --package --backend"
source "$(dirname "$0")/environment.sh"
ROLE="$OPTION_role" PACKAGE="$OPTION_package" BACKEND="${OPTION_backend:-dts}"
case "$ROLE" in
  control) APP_OUTPUT=CONTROL_NAME ;;
  effector) APP_OUTPUT=EFFECTOR_NAME ;;
  *) wrong "--role is control or effector: the other roles are jobs of one image" ;;
esac
[[ -n "$PACKAGE" ]] || wrong "needs --package"
[[ -f "$PACKAGE/host.json" ]] || fail "$PACKAGE holds no host.json: npm run build makes the packages"
[[ -f "$PACKAGE/package-lock.json" ]] || fail "$PACKAGE holds no package-lock.json: npm run build makes the packages"
[[ -f "$INFRA/host/$BACKEND.json" ]] || wrong "--backend is dts or azure-storage"
need az node npm zip
APP="$(output "$APP_OUTPUT")"
[[ -n "$APP" ]] || fail "the stack $STACK names no app of $ROLE: deploy first"
STAGE="$(mktemp -d)"
trap 'rm -rf "$STAGE"' EXIT
mkdir "$STAGE/package"
cp -R "$PACKAGE/." "$STAGE/package/"
# Nothing is built at the app: it gets what the lockfile names, for its own platform and not for this machine's.
(cd "$STAGE/package" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --os=linux --cpu=x64 --libc=glibc >&2)
deployment host "$STAGE/package/host.json" "$INFRA/host/$BACKEND.json"
PATH="$ROOT/node_modules/.bin:$PATH" node "$ROOT/scripts/infra/main.ts" functions "$ROLE" | LC_ALL=C sort >"$STAGE/expected"
[[ -s "$STAGE/expected" ]] || fail "$ROLE has no functions"
(cd "$STAGE/package" && zip -qr "$STAGE/package.zip" .)
az functionapp deployment source config-zip --name "$APP" --resource-group "$GROUP" --src "$STAGE/package.zip" --output none
ID="$(az functionapp show --name "$APP" --resource-group "$GROUP" --query id --output tsv)"
for _ in $(seq 30); do
  # Either may fail while the app restarts; the list decides.
  az rest --method post --url "$ID/syncfunctiontriggers?api-version=2024-11-01" --output none || true
  { az functionapp function list --name "$APP" --resource-group "$GROUP" --query "[].name" --output tsv || true; } | sed 's|.*/||' | LC_ALL=C sort >"$STAGE/listed"
  if cmp -s "$STAGE/expected" "$STAGE/listed"; then echo "publish: $APP lists the $(wc -l <"$STAGE/expected" | tr -d ' ') functions of $ROLE"; exit 0; fi
  sleep "$POLL_SECONDS"
done
diff "$STAGE/expected" "$STAGE/listed" >&2 || true
fail "$APP does not list the functions of $ROLE after 30 looks (< missing, > not expected)"
