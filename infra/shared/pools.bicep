metadata description = 'The pools of the plane: one queue each, named as the pool, and the one role that may claim from it. The same table as in the code; the offline check holds the two together.'

@export()
@description('A queue of jobs of one kind.')
type poolType = {
  @description('Name of the pool and of its queue.')
  name: string
  @description('The role whose workers claim from it.')
  role: 'station' | 'verifier' | 'effector'
}

@export()
@description('All pools, in the order of the code.')
var pools = [
  { name: 'plan', role: 'station' }
  { name: 'build', role: 'station' }
  { name: 'review', role: 'station' }
  { name: 'verify', role: 'verifier' }
  { name: 'fetch', role: 'effector' }
  { name: 'packages', role: 'station' }
  { name: 'effect', role: 'effector' }
]

@export()
@description('Roles that run as processes of the plane, each with its own identity. The migrator, the image puller and the operator of an upgrade are not among them.')
var roles = [
  'control'
  'station'
  'verifier'
  'effector'
]
