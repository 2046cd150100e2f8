import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const SCENARIO = fileURLToPath(new URL('./bridge-scenario.ts', import.meta.url))
/** Devices are looked for in /sys, which shows those of the network that it was mounted in. */
const IN_NETWORK_OF_ITS_OWN = ['--user', '--map-root-user', '--net', '--mount', 'sh', '-c']

describe('a network with a device of the host', () => {
  // Proves: network.NIC
  it('reaches through it, by a bridge that lives as long as the network is used', async () => {
    const isRoot = process.getuid?.() === 0
    const unshare = IN_NETWORK_OF_ITS_OWN.slice(isRoot ? 2 : 0)
    const command = `mount -t sysfs none /sys && exec '${process.execPath}' '${SCENARIO}'`
    const child = spawn('unshare', [...unshare, command], { stdio: ['ignore', 'inherit', 'pipe'] })
    let words = ''
    child.stderr.on('data', chunk => (words += String(chunk)))
    const [code] = await once(child, 'exit')

    assert.equal(code, 0, words)
  })
})
