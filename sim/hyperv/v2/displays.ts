import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { guestAnswers } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { DEVICES } from '../host/resources-ids.ts'
import { generationOf } from '../host/settings.ts'
import { type DeviceRow, deviceProvider, nameOfDevice } from './devices.ts'
import { associationOf, keyOf, type Pair, providerOf } from './rows.ts'

// A machine of the first generation has two displays: a plain one that its BIOS knows, and a synthetic one that a driver
// in its guest takes over. One of the second generation has the synthetic one only, and its firmware knows it.

interface Display {
  readonly className: 'Msvm_S3DisplayController' | 'Msvm_SyntheticDisplayController'
  readonly guid: string
  readonly title: string
}

const PLAIN: Display = {
  className: 'Msvm_S3DisplayController',
  guid: DEVICES.s3Display,
  title: 'S3 Display Controller',
}
const SYNTHETIC: Display = {
  className: 'Msvm_SyntheticDisplayController',
  guid: DEVICES.syntheticDisplay,
  title: 'Synthetic Display Controller',
}

/** Display controllers of machines that run, and the screens on them. */
export function displays(host: Host, schema: Schema): readonly Provider[] {
  const controllers = [PLAIN, SYNTHETIC].map(display =>
    deviceProvider(host, schema, {
      className: display.className,
      of: vm => (displaysOf(vm).includes(display) ? [controllerRow(display)] : []),
    }),
  )
  const heads = deviceProvider(host, schema, {
    className: 'Msvm_VideoHead',
    of: vm => displaysOf(vm).map(display => headRow(host, vm, display)),
  })
  return [...controllers, heads, headsOnControllers(host, schema)]
}

/** The size of the screen that a machine shows. */
export function screenOf(host: Host, vm: Vm): { readonly width: number; readonly height: number } {
  const isPlain = generationOf(vm.configuration) === 1 && !guestAnswers(host, vm)
  return isPlain ? { width: 640, height: 480 } : { width: 1024, height: 768 }
}

function displaysOf(vm: Vm): readonly Display[] {
  return generationOf(vm.configuration) === 1 ? [PLAIN, SYNTHETIC] : [SYNTHETIC]
}

/** Which display shows the screen. */
function isShowing(host: Host, vm: Vm, display: Display): boolean {
  if (generationOf(vm.configuration) === 2) return true
  return (display === SYNTHETIC) === guestAnswers(host, vm)
}

const idOfController = ({ guid }: Display): string => `Microsoft:${guid}`
/** Source: Microsoft Learn, Msvm_VideoHead.DeviceID. */
const idOfHead = (display: Display): string => `${idOfController(display)}\\Head\\0`

function controllerRow(display: Display): DeviceRow {
  return {
    Caption: 'Display Controller',
    Description: `Microsoft ${display.title}`,
    DeviceID: idOfController(display),
    ElementName: 'Display Controller',
    MaxNumberControlled: 1,
    Name: 'Display Controller',
    VideoArchitecture: 5,
    VideoMemoryType: 2,
  }
}

/** A screen that shows nothing has no size. */
function headRow(host: Host, vm: Vm, display: Display): DeviceRow {
  const isOn = isShowing(host, vm, display)
  const { width, height } = isOn ? screenOf(host, vm) : { width: 0, height: 0 }
  return {
    AdditionalAvailability: [6],
    Availability: 6,
    Caption: 'Video Head',
    CurrentBitsPerPixel: isOn ? 32 : 0,
    CurrentHorizontalResolution: width,
    CurrentNumberOfColors: isOn ? 4_294_967_296n : 0n,
    CurrentNumberOfColumns: 0,
    CurrentNumberOfRows: 0,
    CurrentRefreshRate: isOn ? 60 : 0,
    CurrentScanMode: 3,
    CurrentVerticalResolution: height,
    Description: 'Microsoft Virtual Video Head',
    DeviceID: idOfHead(display),
    ElementName: 'Video Head',
    EnabledState: isOn ? 2 : 3,
    MaxRefreshRate: 60,
    MinRefreshRate: 60,
    Name: 'Video Head',
  }
}

function headsOnControllers(host: Host, schema: Schema): Provider {
  function* pairsOf(vm: Vm): Iterable<Pair> {
    if (vm.processId === undefined) return
    for (const display of displaysOf(vm)) {
      yield [
        nameOfDevice(display.className, vm.id, idOfController(display)),
        nameOfDevice('Msvm_VideoHead', vm.id, idOfHead(display)),
      ]
    }
  }
  return providerOf(schema, {
    classes: {
      Msvm_VideoHeadOnController: associationOf(host, schema, {
        className: 'Msvm_VideoHeadOnController',
        ends: ['Antecedent', 'Dependent'],
        *list() {
          for (const vm of host.state.vms) yield* pairsOf(vm)
        },
        *of(object) {
          const vm = host.vm(keyOf(object, 'SystemName') ?? '')
          const id = keyOf(object, 'DeviceID')?.toLowerCase()
          if (vm === undefined) return
          for (const pair of pairsOf(vm)) {
            if (pair.some(name => keyOf(name, 'DeviceID')?.toLowerCase() === id)) yield pair
          }
        },
      }),
    },
  })
}
