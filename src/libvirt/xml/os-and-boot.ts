import type { BootConfig, BootDevice } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import type { BootOrder } from './boot-order.ts'
import type { Extension } from './extension.ts'
import type { HostKind } from './host-kind.ts'
import { lookup } from './lookup.ts'
import type { Reading } from './reading.ts'
import { element, textElement } from './writing.ts'

const DEVICES: Readonly<Record<string, BootDevice>> = { hd: 'disk', cdrom: 'cdrom', fd: 'floppy', network: 'network' }
const WORDS: Readonly<Record<BootDevice, string>> = { disk: 'hd', cdrom: 'cdrom', floppy: 'fd', network: 'network' }
const ARCHITECTURE = 'x86_64'

/** Reads `<os>`: how a domain boots. What devices say of it by themselves (`<boot order=…>`) is in `order`. */
export function readBoot(domain: Reading, kind: HostKind, order: BootOrder, { boot }: Extension): BootConfig {
  const os = domain.child('os')
  if (os === undefined) return domain.fail(VIR_ERR_XML_ERROR, 'an os <type> must be specified')
  readType(os, kind)
  os.word('firmware', ['bios'])
  const menu = os.child('bootmenu')
  menu?.word('enable', ['no'])
  const listed = os.children('boot').map(readDevice)
  const direct = readKernel(os)
  if (listed.length > 0 && order.isSaid) {
    const detail = 'per-device boot elements cannot be used together with os/boot elements'
    return os.fail(VIR_ERR_CONFIG_UNSUPPORTED, detail)
  }
  if (direct !== undefined) return direct
  return boot ?? { kind: 'firmware', device: listed[0] ?? order.first ?? 'disk' }
}

function readType(os: Reading, kind: HostKind): void {
  const type = os.child('type')
  if (type === undefined) return os.fail(VIR_ERR_XML_ERROR, 'an os <type> must be specified')
  if (type.text() !== 'hvm') return type.refuse('', type.text(), 'machines here are of type hvm')
  const arch = type.attribute('arch')
  if (arch !== undefined && arch !== ARCHITECTURE) type.refuse('/@arch', arch, `machines here are ${ARCHITECTURE}`)
  const machine = type.attribute('machine')
  if (machine !== undefined && !kind.machines.test(machine)) type.refuse('/@machine', machine)
}

/** The first is what counts; where it has nothing to boot, firmware goes on to the others in its own order. */
function readDevice(boot: Reading): BootDevice {
  const name = boot.attribute('dev') ?? ''
  return lookup(DEVICES, name) ?? boot.invalid('/@dev', name)
}

function readKernel(os: Reading): BootConfig | undefined {
  const [kernel, initrd, cmdline] = ['kernel', 'initrd', 'cmdline'].map(name => os.child(name)?.rawText() ?? '')
  if (kernel === undefined || kernel === '') {
    if (initrd !== '') os.refuse('/initrd', initrd, 'there is no kernel to it')
    if (cmdline !== '') os.refuse('/cmdline', cmdline, 'there is no kernel to it')
    return undefined
  }
  return { kind: 'kernel', kernel, initrd: initrd === '' ? null : (initrd ?? null), cmdline: cmdline ?? '' }
}

/** `<os>` of a domain that boots so. What libvirt has no words for is in the extension. */
export function writeBoot(boot: BootConfig, kind: HostKind): XmlOutput {
  const type = element('type', { arch: ARCHITECTURE, machine: kind.machine }, 'hvm')
  switch (boot.kind) {
    case 'firmware':
      return element('os', {}, type, element('boot', { dev: WORDS[boot.device] }))
    case 'kernel': {
      const { kernel, initrd, cmdline } = boot
      const files = [textElement('kernel', kernel), textElement('initrd', initrd ?? '')]
      return element('os', {}, type, files, textElement('cmdline', cmdline))
    }
    default:
      return element('os', {}, type)
  }
}
