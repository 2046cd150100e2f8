import type { WsmanAnswer, WsmanRequest } from '../wsman/exchange.ts'
import type { Account } from './accounts.ts'
import type { CbtHardening } from './channel-bindings.ts'
import type { FrontLimits } from './limits.ts'
import type { OsVersion } from './ntlm/messages.ts'

/** What the service of WinRM accepts, with the names of its configuration. */
export interface WinrmPolicy {
  readonly allowUnencrypted: boolean
  readonly basic: boolean
  readonly negotiate: boolean
  readonly kerberos: boolean
  readonly certificate: boolean
  readonly cbtHardening: CbtHardening
}

/** As a host comes. Source: Microsoft Learn, "Installation and configuration for Windows Remote Management". */
export const DEFAULT_POLICY: WinrmPolicy = {
  allowUnencrypted: false,
  basic: false,
  negotiate: true,
  kerberos: true,
  certificate: false,
  cbtHardening: 'relaxed',
}

/** A client certificate and whose it is, as WinRM's certificate mapping has it. */
export interface CertificateMapping {
  /** In PEM. */
  readonly certificate: string
  /** The name of one of the accounts. */
  readonly account: string
}

/** A request as the front hands it on. */
export interface FrontRequest extends WsmanRequest {
  readonly isAdministrator: boolean
  /** Names and values in turn, as the client sent them. */
  readonly rawHeaders: readonly string[]
  /** Whether the client sealed it. */
  readonly isSealed: boolean
}

/** The service behind the front. Never rejects. */
export type FrontService = (request: FrontRequest) => Promise<WsmanAnswer>

/** A listener of the host. */
export interface ListenOptions {
  readonly service: FrontService
  /** The computer's NetBIOS name. */
  readonly hostName: string
  /** Its name in DNS; the same if not given. */
  readonly dnsName?: string
  readonly osVersion: OsVersion
  readonly accounts: readonly Account[]
  /** Loopback if not given. */
  readonly address?: string
  /** A free one if not given. */
  readonly port?: number
  /** Key and certificate in PEM: then it is HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** What is not given is as Windows has it. */
  readonly policy?: Partial<WinrmPolicy>
  /** A file with the keys of `HTTP/…` or `WSMAN/…`; without one, no ticket is accepted. */
  readonly keytab?: string
  readonly certificates?: readonly CertificateMapping[]
  readonly limits?: Partial<FrontLimits>
  /** Milliseconds since 1970; the system's clock if not given. */
  readonly now?: () => number
  /** Told of what went wrong in the host itself, for its log. */
  readonly onFailure?: (error: unknown) => void
}
