#!/usr/bin/env bash
# Compiles the template and the parameters of an environment to JSON, with every variable put in: what a folder holds that the factory
# deploys from (the line azure-deployment). Asks Azure nothing. Write into the folder that the application declares, and commit both files.
#
#   scripts/compile.sh ENV --to DIRECTORY
#
#   --to DIRECTORY   where template.json and parameters.json go; made if it is not there

TAKES="--to"
source "$(dirname "$0")/environment.sh"
[[ -n "$OPTION_to" ]] || wrong "needs --to: the folder of compiled files"
need az
mkdir -p "$OPTION_to"
compile "$OPTION_to"
echo "compile: template.json and parameters.json of $ENVIRONMENT are in $OPTION_to"
