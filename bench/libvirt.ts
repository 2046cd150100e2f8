/**
 * libvirt's own client, in one and the same Python program, with Polyvisor and with Debian's libvirtd: listing domains
 * (hosts in memory against libvirtd's `test` driver), calls on one and on several connections, and starting the same
 * guest of QEMU. Both take turns, so that a busy moment of the machine hurts both.
 */

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeBootImage } from '../test/guests/boot-sector.ts'
import { startLibvirtd } from '../test/libvirt-rpc/libvirtd.ts'
import { printed, runTool } from '../test/libvirt-tools/tool.ts'
import { endGuests } from '../test/support/machine.ts'
import { startServer } from '../test/support/server.ts'
import { median, print } from './measure.ts'

const SIZES = [10, 100, 1_000]
const ROUNDS = 5
const TOOL_MS = 120_000
const PYTHON = '/usr/bin/python3'
const PROGRAM = join(import.meta.dirname, 'libvirt-client.py')

/** Figures by name, several times each. */
type Figures = Map<string, number[]>

const folder = await mkdtemp('/tmp/pv-')
const libvirtd = await startLibvirtd({ withQemu: true })
const sockets = { ours: join(folder, 'libvirt-sock'), theirs: join(libvirtd.folder, 'libvirt-sock') }
const server = await startServer({
  data: join(folder, 'data'),
  hosts: ['qemu:///system?accelerator=tcg', ...SIZES.map(size => `memory:///lab-${size}?vms=${size}&seed=1`)],
  options: ['--listen', `libvirt+unix://${sockets.ours}`],
})
try {
  for (const size of SIZES) await compareLists(size)
  await compareRates()
  await compareStarts()
} finally {
  await server.stop()
  await endGuests(folder)
  await libvirtd.stop()
  await rm(folder, { recursive: true, force: true })
}

async function compareLists(size: number): Promise<void> {
  const { ours, theirs } = await compare('lists', hosts(size, await testHost(size)))
  for (const figure of ['list', 'states']) {
    const [ours_ms, reference_ms] = [middle(ours, figure), middle(theirs, figure)]
    print({ bench: `libvirt-${figure}-${size}`, domains: size, ours_ms, reference_ms, ratio: ours_ms / reference_ms })
  }
}

async function compareRates(): Promise<void> {
  const { ours, theirs } = await compare('rates', hosts(100, await testHost(100)))
  for (const [figure, connections] of [
    ['one', 1],
    ['many', 16],
  ] as const) {
    const [ours_per_s, reference_per_s] = [middle(ours, figure), middle(theirs, figure)]
    const ratio = reference_per_s / ours_per_s
    print({ bench: `libvirt-calls-${connections}`, connections, ours_per_s, reference_per_s, ratio })
  }
}

async function compareStarts(): Promise<void> {
  const { ours, theirs } = await compare(
    'starts',
    { ours: uri('qemu', 'system', sockets.ours), theirs: uri('qemu', 'session', sockets.theirs) },
    await guestXml(),
  )
  const [ours_ms, reference_ms] = [middle(ours, 'start'), middle(theirs, 'start')]
  print({ bench: 'libvirt-start', ours_ms, reference_ms, ratio: ours_ms / reference_ms })
}

/** Runs the program with both, in turns. */
async function compare(what: string, uris: { readonly ours: string; readonly theirs: string }, input = '') {
  const [ours, theirs]: [Figures, Figures] = [new Map(), new Map()]
  for (let round = 0; round < ROUNDS; round++) {
    await measure(ours, [what, uris.ours], input)
    await measure(theirs, [what, uris.theirs], input)
  }
  return { ours, theirs }
}

async function measure(into: Figures, args: readonly string[], input: string): Promise<void> {
  const output = await printed(runTool(PYTHON, [PROGRAM, ...args], folder, { input, ms: TOOL_MS }))
  const found: Readonly<Record<string, number | readonly number[]>> = JSON.parse(output)
  for (const [name, values] of Object.entries(found)) into.set(name, [...(into.get(name) ?? []), values].flat())
}

function middle(figures: Figures, name: string): number {
  return median(figures.get(name) ?? [])
}

function uri(scheme: string, path: string, socket: string): string {
  return `${scheme}+unix:///${path}?socket=${socket}`
}

function hosts(size: number, file: string) {
  return {
    ours: uri('memory', `lab-${size}`, sockets.ours),
    theirs: uri('test', file.slice(1), sockets.theirs),
  }
}

/** Domains for libvirtd's `test` driver. Source: libvirt.org/drvtest.html. */
async function testHost(size: number): Promise<string> {
  const domain = (_: unknown, number: number) =>
    `<domain type="test"><name>domain-${number}</name><memory>262144</memory><os><type>hvm</type></os></domain>`
  const file = join(libvirtd.folder, `test-${size}.xml`)
  await writeFile(file, `<node>${Array.from({ length: size }, domain).join('')}</node>`)
  return file
}

/** A guest of 16 MiB that boots from a disk. */
async function guestXml(): Promise<string> {
  const image = join(libvirtd.folder, 'boot.raw') // Where libvirtd's user may reach it.
  await writeBootImage(image)
  await chmod(image, 0o666)
  return `<domain type="qemu"><name>guest</name><memory>16384</memory><vcpu>1</vcpu>
    <os><type arch="x86_64" machine="pc">hvm</type></os>
    <devices><disk type="file" device="disk"><driver name="qemu" type="raw"/><source file="${image}"/>
      <target dev="hda" bus="ide"/></disk><serial type="pty"/></devices></domain>`
}
