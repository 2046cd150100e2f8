import { argv } from 'node:process'
import { connect } from '../../src/drivers/qemu/index.ts'

// A program of its own, to be killed in the middle: `starter.ts DATA ID` starts one domain.
const [, , dataDir = '', id = ''] = argv
const driver = await connect({ uri: new URL('qemu:///system'), dataDir, warn: () => undefined })
await driver.domains.start(id)
