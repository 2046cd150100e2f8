import { NAMESPACE } from './names.ts'

/**
 * What a fault means for whoever asked.
 * `timed-out`: the host did not come to an end in time; what it was told to do may yet happen.
 * `access-denied`: the user may not. `not-found`: no such class, namespace or instance.
 * `invalid-selectors`: the keys are not those of the class. `quota`: the host serves too many at once; later it may.
 * `bad-filter`: the query or its dialect. `invalid-context`: the enumeration is over, or has expired.
 * `schema`: the body or a header is not what the host expects. `bad-parameter`: an argument of the method is not.
 * `too-large`: request or answer exceed what host or client allow. `not-supported`: the host has no such operation.
 * `unavailable`: the service behind WS-Management is not running, or shutting down. `exists`: there is one already.
 * `internal`: the host, or the provider, failed. `unknown`: a fault that this table does not have.
 */
export type FaultKind =
  | 'timed-out'
  | 'access-denied'
  | 'not-found'
  | 'invalid-selectors'
  | 'quota'
  | 'bad-filter'
  | 'invalid-context'
  | 'schema'
  | 'bad-parameter'
  | 'too-large'
  | 'not-supported'
  | 'unavailable'
  | 'exists'
  | 'internal'
  | 'unknown'

/** A name with its namespace, as a fault's codes are. */
export interface FaultName {
  readonly namespace: string
  readonly name: string
}

/** What a fault says in codes. */
export interface FaultCodes {
  /** WinRM's, or Windows': an HRESULT, unsigned. */
  readonly code: number | undefined
  /** Of the provider, under it. */
  readonly providerCode: number | undefined
  /** The code that CIM itself has for it; newer hosts tell it. */
  readonly cimStatus: number | undefined
  /** From the outer to the inner one; the inner ones are more exact. */
  readonly subcodes: readonly FaultName[]
  /** `Sender`, `Receiver`, `MustUnderstand` or `VersionMismatch`. */
  readonly soapCode: string | undefined
}

/**
 * Derives what a fault means from its codes, never from its text, which is in the language of the host. The code of
 * the provider is the most exact, then that of WinRM, then that of CIM, then the name that WS-Management gives.
 */
export function faultKind({ code, providerCode, cimStatus, subcodes, soapCode }: FaultCodes): FaultKind {
  // A namespace that does not exist and a query that makes no sense come with the same code.
  const isElsewhere = subcodes.some(({ name }) => name === 'DestinationUnreachable')
  for (const known of [providerCode, code]) {
    const kind = known === undefined ? undefined : CODES.get(known)
    if (kind !== undefined) return kind === 'bad-filter' && isElsewhere ? 'not-found' : kind
  }
  const status = cimStatus === undefined ? undefined : CIM_STATUS.get(cimStatus)
  if (status !== undefined) return status
  for (const { namespace, name } of subcodes.toReversed()) {
    const kind = SUBCODES[namespace]?.[name]
    if (kind !== undefined) return kind
  }
  return soapCode === 'MustUnderstand' || soapCode === 'VersionMismatch' ? 'not-supported' : 'unknown'
}

/**
 * Source: wsmerror.h of the Windows SDK for 0x8033…; Microsoft Learn, "WMI error constants" for 0x80041…; winerror.h for
 * the others.
 */
const CODES: ReadonlyMap<number, FaultKind> = new Map<number, FaultKind>([
  [5, 'access-denied'], // ERROR_ACCESS_DENIED
  [0x80070005, 'access-denied'], // E_ACCESSDENIED
  [0x80041003, 'access-denied'], // WBEM_E_ACCESS_DENIED
  [0x80041062, 'access-denied'], // WBEM_E_PRIVILEGE_NOT_HELD
  [0x80338104, 'access-denied'], // ERROR_WSMAN_WMI_SVC_ACCESS_DENIED
  [0x80338105, 'access-denied'], // ERROR_WSMAN_WMI_PROVIDER_ACCESS_DENIED
  [0x80338106, 'access-denied'], // ERROR_WSMAN_WMI_CANNOT_CONNECT_ACCESS_DENIED
  [0x80338000, 'not-found'], // ERROR_WSMAN_RESOURCE_NOT_FOUND
  [0x80338012, 'not-found'], // ERROR_WSMAN_DESTINATION_UNREACHABLE
  [0x8033803b, 'not-found'], // ERROR_WSMAN_INVALID_RESOURCE_URI
  [0x80338139, 'not-found'], // ERROR_WSMAN_URI_NON_DMTF_CLASS
  [0x80041002, 'not-found'], // WBEM_E_NOT_FOUND
  [0x8004100e, 'not-found'], // WBEM_E_INVALID_NAMESPACE
  [0x80041010, 'not-found'], // WBEM_E_INVALID_CLASS
  [0x8033803d, 'invalid-selectors'], // ERROR_WSMAN_INVALID_SELECTORS
  [0x80338044, 'invalid-selectors'], // ERROR_WSMAN_INVALID_KEY
  [0x8033805a, 'invalid-selectors'], // ERROR_WSMAN_INSUFFCIENT_SELECTORS
  [0x8033805b, 'invalid-selectors'], // ERROR_WSMAN_UNEXPECTED_SELECTORS
  [0x8033805c, 'invalid-selectors'], // ERROR_WSMAN_SELECTOR_TYPEMISMATCH
  [0x8033805d, 'invalid-selectors'], // ERROR_WSMAN_INVALID_SELECTOR_VALUE
  [0x8033805e, 'invalid-selectors'], // ERROR_WSMAN_AMBIGUOUS_SELECTORS
  [0x8033805f, 'invalid-selectors'], // ERROR_WSMAN_DUPLICATE_SELECTORS
  [0x803380fa, 'invalid-selectors'], // ERROR_WSMAN_INVALID_URI_WMI_SINGLETON
  [0x80338108, 'invalid-selectors'], // ERROR_WSMAN_ENUMERATE_WMI_INVALID_KEY
  [0x8004103a, 'invalid-selectors'], // WBEM_E_INVALID_OBJECT_PATH
  [0x80338029, 'timed-out'], // ERROR_WSMAN_OPERATION_TIMEDOUT
  [0x8033801c, 'timed-out'], // ERROR_WSMAN_ENUMERATE_TIMED_OUT
  [0x80041069, 'timed-out'], // WBEM_E_TIMED_OUT
  [0x8033803f, 'quota'], // ERROR_WSMAN_QUOTA_LIMIT
  [0x803381a5, 'quota'], // ERROR_WSMAN_QUOTA_MAX_SHELLS
  [0x803381a6, 'quota'], // ERROR_WSMAN_QUOTA_MAX_OPERATIONS
  [0x803381a7, 'quota'], // ERROR_WSMAN_QUOTA_USER
  [0x803381a8, 'quota'], // ERROR_WSMAN_QUOTA_SYSTEM
  [0x803381ab, 'quota'], // ERROR_WSMAN_QUOTA_MAX_SHELLUSERS
  [0x803381e4, 'quota'], // ERROR_WSMAN_QUOTA_MAX_SHELLS_PPQ
  [0x803381e5, 'quota'], // ERROR_WSMAN_QUOTA_MAX_USERS_PPQ
  [0x803381e6, 'quota'], // ERROR_WSMAN_QUOTA_MAX_PLUGINSHELLS_PPQ
  [0x803381e7, 'quota'], // ERROR_WSMAN_QUOTA_MAX_PLUGINOPERATIONS_PPQ
  [0x803381e8, 'quota'], // ERROR_WSMAN_QUOTA_MAX_OPERATIONS_USER_PPQ
  [0x80041045, 'quota'], // WBEM_E_SERVER_TOO_BUSY
  [0x8004106c, 'quota'], // WBEM_E_QUOTA_VIOLATION
  [0x8033801a, 'bad-filter'], // ERROR_WSMAN_ENUMERATE_CANNOT_PROCESS_FILTER
  [0x80338018, 'bad-filter'], // ERROR_WSMAN_ENUMERATE_FILTERING_NOT_SUPPORTED
  [0x80338019, 'bad-filter'], // ERROR_WSMAN_ENUMERATE_FILTER_DIALECT_REQUESTED_UNAVAILABLE
  [0x8033804f, 'bad-filter'], // ERROR_WSMAN_FILTERING_REQUIRED
  [0x803380fb, 'bad-filter'], // ERROR_WSMAN_INVALID_URI_WMI_ENUM_WQL
  [0x80338107, 'bad-filter'], // ERROR_WSMAN_INVALID_FILTER_XML
  [0x80041017, 'bad-filter'], // WBEM_E_INVALID_QUERY
  [0x80041018, 'bad-filter'], // WBEM_E_INVALID_QUERY_TYPE
  [0x80041058, 'bad-filter'], // WBEM_E_UNPARSABLE_QUERY
  [0x80338007, 'invalid-context'], // ERROR_WSMAN_ENUMERATION_CLOSED
  [0x8033801b, 'invalid-context'], // ERROR_WSMAN_ENUMERATE_INVALID_ENUMERATION_CONTEXT
  [0x80338084, 'invalid-context'], // ERROR_WSMAN_ENUMERATION_INVALID
  [0x8033800f, 'schema'], // ERROR_WSMAN_INVALID_MESSAGE_INFORMATION_HEADER
  [0x80338011, 'schema'], // ERROR_WSMAN_MESSAGE_INFORMATION_HEADER_REQUIRED
  [0x80338015, 'schema'], // ERROR_WSMAN_INVALID_REPRESENTATION
  [0x80338027, 'schema'], // ERROR_WSMAN_INVALID_SOAP_BODY
  [0x80338041, 'schema'], // ERROR_WSMAN_SCHEMA_VALIDATION_ERROR
  [0x80338043, 'schema'], // ERROR_WSMAN_INVALID_XML
  [0x80338056, 'schema'], // ERROR_WSMAN_INVALID_XML_VALUES
  [0x80338057, 'schema'], // ERROR_WSMAN_INVALID_XML_MISSING_VALUES
  [0x80338058, 'schema'], // ERROR_WSMAN_INVALID_XML_NAMESPACE
  [0x8033803a, 'bad-parameter'], // ERROR_WSMAN_INVALID_PARAMETER
  [0x80338054, 'bad-parameter'], // ERROR_WSMAN_PARAMETER_TYPE_MISMATCH
  [0x80338055, 'bad-parameter'], // ERROR_WSMAN_INVALID_PARAMETER_NAME
  [0x8033811e, 'bad-parameter'], // ERROR_WSMAN_WMI_PROVIDER_INVALID_PARAMETER
  [0x80041008, 'bad-parameter'], // WBEM_E_INVALID_PARAMETER
  [0x8004102f, 'bad-parameter'], // WBEM_E_INVALID_METHOD_PARAMETERS
  [0x80338026, 'too-large'], // ERROR_WSMAN_ENVELOPE_TOO_LARGE
  [0x80338035, 'too-large'], // ERROR_WSMAN_ENCODING_LIMIT
  [0x80338047, 'too-large'], // ERROR_WSMAN_MAX_ENVELOPE_SIZE
  [0x80338048, 'too-large'], // ERROR_WSMAN_MAX_ENVELOPE_SIZE_EXCEEDED
  [0x80338049, 'too-large'], // ERROR_WSMAN_SERVER_ENVELOPE_LIMIT
  [0x8033804d, 'too-large'], // ERROR_WSMAN_UNREPORTABLE_SUCCESS
  [0x80338001, 'not-supported'], // ERROR_WSMAN_INVALID_ACTIONURI
  [0x80338010, 'not-supported'], // ERROR_WSMAN_SOAP_FAULT_MUST_UNDERSTAND
  [0x80338013, 'not-supported'], // ERROR_WSMAN_ACTION_NOT_SUPPORTED
  [0x80338031, 'not-supported'], // ERROR_WSMAN_ACTION_MISMATCH
  [0x80338042, 'not-supported'], // ERROR_WSMAN_UNSUPPORTED_FEATURE
  [0x803380a9, 'not-supported'], // ERROR_WSMAN_PROVSYS_NOT_SUPPORTED
  [0x80338102, 'not-supported'], // ERROR_WSMAN_WMI_PROVIDER_NOT_CAPABLE
  [0x8004100c, 'not-supported'], // WBEM_E_NOT_SUPPORTED
  [0x80041024, 'not-supported'], // WBEM_E_PROVIDER_NOT_CAPABLE
  [0x8004102e, 'not-supported'], // WBEM_E_INVALID_METHOD
  [0x80041055, 'not-supported'], // WBEM_E_METHOD_NOT_IMPLEMENTED
  [0x80338014, 'unavailable'], // ERROR_WSMAN_ENDPOINT_UNAVAILABLE
  [0x80041015, 'unavailable'], // WBEM_E_TRANSPORT_FAILURE
  [0x80041033, 'unavailable'], // WBEM_E_SHUTTING_DOWN
  [0x800706ba, 'unavailable'], // RPC_S_SERVER_UNAVAILABLE
  [0x80338033, 'exists'], // ERROR_WSMAN_ALREADY_EXISTS
  [0x80338063, 'exists'], // ERROR_WSMAN_TARGET_ALREADY_EXISTS
  [0x80041019, 'exists'], // WBEM_E_ALREADY_EXISTS
  [0x80338003, 'internal'], // ERROR_WSMAN_PROVIDER_FAILURE
  [0x80338083, 'internal'], // ERROR_WSMAN_PLUGIN_FAILED
  [0x80338103, 'internal'], // ERROR_WSMAN_WMI_INVALID_VALUE
  [0x80041001, 'internal'], // WBEM_E_FAILED
  [0x80041004, 'internal'], // WBEM_E_PROVIDER_FAILURE
  [0x80041006, 'internal'], // WBEM_E_OUT_OF_MEMORY
  [0x8004100a, 'internal'], // WBEM_E_CRITICAL_ERROR
])

/** Source: DSP0200, "CIM status codes". 1, that something failed, says less than any name does. */
const CIM_STATUS: ReadonlyMap<number, FaultKind> = new Map<number, FaultKind>([
  [2, 'access-denied'],
  [3, 'not-found'],
  [4, 'bad-parameter'],
  [5, 'not-found'],
  [6, 'not-found'],
  [7, 'not-supported'],
  [11, 'exists'],
  [13, 'bad-parameter'],
  [14, 'bad-filter'],
  [15, 'bad-filter'],
  [16, 'not-supported'],
  [17, 'not-supported'],
  [21, 'invalid-context'],
  [23, 'invalid-context'],
  [25, 'bad-filter'],
  [27, 'quota'],
  [28, 'unavailable'],
])

/** By namespace and name. Source: DSP0226, "Faults"; WS-Enumeration, §4; WS-Addressing, August 2004, §4. */
const SUBCODES: Readonly<Record<string, Readonly<Record<string, FaultKind>>>> = {
  [NAMESPACE.a]: {
    ActionNotSupported: 'not-supported',
    DestinationUnreachable: 'not-found',
    EndpointUnavailable: 'unavailable',
    InvalidMessageInformationHeader: 'schema',
    MessageInformationHeaderRequired: 'schema',
  },
  [NAMESPACE.n]: {
    CannotProcessFilter: 'bad-filter',
    FilterDialectRequestedUnavailable: 'bad-filter',
    FilteringNotSupported: 'bad-filter',
    InvalidEnumerationContext: 'invalid-context',
    TimedOut: 'timed-out',
  },
  [NAMESPACE.x]: {
    InvalidRepresentation: 'schema',
  },
  [NAMESPACE.w]: {
    AccessDenied: 'access-denied',
    AlreadyExists: 'exists',
    CannotProcessFilter: 'bad-filter',
    EncodingLimit: 'too-large',
    InternalError: 'internal',
    InvalidOptions: 'bad-parameter',
    InvalidParameter: 'bad-parameter',
    InvalidSelectors: 'invalid-selectors',
    QuotaLimit: 'quota',
    SchemaValidationError: 'schema',
    TimedOut: 'timed-out',
    UnsupportedFeature: 'not-supported',
  },
}
