import { DriverError } from '../driver.ts'

/**
 * Windows' virtual-key codes by the codes of Linux's input events. Letters, digits and signs are where they are on a
 * keyboard of the United States, whose layout machines have.
 * Source: Microsoft Learn, "Virtual-Key Codes"; linux/input-event-codes.h.
 */
const VIRTUAL_KEYS: ReadonlyMap<number, number> = new Map([
  [1, 0x1b], // KEY_ESC
  ...row(2, [0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x30]), // KEY_1 to KEY_0
  [12, 0xbd], // KEY_MINUS: VK_OEM_MINUS
  [13, 0xbb], // KEY_EQUAL: VK_OEM_PLUS
  [14, 0x08], // KEY_BACKSPACE
  [15, 0x09], // KEY_TAB
  ...row(16, letters('QWERTYUIOP')),
  [26, 0xdb], // KEY_LEFTBRACE: VK_OEM_4
  [27, 0xdd], // KEY_RIGHTBRACE: VK_OEM_6
  [28, 0x0d], // KEY_ENTER
  [29, 0xa2], // KEY_LEFTCTRL
  ...row(30, letters('ASDFGHJKL')),
  [39, 0xba], // KEY_SEMICOLON: VK_OEM_1
  [40, 0xde], // KEY_APOSTROPHE: VK_OEM_7
  [41, 0xc0], // KEY_GRAVE: VK_OEM_3
  [42, 0xa0], // KEY_LEFTSHIFT
  [43, 0xdc], // KEY_BACKSLASH: VK_OEM_5
  ...row(44, letters('ZXCVBNM')),
  [51, 0xbc], // KEY_COMMA: VK_OEM_COMMA
  [52, 0xbe], // KEY_DOT: VK_OEM_PERIOD
  [53, 0xbf], // KEY_SLASH: VK_OEM_2
  [54, 0xa1], // KEY_RIGHTSHIFT
  [55, 0x6a], // KEY_KPASTERISK: VK_MULTIPLY
  [56, 0xa4], // KEY_LEFTALT: VK_LMENU
  [57, 0x20], // KEY_SPACE
  [58, 0x14], // KEY_CAPSLOCK: VK_CAPITAL
  ...row(59, [0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79]), // KEY_F1 to KEY_F10
  [69, 0x90], // KEY_NUMLOCK
  [70, 0x91], // KEY_SCROLLLOCK: VK_SCROLL
  ...row(71, [0x67, 0x68, 0x69, 0x6d]), // KEY_KP7 to KEY_KP9, KEY_KPMINUS: VK_SUBTRACT
  ...row(75, [0x64, 0x65, 0x66, 0x6b]), // KEY_KP4 to KEY_KP6, KEY_KPPLUS: VK_ADD
  ...row(79, [0x61, 0x62, 0x63, 0x60, 0x6e]), // KEY_KP1 to KEY_KP3, KEY_KP0, KEY_KPDOT: VK_DECIMAL
  [86, 0xe2], // KEY_102ND: VK_OEM_102
  [87, 0x7a], // KEY_F11
  [88, 0x7b], // KEY_F12
  [96, 0x0d], // KEY_KPENTER: Windows has no other code for it than that of Enter
  [97, 0xa3], // KEY_RIGHTCTRL
  [98, 0x6f], // KEY_KPSLASH: VK_DIVIDE
  [99, 0x2c], // KEY_SYSRQ: VK_SNAPSHOT
  [100, 0xa5], // KEY_RIGHTALT: VK_RMENU
  [102, 0x24], // KEY_HOME
  [103, 0x26], // KEY_UP
  [104, 0x21], // KEY_PAGEUP: VK_PRIOR
  [105, 0x25], // KEY_LEFT
  [106, 0x27], // KEY_RIGHT
  [107, 0x23], // KEY_END
  [108, 0x28], // KEY_DOWN
  [109, 0x22], // KEY_PAGEDOWN: VK_NEXT
  [110, 0x2d], // KEY_INSERT
  [111, 0x2e], // KEY_DELETE
  [113, 0xad], // KEY_MUTE: VK_VOLUME_MUTE
  [114, 0xae], // KEY_VOLUMEDOWN
  [115, 0xaf], // KEY_VOLUMEUP
  [119, 0x13], // KEY_PAUSE
  [125, 0x5b], // KEY_LEFTMETA: VK_LWIN
  [126, 0x5c], // KEY_RIGHTMETA: VK_RWIN
  [127, 0x5d], // KEY_COMPOSE: VK_APPS
  ...row(183, [0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87]), // KEY_F13 to KEY_F24
])

/** The virtual keys of these codes, each once. Throws DriverError, `refused`, for one that has none. */
export function virtualKeysOf(codes: readonly number[]): readonly number[] {
  const keys = codes.map(code => {
    const key = VIRTUAL_KEYS.get(code)
    if (key === undefined) throw new DriverError('refused', `the keyboards of Hyper-V have no key ${code}`)
    return key
  })
  return [...new Set(keys)]
}

function row(first: number, keys: readonly number[]): [number, number][] {
  return keys.map((key, at) => [first + at, key])
}

/** Letters have the codes that they have in ASCII. Source: the same page. */
function letters(text: string): number[] {
  return Array.from(text, letter => letter.charCodeAt(0))
}
