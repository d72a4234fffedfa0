metadata description = 'How things are named. Every name is a function of workload, environment and a token of the resource group, so a second deployment finds what the first made.'

@export()
@description('Name with an abbreviation, e.g. `sb-factory-prod-abc…`; at most 40 characters with the bounds of the parameters.')
func resourceName(abbreviation string, workload string, environmentName string, token string) string =>
  '${abbreviation}-${workload}-${environmentName}-${token}'

@export()
@description('Name of a vault: at most 24 characters (abbreviation up to 7, a hyphen, a token of 13).')
func vaultName(abbreviation string, token string) string => take('${abbreviation}-${token}', 24)

@export()
@description('Name of a storage account or registry: lower-case letters and digits, at most 24 characters.')
func plainName(abbreviation string, token string) string => toLower(take('${abbreviation}${token}', 24))

@export()
@description('Name of a nested deployment: deterministic, at most 64 characters.')
func deploymentName(part string, environmentName string) string => take('factory-${part}-${environmentName}', 64)
