import { DriverError } from '../driver.ts'

/**
 * QEMU's names of keys by the codes of Linux's input events, of all keys that a PS/2 keyboard has a scan code for, which
 * is the one that guests have.
 * Source: keycodemapdb, data/keymaps.csv, the columns "Linux Keycode", "AT set1 keycode", "AT set2 keycode" and
 * "QEMU QKeyCode"; QEMU 7.2 qapi/ui.json, QKeyCode, which knows no F13 and above.
 */
export const KEY_NAMES: ReadonlyMap<number, string> = new Map([
  ...row(1, 'esc 1 2 3 4 5 6 7 8 9 0 minus equal backspace'), // KEY_ESC to KEY_BACKSPACE
  ...row(15, 'tab q w e r t y u i o p bracket_left bracket_right ret'), // KEY_TAB to KEY_ENTER
  ...row(29, 'ctrl a s d f g h j k l semicolon apostrophe grave_accent'), // KEY_LEFTCTRL to KEY_GRAVE
  ...row(42, 'shift backslash z x c v b n m comma dot slash shift_r'), // KEY_LEFTSHIFT to KEY_RIGHTSHIFT
  ...row(55, 'asterisk alt spc caps_lock'), // KEY_KPASTERISK to KEY_CAPSLOCK
  ...row(59, 'f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 num_lock scroll_lock'), // KEY_F1 to KEY_SCROLLLOCK
  ...row(71, 'kp_7 kp_8 kp_9 kp_subtract kp_4 kp_5 kp_6 kp_add kp_1 kp_2 kp_3 kp_0 kp_decimal'), // KEY_KP7 to KEY_KPDOT
  ...row(86, 'less f11 f12 ro'), // KEY_102ND to KEY_RO
  ...row(91, 'hiragana henkan katakanahiragana muhenkan'), // KEY_HIRAGANA to KEY_MUHENKAN
  ...row(96, 'kp_enter ctrl_r kp_divide print alt_r'), // KEY_KPENTER to KEY_RIGHTALT
  ...row(102, 'home up pgup left right end down pgdn insert delete'), // KEY_HOME to KEY_DELETE
  ...row(113, 'audiomute volumedown volumeup power kp_equals'), // KEY_MUTE to KEY_KPEQUAL
  ...row(119, 'pause'), // KEY_PAUSE
  ...row(121, 'kp_comma lang1 lang2 yen meta_l meta_r compose stop'), // KEY_KPCOMMA to KEY_STOP
  ...row(140, 'calculator'), // KEY_CALC
  ...row(142, 'sleep wake'), // KEY_SLEEP, KEY_WAKEUP
  ...row(155, 'mail ac_bookmarks computer ac_back ac_forward'), // KEY_MAIL to KEY_FORWARD
  ...row(163, 'audionext audioplay audioprev audiostop'), // KEY_NEXTSONG to KEY_STOPCD
  ...row(172, 'ac_home ac_refresh'), // KEY_HOMEPAGE, KEY_REFRESH
  ...row(226, 'mediaselect'), // KEY_MEDIA
])

/** QEMU's names of these codes, each once. Throws DriverError, `refused`, for one that has none. */
export function keyNamesOf(codes: readonly number[]): readonly string[] {
  const names = codes.map(code => {
    const name = KEY_NAMES.get(code)
    if (name === undefined) throw new DriverError('refused', `the keyboard of a PC has no key ${code}`)
    return name
  })
  return [...new Set(names)]
}

function row(first: number, names: string): [number, string][] {
  return names.split(' ').map((name, at) => [first + at, name])
}
