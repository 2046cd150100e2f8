import type { Schema } from '../cim/model.ts'
import type { Method, Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { guestAnswers } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { DEVICES } from '../host/resources-ids.ts'
import { deviceProvider, vmOfDevice } from './devices.ts'
import { providerOf } from './rows.ts'

const POSITION_MAX = 65_535
const BUTTONS = 3

/** Msvm_SyntheticMouse: one for each machine that runs. Without a guest that has its driver, nothing can be done with it. */
export function mice(host: Host, schema: Schema): Provider {
  const className = 'Msvm_SyntheticMouse'
  const devices = deviceProvider(host, schema, { className, of: mouseOf })
  const methods = { ...providerOf(schema, { methods: mouseMethods(host, className) }).methods }
  return { ...devices, methods }
}

/** Source: the DeviceID was read on Server 2025, the rest are the values of Microsoft Learn, Msvm_SyntheticMouse. */
function mouseOf({ pointer }: Vm) {
  return [
    {
      AbsoluteCoordinates: true,
      Caption: 'Mouse',
      Description: 'Microsoft Synthetic Mouse',
      DeviceID: `Microsoft:${DEVICES.syntheticMouse}`,
      ElementName: 'Mouse',
      Handedness: 2,
      HorizontalPosition: pointer?.x ?? null,
      IsLocked: false,
      Name: 'Mouse',
      NumberOfButtons: 5,
      PointingType: 3,
      ScrollPosition: 0,
      VerticalPosition: pointer?.y ?? null,
    },
  ]
}

/** Source: the codes that a machine without a guest answers were seen on Server 2025. */
function mouseMethods(host: Host, className: string): Readonly<Record<string, Method>> {
  const withDriver = (vm: Vm, code: number): Vm => {
    if (guestAnswers(host, vm)) return vm
    throw new OperationError(code, 'No driver in the guest has opened the mouse.')
  }
  return {
    [`${className}.SetAbsolutePosition`]: ({ self, input }) =>
      answerNow(() => {
        const vm = withDriver(vmOfDevice(host, self), Return.invalidParameter)
        const x = Number(input.get('HorizontalPosition') ?? -1)
        const y = Number(input.get('VerticalPosition') ?? -1)
        if (![x, y].every(isPosition)) throw new OperationError(Return.invalidParameter, 'No such position.')
        vm.pointer = { x, y }
        host.touch()
      }),
    [`${className}.ClickButton`]: ({ self, input }) =>
      answerNow(() => {
        withDriver(vmOfDevice(host, self), Return.failed)
        const button = Number(input.get('ButtonIndex') ?? 0)
        if (button < 1 || button > BUTTONS) throw new OperationError(Return.invalidParameter, 'No such button.')
      }),
    [`${className}.SetScrollPosition`]: ({ self }) =>
      answerNow(() => {
        withDriver(vmOfDevice(host, self), Return.failed)
      }),
  }
}

const isPosition = (place: number): boolean => place >= 0 && place <= POSITION_MAX
