import { argv } from 'node:process'
import { connect } from '../../src/drivers/qemu/index.ts'

// A program of its own, to be killed in the middle: `cloner.ts DATA LOCATION PREFIX` clones an image again and again.
const [, , dataDir = '', first = '', prefix = ''] = argv
const { clones } = await connect({ uri: new URL('qemu:///system'), dataDir, warn: () => undefined })
if (clones === undefined) throw new Error('the driver has no clones')
const CLONES_MAX = 100
let location = first
for (let n = 0; n < CLONES_MAX; n++) {
  const { original } = await clones.cloneVolume(location, { name: `${prefix}-${n}` })
  location = original.location
  if (n === 0) console.log('begun')
}
