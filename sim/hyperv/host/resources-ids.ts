// The InstanceIDs of settings. Source: as printed by hosts of Server 2012 R2 and 2025, down to their case.

/**
 * The GUIDs of devices that every machine has, the same in all of them. The synthetic ones are those of their channels
 * on the VMBus.
 */
export const DEVICES = {
  keyboard: 'DE6CDC86-E1FB-4940-801B-C3C1A26C4DA4',
  ps2Mouse: '655BC5C5-A784-46B7-81BC-E26328F7EB0E',
  syntheticMouse: '58F75A6D-D949-4320-99E1-A2A2576D581C',
  syntheticKeyboard: 'D34B2567-B9B6-42B9-8778-0A4EC0B955BF',
  s3Display: '7D80D3DB-61EE-4879-8879-5609F1100AD0',
  syntheticDisplay: 'F3CF6965-E8D3-44A9-9B7D-A04245EA7525',
  diskette: '8F0D2762-0B00-4E04-AF4F-19010527CB93',
  serial: '8E3A359F-559A-4B6A-98A9-1690A6100ED7',
  ide: '83F8638B-8DCA-4152-9EDA-2CA8B33039B4',
  memory: '4764334d-e001-4176-82ee-5594ec9b530e',
  processor: 'b637f346-6a0e-4dec-af52-bd70cb80a21d',
  security: 'EA6302BF-3DC4-4F14-9A3C-5E2F1B7C6D80',
} as const

/** The GUIDs of integration components. Source: as every host prints them, Get-VMIntegrationService among others. */
export const INTEGRATION = {
  shutdown: '9F8233AC-BE49-4C79-8EE3-E7E1985B2077',
  timeSync: '2497F4DE-E9FA-4204-80E4-4B75C46419C0',
  heartbeat: '84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47',
  kvpExchange: '2A34B1C2-FD73-4043-8A5B-DD2159BC743F',
  vss: '5CED1297-4598-4915-A5FC-AD21BB4D02A4',
  guestServices: '6C09BB55-D683-4DA0-8931-C9BF705F6480',
  remoteDesktop: '6C5ADDB9-A11A-4E8E-84CB-E6208201DB63',
} as const

/** The InstanceID of a machine's or snapshot's own settings. */
export const systemId = (owner: string): string => `Microsoft:${owner}`

/** The InstanceID of a resource of a machine or snapshot. */
export const resourceId = (owner: string, ...parts: readonly (string | number)[]): string =>
  [systemId(owner), ...parts].join('\\')

const OWNED = /^Microsoft:([0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})(?:\\(.*))?$/i

/** Whose an InstanceID is, in upper case, and what it says beyond that; undefined for definitions and the like. */
export function ownerOfId(instanceId: string): { readonly owner: string; readonly rest: string } | undefined {
  const match = OWNED.exec(instanceId)
  return match?.[1] === undefined ? undefined : { owner: match[1].toUpperCase(), rest: match[2] ?? '' }
}

/** Whether two InstanceIDs are the same: GUIDs come in either case. */
export const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** The image that is in a drive, and the drive that an image is in. */
export const imageId = (driveId: string): string => driveId.replace(/\\D$/i, '\\L')
/** The connection of a network adapter. */
export const connectionId = (adapterId: string): string => `${adapterId}\\C`

/** The object path of a settings object, as hosts write it into Parent: with doubled backslashes in the key. */
export const settingsPath = (hostName: string, className: string, instanceId: string): string =>
  `\\\\${hostName}\\root\\virtualization\\v2:${className}.InstanceID="${instanceId.replaceAll('\\', '\\\\')}"`
