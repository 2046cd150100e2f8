import type {
  Handlers,
  RpcCall,
  RpcStoragePool,
  RpcStorageVol,
  StreamBody,
} from '../../../protocols/libvirt-rpc/index.ts'
import { VIR_ERR_NO_STORAGE_POOL, VIR_ERR_NO_STORAGE_VOL, VIR_ERR_SYSTEM_ERROR } from '../../error-numbers.ts'
import { LibvirtError } from '../../errors.ts'
import type { StorageVol } from '../../storage-vol.ts'
import type { Download, Upload } from '../../volume-bytes.ts'
import type { Client } from '../client.ts'
import { servedBy } from '../served-stream.ts'
import { namedPool, namedVolume, rpcVolumeIn } from '../wire.ts'

/**
 * A volume, with the pool that it is in. Where it is in none that is active, clients cannot name it: to them it is no volume, and what
 * installs machines makes a pool of its folder then.
 */
async function withPool({ connection, host }: Client, volume: StorageVol): Promise<{ vol: RpcStorageVol }> {
  try {
    const pool = await connection.storagePoolLookupByVolume(volume)
    if (await pool.isActive()) return { vol: rpcVolumeIn({ name: pool.getName() })(volume) }
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.code !== VIR_ERR_NO_STORAGE_POOL) throw error
  }
  throw host.error(VIR_ERR_NO_STORAGE_VOL, `no storage vol with matching path '${volume.getPath()}'`)
}

/** One that is read: a client may name any file of the host so, and is told of none but those of pools. */
async function ofPool(client: Client, named: RpcStorageVol): Promise<StorageVol> {
  const volume = namedVolume(client, named)
  await withPool(client, volume)
  return volume
}

async function madeIn(pool: RpcStoragePool, volume: Promise<StorageVol>): Promise<{ vol: RpcStorageVol }> {
  return { vol: rpcVolumeIn(pool)(await volume) }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0)

type Call = RpcCall<Client>

/**
 * Opens the stream of a call for what is served with an open file, which is closed also where it never comes to that,
 * since the client is gone.
 */
function openStream({ connection, context, stream }: Call, file: Download | Upload, body: StreamBody): void {
  const { signal } = connection
  const leave = () => {
    file.close().catch((error: unknown) => {
      context.host.warn('the file of an image could not be closed', { error: String(error) })
    })
  }
  signal.addEventListener('abort', leave, { once: true })
  try {
    const served = servedBy(context.host, VIR_ERR_NO_STORAGE_VOL, body)
    stream(async (opened, over) => {
      signal.removeEventListener('abort', leave)
      await served(opened, over)
    })
  } catch (error) {
    leave()
    throw error
  }
  if (signal.aborted) leave()
}

/** Sends what is read; a piece of zeros as a hole, where the client takes holes. */
const send =
  (download: Download, isSparse: boolean): StreamBody =>
  async stream => {
    for await (const piece of download) {
      if (isSparse && isZero(piece)) await stream.writeHole(BigInt(piece.length))
      else await stream.write(piece)
    }
  }

/** Writes what comes, until the client has finished or broken off. */
const receive =
  (upload: Upload): StreamBody =>
  async stream => {
    try {
      for await (const piece of stream) {
        const count = 'holeBytes' in piece ? Number(piece.holeBytes) : piece.length
        if (count > upload.room)
          throw new LibvirtError(VIR_ERR_SYSTEM_ERROR, 'cannot write to stream: No space left on device')
        if ('holeBytes' in piece) await upload.writeZeros(count)
        else await upload.write(piece)
      }
    } finally {
      await upload.close()
    }
  }

/** Source: libvirt, include/libvirt/libvirt-storage.h: the same flag of uploads and downloads. */
const SPARSE = 1

/** Storage volumes: finding them, describing them, their life, and their bytes. */
export const volumeHandlers: Handlers<Client> = {
  STORAGE_VOL_LOOKUP_BY_NAME: ({ pool, name }, { context }) =>
    madeIn(pool, namedPool(context, pool).storageVolLookupByName(name)),
  STORAGE_VOL_LOOKUP_BY_KEY: async ({ key }, { context }) =>
    withPool(context, await context.connection.storageVolLookupByKey(key)),
  STORAGE_VOL_LOOKUP_BY_PATH: async ({ path }, { context }) =>
    withPool(context, await context.connection.storageVolLookupByPath(path)),
  STORAGE_VOL_CREATE_XML: ({ pool, xml, flags }, { context }) =>
    madeIn(pool, namedPool(context, pool).storageVolCreateXML(xml, flags)),
  STORAGE_VOL_CREATE_XML_FROM: ({ pool, xml, clonevol, flags }, { context }) =>
    madeIn(pool, namedPool(context, pool).storageVolCreateXMLFrom(xml, namedVolume(context, clonevol), flags)),
  STORAGE_VOL_DELETE: ({ vol, flags }, { context }) => namedVolume(context, vol).delete(flags),
  STORAGE_VOL_RESIZE: ({ vol, capacity, flags }, { context }) => namedVolume(context, vol).resize(capacity, flags),
  STORAGE_VOL_WIPE: ({ vol, flags }, { context }) => namedVolume(context, vol).wipe(flags),
  STORAGE_VOL_WIPE_PATTERN: ({ vol, algorithm, flags }, { context }) =>
    namedVolume(context, vol).wipePattern(algorithm, flags),
  STORAGE_VOL_GET_INFO: async ({ vol }, { context }) => (await ofPool(context, vol)).getInfo(),
  STORAGE_VOL_GET_INFO_FLAGS: async ({ vol, flags }, { context }) => (await ofPool(context, vol)).getInfoFlags(flags),
  STORAGE_VOL_GET_XML_DESC: async ({ vol, flags }, { context }) => ({
    xml: await (await ofPool(context, vol)).getXMLDesc(flags),
  }),
  STORAGE_VOL_GET_PATH: ({ vol }, { context }) => ({ name: namedVolume(context, vol).getPath() }),
  async STORAGE_VOL_DOWNLOAD({ vol, offset, length, flags }, call) {
    const download = await namedVolume(call.context, vol).download(offset, length, flags)
    openStream(call, download, send(download, (flags & SPARSE) !== 0))
  },
  async STORAGE_VOL_UPLOAD({ vol, offset, length, flags }, call) {
    const upload = await namedVolume(call.context, vol).upload(offset, length, flags)
    openStream(call, upload, receive(upload))
  },
}
