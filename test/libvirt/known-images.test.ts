import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Driver, DriverError } from '../../src/drivers/driver.ts'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { imagesFor } from '../../src/libvirt/known-images.ts'
import { hostKind } from '../../src/libvirt/xml/host-kind.ts'

/** A host as Hyper-V is one, which has this image. */
function windows(location: string) {
  const memory = memoryDriver({ name: crypto.randomUUID() })
  const image = { location, name: 'disk', format: 'vhdx', virtualBytes: 1, physicalBytes: 1 } as const
  const getVolume = async (asked: string) => {
    if (asked === location) return image
    throw new DriverError('not-found', `no ${asked}`)
  }
  const driver: Driver = { ...memory, storage: { ...memory.storage, formats: ['vhdx', 'vhd'], getVolume } }
  return { driver, kind: hostKind('hyperv', undefined, undefined) }
}

test('an image is known by the name that its client gave it, however the description spells that', async () => {
  const host = windows(String.raw`C:\Größe & mehr\vi-ü.img.vhdx`)
  const path = String.raw`C:\Größe & mehr\vi-ü.img`

  for (const spelled of [
    String.raw`'C:\Gr&#xF6;&#xdf;e &amp; mehr\vi-&#252;.img'`,
    String.raw`"C:\Größe &amp; mehr\vi-ü.img"`,
  ]) {
    const known = await imagesFor(host, `<domain><disk><source file=${spelled}/></disk></domain>`)
    assert.deepEqual([...known.keys()], [path])
    assert.equal(known.get(path)?.format, 'vhdx')
  }
  for (const spelled of [String.raw`'C:\vi-&nothing;.img'`, String.raw`'C:\vi-& .img'`, String.raw`'C:\other.img'`]) {
    assert.deepEqual([...(await imagesFor(host, `<source file=${spelled}/>`))], [])
  }
})
