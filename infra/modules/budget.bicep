metadata description = 'Budget of the resource group. The start is a parameter, since a date of today would change with every deployment.'

@description('Currency units a month.')
@minValue(1)
param amount int
@description('First day of a month, e.g. 2026-01-01.')
@minLength(10)
@maxLength(10)
param startDate string
@description('Mail addresses that are told.')
@minLength(1)
param contacts string[]

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: 'factory'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      actual: { enabled: true, operator: 'GreaterThan', threshold: 80, thresholdType: 'Actual', contactEmails: contacts }
      forecast: { enabled: true, operator: 'GreaterThan', threshold: 100, thresholdType: 'Forecasted', contactEmails: contacts }
    }
  }
}
