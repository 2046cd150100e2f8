/** What the two namespaces are called that Hyper-V is in: v1 up to Server 2012, v2 from it on. */
export const NAMESPACE_NAMES = ['v1', 'v2'] as const

export type NamespaceName = (typeof NAMESPACE_NAMES)[number]
