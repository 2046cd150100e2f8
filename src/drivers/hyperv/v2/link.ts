export type { Link } from '../wmi/link.ts'
