/**
 * Measures the XML-RPC codec against Python's on the same bytes: the records of 1,000 VMs with 60 fields each. Prints
 * one JSON line per row. Times are the medians of the CPU time of the whole process, all its threads, per round.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeResponse } from '../src/wire/xmlrpc/decode.ts'
import { encodeResponse, type XmlRpcDialect } from '../src/wire/xmlrpc/encode.ts'
import type { WireValue } from '../src/wire/xmlrpc/value.ts'

const VMS = 1000
const WARM_UP_ROUNDS = 5
const ROUNDS = 15
const REFERENCE_ROUNDS = 5
const AIM = { decode: 8, encode: 2 } as const

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'polyvisor-codec-'))
  try {
    for (const dialect of ['released', 'draft'] as const) measure(dialect, join(folder, `${dialect}.xml`))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function measure(dialect: XmlRpcDialect, file: string): void {
  const value = makeRecords(VMS)
  const document = encodeResponse(value, dialect)
  writeFileSync(file, document)
  const script = join(import.meta.dirname, 'codec.py')
  const output = execFileSync('python3', [script, file, String(REFERENCE_ROUNDS)], { encoding: 'utf8' })
  const reference: Record<keyof typeof AIM, number> = JSON.parse(output)
  const ours = {
    decode: medianMs(() => decodeResponse(document)),
    encode: medianMs(() => encodeResponse(value, dialect)),
  }
  for (const bench of ['decode', 'encode'] as const) {
    const row = {
      bench,
      dialect,
      bytes: document.length,
      ours_ms: round(ours[bench]),
      reference_ms: round(reference[bench]),
      ratio: round(reference[bench] / ours[bench]),
      aim: AIM[bench],
    }
    console.log(JSON.stringify(row))
  }
}

function medianMs(work: () => unknown): number {
  for (let index = 0; index < WARM_UP_ROUNDS; index++) work()
  const times: number[] = []
  for (let index = 0; index < ROUNDS; index++) {
    const before = process.cpuUsage()
    work()
    const spent = process.cpuUsage(before)
    times.push((spent.user + spent.system) / 1000)
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

/** What the released API's VM.get_all_records answers: a struct of structs, with sets and maps in them. */
function makeRecords(count: number): WireValue {
  const records: Record<string, WireValue> = {}
  for (let index = 0; index < count; index++) records[makeRef(index, 0)] = makeRecord(index)
  return { Status: 'Success', Value: records }
}

function makeRecord(index: number): WireValue {
  const flags = Array.from({ length: 12 }, (_, flag) => [`is_flag_${flag}`, (index + flag) % 3 === 0])
  const references = Array.from({ length: 8 }, (_, field) => [`reference_${field}`, makeRef(index, field + 1)])
  const sizes = Array.from({ length: 10 }, (_, field) => [
    `memory_limit_${field}`,
    String(2 ** 30 * (field + 1) + index),
  ])
  const texts = Array.from({ length: 12 }, (_, field) => [
    `text_field_${field}`,
    TEXTS[(index + field) % TEXTS.length] ?? '',
  ])
  return {
    uuid: makeRef(index, 99).slice('OpaqueRef:'.length),
    name_label: `virtual machine ${index}`,
    name_description: index % 10 === 0 ? 'Büro & Lager <Süd>' : 'Installed from the template of the day',
    ...Object.fromEntries([...flags, ...references, ...sizes, ...texts]),
    allowed_operations: OPERATIONS.slice(0, 6 + (index % 6)),
    current_operations: {},
    VCPUs_params: { weight: '512', cap: '0' },
    VBDs: Array.from({ length: 3 }, (_, disk) => makeRef(index, 20 + disk)),
    VIFs: Array.from({ length: 2 }, (_, port) => makeRef(index, 30 + port)),
    consoles: [makeRef(index, 40)],
    platform: {
      acpi: '1',
      apic: 'true',
      pae: 'true',
      viridian: 'true',
      timeoffset: String(index),
      'device-model': 'qemu',
    },
    other_config: {
      mac_seed: makeRef(index, 50).slice(10),
      'install-methods': 'cdrom,nfs,http,ftp',
      base_template: 'Debian',
    },
    HVM_boot_params: { order: 'cdn', firmware: 'bios' },
    bios_strings: {
      'bios-vendor': 'Xen',
      'bios-version': '',
      'system-manufacturer': 'Xen',
      'oem-1': 'Xen',
      'oem-2': 'MS_VM',
    },
    xenstore_data: { 'vm-data': '', 'vm-data/a': 'b' },
    snapshot_time: new Date(1_163_808_000_000 + index * 1000),
    blocked_operations: {},
    utilisation: index / 1000,
    tags: ['production', 'web'],
  }
}

const TEXTS = [
  '',
  'destroy',
  'restart',
  'BIOS order',
  'OpaqueRef:NULL',
  'Halted',
  'a somewhat longer text of a field, as descriptions are',
]
const OPERATIONS = [
  'changing_dynamic_range',
  'changing_shadow_memory',
  'hard_reboot',
  'hard_shutdown',
  'clean_reboot',
  'clean_shutdown',
  'pause',
  'checkpoint',
  'snapshot',
  'suspend',
  'pool_migrate',
  'send_sysrq',
]

function makeRef(index: number, field: number): string {
  const hex = (index * 2_654_435_761 + field * 40_503).toString(16).padStart(12, '0').slice(-12)
  return `OpaqueRef:4d5bafa1-${field.toString(16).padStart(4, '0')}-42b1-8a2d-${hex}`
}

main()
