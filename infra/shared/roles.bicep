metadata description = 'Ids of the built-in Azure roles that are assigned. Each assignment is made at the narrowest scope that works: queue, container, table, key, task hub; a subscription for the stacks of deployments, when they are switched on.'

@export()
@description('Role definition ids by what they allow.')
var roleIds = {
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageQueueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  serviceBusReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  serviceBusSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  keyCryptoUser: '12338af0-0e69-4776-bea7-57ae8d297424'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  imagePull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  durableTaskData: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
  sessionExecutor: '0fb8eba5-a2bb-4abe-b1c1-49dfad359bb0'
  stackContributor: 'bf7f8882-3383-422a-806a-6526c631a88a'
}
