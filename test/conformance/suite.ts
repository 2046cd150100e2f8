import { afterEach, beforeEach, describe } from 'node:test'
import { describeAutostart } from './contract/autostart.ts'
import { describeClones } from './contract/clones.ts'
import { describeConcurrency } from './contract/concurrency.ts'
import { describeConnection } from './contract/connection.ts'
import { describeConsoles } from './contract/consoles.ts'
import { describeDefinitions } from './contract/definitions.ts'
import { describeDevices } from './contract/devices.ts'
import { describeDrives } from './contract/drives.ts'
import { describeDumps } from './contract/dumps.ts'
import { describeEvents } from './contract/events.ts'
import { describeExits } from './contract/exits.ts'
import { describeGuest } from './contract/guest.ts'
import { describeHost } from './contract/host.ts'
import { describeHostPower } from './contract/host-power.ts'
import { describeInfo } from './contract/info.ts'
import { describeMetrics } from './contract/metrics.ts'
import { describeNetworks } from './contract/networks.ts'
import { describePower } from './contract/power.ts'
import { describeSavedFiles } from './contract/saved-files.ts'
import { describeScheduler } from './contract/scheduler.ts'
import { describeScreens } from './contract/screens.ts'
import { describeSnapshots } from './contract/snapshots.ts'
import { describeStorage } from './contract/storage.ts'
import { describeSuspension } from './contract/suspension.ts'
import { describeTerminals } from './contract/terminals.ts'
import type { Setup, Traits } from './setting.ts'
import { type Share, Stage } from './stage.ts'

export type { Guest, OptionalGroup, Setup, Traits } from './setting.ts'
export { type Share, WHOLE } from './stage.ts'

/** The contract of driver.ts, run against a driver. The tests of a group it leaves out are not registered, nor those that are
 * not in the `share` that is run. */
export function describeDriver(name: string, traits: Traits, setUp: () => Promise<Setup>, share?: Share): void {
  // One stage, one test at a time, whatever else runs.
  describe(`driver contract: ${name}`, { concurrency: 1 }, () => {
    const stage = new Stage(traits, setUp, share)
    const within = { timeout: traits.testMs }
    beforeEach(() => stage.open(), within)
    afterEach(() => stage.close(), within)

    describeHost(stage)
    describeDefinitions(stage)
    describeInfo(stage)
    describePower(stage)
    describeConcurrency(stage)
    describeConnection(stage)
    describeExits(stage)
    if (traits.groups.includes('suspension')) describeSuspension(stage)
    if (traits.savesToFiles) describeSavedFiles(stage)
    if (traits.groups.includes('devices')) describeDevices(stage)
    if (traits.groups.includes('dumps')) describeDumps(stage)
    if (traits.groups.includes('storage')) describeStorage(stage)
    if (traits.groups.includes('storage')) describeDrives(stage)
    if (traits.groups.includes('networks')) describeNetworks(stage)
    if (traits.groups.includes('terminals')) describeTerminals(stage)
    if (traits.groups.includes('metrics')) describeMetrics(stage)
    if (traits.groups.includes('scheduler')) describeScheduler(stage)
    if (traits.groups.includes('autostart')) describeAutostart(stage)
    if (traits.groups.includes('screens')) describeScreens(stage)
    if (traits.groups.includes('guest')) describeGuest(stage)
    if (traits.groups.includes('snapshots')) describeSnapshots(stage)
    if (traits.groups.includes('power')) describeHostPower(stage)
    if (traits.groups.includes('clones')) describeClones(stage)
    if (traits.groups.includes('consoles')) describeConsoles(stage)
    if (traits.groups.includes('events')) describeEvents(stage)
  })
}
