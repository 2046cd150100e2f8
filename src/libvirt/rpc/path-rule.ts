/** What a path is named for: any file or folder, or the medium of a CD drive, which may be a drive of the host. */
export type PathUse = 'file' | 'drive'

/** Why the operator does not allow a path of the host; undefined where it is allowed, as what lies in `pools` is. */
export type PathRule = (path: string, use: PathUse, pools: readonly string[]) => string | undefined
