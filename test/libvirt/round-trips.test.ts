import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { connect, VIR_DOMAIN_XML_INACTIVE } from '../../src/libvirt/index.ts'
import { passwordFile } from '../hyperv/setting.ts'
import { Relay } from '../wsman/transport-relay.ts'
import { diskXml, hypervWorld, image, nicXml, switchXml } from './hyperv-world.ts'
import { domainXml } from './world.ts'

const CONNECTIONS = 4

test('functions take few round trips to a Hyper-V host, however many machines it has', async () => {
  const { host, connection: owner, close } = await hypervWorld(20_348, '--vms', '60')
  const relay = await new Relay(Number(host.uri.port)).listen()
  const uri = `hyperv://Administrator@${new URL(relay.url).host}/?transport=http`
  await owner.networkDefineXML(switchXml('lan'))
  const devices = diskXml(await image(owner, 'counted.vhd')) + nicXml('lan')
  const connection = await connect(uri, { password: () => readFileSync(passwordFile, 'utf8') })
  // Every connection logs on once, in several requests.
  await Promise.all(Array.from({ length: CONNECTIONS }, () => connection.numOfDomains()))
  const requests = () => Buffer.concat(relay.seen).toString('latin1').split('POST /wsman').length
  const count = async (operation: () => Promise<unknown>) => {
    const before = requests()
    await operation()
    return requests() - before
  }

  try {
    const xml = domainXml({ type: 'hyperv', name: 'counted', memoryKib: 131_072, devices })
    const trips: Record<string, number> = {
      listAllDomains: await count(() => connection.listAllDomains()),
      domainDefineXML: await count(() => connection.domainDefineXML(xml)),
    }
    trips['the states of what was listed'] = await count(async () => {
      for (const domain of await connection.listAllDomains()) await domain.getState()
    })
    const listed = await connection.listAllDomains()
    for (const domain of listed) await domain.getState()
    trips['each state, side by side'] = await count(() => Promise.all(listed.map(domain => domain.getState())))
    const domain = await connection.domainLookupByName('counted')
    trips['getInfo'] = await count(() => domain.getInfo())
    trips['getXMLDesc'] = await count(() => domain.getXMLDesc(VIR_DOMAIN_XML_INACTIVE))
    trips['setMemory'] = await count(() => domain.setMemory(65_536))
    await domain.create()
    trips['getVcpus'] = await count(() => domain.getVcpus())
    trips['getXMLDesc of an active one'] = await count(() => domain.getXMLDesc())

    const most = { listAllDomains: 2, domainDefineXML: 15, getInfo: 2, getXMLDesc: 4, setMemory: 5, getVcpus: 2 }
    const states = { 'the states of what was listed': 2, 'each state, side by side': 2 }
    for (const [name, max] of Object.entries({ ...most, ...states, 'getXMLDesc of an active one': 4 })) {
      assert((trips[name] ?? Number.NaN) <= max, `${name}: ${trips[name]}, at most ${max}`)
    }
  } finally {
    await connection.close()
    await relay[Symbol.asyncDispose]()
    await close()
  }
})
