export { type Answer, settle } from '../wmi/jobs.ts'
