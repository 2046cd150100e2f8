import type { Definition } from '../definition.ts'
import type { DomainFiles } from '../layout.ts'
import { AUDIO, hostDeviceName, placeOf, RNG, VGA } from '../slots.ts'
import { device, doubleCommas } from './option.ts'

const VGA_DRIVERS = { std: 'VGA', cirrus: 'cirrus-vga' } as const

/** The devices of `PlatformConfig`. `rtcBase` is where the real-time clock starts. */
export function platformArguments({ config, slots }: Definition, files: DomainFiles, rtcBase: string): string[] {
  const { vga, audio, rng, tablet, tpm, pciDevices = [] } = config.platform ?? {}
  return [
    ['-rtc', `base=${rtcBase}`],
    vga === undefined ? [] : device({ driver: VGA_DRIVERS[vga], id: VGA, ...placeOf(slots, VGA) }),
    audio === true ? soundCard(placeOf(slots, AUDIO)) : [],
    rng === true ? randomSource(placeOf(slots, RNG)) : [],
    tablet === true ? TABLET : [],
    tpm === true ? tpmArguments(files) : [],
    ...pciDevices.map(address => {
      const id = hostDeviceName(address)
      return device({ driver: 'vfio-pci', id, host: address, ...placeOf(slots, id) })
    }),
  ].flat()
}

function randomSource(place: ReturnType<typeof placeOf>): string[] {
  const source = ['-object', 'rng-random,id=random,filename=/dev/urandom']
  return [...source, ...device({ driver: 'virtio-rng-pci', id: RNG, rng: 'random', ...place })]
}

/** On the USB controller that the board has its place for. Source: QEMU 7.2, hw/i386/pc_piix.c. */
const TABLET: readonly string[] = [
  ...device({ driver: 'piix3-usb-uhci', id: 'usb', bus: 'pci.0', addr: '1.2' }),
  ...device({ driver: 'usb-tablet', id: 'tablet', bus: 'usb.0', port: '1' }),
]

/** A card that the guest sees and plays on; nobody hears it. */
function soundCard(place: ReturnType<typeof placeOf>): string[] {
  return ['-audiodev', 'none,id=audio', ...device({ driver: 'AC97', id: AUDIO, audiodev: 'audio', ...place })]
}

function tpmArguments({ tpmSocket }: DomainFiles): string[] {
  const chardev = ['-chardev', `socket,id=tpm,path=${doubleCommas(tpmSocket)}`]
  return [...chardev, '-tpmdev', 'emulator,id=tpm,chardev=tpm', ...device({ driver: 'tpm-tis', tpmdev: 'tpm' })]
}
