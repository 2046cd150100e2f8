/** What a path is named for: any file or folder, or the medium of a CD drive, which may be a drive of the host. */
export type PathUse = 'file' | 'drive'

/** Why the operator does not allow a path of the host; undefined where it is allowed. */
export type PathRule = (path: string, use: PathUse) => string | undefined
