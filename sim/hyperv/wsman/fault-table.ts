/**
 * Who reports a fault, which decides the form of its details. `service`: WinRM itself. `provider`: WMI behind it.
 * `access`: WMI too, in the one form that all builds have. `quota`: WinRM before it has read the request.
 */
export type FaultOrigin = 'service' | 'provider' | 'access' | 'quota'

export interface FaultRow {
  readonly who: 'Sender' | 'Receiver' | 'MustUnderstand' | 'VersionMismatch'
  /** With Windows' prefix; '' where there is none. */
  readonly subcode: string
  readonly code: number
  /** The last part of the faultDetail URI; '' where there is none. */
  readonly detail: string
  readonly origin: FaultOrigin
}

const INVALID_SELECTORS = 'w:InvalidSelectors'
const ENCODING_LIMIT = 'w:EncodingLimit'
const UNSUPPORTED = 'w:UnsupportedFeature'
const SCHEMA = 'w:SchemaValidationError'
const UNREACHABLE = 'a:DestinationUnreachable'
const RESOURCE_URI = 'InvalidResourceURI'

/**
 * The faults of WS-Management that this host reports; what they say is in fault-texts.ts.
 * Source: DSP0226, §14.6 (subcodes and details); wsmerror.h of the Windows SDK (codes, and the subcode of each).
 */
export const FAULTS = {
  'must-understand': { ...sender('', 0x80338010), who: 'MustUnderstand' },
  'version-mismatch': { ...sender('', 0x8033800d), who: 'VersionMismatch' },
  'header-required': sender('a:MessageInformationHeaderRequired', 0x80338011),
  'header-invalid': sender('a:InvalidMessageInformationHeader', 0x8033800f),
  'timeout-invalid': sender('a:InvalidMessageInformationHeader', 0x80338081),
  'action-not-supported': sender('a:ActionNotSupported', 0x80338013),
  'resource-uri': sender(UNREACHABLE, 0x8033803b, RESOURCE_URI),
  'non-dmtf-class': sender(UNREACHABLE, 0x80338139, RESOURCE_URI),
  'wql-class': sender(UNREACHABLE, 0x803380fb, RESOURCE_URI),
  'invalid-xml': sender(SCHEMA, 0x80338043),
  'schema-validation': sender(SCHEMA, 0x80338041),
  'character-set': sender(ENCODING_LIMIT, 0x8033804c, 'CharacterSet'),
  'request-too-large': sender(ENCODING_LIMIT, 0x80338035, 'ServiceEnvelopeLimit'),
  'envelope-size-small': sender(ENCODING_LIMIT, 0x8033807e, 'MinimumEnvelopeLimit'),
  'answer-too-large': sender(ENCODING_LIMIT, 0x80338048, 'MaxEnvelopeSizeExceeded'),
  'answer-over-limit': sender(ENCODING_LIMIT, 0x80338049, 'ServiceEnvelopeLimit'),
  'unreportable-success': sender(ENCODING_LIMIT, 0x8033804d, 'UnreportableSuccess'),
  'selector-limit': sender(ENCODING_LIMIT, 0x8033804a, 'SelectorLimit'),
  'option-limit': sender(ENCODING_LIMIT, 0x8033804b, 'OptionLimit'),
  'options-not-supported': sender('w:InvalidOptions', 0x80338051, 'NotSupported'),
  'locale-not-supported': sender(UNSUPPORTED, 0x80338087, 'Locale'),
  'addressing-mode': sender(UNSUPPORTED, 0x80338076, 'AddressingMode'),
  'expiration-time': sender(UNSUPPORTED, 0x80338017, 'ExpirationTime'),
  'enumeration-mode': sender(UNSUPPORTED, 0x80338086, 'EnumerationMode'),
  'polymorphism-mode': sender(UNSUPPORTED, 0x80338137),
  'fragment-dialect': sender(UNSUPPORTED, 0x80338090, 'FragmentLevelAccess'),
  'fragment-path': sender('w:CannotProcessFilter', 0x80338093),
  'filter-dialect': sender('n:FilterDialectRequestedUnavailable', 0x80338019),
  'filter-xml': sender('n:CannotProcessFilter', 0x80338107),
  'enumerate-keys': sender(INVALID_SELECTORS, 0x80338108, 'UnexpectedSelectors'),
  'namespace-selector': sender(INVALID_SELECTORS, 0x8033813b, 'UnexpectedSelectors'),
  'selectors-missing': sender(INVALID_SELECTORS, 0x8033805a, 'InsufficientSelectors'),
  'selectors-unexpected': sender(INVALID_SELECTORS, 0x8033805b, 'UnexpectedSelectors'),
  'selectors-type': sender(INVALID_SELECTORS, 0x8033805c, 'TypeMismatch'),
  'selectors-ambiguous': sender(INVALID_SELECTORS, 0x8033805e, 'AmbiguousSelectors'),
  'selectors-duplicate': sender(INVALID_SELECTORS, 0x8033805f, 'DuplicateSelectors'),
  'no-singleton': sender(INVALID_SELECTORS, 0x803380fa, 'InsufficientSelectors'),
  'target-selectors': sender(INVALID_SELECTORS, 0x80338060, 'UnexpectedSelectors'),
  'target-uri': sender(UNREACHABLE, 0x80338061, RESOURCE_URI),
  'invalid-context': receiver('n:InvalidEnumerationContext', 0x8033801b),
  'max-time': receiver('n:TimedOut', 0x8033801c),
  'timed-out': receiver('w:TimedOut', 0x80338029),
  'internal-error': receiver('w:InternalError', 0x80338103),
  'cannot-process-filter': provider('n:CannotProcessFilter', 0x8033801a),
  'unknown-class': provider(UNREACHABLE, 0x8033801a, RESOURCE_URI),
  'not-found': provider(UNREACHABLE, 0x80041002),
  'not-capable': failing(0x80338102),
  'provider-failed': failing(0x80041001),
  'access-denied': { ...sender('w:AccessDenied', 5), origin: 'access' },
  'too-many-operations': { ...sender('w:QuotaLimit', 0x803381a6), origin: 'quota' },
  busy: sender('w:QuotaLimit', 0x8033803f),
} satisfies Readonly<Record<string, FaultRow>>

export type FaultName = keyof typeof FAULTS

export function rowOf(fault: FaultName): FaultRow {
  return FAULTS[fault]
}

function sender(subcode: string, code: number, detail = ''): FaultRow {
  return { who: 'Sender', subcode, code, detail, origin: 'service' }
}

function receiver(subcode: string, code: number): FaultRow {
  return { who: 'Receiver', subcode, code, detail: '', origin: 'service' }
}

function provider(subcode: string, code: number, detail = ''): FaultRow {
  return { who: 'Sender', subcode, code, detail, origin: 'provider' }
}

function failing(code: number): FaultRow {
  return { who: 'Receiver', subcode: 'w:InternalError', code, detail: '', origin: 'provider' }
}
