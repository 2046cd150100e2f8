import { writeFileSync } from 'node:fs'
import { passwordFile, setUp, TRAITS } from '../hyperv/setting.ts'
import { describeDriver } from './suite.ts'

// A host far away, on a line that breaks: before a request arrives where it reads, and before its answer arrives also
// where it changes something.
const lost = (where: Readonly<Record<string, string>>, fault: string) => ({ ...where, fault, probability: 0.03 })
const CHANGES = ['GetSummaryInformation', 'RequestStateChange', 'DefineSystem', 'DestroySystem', 'Modify*Settings']
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

const options = ['--latency', '5', '--seed', '11', '--faults', plan]
describeDriver(
  'hyperv on the simulated host, with latency and lost connections',
  TRAITS,
  setUp({ build: 26_100, pace: 0 }, ...options),
)
