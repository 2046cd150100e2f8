/**
 * libvirt's numbers for what can go wrong and for who says so, by libvirt's names; those that are used here.
 * Source: libvirt, include/libvirt/virterror.h (virErrorNumber, virErrorDomain).
 */

/** Something that nobody expected, or a host that does not answer. */
export const VIR_ERR_INTERNAL_ERROR = 1
/** The host's driver has no such function. */
export const VIR_ERR_NO_SUPPORT = 3
/** There is no driver for this URI. */
export const VIR_ERR_NO_CONNECT = 5
/** The connection is closed. */
export const VIR_ERR_INVALID_CONN = 6
/** An argument that is wrong whatever the host: a value out of range, an unknown flag. */
export const VIR_ERR_INVALID_ARG = 8
/** The host was asked and said no. */
export const VIR_ERR_OPERATION_FAILED = 9
/** A device without a source. */
export const VIR_ERR_NO_SOURCE = 19
/** A device without a target. */
export const VIR_ERR_NO_TARGET = 20
/** A description without a name. */
export const VIR_ERR_NO_NAME = 21
/** XML that is not well-formed, or not a description of what was to be described. */
export const VIR_ERR_XML_ERROR = 27
/** The connection is read-only. */
export const VIR_ERR_OPERATION_DENIED = 29
/** Where in the XML something is wrong. */
export const VIR_ERR_XML_DETAIL = 35
/** The host's operating system said no. */
export const VIR_ERR_SYSTEM_ERROR = 38
/** What is no hardware address. */
export const VIR_ERR_INVALID_MAC = 40
/** No such domain. */
export const VIR_ERR_NO_DOMAIN = 42
/** No such network. */
export const VIR_ERR_NO_NETWORK = 43
/** The host does not take the password. */
export const VIR_ERR_AUTH_FAILED = 45
/** No such storage pool. */
export const VIR_ERR_NO_STORAGE_POOL = 49
/** No such storage volume. */
export const VIR_ERR_NO_STORAGE_VOL = 50
/** The object is not in a state that allows this. */
export const VIR_ERR_OPERATION_INVALID = 55
/** Something is described that the host cannot have. */
export const VIR_ERR_CONFIG_UNSUPPORTED = 67
/** Others are at work with the object for too long. */
export const VIR_ERR_OPERATION_TIMEOUT = 68
/** A snapshot that does not fit what is asked of it. */
export const VIR_ERR_INVALID_DOMAIN_SNAPSHOT = 71
/** No such snapshot. */
export const VIR_ERR_NO_DOMAIN_SNAPSHOT = 72
/** An argument that libvirt knows and this host's driver cannot honour. */
export const VIR_ERR_ARGUMENT_UNSUPPORTED = 74
/** Nothing of the kind is noted on the domain. */
export const VIR_ERR_NO_DOMAIN_METADATA = 80
/** What would be lost is only lost with force. */
export const VIR_ERR_SNAPSHOT_REVERT_RISKY = 81
/** A number that does not fit. */
export const VIR_ERR_OVERFLOW = 82
/** An operation that libvirt knows and that cannot be done here. */
export const VIR_ERR_OPERATION_UNSUPPORTED = 84
/** Nobody in the guest answers. */
export const VIR_ERR_AGENT_UNRESPONSIVE = 86
/** There is such a volume already. */
export const VIR_ERR_STORAGE_VOL_EXIST = 90
/** The domain has no such device. */
export const VIR_ERR_DEVICE_MISSING = 99
/** The guest has no name. */
export const VIR_ERR_NO_HOSTNAME = 108
/** A name that more than one domain has. */
export const VIR_ERR_MULTIPLE_DOMAINS = 110

/** Nobody in particular says it. */
export const VIR_FROM_NONE = 0
/** The reader of XML says it. */
export const VIR_FROM_XML = 5
/** A QEMU host. */
export const VIR_FROM_QEMU = 10
/** A host in memory. */
export const VIR_FROM_TEST = 12
/** What is done to storage, whatever the host. */
export const VIR_FROM_STORAGE = 18
/** The reader of descriptions of networks. */
export const VIR_FROM_NETWORK = 19
/** The reader of descriptions of domains. */
export const VIR_FROM_DOMAIN = 20
/** What is done to snapshots, whatever the host. */
export const VIR_FROM_DOMAIN_SNAPSHOT = 35
/** A Hyper-V host. */
export const VIR_FROM_HYPERV = 43
/** The reader of URIs. */
export const VIR_FROM_URI = 45

/**
 * How libvirt begins the message of each error, before what happened.
 * Source: libvirt, src/util/virerror.c (virErrorMsgStrings).
 */
export const BEGINNINGS = {
  [VIR_ERR_INTERNAL_ERROR]: 'internal error',
  [VIR_ERR_NO_SUPPORT]: 'this function is not supported by the connection driver',
  [VIR_ERR_NO_CONNECT]: 'no connection driver available for',
  [VIR_ERR_INVALID_CONN]: 'invalid connection pointer in',
  [VIR_ERR_INVALID_ARG]: 'invalid argument',
  [VIR_ERR_OPERATION_FAILED]: 'operation failed',
  [VIR_ERR_NO_SOURCE]: 'missing source information for device',
  [VIR_ERR_NO_TARGET]: 'missing target information for device',
  [VIR_ERR_NO_NAME]: 'missing name information in',
  [VIR_ERR_XML_ERROR]: 'XML error',
  [VIR_ERR_OPERATION_DENIED]: 'operation forbidden',
  [VIR_ERR_XML_DETAIL]: '',
  [VIR_ERR_SYSTEM_ERROR]: '',
  [VIR_ERR_INVALID_MAC]: 'invalid MAC address',
  [VIR_ERR_NO_DOMAIN]: 'Domain not found',
  [VIR_ERR_NO_NETWORK]: 'Network not found',
  [VIR_ERR_AUTH_FAILED]: 'authentication failed',
  [VIR_ERR_NO_STORAGE_POOL]: 'Storage pool not found',
  [VIR_ERR_NO_STORAGE_VOL]: 'Storage volume not found',
  [VIR_ERR_OPERATION_INVALID]: 'Requested operation is not valid',
  [VIR_ERR_CONFIG_UNSUPPORTED]: 'unsupported configuration',
  [VIR_ERR_OPERATION_TIMEOUT]: 'Timed out during operation',
  [VIR_ERR_INVALID_DOMAIN_SNAPSHOT]: 'Invalid snapshot',
  [VIR_ERR_NO_DOMAIN_SNAPSHOT]: 'Domain snapshot not found',
  [VIR_ERR_ARGUMENT_UNSUPPORTED]: 'argument unsupported',
  [VIR_ERR_NO_DOMAIN_METADATA]: 'metadata not found',
  [VIR_ERR_SNAPSHOT_REVERT_RISKY]: 'revert requires force',
  [VIR_ERR_OVERFLOW]: 'numerical overflow',
  [VIR_ERR_OPERATION_UNSUPPORTED]: 'Operation not supported',
  [VIR_ERR_AGENT_UNRESPONSIVE]: 'Guest agent is not responding',
  [VIR_ERR_STORAGE_VOL_EXIST]: '', // What exists stands in its middle.
  [VIR_ERR_DEVICE_MISSING]: 'device not found',
  [VIR_ERR_NO_HOSTNAME]: 'no hostname found',
  [VIR_ERR_MULTIPLE_DOMAINS]: 'multiple matching domains found',
} as const

/** The number of an error that can happen here. */
export type ErrorNumber = keyof typeof BEGINNINGS

/** The number of who says so. */
export type ErrorDomain =
  | typeof VIR_FROM_NONE
  | typeof VIR_FROM_XML
  | typeof VIR_FROM_QEMU
  | typeof VIR_FROM_TEST
  | typeof VIR_FROM_STORAGE
  | typeof VIR_FROM_NETWORK
  | typeof VIR_FROM_DOMAIN
  | typeof VIR_FROM_DOMAIN_SNAPSHOT
  | typeof VIR_FROM_HYPERV
  | typeof VIR_FROM_URI
