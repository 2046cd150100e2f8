/** The length word and the header of every packet. Source: libvirt, src/rpc/virnetprotocol.x. */
export const HEADER_BYTES = 28
/** The longest packet, its length word included. Source: libvirt, VIR_NET_MESSAGE_MAX and VIR_NET_MESSAGE_LEN_MAX. */
export const PACKET_BYTES_MAX = 33_554_432 + 4
/** The longest packet of a client that has not said who it is: what libvirt itself was once content with. */
export const PACKET_BYTES_BEFORE_LOGIN_MAX = 262_144 + 4
/** Descriptors that come with one call. Source: libvirt, VIR_NET_MESSAGE_NUM_FDS_MAX. */
export const DESCRIPTORS_MAX = 32
/** What one packet of a stream carries. Source: libvirt, VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX. */
export const STREAM_PIECE_BYTES_MAX = 262_120

/** How long a packet that has begun may stand still. */
export const PACKET_STALL_MS = 30_000
/** How long a peer may take nothing of what is sent to it. */
export const SEND_STALL_MS = 60_000
/** How much may wait to be sent before the peer counts as one that does not read; two of the longest packets. */
export const UNSENT_BYTES_MAX = 64 * 1024 * 1024
/** How much may wait to be sent before no more requests are read. */
export const UNSENT_BYTES_BUSY = 4 * 1024 * 1024
/** How long what was sent last may take to arrive when a connection is closed. */
export const END_MS = 2_000

/** How long a new connection may take to send its first packet, and to log in where that is demanded. */
export const OPENING_MS = 30_000
/** Calls of one connection that are worked on at once. */
export const CALLS_RUNNING_MAX = 32
/** Calls of one connection that wait for their turn before no more are read. */
export const CALLS_WAITING_MAX = 256
/** Bytes of such calls, likewise. */
export const CALLS_WAITING_BYTES_MAX = 8 * 1024 * 1024
/** Streams that one connection has open. */
export const STREAMS_MAX = 64

/** What is kept of a stream that nobody reads, before nothing more is read of its connection. */
export const STREAM_WINDOW_BYTES = 1024 * 1024
/** How many pieces of such a stream are kept, likewise: each takes room beside its bytes. */
export const STREAM_WINDOW_PIECES = 1024
/** How long a stream may hold up its connection so, before it is given up. */
export const STREAM_STALL_MS = 60_000

/** Calls of a client that are not answered. */
export const CALLS_PENDING_MAX = 4096
/** How long an answer may take where the caller says nothing. */
export const ANSWER_TIMEOUT_MS = 15 * 60_000

/** How long a peer may be silent before it is asked whether it lives. Source: libvirtd.conf, keepalive_interval. */
export const KEEPALIVE_INTERVAL_MS = 5_000
/** How often it is asked before it counts as dead. Source: libvirtd.conf, keepalive_count. */
export const KEEPALIVE_COUNT = 5
