import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult, Provider } from '../cim/provider.ts'
import { orRefusal } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { createFloppy, createImage } from '../storage/image-creation.ts'
import {
  compactImage,
  convertImage,
  mergeImage,
  modifyImageFile,
  resizeImage,
  setParent,
} from '../storage/image-changes.ts'
import { IMAGE_SERVICE, type ImageWork, StorageJobType, watchOf, workOnImages } from '../storage/image-jobs.ts'
import { imageInfo, imageUse, validateImage } from '../storage/image-reading.ts'
import { growsInUse } from '../storage/online-growth.ts'
import { tellChains } from '../storage/chain.ts'
import { openStorage } from '../storage/storage.ts'
import { fileTrouble } from '../storage/trouble.ts'
import { textGiven } from './given.ts'
import { idIn, imageWanted, numberIn, settingsGiven, settingsText, stateText, textOf } from './image-settings.ts'
import { providerOf, V2 } from './rows.ts'
import { serviceProvider } from './services.ts'

const { className: SERVICE } = IMAGE_SERVICE

/** The service for virtual hard disks and floppy disks; mounting is elsewhere. */
export function imageService(host: Host, schema: Schema): readonly Provider[] {
  // Whoever looks for a machine's disks looks among these files from now on.
  if (openStorage(host) !== undefined) tellChains(host)
  const methods: Readonly<Record<string, Method>> = {
    CreateVirtualHardDisk: call => orRefusal(() => create(host, schema, call)),
    CreateVirtualFloppyDisk: call => orRefusal(() => createFloppyDisk(host, call)),
    GetVirtualHardDiskSettingData: call => orRefusal(() => readSettings(host, schema, call)),
    GetVirtualHardDiskState: call => orRefusal(() => readState(host, schema, call)),
    ResizeVirtualHardDisk: call => orRefusal(() => resize(host, call)),
    ConvertVirtualHardDisk: call => orRefusal(() => convert(host, schema, call)),
    MergeVirtualHardDisk: call => orRefusal(() => merge(host, call)),
    CompactVirtualHardDisk: call => orRefusal(() => compact(host, call)),
    ValidateVirtualHardDisk: call => orRefusal(() => validate(host, call)),
    SetParentVirtualHardDisk: call => orRefusal(() => relink(host, call)),
    SetVirtualHardDiskSettingData: call => orRefusal(() => modify(host, schema, call)),
    ValidatePersistentReservationSupport: call => orRefusal(() => validateSharing(host, call)),
    ...Object.fromEntries(REFUSED.map(name => [name, () => ({ returnValue: Return.notSupported })])),
  }
  const named = Object.entries(methods).map(([name, method]) => [`${SERVICE}.${name}`, method])
  return [
    serviceProvider(host, schema, {
      ...IMAGE_SERVICE,
      title: 'Image Management Service',
      description: 'Service for managing virtual media',
    }),
    providerOf(schema, { methods: Object.fromEntries(named) }),
  ]
}

/** Sets of virtual hard disks and what tells changed blocks: this host has neither. */
const REFUSED = [
  'GetVHDSetInformation',
  'GetVHDSnapshotInformation',
  'SetVHDSnapshotInformation',
  'DeleteVHDSnapshot',
  'ConvertVirtualHardDiskToVHDSet',
  'OptimizeVHDSet',
  'GetVirtualDiskChanges',
]

const work = (host: Host, { caller }: MethodCall, what: ImageWork): Promise<MethodResult> =>
  workOnImages(host, { namespace: V2, owner: caller.user }, what)

/** A path must be given. Throws an immediate OperationError. */
function pathGiven(host: Host, { input }: MethodCall, parameter = 'Path'): string {
  const path = textGiven(input, parameter) ?? ''
  if (path !== '') return path
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue(parameter), { isImmediate: true })
}

function create(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const given = settingsGiven(host, schema, textGiven(call.input, 'VirtualDiskSettingData'))
  const path = textOf(given, 'Path') ?? ''
  requireKnown(host, given)
  return work(host, call, {
    type: StorageJobType.create,
    usually: 'job',
    doing: 'create',
    target: path,
    holds: [path],
    work: () => createImage(host, imageWanted(host, given)),
  })
}

/** What is refused in the answer is found before there is a job. */
function requireKnown(host: Host, given: ReturnType<typeof settingsGiven>): void {
  try {
    imageWanted(host, given)
  } catch (error) {
    if (error instanceof OperationError && !error.isImmediate) return
    throw error
  }
}

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

function readSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.information,
    usually: 'now',
    doing: 'open',
    target: path,
    work: async () => ({ SettingData: settingsText(schema, await imageInfo(host, path)) }),
  })
}

function readState(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.information,
    usually: 'now',
    doing: 'open',
    target: path,
    async work() {
      const info = await imageInfo(host, path)
      return { State: stateText(schema, info, (await imageUse(host, path)).isInUse) }
    },
  })
}

function resize(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  const bytes = numberIn(call.input, 'MaxInternalSize') ?? 0
  return work(host, call, {
    type: StorageJobType.expand,
    usually: 'job',
    doing: 'resize',
    target: path,
    holds: [path],
    shares: () => growsInUse(host, path),
    work: () => resizeImage(host, path, bytes),
  })
}

function convert(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call, 'SourcePath')
  const given = settingsGiven(host, schema, textGiven(call.input, 'VirtualDiskSettingData'))
  requireKnown(host, given)
  const wanted = textOf(given, 'Path') ?? ''
  return work(host, call, {
    type: StorageJobType.convert,
    usually: 'job',
    doing: 'convert',
    target: path,
    holds: [path, wanted],
    work: run => convertImage(host, path, imageWanted(host, given), watchOf(run)),
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

/** Full, quick, and three that leave room alone which the guest has not given back. Source: the ValueMap of the MOF. */
const COMPACT_MODES_MAX = 4

function compact(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  const mode = numberIn(call.input, 'Mode') ?? 0
  return work(host, call, {
    type: StorageJobType.compact,
    usually: 'job',
    doing: 'compact',
    target: path,
    holds: [path],
    work(run) {
      if (mode > COMPACT_MODES_MAX) throw fileTrouble(host, 'compact', path, 'invalid')
      return compactImage(host, path, watchOf(run))
    },
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

function relink(host: Host, call: MethodCall): Promise<MethodResult> {
  const child = pathGiven(host, call, 'ChildPath')
  const parent = pathGiven(host, call, 'ParentPath')
  return work(host, call, {
    type: StorageJobType.unknown,
    usually: 'now',
    doing: 'link',
    target: child,
    holds: [child],
    work: () => setParent(host, child, parent, call.input.get('IgnoreIDMismatch') === true),
  })
}

function modify(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const given = settingsGiven(host, schema, textGiven(call.input, 'VirtualDiskSettingData'))
  const path = textOf(given, 'Path') ?? ''
  return work(host, call, {
    type: StorageJobType.unknown,
    usually: 'now',
    doing: 'modify',
    target: path,
    holds: [path],
    async work() {
      const { shape } = await imageInfo(host, path)
      const size = numberIn(given, 'PhysicalSectorSize') || shape.physicalSectorBytes
      const id = idIn(host, given) ?? shape.id
      await modifyImageFile(host, path, {
        ...(size === shape.physicalSectorBytes ? {} : { physicalSectorBytes: size }),
        ...(id === shape.id ? {} : { id }),
      })
    },
  })
}

/** A host without storage that several hosts share supports none on it. */
function validateSharing(host: Host, call: MethodCall): Promise<MethodResult> {
  const path = pathGiven(host, call)
  return work(host, call, {
    type: StorageJobType.validate,
    usually: 'job',
    doing: 'validate',
    target: path,
    work() {
      throw fileTrouble(host, 'validate', path, 'notSupported')
    },
  })
}
