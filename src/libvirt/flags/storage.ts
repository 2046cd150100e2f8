/**
 * libvirt's numbers for storage, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-storage.h; the name of each enumeration stands over it.
 */

// --- Which storage pools are listed. (virConnectListAllStoragePoolsFlags)

/** Those that cannot be used now. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE = 1
/** Those that can. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE = 2
/** Those that stay when they are stopped. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT = 4
/** Those that are gone then. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT = 8
/** Those that are there when the host starts. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART = 16
/** Those that are not. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART = 32
/** Folders, as all are here. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_DIR = 64
/** Any of libvirt's other types, from `FS` to `ISCSI_DIRECT`. */
export const VIR_CONNECT_LIST_STORAGE_POOLS_OTHER_TYPES = 0xf_ff80

// --- What a storage pool is doing. (virStoragePoolState)

/** It cannot be used now. */
export const VIR_STORAGE_POOL_INACTIVE = 0
/** It can. */
export const VIR_STORAGE_POOL_RUNNING = 2

// --- How a storage pool is created and described. (virStoragePoolCreateFlags, virStorageXMLFlags)

/** As it is done by default. */
export const VIR_STORAGE_POOL_CREATE_NORMAL = 0
/** The folder being made, as it always is here. */
export const VIR_STORAGE_POOL_CREATE_WITH_BUILD = 1
/** Whatever was there being overwritten. */
export const VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE = 2
/** Only where nothing would be overwritten. */
export const VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE = 4
/** What was defined, which is what there is. */
export const VIR_STORAGE_XML_INACTIVE = 1

// --- What a storage volume is. (virStorageVolType)

/** A file. */
export const VIR_STORAGE_VOL_FILE = 0
/** A folder or a file system. */
export const VIR_STORAGE_VOL_DIR = 2

// --- How a storage volume is made. (virStorageVolCreateFlags)

/** What describes it having its final size at once. */
export const VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA = 1
/** Sharing blocks with the one it is made from. */
export const VIR_STORAGE_VOL_CREATE_REFLINK = 2
/** The description being held against the schema first. */
export const VIR_STORAGE_VOL_CREATE_VALIDATE = 4

// --- How a storage volume is resized. (virStorageVolResizeFlags)

/** The new room being taken at once. */
export const VIR_STORAGE_VOL_RESIZE_ALLOCATE = 1
/** By so much, not to so much. */
export const VIR_STORAGE_VOL_RESIZE_DELTA = 2
/** Even where it becomes smaller. */
export const VIR_STORAGE_VOL_RESIZE_SHRINK = 4

// --- How a storage volume is wiped. (virStorageVolWipeAlgorithm)

/** By zeros, once. */
export const VIR_STORAGE_VOL_WIPE_ALG_ZERO = 0
/** In four passes, as the NNSA has it. */
export const VIR_STORAGE_VOL_WIPE_ALG_NNSA = 1
/** In four passes, as DoD 5220.22-M has it. */
export const VIR_STORAGE_VOL_WIPE_ALG_DOD = 2
/** In nine passes, as the BSI has it. */
export const VIR_STORAGE_VOL_WIPE_ALG_BSI = 3
/** In 35 passes. */
export const VIR_STORAGE_VOL_WIPE_ALG_GUTMANN = 4
/** In seven passes. */
export const VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER = 5
/** In seven passes of random bytes. */
export const VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7 = 6
/** In 33 passes of random bytes. */
export const VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33 = 7
/** By random bytes, once. */
export const VIR_STORAGE_VOL_WIPE_ALG_RANDOM = 8
/** By giving the blocks back. */
export const VIR_STORAGE_VOL_WIPE_ALG_TRIM = 9

// --- How a storage volume is deleted and told about. (virStorageVolDeleteFlags, virStorageVolInfoFlags)

/** As it is done by default. */
export const VIR_STORAGE_VOL_DELETE_NORMAL = 0
/** What it holds being overwritten first. */
export const VIR_STORAGE_VOL_DELETE_ZEROED = 1
/** With its snapshots. */
export const VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS = 2
/** The third number is what it takes up. */
export const VIR_STORAGE_VOL_USE_ALLOCATION = 0
/** The third number is how long the file is. */
export const VIR_STORAGE_VOL_GET_PHYSICAL = 1

// --- How a storage pool is defined, built and deleted. (virStoragePoolDefineFlags, virStoragePoolBuildFlags, virStoragePoolDeleteFlags)

/** The description being held against the schema first. */
export const VIR_STORAGE_POOL_DEFINE_VALIDATE = 1
/** The folder being made. */
export const VIR_STORAGE_POOL_BUILD_NEW = 0
/** Whatever is broken of it being mended. */
export const VIR_STORAGE_POOL_BUILD_REPAIR = 1
/** Being made larger. */
export const VIR_STORAGE_POOL_BUILD_RESIZE = 2
/** Only where nothing would be overwritten. */
export const VIR_STORAGE_POOL_BUILD_NO_OVERWRITE = 4
/** Whatever was there being overwritten. */
export const VIR_STORAGE_POOL_BUILD_OVERWRITE = 8
/** The folder, which must be empty. */
export const VIR_STORAGE_POOL_DELETE_NORMAL = 0
/** What it holds being overwritten first. */
export const VIR_STORAGE_POOL_DELETE_ZEROED = 1

// --- What is told of storage pools. (virStoragePoolEventID, virStoragePoolEventLifecycleType)

/** What becomes of them. */
export const VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE = 0
/** That their volumes may be others. */
export const VIR_STORAGE_POOL_EVENT_ID_REFRESH = 1
/** It has a new definition. */
export const VIR_STORAGE_POOL_EVENT_DEFINED = 0
/** It is forgotten. */
export const VIR_STORAGE_POOL_EVENT_UNDEFINED = 1
/** It can be used. */
export const VIR_STORAGE_POOL_EVENT_STARTED = 2
/** It cannot be used any more. */
export const VIR_STORAGE_POOL_EVENT_STOPPED = 3
/** Its folder was made, where it was missing. */
export const VIR_STORAGE_POOL_EVENT_CREATED = 4
/** Its folder was deleted. */
export const VIR_STORAGE_POOL_EVENT_DELETED = 5

// --- How an image's file is read and written. (virStorageVolDownloadFlags, virStorageVolUploadFlags)

/** Its holes being left out. */
export const VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM = 1
/** The same of what comes. */
export const VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM = 1
