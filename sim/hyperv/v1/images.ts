import { writeEmbedded } from '../cim/embedded.ts'
import { textOf } from '../cim/instance.ts'
import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { answerNow, orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import type { ImageType } from '../storage/disk-image.ts'
import { compactImage, convertImage, mergeImage, resizeImage, setParent } from '../storage/image-changes.ts'
import { createFloppy, createImage, type NewImage } from '../storage/image-creation.ts'
import { IMAGE_SERVICE, type ImageWork, StorageJobType, watchOf, workOnImages } from '../storage/image-jobs.ts'
import { imageInfo, imageUse, validateImage } from '../storage/image-reading.ts'
import { mountedAt, mountImage, unmountImage } from '../storage/mounts.ts'
import { tellChains } from '../storage/chain.ts'
import { openStorage } from '../storage/storage.ts'
import { fileTrouble } from '../storage/trouble.ts'
import { textGiven } from '../v2/given.ts'
import { mountedImages } from '../v2/image-mounts.ts'
import { providerOf, rowOf } from '../v2/rows.ts'
import { serviceProvider } from '../v2/services.ts'
import { V1 } from './translate-paths.ts'

const { className: SERVICE } = IMAGE_SERVICE
const MOUNTED = 'Msvm_MountedStorageImage'

/** Msvm_VirtualHardDiskInfo.Type, and what ConvertVirtualHardDisk is given. Source: their ValueMaps. */
const IMAGE_TYPES: Readonly<Record<ImageType, number>> = { fixed: 2, dynamic: 3, differencing: 4 }

/** The service for virtual hard disks and floppy disks, and the images that the host itself has mounted. */
export function images(host: Host, schema: Schema): readonly Provider[] {
  // Whoever looks for a machine's disks looks among these files from now on.
  if (openStorage(host) !== undefined) tellChains(host)
  const methods: Readonly<Record<string, Method>> = {
    CreateDynamicVirtualHardDisk: call => orRefusal(() => create(host, call, sized(host, call, 'dynamic'))),
    CreateFixedVirtualHardDisk: call => orRefusal(() => create(host, call, sized(host, call, 'fixed'))),
    CreateDifferencingVirtualHardDisk: call => orRefusal(() => create(host, call, differencing(host, call))),
    CreateVirtualFloppyDisk: call => orRefusal(() => createFloppyDisk(host, call)),
    ExpandVirtualHardDisk: call => orRefusal(() => expand(host, call)),
    ConvertVirtualHardDisk: call => orRefusal(() => convert(host, call)),
    MergeVirtualHardDisk: call => orRefusal(() => merge(host, call)),
    CompactVirtualHardDisk: call => orRefusal(() => compact(host, call)),
    ValidateVirtualHardDisk: call => orRefusal(() => validate(host, call)),
    ReconnectParentVirtualHardDisk: call => orRefusal(() => reconnect(host, call)),
    GetVirtualHardDiskInfo: call => orRefusal(() => readInfo(host, schema, call)),
    Mount: call => orRefusal(() => mount(host, call)),
    Unmount: call => answerNow(() => unmount(host, pathGiven(host, call))),
  }
  const named = Object.entries(methods).map(([name, method]) => [`${SERVICE}.${name}`, method])
  return [
    serviceProvider(host, schema, {
      ...IMAGE_SERVICE,
      title: 'Image Management Service',
      description: 'Service for managing virtual media',
    }),
    mountedImages(host, schema),
    providerOf(schema, {
      methods: {
        ...Object.fromEntries(named),
        [`${MOUNTED}.Unmount`]: async ({ self }) => {
          const { returnValue } = await answerNow(() => unmount(host, textOf(self, 'Name')))
          // Source: Microsoft Learn: of this class the method returns 0 or 1.
          return { returnValue: returnValue === Return.ok ? 0 : 1 }
        },
      },
    }),
  ]
}

const work = (host: Host, { caller }: MethodCall, what: ImageWork): Promise<MethodResult> =>
  workOnImages(host, { namespace: V1, owner: caller.user }, what)

/** A path must be given. Throws an immediate OperationError. */
function pathGiven(host: Host, { input }: MethodCall, parameter = 'Path'): string {
  const path = textGiven(input, parameter) ?? ''
  if (path !== '') return path
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue(parameter), { isImmediate: true })
}

function bytesGiven({ input }: MethodCall): number {
  const value = input.get('MaxInternalSize')
  return typeof value === 'bigint' ? Number(value) : 0
}

/** v1 makes images of the older format alone, whose extension is .vhd. */
const sized = (host: Host, call: MethodCall, type: 'fixed' | 'dynamic'): NewImage => ({
  path: pathGiven(host, call),
  format: 'vhd',
  type,
  bytes: bytesGiven(call),
})

const differencing = (host: Host, call: MethodCall): NewImage => ({
  path: pathGiven(host, call),
  format: 'vhd',
  type: 'differencing',
  parentPath: pathGiven(host, call, 'ParentPath'),
})

const create = (host: Host, call: MethodCall, image: NewImage): Promise<MethodResult> =>
  work(host, call, {
    type: StorageJobType.create,
    usually: 'job',
    doing: 'create',
    target: image.path,
    holds: [image.path],
    work: () => createImage(host, image),
  })

function createFloppyDisk(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.createFloppy,
    usually: 'job',
    doing: 'create',
    target: path,
    holds: [path],
    work: () => createFloppy(host, path),
  })
}

function expand(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.expand,
    usually: 'job',
    doing: 'resize',
    target: path,
    holds: [path],
    work: () => resizeImage(host, path, bytesGiven(call)),
  })
}

function convert(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call, 'SourcePath')
  const wanted = pathGiven(host, call, 'DestinationPath')
  const number = call.input.get('Type')
  const type = number === IMAGE_TYPES.fixed ? 'fixed' : number === IMAGE_TYPES.dynamic ? 'dynamic' : undefined
  return work(host, call, {
    type: StorageJobType.convert,
    usually: 'job',
    doing: 'convert',
    target: path,
    holds: [path, wanted],
    work(run) {
      if (type === undefined) throw fileTrouble(host, 'convert', path, 'invalid')
      return convertImage(host, path, { path: wanted, format: 'vhd', type }, watchOf(run))
    },
  })
}

function merge(host: Host, call: MethodCall): Promise<MethodResult> {
  const child = pathGiven(host, call, 'SourcePath')
  const parent = pathGiven(host, call, 'DestinationPath')
  return work(host, call, {
    type: StorageJobType.merge,
    usually: 'job',
    doing: 'merge',
    target: child,
    holds: [child, parent],
    details: { Child: child, Parent: parent },
    work: run => mergeImage(host, child, parent, watchOf(run)),
  })
}

function compact(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.compact,
    usually: 'job',
    doing: 'compact',
    target: path,
    holds: [path],
    work: run => compactImage(host, path, watchOf(run)),
  })
}

function validate(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.validate,
    usually: 'job',
    doing: 'validate',
    target: path,
    work: () => validateImage(host, path),
  })
}

/** Source: Microsoft Learn: with Force, an image of another identifier is taken as well. */
function reconnect(host: Host, call: MethodCall): Promise<MethodResult> {
  const child = pathGiven(host, call, 'ChildPath')
  const parent = pathGiven(host, call, 'ParentPath')
  return work(host, call, {
    type: StorageJobType.unknown,
    usually: 'now',
    doing: 'link',
    target: child,
    holds: [child],
    work: () => setParent(host, child, parent, call.input.get('Force') === true),
  })
}

/** Source: one recorded from a host of Server 2012: ParentPath is empty where there is no parent. */
function readInfo(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.information,
    usually: 'now',
    doing: 'open',
    target: path,
    async work() {
      const { shape, fileBytes, parentPath } = await imageInfo(host, path)
      const { isInUse, isInSavedState } = await imageUse(host, path)
      const row = rowOf(schema, 'Msvm_VirtualHardDiskInfo', {
        FileSize: BigInt(fileBytes),
        InSavedState: isInSavedState,
        InUse: isInUse,
        MaxInternalSize: BigInt(shape.bytes),
        ParentPath: parentPath ?? '',
        Type: IMAGE_TYPES[shape.type],
      })
      return { Info: writeEmbedded(row) }
    },
  })
}

function mount(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.mount,
    usually: 'job',
    doing: 'mount',
    target: path,
    work: async () => {
      await mountImage(host, path, false)
    },
  })
}

function unmount(host: Host, path: string): void {
  const image = mountedAt(host, path)
  if (image !== undefined && unmountImage(host, image)) return
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue('Path'))
}
