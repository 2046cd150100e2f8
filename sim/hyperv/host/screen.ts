import type { Host } from './host.ts'
import { onTimeOf } from './life.ts'
import type { Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { fractionOf } from './random.ts'
import { nameOfVm } from './settings.ts'

/** A picture's size in pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** A larger picture takes a simulated host more than a second, in which nobody else is served, and half a gigabyte. */
const PIXELS_MAX = 2560 * 1600
const BAR_STEP_MS = 1_000
const BAR_STEPS = 32

/**
 * What a machine's screen shows, scaled to `size`: RGB565, little endian, row by row. It is a gradient in a colour of
 * the machine's own with a bar that wanders once a second, so that machines, and moments, can be told apart.
 * Throws OperationError where there is no picture: the machine is neither running nor saved.
 */
export function pictureOf(host: Host, vm: Vm, size: Size): number[] {
  if (!hasPicture(vm)) throw new OperationError(Return.invalidState, host.texts.invalidState(nameOfVm(vm), vm.id))
  const { width, height } = size
  if (width < 1 || height < 1 || width * height > PIXELS_MAX) {
    throw new OperationError(Return.invalidParameter, host.texts.invalidValue('WidthPixels'))
  }
  const colours = rowColours(vm, height)
  const bar = barOf(host, vm, width)
  const bytes: number[] = []
  for (const colour of colours) {
    for (let x = 0; x < width; x++) {
      const pixel = x >= bar.from && x < bar.to ? WHITE : colour
      bytes.push(pixel & 0xff, pixel >> 8)
    }
  }
  return bytes
}

/** Whether a machine has a picture to show. Source: Microsoft Learn: running or saved; none was seen of one that is off. */
export function hasPicture(vm: Vm): boolean {
  return vm.power !== 'off' && vm.power !== 'starting'
}

const WHITE = 0xffff

/** From dark to light, top to bottom. */
function rowColours(vm: Vm, height: number): number[] {
  const [red, green, blue] = ['red', 'green', 'blue'].map(channel => 0.3 + 0.7 * fractionOf(`${vm.id}\\${channel}`))
  return Array.from({ length: height }, (_none, y) => {
    const light = 0.15 + (0.75 * y) / height
    const part = (channel: number | undefined, levels: number): number => Math.floor((channel ?? 0) * light * levels)
    return (part(red, 31) << 11) | (part(green, 63) << 5) | part(blue, 31)
  })
}

function barOf(host: Host, vm: Vm, width: number): { readonly from: number; readonly to: number } {
  const step = Math.floor(onTimeOf(host, vm) / BAR_STEP_MS) % BAR_STEPS
  const from = Math.floor((step * width) / BAR_STEPS)
  return { from, to: Math.max(from + 1, Math.floor(((step + 1) * width) / BAR_STEPS)) }
}
