import { argv } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/drivers/qemu/index.ts'

// A program of its own, to be killed in the middle: `merger.ts DATA FOLDER` opens a repository, and bases are merged.
const [, , dataDir = '', location = ''] = argv
const { storage } = await connect({ uri: new URL('qemu:///system'), dataDir, warn: () => undefined })
await storage?.openRepository({ type: 'dir', location })
console.log('begun')
const PATIENCE_MS = 60_000
await sleep(PATIENCE_MS)
