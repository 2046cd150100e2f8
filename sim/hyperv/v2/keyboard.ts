import type { CimValue, Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import {
  isKeyPressed,
  pressKey,
  releaseKey,
  typeCtrlAltDel,
  typeKey,
  typeScancodes,
  typeText,
} from '../host/keyboard.ts'
import type { Vm } from '../host/model.ts'
import { DEVICES } from '../host/resources-ids.ts'
import { deviceProvider, vmOfDevice } from './devices.ts'
import { textGiven } from './given.ts'
import { providerOf } from './rows.ts'

/** Msvm_Keyboard: one for each machine that runs. */
export function keyboards(host: Host, schema: Schema): Provider {
  const devices = deviceProvider(host, schema, {
    className: 'Msvm_Keyboard',
    // Source: DeviceID, layout and the number of function keys were read from machines on Server 2025.
    of: () => [
      {
        Caption: 'Keyboard',
        Description: 'Microsoft Virtual Keyboard',
        DeviceID: `Microsoft:${DEVICES.keyboard}`,
        ElementName: 'Keyboard',
        IsLocked: false,
        Layout: '00000409',
        Name: 'Keyboard',
        NumberOfFunctionKeys: 12,
        UnicodeSupported: true,
      },
    ],
  })
  return { ...devices, methods: providerOf(schema, { methods: keyboardMethods(host, 'Msvm_Keyboard') }).methods ?? {} }
}

/** Text that has characters without keys is answered so. Source: Microsoft Learn, Msvm_Keyboard.TypeText. */
const UNTRANSLATABLE = 1

/** The methods of a keyboard's class, which both namespaces have. */
export function keyboardMethods(host: Host, className: string): Readonly<Record<string, Method>> {
  const key = (input: MethodCall['input']): number => Number(input.get('KeyCode') ?? 0)
  const onKey =
    (act: (machine: Host, vm: Vm, key: number) => void): Method =>
    ({ self, input }) =>
      answerNow(() => act(host, vmOfDevice(host, self), key(input)))
  return {
    [`${className}.PressKey`]: onKey(pressKey),
    [`${className}.ReleaseKey`]: onKey(releaseKey),
    [`${className}.TypeKey`]: onKey(typeKey),
    [`${className}.IsKeyPressed`]: ({ self, input }) =>
      answerNow(() => ({ KeyState: isKeyPressed(vmOfDevice(host, self), key(input)) })),
    [`${className}.TypeCtrlAltDel`]: ({ self }) => answerNow(() => typeCtrlAltDel(host, vmOfDevice(host, self))),
    [`${className}.TypeText`]: call => typed(host, call),
    [`${className}.TypeScancodes`]: ({ self, input }) =>
      answerNow(() => typeScancodes(host, vmOfDevice(host, self), numbersIn(input.get('Scancodes')))),
  }
}

async function typed(host: Host, { self, input }: MethodCall): Promise<MethodResult> {
  let isTyped = true
  const result = await answerNow(() => {
    isTyped = typeText(host, vmOfDevice(host, self), textGiven(input, 'AsciiText') ?? '')
  })
  return isTyped ? result : { returnValue: UNTRANSLATABLE }
}

function numbersIn(value: CimValue | undefined): number[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'number') : []
}
