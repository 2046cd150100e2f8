import assert from 'node:assert/strict'
import type { DomainConfig } from '../../../src/drivers/driver.ts'
import { LibvirtError } from '../../../src/libvirt/errors.ts'
import { readDomain } from '../../../src/libvirt/xml/domain-reader.ts'
import { type HostKind, hostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { NETWORKS } from './configs.ts'

export const HYPERV = hostKind('hyperv')
export const KVM = hostKind('qemu', 'kvm')
export const TEST = hostKind('memory')

/** A UUID for descriptions that have none. */
export const NEW_ID = '11111111-2222-4333-8444-555555555555'

/** What a description means on a host with the networks of these tests. */
export function read(text: string, kind: HostKind = HYPERV): DomainConfig {
  return readDomain(text, { kind, networks: NETWORKS, newId: () => NEW_ID })
}

/** Parts of a description in place of the least that one has. */
export interface Parts {
  readonly head?: string
  readonly os?: string
  readonly rest?: string
  readonly devices?: string
  readonly type?: string
}

/** A description with these parts. */
export function domain({ head = '', os = '', rest = '', devices = '', type = 'hyperv' }: Parts): string {
  return `<domain type='${type}'><name>web</name>${head}<memory>1024</memory><os><type>hvm</type>${os}</os>${rest}<devices>${devices}</devices></domain>`
}

/** Demands that a call throws a LibvirtError of this code, whose message has all of the words. */
export function throwsWith(call: () => unknown, code: number, ...words: readonly string[]): void {
  assert.throws(call, error => {
    assert.ok(error instanceof LibvirtError, `no LibvirtError: ${String(error)}`)
    assert.equal(error.code, code, error.message)
    for (const word of words) assert.ok(error.message.includes(word), `${error.message} has no ${word}`)
    return true
  })
}
