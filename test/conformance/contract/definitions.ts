import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Domain, DomainConfig, DomainId } from '../../../src/drivers/driver.ts'
import { disk, drive, nic } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

export function describeDefinitions(stage: Stage): void {
  describe('definitions', () => {
    describeDefine(stage)
    describeAnnotations(stage)
    describeMembers(stage)
    describeRedefine(stage)
    describeLiving(stage)
    describeAmend(stage)
    describeUndefine(stage)
  })
}

function describeAnnotations(stage: Stage): void {
  stage.it('keeps what users and programs note on a domain', async () => {
    const metadata = { 'urn:notes:1': '<n:note xmlns:n="urn:notes:1">Größe "x" &amp; \'y\'\n</n:note>' }
    const config = { ...stage.config(), annotations: { title: 'The "first" <one>, ☃', metadata } }
    await stage.driver.domains.define(config)

    assert.deepEqual(await stage.driver.domains.config(config.id), config)

    const { annotations: _, ...plain } = config
    await stage.driver.domains.define(plain)

    assert.deepEqual(await stage.driver.domains.config(config.id), plain)
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

/** A definition in which nothing is absent. */
function fullConfig(stage: Stage): DomainConfig {
  const config = stage.config()
  return {
    ...config,
    description: 'everything',
    memoryTargetBytes: config.memoryBytes / 2,
    vcpus: 3,
    cpu: { required: ['FPU'], canUse: ['FPU', 'TSC', 'XMM2'], forceOn: ['XMM2'], forceOff: ['MMX'] },
    scheduling: { weight: 77, capPercent: 12.5, affinity: [0] },
    disks: [
      disk({ location: '/images/a,b "c".qcow2', format: 'qcow2' }, { kind: 'disk', shared: true, device: 'hda' }),
      drive('cdrom'),
      drive('floppy'),
      disk(
        { location: '/images/d.raw', format: 'raw' },
        { readOnly: true, shared: false, device: 'sdb', bus: 'emulated' },
      ),
    ],
    nics: [nic(NOBODY, { mtu: 9000 }), nic(null, { model: 'emulated', device: 'eth1' })],
    platform: {
      vga: 'cirrus',
      serial: 'pty',
      localTime: true,
      keepClockOffset: true,
      audio: true,
      tpm: true,
      pciDevices: ['0000:03:00.0', '0000:03:00.1'],
    },
    exits: { shutdown: 'restart', reboot: 'halt', suspend: 'restart', crash: 'hold' },
  }
}

const BOOTS: readonly DomainConfig['boot'][] = [
  { kind: 'kernel', kernel: '/boot/kernel', initrd: null, cmdline: 'console=ttyS0 quiet="a b"' },
  { kind: 'kernel', kernel: '/boot/kernel', initrd: '/boot/initrd', cmdline: '' },
  { kind: 'guest-kernel', kernel: '/boot/kernel', initrd: '/boot/initrd', cmdline: 'x=y' },
  { kind: 'guest-grub', cmdline: 'single' },
  { kind: 'firmware', device: 'floppy' },
  { kind: 'firmware', device: 'cdrom' },
  { kind: 'firmware', device: 'network' },
]

/** What a definition may say. It is kept, whether or not the host can start it. */
function describeMembers(stage: Stage): void {
  stage.it('gives back every member of a definition that has them all', async () => {
    const config = fullConfig(stage)
    await stage.driver.domains.define(config)

    assert.deepEqual(await stage.driver.domains.config(config.id), config)
    await stage.assertState(config.id, 'halted')
  })

  for (const boot of BOOTS) {
    stage.it(`gives back a definition that boots by ${JSON.stringify(boot)}`, async () => {
      const config = { ...stage.config(), boot }
      await stage.driver.domains.define(config)

      assert.deepEqual(await stage.driver.domains.config(config.id), config)
    })
  }

  stage.it('forgets the members that a replaced definition does not have', async () => {
    const full = fullConfig(stage)
    const plain = { ...stage.config(), id: full.id }
    await stage.driver.domains.define(full)
    await stage.driver.domains.define(plain)

    assert.deepEqual(await stage.driver.domains.config(full.id), plain)
    await stage.driver.domains.start(full.id)
    await stage.assertState(full.id, 'running')
  })

  stage.it('keeps what it was given, whatever the caller does to it afterwards', async () => {
    const config = stage.config()
    const disks = [...config.disks]
    const given = { ...config, disks }
    await stage.driver.domains.define(given)
    disks.push(drive('cdrom'))

    assert.deepEqual(await stage.driver.domains.config(config.id), config)
  })

  if (!stage.traits.outlivesConnection) return

  stage.it('gives back every member of a definition after a new connection', async () => {
    const config = fullConfig(stage)
    await stage.driver.domains.define(config)
    await stage.disconnect()
    await stage.connect()

    assert.deepEqual(await stage.driver.domains.config(config.id), config)
  })

  stage.it('refuses to start a domain that needs a feature no CPU of the host has, and leaves it halted', async () => {
    const plain = stage.config()
    const config = { ...plain, cpu: { required: ['IA64'], canUse: [], forceOn: [], forceOff: [] } }
    await stage.driver.domains.define(config)

    await rejectsWith('refused', stage.driver.domains.start(config.id))
    await stage.assertState(config.id, 'halted')
  })
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

/** By what the driver has for it, or by what it makes shorter. */
async function amend(
  { driver: { domains } }: Stage,
  id: DomainId,
  change: (config: DomainConfig, domain: Domain) => DomainConfig | undefined,
): Promise<void> {
  if (domains.amend !== undefined) return void (await domains.amend(id, change))
  const changed = change(await domains.config(id), await domains.get(id))
  if (changed !== undefined) await domains.define(changed)
}

function describeLiving(stage: Stage): void {
  stage.it('tells what a domain is made of while it runs, whatever its next start is to make of it', async () => {
    const { domains } = stage.driver
    if (domains.living === undefined) return
    const config = stage.config()
    const other = { ...config, vcpus: config.vcpus + 1, disks: [], annotations: { title: 'other' } }
    await domains.define(config)
    assert.deepEqual(await domains.living(config.id), config)
    await domains.start(config.id)
    await domains.define(other)

    assert.deepEqual(await domains.living(config.id), config)
    assert.deepEqual(await domains.config(config.id), other)
    await domains.powerOff(config.id)
    assert.deepEqual(await domains.living(config.id), other)
    await rejectsWith('not-found', domains.living(NOBODY))
  })

  stage.it('tells of many at once what they are made of while they run, where that is asked for', async () => {
    const { domains } = stage.driver
    const config = stage.config()
    await domains.define(config)
    await domains.start(config.id)
    await domains.define({ ...config, vcpus: config.vcpus + 1 })
    const vcpus = async (isLiving: boolean, others: readonly string[]) =>
      (await domains.configs([config.id, ...others], { isLiving })).map(each => each.vcpus)

    // Few are looked at one by one, and many together.
    for (const others of [[NOBODY], ['1', '2', '3', '4', '5'].map(digit => NOBODY.replace(/0$/, digit))]) {
      assert.deepEqual(await vcpus(true, others), [config.vcpus])
      assert.deepEqual(await vcpus(false, others), [config.vcpus + 1])
    }
    await domains.powerOff(config.id)
    assert.deepEqual(await vcpus(true, []), [config.vcpus + 1])
  })
}

function describeAmend(stage: Stage): void {
  stage.it('changes a definition by what it is, and tells it with the domain', async () => {
    const config = { ...stage.config(), memoryBytes: 64 * 1_048_576 }
    await stage.driver.domains.define(config)

    await amend(stage, config.id, (present, { state }) => {
      assert.deepEqual([present, state], [config, 'halted'])
      return { ...present, vcpus: 2 }
    })
    const described = await stage.driver.domains.described?.(config.id)

    const changed = { ...config, vcpus: 2 }
    const domain = { id: config.id, name: config.name, state: 'halted' }
    assert.deepEqual(await stage.driver.domains.config(config.id), changed)
    assert(described === undefined || isDeepStrictEqual(described, { domain, config: changed }))
  })

  stage.it('leaves a definition alone that is not to change, and one whose change is thought better of', async () => {
    const config = stage.config()
    const doubt = new RangeError('better not')
    await stage.driver.domains.define(config)

    await amend(stage, config.id, () => undefined)
    const thrown = amend(stage, config.id, () => {
      throw doubt
    })

    await assert.rejects(thrown, doubt)
    assert.deepEqual(await stage.driver.domains.config(config.id), config)
    await rejectsWith(
      'not-found',
      amend(stage, NOBODY, present => present),
    )
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
