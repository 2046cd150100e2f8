import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

export function describeDefinitions(stage: Stage): void {
  describe('definitions', () => {
    describeDefine(stage)
    describeRedefine(stage)
    describeUndefine(stage)
  })
}

function describeDefine(stage: Stage): void {
  stage.it('lists a new domain as halted, under its name', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)

    const listed = (await stage.driver.domains.list()).filter(domain => domain.id === config.id)
    assert.deepEqual(listed, [{ id: config.id, name: config.name, state: 'halted' }])
    assert.deepEqual(await stage.driver.domains.get(config.id), listed[0])
  })

  stage.it('gives back the definition that it was given', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)

    assert.deepEqual(await stage.driver.domains.config(config.id), config)
  })

  stage.it('keeps names and descriptions letter by letter, and starts under them', async () => {
    const plain = stage.config()
    const config = {
      ...plain,
      name: `${plain.name} Größe,id=1 "a" <b> & 'c'`,
      description: 'first line\nsecond line: "quoted", <tagged> & 100 % ☃, comma',
    }
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)

    assert.deepEqual(await stage.driver.domains.config(config.id), config)
    assert.deepEqual(await stage.driver.domains.get(config.id), { id: config.id, name: config.name, state: 'running' })
  })

  stage.it('keeps two domains of the same name apart', async () => {
    const first = stage.config()
    const second = { ...stage.config(), name: first.name }
    await stage.driver.domains.define(first)
    await stage.driver.domains.define(second)
    await stage.driver.domains.start(first.id)

    await stage.assertState(first.id, 'running')
    await stage.assertState(second.id, 'halted')
  })

  for (const operation of [
    'get',
    'config',
    'undefine',
    'start',
    'pause',
    'unpause',
    'requestShutdown',
    'powerOff',
    'reset',
  ] as const) {
    stage.it(`says not-found to ${operation} of a domain that the host does not have`, async () => {
      await rejectsWith('not-found', stage.driver.domains[operation](NOBODY))
    })
  }
}

function describeRedefine(stage: Stage): void {
  stage.it('replaces the definition of a domain that is defined again', async () => {
    const first = stage.config()
    const second = { ...first, name: `${first.name}-renamed`, description: 'the second', vcpus: 2 }
    await stage.driver.domains.define(first)
    await stage.driver.domains.define(second)

    assert.deepEqual(await stage.driver.domains.config(first.id), second)
    const listed = (await stage.driver.domains.list()).filter(domain => domain.id === first.id)
    assert.deepEqual(listed, [{ id: first.id, name: second.name, state: 'halted' }])
  })

  stage.it('keeps a running domain running while its definition is replaced', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    await stage.driver.domains.define({ ...config, description: 'changed' })

    await stage.assertState(config.id, 'running')
    assert.equal((await stage.driver.domains.config(config.id)).description, 'changed')
  })

  stage.it('starts next by the definition that was given while the domain ran', async () => {
    const working = stage.config()
    const broken = { ...stage.config('broken'), id: working.id }
    await stage.driver.domains.define(working)
    await stage.driver.domains.start(working.id)
    await stage.driver.domains.define(broken)
    await stage.assertState(working.id, 'running')
    await stage.driver.domains.powerOff(working.id)

    await rejectsWith('refused', stage.driver.domains.start(working.id))
    assert.equal((await stage.driver.domains.get(working.id)).name, broken.name)
  })
}

function describeUndefine(stage: Stage): void {
  stage.it('forgets a domain that is undefined', async () => {
    const id = await stage.halted()
    await stage.driver.domains.undefine(id)

    await rejectsWith('not-found', stage.driver.domains.get(id))
    await rejectsWith('not-found', stage.driver.domains.config(id))
    assert(!(await stage.driver.domains.list()).some(domain => domain.id === id))
  })

  stage.it('says not-found when a domain is undefined twice', async () => {
    const id = await stage.halted()
    await stage.driver.domains.undefine(id)

    await rejectsWith('not-found', stage.driver.domains.undefine(id))
  })

  stage.it('makes a domain anew under an id that was undefined', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.driver.domains.undefine(config.id)
    await stage.driver.domains.define(config)

    await stage.assertState(config.id, 'halted')
    await stage.driver.domains.start(config.id)
    await stage.assertState(config.id, 'running')
  })
}
