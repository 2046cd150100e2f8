import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectionOf } from '../../src/libvirt/index.ts'
import { type HostName, serve, type World } from './world.ts'

/** The type of domains, the format of images, and the folder in which they are. */
const HOSTS: Readonly<Record<HostName, readonly [type: string, format: string]>> = {
  memory: ['test', 'qcow2'],
  qemu: ['qemu', 'qcow2'],
  v1: ['hyperv', 'vhd'],
  v2: ['hyperv', 'vhdx'],
}
const BYTES = 8_388_608

for (const host of ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]) {
  test(`what python3-libvirt has for domains does what it is for on ${host}`, async () => {
    const world = await serve({ hosts: [host], hyperv: ['--vms', '2'] })
    try {
      const [type, format] = HOSTS[host]
      const args = [type, await image(world, host), format]

      assert.deepEqual(await world.python(host, 'domains.py', args), { code: 0, stdout: '', stderr: '' })
      assert.deepEqual(world.complaints, [])
    } finally {
      await world.close()
    }
  })
}

test("Perl's Sys::Virt lists domains and starts one", async () => {
  const world = await serve({ hosts: ['memory'] })
  try {
    for (const name of ['one', 'two']) {
      const file = join(world.folder, 'domain.xml')
      await writeFile(
        file,
        `<domain type='test'><name>${name}</name><memory>65536</memory><os><type>hvm</type></os></domain>`,
      )
      await world.ok('memory', 'define', file)
    }

    const told = await world.perl('memory', 'domains.pl', ['two'])

    const missing = "Domain not found: no domain with matching name 'nobody'"
    const stdout = `one two\n-1 inactive\n1 1 1 1 65536\ntwo 1\n${missing}\n`
    assert.deepEqual(told, { code: 0, stdout, stderr: '' })
  } finally {
    await world.close()
  }
})

/** The path of an image that a host has made. */
async function image(world: World, host: HostName): Promise<string> {
  const [type, format] = HOSTS[host]
  const connection = await connectionOf(world.driver(host), { uri: `${host}:///` })
  const folder = type === 'hyperv' ? 'C:\\Images' : join(world.folder, 'images')
  const pool = await connection.storagePoolCreateXML(
    `<pool type='dir'><name>images</name><target><path>${folder}</path></target></pool>`,
  )
  const volume = await pool.storageVolCreateXML(
    `<volume><name>disk.${format}</name><capacity>${BYTES}</capacity><target><format type='${format}'/></target></volume>`,
  )
  await connection.close()
  return volume.getPath()
}
