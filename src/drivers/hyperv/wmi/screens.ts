import { defineMethod, type EndpointReference, wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { Keyboard, ScreenBackEnd, Size } from '../screen-back-end.ts'
import { settle } from './jobs.ts'
import { type Link, settingsOf } from './link.ts'

// Source: Microsoft Learn, the pages of the same names; they are the same in both namespaces.

const PICTURE = defineMethod('Msvm_VirtualSystemManagementService', 'GetVirtualSystemThumbnailImage', {
  input: { TargetSystem: 'reference', WidthPixels: 'uint16', HeightPixels: 'uint16' },
  output: { ImageData: 'uint8[]' },
})

const KEY = { KeyCode: 'uint32' } as const
const PRESS = defineMethod('Msvm_Keyboard', 'PressKey', { input: KEY, output: {} })
const RELEASE = defineMethod('Msvm_Keyboard', 'ReleaseKey', { input: KEY, output: {} })
const IS_PRESSED = defineMethod('Msvm_Keyboard', 'IsKeyPressed', { input: KEY, output: { KeyState: 'boolean' } })

const PIXEL_BYTES = 2

/** Screens and keyboards of machines, which hosts have only while the machines are on. */
export function screensOf(link: Link): ScreenBackEnd {
  return {
    screenSize: guid => screenSize(link, guid),
    picture: (guid, size) => picture(link, guid, size),
    keyboard: guid => keyboard(link, guid),
  }
}

/** A machine of the first generation has two heads; the one that shows nothing has no size. */
async function screenSize(link: Link, guid: string): Promise<Size | undefined> {
  const isShowing = wql`SystemName = ${guid} AND CurrentHorizontalResolution > 0 AND CurrentVerticalResolution > 0`
  const [head] = await link.client.query(wql`SELECT * FROM Msvm_VideoHead WHERE ${isShowing}`)
  if (head === undefined) return undefined
  return {
    width: head.number('CurrentHorizontalResolution') ?? 0,
    height: head.number('CurrentVerticalResolution') ?? 0,
  }
}

async function picture(link: Link, guid: string, { width, height }: Size): Promise<Uint8Array> {
  const input = { TargetSystem: settingsOf(link, guid), WidthPixels: width, HeightPixels: height }
  const { returnValue, values } = await link.client.call(link.service, PICTURE, input)
  await assertDone(link, returnValue, 'look at the machine')
  const { ImageData } = values
  if (ImageData.length === width * height * PIXEL_BYTES) return ImageData
  const told = `${ImageData.length} bytes of a picture of ${width} by ${height}`
  throw new DriverError('unreachable', `the host gave ${told}`)
}

async function keyboard(link: Link, guid: string): Promise<Keyboard | undefined> {
  const [found] = await link.client.queryReferences(wql`SELECT * FROM Msvm_Keyboard WHERE SystemName = ${guid}`)
  return found && keyboardAt(link, found)
}

function keyboardAt(link: Link, found: EndpointReference): Keyboard {
  return {
    async press(KeyCode) {
      await assertDone(link, (await link.client.call(found, PRESS, { KeyCode })).returnValue, 'press a key')
    },
    async release(KeyCode) {
      await assertDone(link, (await link.client.call(found, RELEASE, { KeyCode })).returnValue, 'let go of a key')
    },
    async isPressed(KeyCode) {
      const { returnValue, values } = await link.client.call(found, IS_PRESSED, { KeyCode })
      await assertDone(link, returnValue, 'look at a key')
      return values.KeyState === true
    },
  }
}

/** None of these goes on in a job. */
const assertDone = (link: Link, returnValue: number, deed: string): Promise<void> =>
  settle(link, { returnValue, values: { Job: undefined } }, deed)
