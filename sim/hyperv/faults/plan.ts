/** What the WS-Management face knows of a request before it is carried out. */
export interface RequestFacts {
  /** `Enumerate`, `Pull`, `Get`, `Invoke` and so on. */
  readonly operation: string
  /** The class, where the request names one. */
  readonly className?: string
  readonly method?: string
  readonly user: string
}

/** `lost-before`: the connection ends and nothing was done; `lost-after`: it ends when all was done. */
export type RequestFault =
  | { readonly kind: 'lost-before' }
  | { readonly kind: 'lost-after' }
  | { readonly kind: 'access-denied' }
  | { readonly kind: 'throttled' }
  | { readonly kind: 'slow'; readonly ms: number }

export interface JobFacts {
  /** Job class, such as `Msvm_ConcreteJob`. */
  readonly className: string
  readonly type: number
  /** The ElementName of the machine or switch, or the path of the image, that the job is about. */
  readonly target: string
}

export interface JobFault {
  /** How many times longer it takes; 1 is as planned. */
  readonly slowness?: number
  /** Ends in exception with this code and text, before its effect. */
  readonly failure?: { readonly code: number; readonly message: string }
}

/**
 * Whether calls end in their answer or in a job: as on real hosts, never in a job where that can be, or always.
 */
export type AnswerMode = 'real' | 'sync' | 'async'

/** Seeded faults. The same seed and plan give the same faults for the same requests. */
export interface Faults {
  readonly answers: AnswerMode
  ofRequest(facts: RequestFacts): RequestFault | undefined
  ofJob(facts: JobFacts): JobFault | undefined
}

/** A host that works. */
export const NO_FAULTS: Faults = { answers: 'real', ofRequest: () => undefined, ofJob: () => undefined }
