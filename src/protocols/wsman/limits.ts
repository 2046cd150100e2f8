/**
 * How large an answer a host may make. Hosts hold it against bounds of their own (150 KB, 500 KB on later ones) and
 * send what fits in both, so that asking for more than they give does no harm.
 * Source: Microsoft Learn, "Installation and configuration for Windows Remote Management", MaxEnvelopeSizekb.
 */
export const ENVELOPE_BYTES = 512_000
/** A smaller MaxEnvelopeSize is refused by hosts. Source: DSP0226, wsman:MaxEnvelopeSize. */
export const ENVELOPE_BYTES_MIN = 8_192
/** What of an answer is read; more than twice what was asked for, since hosts count in UTF-16. */
export const REPLY_BYTES_MAX = 8 * 1024 * 1024
/** Elements open at once in an answer; embedded objects and references nest a few levels. */
export const REPLY_DEPTH_MAX = 64
/** Elements in an answer: 200 instances of a thousand properties. */
export const REPLY_ELEMENTS_MAX = 200_000
/** CIM-XML that an answer holds as text. */
export const EMBEDDED_BYTES_MAX = 4 * 1024 * 1024

/** How long an exchange may take where the caller says nothing. */
export const TIMEOUT_MS = 60_000
/** The longest OperationTimeout that is asked for: hosts' MaxTimeoutms. */
export const OPERATION_TIMEOUT_MS_MAX = 60_000
/** How much longer than the host we wait, so that its own fault says that time ran out. */
export const ANSWER_MARGIN_MS = 5_000
/** How long a host may take to let go of an enumeration that nobody wants any more. */
export const RELEASE_TIMEOUT_MS = 5_000

/** Instances asked for in one answer; hosts' MaxBatchItems. WinRM 1.1 gives 20 whatever it is asked for. */
export const BATCH_ITEMS = 32_000
/** Instances of one enumeration. */
export const ITEMS_MAX = 1_000_000
/** Answers in a row that hold nothing and do not end the enumeration. */
export const EMPTY_PULLS_MAX = 100
/** Pulls in a row that a host may let run out of time. */
export const PULL_TIMEOUTS_MAX = 5

/** How often a request is sent again, at most. */
export const RETRIES_MAX = 4
/** The pause before the first repetition; each one after that doubles it. */
export const RETRY_PAUSE_MS = 250
/** The longest such pause. */
export const RETRY_PAUSE_MS_MAX = 4_000

/** Endpoint references inside the selectors of one another. */
export const REFERENCE_DEPTH_MAX = 8
