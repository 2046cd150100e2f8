import type { ExitActions, PlatformConfig } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_CONFIG_UNSUPPORTED } from '../error-numbers.ts'
import {
  OF_CLOCK,
  OF_CLOCK_OF_ENLIGHTENED,
  OF_CLOCK_OF_HYPERV,
  OF_FEATURES,
  OF_FEATURES_OF_EMULATED,
  OF_FEATURES_OF_HYPERV,
} from './accepted.ts'
import type { Extension } from './extension.ts'
import type { HostKind } from './host-kind.ts'
import { lookup } from './lookup.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

const FEATURES = { chosen: OF_FEATURES, always: OF_FEATURES_OF_HYPERV, never: OF_FEATURES_OF_EMULATED } as const

type Enlightened = Pick<PlatformConfig, 'enlightened'>

/**
 * Reads `<features>`: what every board has is accepted. What Hyper-V has for its guests is had together or not at all, as
 * virt-install asks for it: its clock too, where it is spoken of. Everything else is refused.
 */
export function readFeatures(domain: Reading, kind: HostKind): Enlightened {
  const features = domain.child('features')
  const isEnlightened = kind.enlightenment === 'chosen' && readEnlightenments(features?.child('hyperv'))
  features?.acceptHarmless(FEATURES[kind.enlightenment])
  return isEnlightened ? { enlightened: true } : {}
}

/** In libvirt, of spinlocks also after how many tries they give way. */
const SPINLOCK_RETRIES = '8191'

function readEnlightenments(hyperv: Reading | undefined): boolean {
  if (hyperv === undefined) return false
  hyperv.word('mode', ['custom'])
  const parts = ['relaxed', 'vapic', 'spinlocks'].map(name => hyperv.child(name))
  const states = parts.map(part => part?.word('state', ['on', 'off']) ?? 'off')
  for (const part of parts) {
    const retries = part?.name === 'spinlocks' ? part.attribute('retries') : undefined
    if (retries !== undefined && retries !== SPINLOCK_RETRIES) part?.refuse('/@retries', retries)
  }
  if (states.every(state => state === states[0])) return states[0] === 'on'
  return hyperv.refuse('', undefined, 'relaxed, vapic and spinlocks are on together here')
}

/** `<features>` of every machine. */
export function writeFeatures({ enlightened = false }: Enlightened): XmlOutput {
  const on = { state: 'on' }
  const hyperv = element(
    'hyperv',
    { mode: 'custom' },
    element('relaxed', on),
    element('vapic', on),
    element('spinlocks', { ...on, retries: SPINLOCK_RETRIES }),
  )
  return element('features', {}, element('acpi'), element('apic'), element('pae'), enlightened && hyperv)
}

/** Hyper-V's clock is one of its enlightenments. */
const clockOf = ({ enlightenment }: HostKind, { enlightened = false }: Enlightened) =>
  enlightenment === 'always'
    ? OF_CLOCK_OF_HYPERV
    : enlightened || enlightenment === 'never'
      ? OF_CLOCK_OF_ENLIGHTENED
      : OF_CLOCK

type Clock = Pick<PlatformConfig, 'localTime' | 'keepClockOffset'>

/**
 * Reads `<clock>`. A clock that is `variable` keeps what its guest sets it to; an adjustment by which it is to be off from
 * the beginning is refused.
 */
export function readClock(domain: Reading, kind: HostKind, board: Enlightened): Clock {
  const clock = domain.child('clock')
  if (clock === undefined) return {}
  clock.acceptHarmless(clockOf(kind, board))
  const offset = clock.attribute('offset') ?? 'utc'
  const adjustment = clock.attribute('adjustment')
  const basis = clock.word('basis', ['utc', 'localtime']) ?? 'utc'
  const isPlain = offset === 'utc' || offset === 'localtime'
  if (!isPlain && offset !== 'variable') return refuseOffset(clock, offset)
  const harmless = isPlain ? ['reset'] : ['0', 'reset']
  if (adjustment !== undefined && !harmless.includes(adjustment)) clock.refuse('/@adjustment', adjustment)
  const isLocal = (isPlain ? offset : basis) === 'localtime'
  return { ...(isLocal && { localTime: true }), ...(!isPlain && { keepClockOffset: true }) }
}

function refuseOffset(clock: Reading, offset: string): never {
  if (['timezone', 'absolute'].includes(offset)) return clock.refuse('/@offset', offset)
  return clock.fail(VIR_ERR_CONFIG_UNSUPPORTED, `unknown clock offset '${offset.slice(0, 100)}'`)
}

/** `<clock>` of a machine. */
export function writeClock({
  localTime = false,
  keepClockOffset = false,
  enlightened,
}: Clock & Enlightened): XmlOutput {
  const basis = localTime ? 'localtime' : 'utc'
  const timer = enlightened === true && element('timer', { name: 'hypervclock', present: 'yes' })
  if (!keepClockOffset) return element('clock', { offset: basis }, timer)
  return element('clock', { offset: 'variable', adjustment: '0', basis }, timer)
}

/** What becomes of a domain of which nothing is said. */
export const EXITS = { shutdown: 'halt', reboot: 'restart', suspend: 'halt', crash: 'halt' } as const
const ACTIONS: Readonly<Record<string, ExitActions['crash']>> = {
  destroy: 'halt',
  restart: 'restart',
  preserve: 'hold',
}
/** Actions that libvirt knows and no host here has. */
const FOREIGN: readonly string[] = ['rename-restart', 'coredump-destroy', 'coredump-restart']
const WORDS = { halt: 'destroy', restart: 'restart', hold: 'preserve' } as const

/** Reads `<on_poweroff>`, `<on_reboot>` and `<on_crash>`; undefined where they say what happens anyway. */
export function readExits(domain: Reading, { suspend = EXITS.suspend }: Extension): ExitActions | undefined {
  const shutdown = readAction(domain, 'on_poweroff', EXITS.shutdown)
  const reboot = readAction(domain, 'on_reboot', EXITS.reboot)
  const crash = readAction(domain, 'on_crash', EXITS.crash)
  if (shutdown === 'hold') return domain.refuse('/on_poweroff', 'preserve')
  if (reboot === 'hold') return domain.refuse('/on_reboot', 'preserve')
  const isUsual = shutdown === EXITS.shutdown && reboot === EXITS.reboot && crash === EXITS.crash
  return isUsual && suspend === EXITS.suspend ? undefined : { shutdown, reboot, suspend, crash }
}

function readAction(domain: Reading, name: string, usual: ExitActions['crash']): ExitActions['crash'] {
  const said = domain.child(name)
  if (said === undefined) return usual
  const word = said.text()
  const action = lookup(ACTIONS, word)
  if (action !== undefined) return action
  if (FOREIGN.includes(word)) return said.refuse('', word)
  return said.fail(VIR_ERR_CONFIG_UNSUPPORTED, `unknown ${name} action: ${word.slice(0, 100)}`)
}

/** What becomes of a guest that ends by itself. */
export function writeExits({ shutdown, reboot, crash }: ExitActions = EXITS): readonly XmlOutput[] {
  return [
    element('on_poweroff', {}, WORDS[shutdown]),
    element('on_reboot', {}, WORDS[reboot]),
    element('on_crash', {}, WORDS[crash]),
  ]
}
