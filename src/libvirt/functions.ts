import type { Connection } from './connection.ts'
import type { Domain } from './domain.ts'
import type { FunctionName } from './flag-check.ts'
import type { Network } from './network.ts'
import type { DomainSnapshot } from './snapshot.ts'
import type { StoragePool } from './storage-pool.ts'
import type { StorageVol } from './storage-vol.ts'

/** Methods of an object of a class. */
type MethodOf<C> = { [K in keyof C]: C[K] extends (...args: never[]) => unknown ? K : never }[keyof C] & string

/** What is called for a function of libvirt: a function of this package, or a method, of which each there is. */
export type Method =
  | 'connect'
  | 'connectReadOnly'
  | `Connection.${MethodOf<Connection>}`
  | `Domain.${MethodOf<Domain>}`
  | `DomainSnapshot.${MethodOf<DomainSnapshot>}`
  | `Network.${MethodOf<Network>}`
  | `StoragePool.${MethodOf<StoragePool>}`
  | `StorageVol.${MethodOf<StorageVol>}`

/**
 * Whose a function was in the support matrix of "libvirt driver for Hyper-V", chapter 5: the document's own (`Bull`),
 * the driver's as of a version of libvirt, a stub that answered nothing true, or nobody's.
 */
export type Mark = 'Bull' | '0.9.5' | '0.9.8' | '0.10.2' | 'stub' | ''

/** A function of libvirt that there is. */
export interface FunctionEntry {
  readonly method: Method
  readonly mark: Mark
  /** The section of the document that describes it, or the table of chapter 5 that it is in; empty for what is younger. */
  readonly section: string
}

const entry = (method: Method, mark: Mark, section: string): FunctionEntry => ({ method, mark, section })

/** Every function of libvirt that there is, by its name: a method that is missing does not compile. */
export const FUNCTIONS = {
  virConnectClose: entry('Connection.close', '0.9.5', '5.1'),
  virConnectDomainEventDeregister: entry('Connection.domainEventDeregister', '', '5.1'),
  virConnectDomainEventDeregisterAny: entry('Connection.domainEventDeregisterAny', '', '5.1'),
  virConnectDomainEventRegister: entry('Connection.domainEventRegister', '', '5.1'),
  virConnectDomainEventRegisterAny: entry('Connection.domainEventRegisterAny', '', '5.1'),
  virConnectGetCapabilities: entry('Connection.getCapabilities', 'Bull', '4.1.22'),
  virConnectGetHostname: entry('Connection.getHostname', '0.9.5', '5.1'),
  virConnectGetLibVersion: entry('Connection.getLibVersion', '', '5.1'),
  virConnectGetMaxVcpus: entry('Connection.getMaxVcpus', 'Bull', '4.1.9'),
  virConnectGetType: entry('Connection.getType', '0.9.5', '5.1'),
  virConnectGetURI: entry('Connection.getURI', '', ''),
  virConnectGetVersion: entry('Connection.getVersion', 'Bull', '4.1.23'),
  virConnectIsAlive: entry('Connection.isAlive', '0.9.8', '5.1'),
  virConnectIsEncrypted: entry('Connection.isEncrypted', '0.9.5', '5.1'),
  virConnectIsSecure: entry('Connection.isSecure', '0.9.5', '5.1'),
  virConnectListAllDomains: entry('Connection.listAllDomains', '0.10.2', '5.1'),
  virConnectListDefinedDomains: entry('Connection.listDefinedDomains', '0.9.5', '5.1'),
  virConnectListDomains: entry('Connection.listDomains', '0.9.5', '5.1'),
  virConnectNumOfDefinedDomains: entry('Connection.numOfDefinedDomains', '0.9.5', '5.1'),
  virConnectNumOfDomains: entry('Connection.numOfDomains', '0.9.5', '5.1'),
  virConnectOpen: entry('connect', '0.9.5', '5.1'),
  virConnectOpenAuth: entry('connect', '', '5.1'),
  virConnectOpenReadOnly: entry('connectReadOnly', '', '5.1'),
  virDomainAttachDevice: entry('Domain.attachDevice', 'Bull', '4.1.17'),
  virDomainAttachDeviceFlags: entry('Domain.attachDeviceFlags', 'Bull', '4.1.18'),
  virDomainBlockStats: entry('Domain.blockStats', '', '5.1'),
  virDomainBlockStatsFlags: entry('Domain.blockStatsFlags', '', '5.1'),
  virDomainCreate: entry('Domain.create', '0.9.5', '5.1'),
  virDomainCreateWithFlags: entry('Domain.createWithFlags', '0.9.5', '5.1'),
  virDomainCreateXML: entry('Connection.domainCreateXML', 'Bull', '4.1.2'),
  virDomainDefineXML: entry('Connection.domainDefineXML', 'Bull', '4.1.1'),
  virDomainDefineXMLFlags: entry('Connection.domainDefineXMLFlags', '', ''),
  virDomainDestroy: entry('Domain.destroy', '0.9.5', '5.1'),
  virDomainDestroyFlags: entry('Domain.destroyFlags', '0.9.5', '5.1'),
  virDomainDetachDevice: entry('Domain.detachDevice', '', '5.1'),
  virDomainDetachDeviceFlags: entry('Domain.detachDeviceFlags', '', '5.1'),
  virDomainGetAutostart: entry('Domain.getAutostart', 'Bull', '4.1.25'),
  virDomainGetBlockInfo: entry('Domain.getBlockInfo', '', '5.1'),
  virDomainGetID: entry('Domain.getID', '', ''),
  virDomainGetInfo: entry('Domain.getInfo', '0.9.5', '5.1'),
  virDomainGetMaxMemory: entry('Domain.getMaxMemory', '', '5.1'),
  virDomainGetMaxVcpus: entry('Domain.getMaxVcpus', 'Bull', '4.1.10'),
  virDomainGetName: entry('Domain.getName', '', ''),
  virDomainGetOSType: entry('Domain.getOSType', '0.9.5', '5.1'),
  virDomainGetSchedulerParameters: entry('Domain.getSchedulerParameters', 'Bull', '4.1.19'),
  virDomainGetSchedulerParametersFlags: entry('Domain.getSchedulerParametersFlags', 'Bull', '4.1.20'),
  virDomainGetSchedulerType: entry('Domain.getSchedulerType', 'Bull', '4.1.21'),
  virDomainGetState: entry('Domain.getState', '0.9.5', '5.1'),
  virDomainGetUUID: entry('Domain.getUUID', '', ''),
  virDomainGetUUIDString: entry('Domain.getUUIDString', '', ''),
  virDomainGetVcpus: entry('Domain.getVcpus', 'Bull', '4.1.7'),
  virDomainGetVcpusFlags: entry('Domain.getVcpusFlags', 'Bull', '4.1.8'),
  virDomainGetXMLDesc: entry('Domain.getXMLDesc', '0.9.5', '5.1'),
  virDomainHasCurrentSnapshot: entry('Domain.hasCurrentSnapshot', '', '5.1'),
  virDomainHasManagedSaveImage: entry('Domain.hasManagedSaveImage', '0.9.5', '5.1'),
  virDomainInterfaceStats: entry('Domain.interfaceStats', '', '5.1'),
  virDomainIsActive: entry('Domain.isActive', '0.9.5', '5.1'),
  virDomainIsPersistent: entry('Domain.isPersistent', '0.9.5', '5.1'),
  virDomainIsUpdated: entry('Domain.isUpdated', '0.9.5', '5.1'),
  virDomainListAllSnapshots: entry('Domain.listAllSnapshots', '', '5.1'),
  virDomainLookupByID: entry('Connection.domainLookupByID', '0.9.5', '5.1'),
  virDomainLookupByName: entry('Connection.domainLookupByName', '0.9.5', '5.1'),
  virDomainLookupByUUID: entry('Connection.domainLookupByUUID', '0.9.5', '5.1'),
  virDomainLookupByUUIDString: entry('Connection.domainLookupByUUIDString', '', ''),
  virDomainManagedSave: entry('Domain.managedSave', '0.9.5', '5.1'),
  virDomainManagedSaveRemove: entry('Domain.managedSaveRemove', '0.9.5', '5.1'),
  virDomainMemoryStats: entry('Domain.memoryStats', '', '5.1'),
  virDomainReboot: entry('Domain.reboot', '', '5.1'),
  virDomainReset: entry('Domain.reset', '', '5.1'),
  virDomainResume: entry('Domain.resume', '0.9.5', '5.1'),
  virDomainRevertToSnapshot: entry('Domain.revertToSnapshot', '', '5.1'),
  virDomainScreenshot: entry('Domain.screenshot', '', '5.1'),
  virDomainSendKey: entry('Domain.sendKey', '', '5.1'),
  virDomainSetAutostart: entry('Domain.setAutostart', 'Bull', '4.1.24'),
  virDomainSetMaxMemory: entry('Domain.setMaxMemory', '', '4.1.15'),
  virDomainSetMemory: entry('Domain.setMemory', 'Bull', '4.1.13'),
  virDomainSetMemoryFlags: entry('Domain.setMemoryFlags', 'Bull', '4.1.14'),
  virDomainSetVcpus: entry('Domain.setVcpus', 'Bull', '4.1.11'),
  virDomainSetVcpusFlags: entry('Domain.setVcpusFlags', 'Bull', '4.1.12'),
  virDomainShutdown: entry('Domain.shutdown', 'Bull', '4.1.5'),
  virDomainShutdownFlags: entry('Domain.shutdownFlags', 'Bull', '4.1.6'),
  virDomainSnapshotCreateXML: entry('Domain.snapshotCreateXML', '', '5.1'),
  virDomainSnapshotCurrent: entry('Domain.snapshotCurrent', '', '5.1'),
  virDomainSnapshotDelete: entry('DomainSnapshot.delete', '', '5.1'),
  virDomainSnapshotGetName: entry('DomainSnapshot.getName', '', ''),
  virDomainSnapshotGetParent: entry('DomainSnapshot.getParent', '', '5.1'),
  virDomainSnapshotGetXMLDesc: entry('DomainSnapshot.getXMLDesc', '', '5.1'),
  virDomainSnapshotHasMetadata: entry('DomainSnapshot.hasMetadata', '', '5.1'),
  virDomainSnapshotIsCurrent: entry('DomainSnapshot.isCurrent', '', '5.1'),
  virDomainSnapshotListAllChildren: entry('DomainSnapshot.listAllChildren', '', '5.1'),
  virDomainSnapshotListChildrenNames: entry('DomainSnapshot.listChildrenNames', '', '5.1'),
  virDomainSnapshotListNames: entry('Domain.snapshotListNames', '', '5.1'),
  virDomainSnapshotLookupByName: entry('Domain.snapshotLookupByName', '', '5.1'),
  virDomainSnapshotNum: entry('Domain.snapshotNum', '', '5.1'),
  virDomainSnapshotNumChildren: entry('DomainSnapshot.numChildren', '', '5.1'),
  virDomainSuspend: entry('Domain.suspend', '0.9.5', '5.1'),
  virDomainUndefine: entry('Domain.undefine', 'Bull', '4.1.3'),
  virDomainUndefineFlags: entry('Domain.undefineFlags', 'Bull', '4.1.4'),
  virDomainUpdateDeviceFlags: entry('Domain.updateDeviceFlags', '', '5.1'),
  virNodeGetFreeMemory: entry('Connection.nodeGetFreeMemory', 'Bull', '4.1.16'),
  virNodeGetInfo: entry('Connection.nodeGetInfo', '0.9.5', '5.1'),
  virConnectListAllNetworks: entry('Connection.listAllNetworks', '', '5.4'),
  virConnectListDefinedNetworks: entry('Connection.listDefinedNetworks', 'Bull', '4.2.4'),
  virConnectListNetworks: entry('Connection.listNetworks', 'Bull', '4.2.2'),
  virConnectNumOfDefinedNetworks: entry('Connection.numOfDefinedNetworks', 'Bull', '4.2.3'),
  virConnectNumOfNetworks: entry('Connection.numOfNetworks', 'Bull', '4.2.1'),
  virNetworkCreate: entry('Network.create', '', '5.4'),
  virNetworkDefineXML: entry('Connection.networkDefineXML', '', '5.4'),
  virNetworkDefineXMLFlags: entry('Connection.networkDefineXMLFlags', '', ''),
  virNetworkDestroy: entry('Network.destroy', '', '5.4'),
  virNetworkGetAutostart: entry('Network.getAutostart', '', '5.4'),
  virNetworkGetBridgeName: entry('Network.getBridgeName', '', '5.4'),
  virNetworkGetName: entry('Network.getName', '', ''),
  virNetworkGetUUID: entry('Network.getUUID', '', ''),
  virNetworkGetUUIDString: entry('Network.getUUIDString', '', ''),
  virNetworkGetXMLDesc: entry('Network.getXMLDesc', 'Bull', '4.2.6'),
  virNetworkIsActive: entry('Network.isActive', '', '5.4'),
  virNetworkIsPersistent: entry('Network.isPersistent', '', '5.4'),
  virNetworkLookupByName: entry('Connection.networkLookupByName', 'Bull', '4.2.5'),
  virNetworkLookupByUUID: entry('Connection.networkLookupByUUID', '', '5.4'),
  virNetworkLookupByUUIDString: entry('Connection.networkLookupByUUIDString', '', ''),
  virNetworkSetAutostart: entry('Network.setAutostart', '', '5.4'),
  virNetworkUndefine: entry('Network.undefine', '', '5.4'),
  virConnectListAllStoragePools: entry('Connection.listAllStoragePools', '', '5.7'),
  virConnectListDefinedStoragePools: entry('Connection.listDefinedStoragePools', '', '5.7'),
  virConnectListStoragePools: entry('Connection.listStoragePools', 'stub', '4.3.2'),
  virConnectNumOfDefinedStoragePools: entry('Connection.numOfDefinedStoragePools', 'stub', '4.3.3'),
  virConnectNumOfStoragePools: entry('Connection.numOfStoragePools', 'stub', '4.3.1'),
  virStoragePoolCreate: entry('StoragePool.create', '', '5.7'),
  virStoragePoolCreateXML: entry('Connection.storagePoolCreateXML', '', '5.7'),
  virStoragePoolDestroy: entry('StoragePool.destroy', '', '5.7'),
  virStoragePoolGetAutostart: entry('StoragePool.getAutostart', '', '5.7'),
  virStoragePoolGetInfo: entry('StoragePool.getInfo', '', '5.7'),
  virStoragePoolGetName: entry('StoragePool.getName', '', ''),
  virStoragePoolGetUUID: entry('StoragePool.getUUID', '', ''),
  virStoragePoolGetUUIDString: entry('StoragePool.getUUIDString', '', ''),
  virStoragePoolGetXMLDesc: entry('StoragePool.getXMLDesc', '', '5.7'),
  virStoragePoolIsActive: entry('StoragePool.isActive', '', '5.7'),
  virStoragePoolIsPersistent: entry('StoragePool.isPersistent', '', '5.7'),
  virStoragePoolListAllVolumes: entry('StoragePool.listAllVolumes', '', '5.7'),
  virStoragePoolListVolumes: entry('StoragePool.listVolumes', '', '5.7'),
  virStoragePoolLookupByName: entry('Connection.storagePoolLookupByName', 'stub', '4.3.4'),
  virStoragePoolLookupByTargetPath: entry('Connection.storagePoolLookupByTargetPath', '', ''),
  virStoragePoolLookupByUUID: entry('Connection.storagePoolLookupByUUID', '', '5.7'),
  virStoragePoolLookupByUUIDString: entry('Connection.storagePoolLookupByUUIDString', '', ''),
  virStoragePoolLookupByVolume: entry('Connection.storagePoolLookupByVolume', '', '5.7'),
  virStoragePoolNumOfVolumes: entry('StoragePool.numOfVolumes', '', '5.7'),
  virStoragePoolRefresh: entry('StoragePool.refresh', '', '5.7'),
  virStorageVolCreateXML: entry('StoragePool.storageVolCreateXML', '', '5.7'),
  virStorageVolCreateXMLFrom: entry('StoragePool.storageVolCreateXMLFrom', '', '5.7'),
  virStorageVolDelete: entry('StorageVol.delete', '', '5.7'),
  virStorageVolDownload: entry('StorageVol.download', '', '5.7'),
  virStorageVolGetInfo: entry('StorageVol.getInfo', '', '5.7'),
  virStorageVolGetInfoFlags: entry('StorageVol.getInfoFlags', '', ''),
  virStorageVolGetKey: entry('StorageVol.getKey', '', ''),
  virStorageVolGetName: entry('StorageVol.getName', '', ''),
  virStorageVolGetPath: entry('StorageVol.getPath', '', '5.7'),
  virStorageVolGetXMLDesc: entry('StorageVol.getXMLDesc', '', '5.7'),
  virStorageVolLookupByKey: entry('Connection.storageVolLookupByKey', '', '5.7'),
  virStorageVolLookupByName: entry('StoragePool.storageVolLookupByName', '', '5.7'),
  virStorageVolLookupByPath: entry('Connection.storageVolLookupByPath', 'stub', '4.3.5'),
  virStorageVolResize: entry('StorageVol.resize', '', '5.7'),
  virStorageVolUpload: entry('StorageVol.upload', '', '5.7'),
} as const satisfies Readonly<Record<FunctionName, FunctionEntry>>
