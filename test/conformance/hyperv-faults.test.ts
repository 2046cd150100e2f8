import { writeFileSync } from 'node:fs'
import { describe } from 'node:test'
import { passwordFile, part, setUp, traitsOf } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

// Hosts far away, on a line that breaks: before a request arrives where it reads, and before its answer arrives also
// where it changes something.
const lost = (where: Readonly<Record<string, string>>, fault: string) => ({ ...where, fault, probability: 0.03 })
const CHANGES = [
  'GetSummaryInformation',
  'RequestStateChange',
  'Define*System',
  'Destroy*System',
  'Modify*Settings',
  'AddResourceSettings',
  'RemoveResourceSettings',
  'AddVirtualSystemResources',
  'RemoveVirtualSystemResources',
  'ModifyVirtualSystem*',
  'CreateSwitch',
  '*VirtualHardDisk*',
  'Rename',
  'Delete',
  'CopyEx',
  '*Snapshot*',
  '*Thumbnail*',
  'PressKey',
  'ReleaseKey',
]
const plan = `${passwordFile}-plan`
writeFileSync(
  plan,
  JSON.stringify({
    requests: [
      lost({ operation: 'Get' }, 'lost-before'),
      lost({ operation: 'Pull' }, 'lost-before'),
      lost({ operation: 'Enumerate' }, 'lost-after'),
      ...CHANGES.map(method => lost({ method }, 'lost-after')),
    ],
  }),
)
const far = ['--latency', '20', '--faults', plan]

const V2 = { build: 26_100, pace: 0 }
const V1 = { build: 9_200, namespace: 'v1', pace: 0 } as const

// They wait more than they work, and so at once.
describe('far hosts', { concurrency: true }, () => {
  const where = 'with latency and lost connections'
  for (const nth of [0, 1]) {
    const seed = ['--seed', String(11 + nth)]
    const now = setUp(V2, ...far, ...seed)
    describeDriver(`hyperv on the simulated host, build 26100, ${where} (${nth})`, traitsOf(V2), now, part(4 + nth, 8))
    const old = setUp(V1, ...far, ...seed, '--locale', 'ja-JP')
    const name = `hyperv on the simulated host, build 9200 in ja-JP through v1, ${where} (${nth})`
    describeDriver(name, traitsOf(V1), old, part(6 + nth, 8))
  }
})
