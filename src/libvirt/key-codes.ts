import { VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_INVALID_ARG } from './error-numbers.ts'
import { LibvirtError } from './errors.ts'
import {
  VIR_KEYCODE_SET_ATSET1,
  VIR_KEYCODE_SET_ATSET2,
  VIR_KEYCODE_SET_ATSET3,
  VIR_KEYCODE_SET_LAST,
  VIR_KEYCODE_SET_LINUX,
  VIR_KEYCODE_SET_OSX,
  VIR_KEYCODE_SET_QNUM,
  VIR_KEYCODE_SET_USB,
  VIR_KEYCODE_SET_WIN32,
  VIR_KEYCODE_SET_XT,
  VIR_KEYCODE_SET_XT_KBD,
} from './flags/index.ts'

/** Linux's codes of keys by those of another set. */
type KeyMap = ReadonlyMap<number, number>

/** Codes that count up with Linux's, from one of either; `row(0x30, 11, 2, 3)` is 0x30 for 11, 0x31 for 2, 0x32 for 3. */
const row = (first: number, ...linux: readonly number[]): [number, number][] =>
  linux.map((code, at) => [first + at, code])

const upTo = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at)

/** Codes of the first set that stand alone. Linux took over most of them, which is why these are so few. */
const PLAIN: readonly [number, number][] = [
  ...row(1, ...upTo(1, 83)),
  [0x54, 99], // Print, with Alt
  ...row(86, 86, 87, 88),
  [0x59, 117], // The = of the keypad
  [0x5c, 95], // The , of the keypad of Japan
  [0x70, 93],
  [0x73, 89],
  ...row(0x77, 91, 90, 92),
  [0x7b, 94],
  ...row(0x7d, 124, 121),
]

/** Codes of the first set that stand behind 0xe0. */
const EXTENDED: readonly [number, number][] = [
  [0x10, 165], // The previous song
  [0x19, 163],
  ...row(0x1c, 96, 97), // Enter of the keypad, right Ctrl
  ...row(0x20, 113, 140, 164),
  [0x24, 166],
  [0x2e, 114],
  [0x30, 115],
  [0x32, 172],
  [0x35, 98],
  [0x38, 100], // Right Alt
  [0x46, 119], // Pause
  ...row(0x47, 102, 103, 104), // Home, up, page up
  [0x4b, 105],
  [0x4d, 106],
  ...row(0x4f, 107, 108, 109, 110, 111), // End, down, page down, insert, delete
  ...row(0x5b, 125, 126, 127, 116, 142), // The two of Windows, menu, power, sleep
  [0x63, 143], // Wake
  ...row(0x66, 156, 173, 128, 159, 158, 157, 155, 226), // Of browsers and programs
]

/** Where the sets differ that are made of the first one: in what they make of the 0xe0. */
const firstSet = (extended: number, ...others: readonly [number, number][]): KeyMap =>
  new Map([...PLAIN, ...EXTENDED.map(([code, linux]): [number, number] => [extended + code, linux]), ...others])

/** Hangul and Hanja of Korea have codes of their own, which look as if a key were let go. */
const AT: KeyMap = firstSet(0xe000, [0xf1, 123], [0xf2, 122])
const XT_KBD: KeyMap = firstSet(0x100, [0xf1, 123], [0xf2, 122])
const QNUM: KeyMap = firstSet(0x80, [0x71, 123], [0x72, 122], [0xb7, 99])

/** Source: USB HID Usage Tables, page 7. */
const USB: KeyMap = new Map([
  ...row(4, 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50), // A to M
  ...row(17, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44), // N to Z
  ...row(30, ...upTo(2, 11)), // 1 to 9 and 0
  ...row(40, 28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 43, 39, 40, 41, 51, 52, 53, 58), // Enter to caps lock
  ...row(58, ...upTo(59, 68), 87, 88), // F1 to F12
  ...row(70, 99, 70, 119, 110, 102, 104, 111, 107, 109, 106, 105, 108, 103), // Print to up
  ...row(83, 69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83), // The keypad
  ...row(100, 86, 127, 116, 117), // Of 102 keys, menu, power, the = of the keypad
  ...row(104, ...upTo(183, 194)), // F13 to F24
  ...row(127, 113, 115, 114), // Of loudness
  [133, 121],
  ...row(135, 89, 93, 124, 92, 94, 95), // Of Japan
  ...row(144, 122, 123, 90, 91, 85), // Of Korea and Japan
  ...row(224, 29, 42, 56, 125, 97, 54, 100, 126), // Ctrl, shift, alt and the one of Windows, left and right
])

/** Source: Microsoft Learn, "Virtual-Key Codes", on a keyboard of the United States. */
const WIN32: KeyMap = new Map([
  ...row(0x08, 14, 15), // Backspace, tab
  [0x0d, 28],
  ...row(0x10, 42, 29, 56, 119, 58), // Shift, Ctrl, Alt, pause, caps lock
  [0x1b, 1],
  ...row(0x20, 57, 104, 109, 107, 102, 105, 103, 106, 108), // Space, page up and down, end, home, the arrows
  ...row(0x2c, 99, 110, 111, 138), // Print, insert, delete, help
  ...row(0x30, 11, ...upTo(2, 10)), // 0 to 9
  ...row(0x41, 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50), // A to M
  ...row(0x4e, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44), // N to Z
  ...row(0x5b, 125, 126, 127), // The two of Windows, menu
  [0x5f, 142],
  ...row(0x60, 82, 79, 80, 81, 75, 76, 77, 71, 72, 73, 55, 78, 121, 74, 83, 98), // The keypad
  ...row(0x70, ...upTo(59, 68), 87, 88, ...upTo(183, 194)), // F1 to F24
  ...row(0x90, 69, 70), // Number lock, scroll lock
  ...row(0xa0, 42, 54, 29, 97, 56, 100, 158, 159, 173, 128), // Left and right, then those of browsers
  ...row(0xac, 172, 113, 114, 115, 163, 165, 166, 164), // Home, loudness, songs
  ...row(0xba, 39, 13, 51, 12, 52, 53, 41), // ; = , - . / `
  ...row(0xdb, 26, 43, 27, 40), // [ \ ] '
  [0xe2, 86],
])

/** libvirt 9.0 means the first set by XT, too: src/util/virkeycode.c. */
const MAPS: ReadonlyMap<number, KeyMap> = new Map([
  [VIR_KEYCODE_SET_XT, AT],
  [VIR_KEYCODE_SET_ATSET1, AT],
  [VIR_KEYCODE_SET_XT_KBD, XT_KBD],
  [VIR_KEYCODE_SET_USB, USB],
  [VIR_KEYCODE_SET_WIN32, WIN32],
  [VIR_KEYCODE_SET_QNUM, QNUM],
])

/** Sets that nobody translates here. */
const REFUSED = Object.entries({ VIR_KEYCODE_SET_ATSET2, VIR_KEYCODE_SET_ATSET3, VIR_KEYCODE_SET_OSX })

/**
 * The codes of Linux's input events for keys of a set. Throws LibvirtError: `VIR_ERR_ARGUMENT_UNSUPPORTED` for a set that
 * is not understood here, by its name; `VIR_ERR_INVALID_ARG` for none of libvirt's, and for a key that its set has not.
 * Source: keycodemapdb, data/keymaps.csv, as libvirt 9.0 translates.
 */
export function linuxKeys(codeset: number, keycodes: readonly number[]): readonly number[] {
  if (codeset === VIR_KEYCODE_SET_LINUX) return keycodes
  const refused = REFUSED.find(([, set]) => set === codeset)
  if (refused !== undefined) {
    throw new LibvirtError(VIR_ERR_ARGUMENT_UNSUPPORTED, `keys of ${refused[0]} are not understood here`)
  }
  const map = MAPS.get(codeset)
  if (map === undefined) {
    const text = `codeset in virDomainSendKey must be less than ${VIR_KEYCODE_SET_LAST}, not ${codeset}`
    throw new LibvirtError(VIR_ERR_INVALID_ARG, text)
  }
  return keycodes.map(code => {
    const linux = map.get(code)
    if (linux !== undefined) return linux
    throw new LibvirtError(VIR_ERR_INVALID_ARG, `invalid keycode: '${code}' of set ${codeset}`)
  })
}
