import type { Host } from './host.ts'
import type { Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'

// What is done on a machine's keyboard. A key is a virtual key code of Windows.

/** Longer text is refused. Source: Microsoft Learn, Msvm_Keyboard.TypeText. */
const TEXT_MAX = 512
const SCANCODES_MAX = 512
/** How much of what was typed is kept. */
const TYPED_MAX = 4096
/** Source: the virtual key codes of Windows are 1 to 254. */
const KEY_MAX = 254
const KEYS_HELD_MAX = 64

/** Shift, Ctrl and Alt mean those at the left. Source: seen on Server 2025. */
const LEFT_HAND: Readonly<Record<number, number>> = { 16: 160, 17: 162, 18: 164 }

/** Types text; false where a character has no key. Throws OperationError where it is too long. */
export function typeText(host: Host, vm: Vm, text: string): boolean {
  if (text.length > TEXT_MAX) throw invalid('The text is too long.')
  if (!Array.from(text).every(hasKey)) return false
  record(host, vm, text)
  return true
}

/** Presses a key and lets it go. */
export function typeKey(host: Host, vm: Vm, key: number): void {
  record(host, vm, `<${checked(key)}>`)
}

/** Holds a key down. */
export function pressKey(host: Host, vm: Vm, key: number): void {
  const held = LEFT_HAND[checked(key)] ?? key
  if (vm.pressedKeys.includes(held)) return
  if (vm.pressedKeys.length >= KEYS_HELD_MAX) throw invalid('Too many keys are held down.')
  vm.pressedKeys.push(held)
  record(host, vm, `<+${held}>`)
}

/** Lets a key go; one that was not held down may be let go as well. */
export function releaseKey(host: Host, vm: Vm, key: number): void {
  const held = LEFT_HAND[checked(key)] ?? key
  vm.pressedKeys = vm.pressedKeys.filter(one => one !== held)
  record(host, vm, `<-${held}>`)
}

/** Whether a key is held down; of Shift, Ctrl and Alt only the left and right ones ever are. */
export function isKeyPressed(vm: Vm, key: number): boolean {
  return vm.pressedKeys.includes(checked(key))
}

export function typeCtrlAltDel(host: Host, vm: Vm): void {
  record(host, vm, '<ctrl-alt-del>')
}

/** Sends scan codes of set 1 as they are. */
export function typeScancodes(host: Host, vm: Vm, codes: readonly number[]): void {
  if (codes.length === 0 || codes.length > SCANCODES_MAX) throw invalid('No or too many scan codes.')
  record(host, vm, `<scan ${codes.map(code => code.toString(16).padStart(2, '0')).join(' ')}>`)
}

/** ASCII that is printed, and what Tab and Enter make. */
function hasKey(character: string): boolean {
  return '\t\r\n'.includes(character) || (character >= ' ' && character <= '~')
}

function checked(key: number): number {
  if (!Number.isInteger(key) || key < 1 || key > KEY_MAX) throw invalid(`There is no key ${key}.`)
  return key
}

function record(host: Host, vm: Vm, what: string): void {
  vm.typed = (vm.typed + what).slice(-TYPED_MAX)
  host.touch()
}

function invalid(message: string): OperationError {
  return new OperationError(Return.invalidParameter, message)
}
