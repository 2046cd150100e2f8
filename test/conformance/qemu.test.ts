import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after } from 'node:test'
import type { DomainConfig } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/qemu/index.ts'
import { writeBootImage } from '../guests/boot-sector.ts'
import { program } from '../guests/cpio.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { talkingGuest } from '../guests/talking-guest.ts'
import { powerPrograms, readPowerDeeds } from './power-programs.ts'
import { describeDriver, type Guest, type Setup, type Traits } from './suite.ts'

const MIB = 1_048_576
const BOOTABLE = ['obedient', 'deaf', 'crashing', 'rebooting', 'suspending'] as const

const TRAITS: Traits = {
  groups: [
    'devices',
    'suspension',
    'snapshots',
    'dumps',
    'storage',
    'clones',
    'networks',
    'consoles',
    'terminals',
    'screens',
    'guest',
    'metrics',
    'scheduler',
    'autostart',
    'power',
    'events',
  ],
  formats: ['qcow2', 'raw'],
  guests: [
    'obedient',
    'broken',
    'deaf',
    'crashing',
    'rebooting',
    'suspending',
    'yielding',
    'clinging',
    'talking',
    'mute',
  ],
  outlivesConnection: true,
  savesToFiles: true,
  settleMs: 60_000,
  testMs: 180_000,
}

/** Boots a guest with an agent; written once, for the agent and what it needs are large. */
const talkative = mkdtempSync('/tmp/pv-')
after(() => rmSync(talkative, { recursive: true, force: true }))
let talking: ReturnType<typeof bootLinux> | undefined

/** A host with a data directory of its own. */
async function setUp(): Promise<Setup> {
  // Short, since the paths of sockets are.
  const folder = await mkdtemp('/tmp/pv-')
  const images = BOOTABLE.map(guest => [guest, join(folder, `${guest}.raw`)] as const)
  for (const [guest, path] of images) await writeBootImage(path, guest)
  const greeting = program('etc/start', Buffer.from('#!/bin/sh\necho BOOT-OK\n'))
  const yielding = await bootLinux(folder, [], [greeting])
  const talk = await (talking ??= bootLinux(talkative, [], await talkingGuest()))
  return {
    connect: () =>
      connect({
        uri: new URL('qemu:///system'),
        dataDir: folder,
        warn: message => process.emitWarning(message),
        hostPower: powerPrograms(folder),
      }),
    powerDeeds: () => readPowerDeeds(folder),
    domainConfig: guest => ({
      ...domainConfig(guest, folder),
      ...(guest === 'yielding' && yielding),
      ...(guest === 'talking' && talk),
    }),
    place: name => join(folder, name),
    repository: { type: 'dir', location: join(folder, 'sr') },
    tearDown: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Without an operating system, nothing lets go of devices, or answers. */
const WITHOUT_SYSTEM: ReadonlySet<Guest> = new Set<Guest>(['clinging', 'mute'])

function domainConfig(guest: Guest, folder: string): DomainConfig {
  return {
    id: crypto.randomUUID(),
    name: `${guest}-guest`,
    description: '',
    memoryBytes: 16 * MIB,
    vcpus: 1,
    boot: { kind: 'firmware', device: 'disk' },
    ...(guest === 'obedient' && { platform: { vga: 'std' } }),
    disks: [
      {
        id: crypto.randomUUID(),
        location: join(folder, `${WITHOUT_SYSTEM.has(guest) ? 'obedient' : guest}.raw`),
        format: 'raw',
        // Read-only, so that several domains may boot from it; the `broken` guest's is not there.
        readOnly: true,
        device: 'hda',
        bus: 'paravirtualised',
      },
    ],
  }
}

describeDriver('qemu', TRAITS, setUp)
