import { defineClass, defineMethod, instanceOf, valuesOf, wql } from '../../../protocols/wsman/index.ts'
import { DriverError, type OperationOptions } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { DiskFormat, ImageBackEnd, ImageFacts, NewImage } from '../storage-back-end.ts'
import { attachmentOf, IMAGE_SERVICE, IMAGE_TYPES, imageServiceOf, kindOf, untilIdle } from '../wmi/images.ts'
import { type Answer, settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'

// Images through root\virtualization\v2. Source: Microsoft Learn, "Msvm_ImageManagementService (V2)"; classes and
// parameters as the MOF of real hosts has them.

const SETTINGS = defineClass('Msvm_VirtualHardDiskSettingData', {
  Type: 'uint16',
  Format: 'uint16',
  Path: 'string',
  ParentPath: 'string',
  MaxInternalSize: 'uint64',
  VirtualDiskId: 'string',
})
const STATE = defineClass('Msvm_VirtualHardDiskState', { InUse: 'boolean' })

const job = { Job: 'reference' } as const
const READ = defineMethod(IMAGE_SERVICE, 'GetVirtualHardDiskSettingData', {
  input: { Path: 'string' },
  output: { SettingData: 'instance', ...job },
})
const READ_STATE = defineMethod(IMAGE_SERVICE, 'GetVirtualHardDiskState', {
  input: { Path: 'string' },
  output: { State: 'instance', ...job },
})
const CREATE = defineMethod(IMAGE_SERVICE, 'CreateVirtualHardDisk', {
  input: { VirtualDiskSettingData: 'instance' },
  output: job,
})
const RESIZE = defineMethod(IMAGE_SERVICE, 'ResizeVirtualHardDisk', {
  input: { Path: 'string', MaxInternalSize: 'uint64' },
  output: job,
})
const CONVERT = defineMethod(IMAGE_SERVICE, 'ConvertVirtualHardDisk', {
  input: { SourcePath: 'string', VirtualDiskSettingData: 'instance' },
  output: job,
})

/** Source: the ValueMap of Msvm_VirtualHardDiskSettingData. */
const FORMATS: Readonly<Record<DiskFormat, number>> = { vhd: 2, vhdx: 3 }

/** The build that brought VirtualDiskId, and disks that grow while a machine runs. Source: the MOF; Resize-VHD. */
const BUILD_2012_R2 = 9_600

/** The images of a host through root\virtualization\v2. */
export function imagesV2(link: Link): ImageBackEnd {
  const { client, build } = link
  const service = imageServiceOf(link)
  const isNewer = build >= BUILD_2012_R2
  const wanted = ({ path, format, kind, id }: NewImage, virtualBytes?: number) =>
    instanceOf(SETTINGS, {
      Type: IMAGE_TYPES[kind],
      Format: FORMATS[format],
      Path: path,
      ...(virtualBytes !== undefined && { MaxInternalSize: BigInt(virtualBytes) }),
      ...(isNewer && { VirtualDiskId: id }),
    })
  const done = (answer: Answer, deed: string, options?: OperationOptions) => settle(link, answer, deed, options)
  return {
    formats: ['vhdx', 'vhd'],
    growsInUse: isNewer,
    async attachments() {
      const rows = await client.query(wql`SELECT InstanceID, HostResource FROM Msvm_StorageAllocationSettingData`)
      return rows.flatMap(row => attachmentOf(row.string('InstanceID'), row.strings('HostResource')[0]) ?? [])
    },
    async image(Path) {
      const target = await service()
      const answer = await untilAnswered(() => client.call(target, READ, { Path }))
      await done(answer, `read ${Path}`)
      const { SettingData } = answer.values
      if (SettingData === undefined) throw new DriverError('unreachable', `the host tells nothing of ${Path}`)
      return factsOf(valuesOf(SETTINGS, SettingData))
    },
    async isInUse(Path) {
      const target = await service()
      const answer = await untilAnswered(() => client.call(target, READ_STATE, { Path }))
      await done(answer, `read ${Path}`)
      return answer.values.State !== undefined && valuesOf(STATE, answer.values.State).InUse === true
    },
    async createImage({ virtualBytes, ...image }, options) {
      const input = { VirtualDiskSettingData: wanted(image, virtualBytes) }
      await done(await client.call(await service(), CREATE, input), `make ${image.path}`, options)
    },
    async growImage(Path, virtualBytes, options) {
      const input = { Path, MaxInternalSize: BigInt(virtualBytes) }
      await done(await client.call(await service(), RESIZE, input), `make ${Path} larger`, options)
    },
    async convertImage(SourcePath, image, options) {
      const input = { SourcePath, VirtualDiskSettingData: wanted(image) }
      await done(await client.call(await service(), CONVERT, input), `copy ${SourcePath} to ${image.path}`, options)
    },
    untilIdle: () => untilIdle(link),
  }
}

function factsOf(settings: ReturnType<typeof valuesOf<typeof SETTINGS.properties>>): ImageFacts {
  const { Path, ParentPath, Type, MaxInternalSize, VirtualDiskId } = settings
  return {
    path: Path,
    virtualBytes: Number(MaxInternalSize ?? 0n),
    kind: kindOf(Type),
    parent: ParentPath === '' ? undefined : ParentPath,
    id: VirtualDiskId?.replace(/^\{|\}$/g, '').toLowerCase(),
  }
}
