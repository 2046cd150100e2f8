/** What is changed of a host, as far as others have to look at it again. */
export type Area = 'domains' | 'networks' | 'storage'

/** Who else uses a host: whom a server that has other clients tells what is changed here. */
export interface Company {
  /** Resolves when everybody else knows what has been changed here by now, or cannot be told; never rejects. */
  settled(area: Area): Promise<void>
}

/** Nobody else. */
export const ALONE: Company = { settled: async () => undefined }
