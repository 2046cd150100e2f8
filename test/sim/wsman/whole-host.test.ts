import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Repository } from '../../../sim/hyperv/cim/repository.ts'
import { openHost } from '../../../sim/hyperv/host/open-host.ts'
import { randomOf } from '../../../sim/hyperv/host/random.ts'
import { repositoriesOf } from '../../../sim/hyperv/repositories.ts'
import { wsmanService } from '../../../sim/hyperv/wsman/service.ts'
import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import { makeRequest } from './requests.ts'
import { type Reply, post, USER } from './world.ts'

// Everything that a host shows can be enumerated, and got again by the reference that the enumeration gave.

/** All files of a disk take a host minutes, and then it gives up. */
const UNLISTED = new Set(['CIM_DataFile'])

async function showAll(build: number): Promise<{
  readonly ask: (request: string) => Promise<Reply>
  readonly repositories: ReadonlyMap<string, Repository>
  readonly bugs: unknown[]
  readonly close: () => Promise<void>
}> {
  const { host, close } = await openHost({ build, vms: 3, seed: 'whole', pace: 0 })
  const repositories = repositoriesOf(host, [
    ...(build < 9600 ? (['v1'] as const) : []),
    ...(build >= 9200 ? (['v2'] as const) : []),
  ])
  const bugs: unknown[] = []
  const service = wsmanService({
    host: { name: host.state.name, build },
    namespaces: repositories,
    clock: host.clock,
    random: randomOf('whole'),
    onBug: error => bugs.push(error),
  })
  return { repositories, bugs, close, ask: request => post(service, request, USER) }
}

/** The selectors of a reference, written as a request has them. */
function selectorsOf(item: XmlElement): string {
  const set = item.element('EndpointReference')?.element('ReferenceParameters')?.element('SelectorSet')
  return `<w:SelectorSet>${set?.elements().map(writeSelector).join('') ?? ''}</w:SelectorSet>`
}

function writeSelector(selector: XmlElement): string {
  const inner = selector.element('EndpointReference')?.element('ReferenceParameters')
  const value = inner === undefined ? escape(selector.text()) : writeReference(inner)
  return `<w:Selector Name="${selector.attribute('Name') ?? ''}">${value}</w:Selector>`
}

function writeReference(parameters: XmlElement): string {
  const uri = parameters.element('ResourceURI')?.text() ?? ''
  const set = parameters.element('SelectorSet')?.elements().map(writeSelector).join('') ?? ''
  return (
    '<a:EndpointReference><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>' +
    `<a:ReferenceParameters><w:ResourceURI>${uri}</w:ResourceURI><w:SelectorSet>${set}</w:SelectorSet>` +
    '</a:ReferenceParameters></a:EndpointReference>'
  )
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

describe('a whole host', () => {
  for (const build of [7601, 9200, 9600, 14393, 17763, 20348, 26100]) {
    test(`of build ${build} shows every instance by enumeration and, by its own reference, by Get`, async () => {
      const { ask, repositories, bugs, close } = await showAll(build)

      let instances = 0
      for (const [namespace, { schema }] of repositories) {
        const place = { namespace: namespace.replaceAll('\\', '/') }
        for (const cls of schema.classes.filter(each => !each.isAbstract && !UNLISTED.has(each.name))) {
          const input = '<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>'
          const started = await ask(makeRequest('Enumerate', cls.name, { ...place, input }))
          assert.equal(started.status, 200, `${cls.name} ${started.text}`)
          const context = started.root.element('Body')?.elements()[0]?.element('EnumerationContext')?.text() ?? ''
          const batch = await ask(makeRequest('Pull', cls.name, { ...place, context, maxElements: 20 }))
          assert.equal(batch.status, 200, `${cls.name} ${batch.text}`)
          for (const item of batch.root.element('Body')?.elements()[0]?.element('Items')?.elements() ?? []) {
            const [object] = item.elements()
            assert.ok(object)
            assert.ok(schema.isA(object.name, cls.name), `${object.name} is no ${cls.name}`)
            instances++
            const keys = schema.find(object.name)?.properties.filter(({ isKey }) => isKey) ?? []
            if (keys.length === 0) continue
            const got = await ask(makeRequest('Get', object.name, { ...place, headers: selectorsOf(item) }))
            assert.equal(got.status, 200, `${object.name} ${selectorsOf(item)} ${got.text}`)
          }
        }
      }

      assert.deepEqual(bugs, [])
      assert.ok(instances > 0)
      await close()
    })
  }
})
