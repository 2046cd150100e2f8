import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readDomain } from '../../../src/libvirt/xml/domain-reader.ts'
import { writeDomain } from '../../../src/libvirt/xml/domain-writer.ts'
import { hostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { domainConfig, NETWORKS } from './configs.ts'

const KINDS = [hostKind('hyperv'), hostKind('qemu', 'kvm'), hostKind('qemu', 'tcg'), hostKind('memory')]
const noId = (): never => assert.fail('the description has a UUID')

test('a definition comes back from its description as it was, on every kind of host', () => {
  fc.assert(
    fc.property(domainConfig, fc.constantFrom(...KINDS), (config, kind) => {
      const text = writeDomain(config, { kind, networks: NETWORKS })

      const read = readDomain(text, { kind, networks: NETWORKS, newId: noId })

      assert.deepEqual(read, structuredClone(config))
    }),
    { numRuns: 250 },
  )
})

test('a description that went in comes out as it was, whatever the definition could not say exactly', () => {
  const odd = fc.record({
    memoryBytes: fc.integer({ min: 1, max: 2 ** 45 }),
    memoryTargetBytes: fc.integer({ min: 1, max: 2 ** 45 }),
    capPercent: fc.double({ min: 0.001, max: 10_000, noNaN: true }),
  })
  fc.assert(
    fc.property(domainConfig, odd, fc.constantFrom(...KINDS), (config, { capPercent, ...sizes }, kind) => {
      const scheduling = { weight: 256, affinity: null, ...config.scheduling, capPercent }
      const text = writeDomain({ ...config, ...sizes, scheduling }, { kind, networks: NETWORKS })

      const again = writeDomain(readDomain(text, { kind, networks: NETWORKS, newId: noId }), {
        kind,
        networks: NETWORKS,
      })

      assert.equal(again, text)
    }),
    { numRuns: 100 },
  )
})
