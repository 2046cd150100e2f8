import { defineClass, defineMethod, valuesOf, wql } from '../../../protocols/wsman/index.ts'
import { DriverError, type OperationOptions } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { ImageBackEnd } from '../storage-back-end.ts'
import { attachmentOf, IMAGE_SERVICE, IMAGE_TYPES, imageServiceOf, kindOf, untilIdle } from '../wmi/images.ts'
import { type Answer, settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'

// Images through root\virtualization. Source: Microsoft Learn, "Msvm_ImageManagementService" (v1).

const INFO = defineClass('Msvm_VirtualHardDiskInfo', {
  MaxInternalSize: 'uint64',
  ParentPath: 'string',
  Type: 'uint16',
  InUse: 'boolean',
})

const job = { Job: 'reference' } as const
const READ = defineMethod(IMAGE_SERVICE, 'GetVirtualHardDiskInfo', {
  input: { Path: 'string' },
  output: { Info: 'instance', ...job },
})
const sized = { input: { Path: 'string', MaxInternalSize: 'uint64' }, output: job } as const
const CREATE = {
  dynamic: defineMethod(IMAGE_SERVICE, 'CreateDynamicVirtualHardDisk', sized),
  fixed: defineMethod(IMAGE_SERVICE, 'CreateFixedVirtualHardDisk', sized),
} as const
const EXPAND = defineMethod(IMAGE_SERVICE, 'ExpandVirtualHardDisk', sized)
const CONVERT = defineMethod(IMAGE_SERVICE, 'ConvertVirtualHardDisk', {
  input: { SourcePath: 'string', DestinationPath: 'string', Type: 'uint16' },
  output: job,
})

/** ResourceType of what lies in a drive, in v1. Source: as the code of clients of real hosts has it. */
const IN_A_DRIVE = 21

/** The images of a host through root\virtualization: all of the older format, and without anything to know them by. */
export function imagesV1(link: Link): ImageBackEnd {
  const { client } = link
  const service = imageServiceOf(link)
  const done = (answer: Answer, deed: string, options?: OperationOptions) => settle(link, answer, deed, options)
  const read = async (Path: string) => {
    const target = await service()
    const answer = await untilAnswered(() => client.call(target, READ, { Path }))
    await done(answer, `read ${Path}`)
    if (answer.values.Info === undefined) throw new DriverError('unreachable', `the host tells nothing of ${Path}`)
    return valuesOf(INFO, answer.values.Info)
  }
  return {
    formats: ['vhd'],
    growsInUse: false,
    async attachments() {
      const query = wql`SELECT InstanceID, Connection FROM Msvm_ResourceAllocationSettingData WHERE ResourceType = ${IN_A_DRIVE}`
      const rows = await client.query(query)
      return rows.flatMap(row => attachmentOf(row.string('InstanceID'), row.strings('Connection')[0]) ?? [])
    },
    async image(path) {
      const { MaxInternalSize, Type, ParentPath } = await read(path)
      const parent = ParentPath === '' ? undefined : ParentPath
      return { path: undefined, virtualBytes: Number(MaxInternalSize ?? 0n), kind: kindOf(Type), parent, id: undefined }
    },
    isInUse: async path => (await read(path)).InUse === true,
    async createImage({ path, kind, virtualBytes }, options) {
      const input = { Path: path, MaxInternalSize: BigInt(virtualBytes) }
      await done(await client.call(await service(), CREATE[kind], input), `make ${path}`, options)
    },
    async growImage(Path, virtualBytes, options) {
      const input = { Path, MaxInternalSize: BigInt(virtualBytes) }
      await done(await client.call(await service(), EXPAND, input), `make ${Path} larger`, options)
    },
    async convertImage(SourcePath, { path, kind }, options) {
      const input = { SourcePath, DestinationPath: path, Type: IMAGE_TYPES[kind] }
      await done(await client.call(await service(), CONVERT, input), `copy ${SourcePath} to ${path}`, options)
    },
    untilIdle: () => untilIdle(link),
  }
}
