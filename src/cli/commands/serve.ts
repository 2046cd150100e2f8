import { command } from '../command.ts'
import { refusePassword } from '../uri.ts'

/** Starts a server. */
export const serve = command({
  doc: 'Serve until SIGTERM or Ctrl-C; guests go on running. Prints one JSON line when it is ready.',
  options: {
    data: {
      doc: 'where everything is kept (POLYVISOR_DATA; default: /var/lib/polyvisor or ~/.local/share/polyvisor)',
      value: 'DIR',
    },
    config: { doc: 'options from a JSON file; those of the command line win', value: 'FILE' },
    listen: {
      doc:
        'where to listen (repeatable; these replace the usual ones): http://, https:// or unix:///PATH for the Xen ' +
        'Management API, libvirt+unix:///PATH, libvirt+tcp:// or libvirt+tls:// for virsh and virt-manager',
      value: 'URL',
      many: true,
    },
    host: { doc: 'a hypervisor to connect, such as qemu:///system (repeatable)', value: 'URI', many: true },
    allowPlainHttp: { doc: 'plain HTTP also on addresses that others reach' },
    allowPath: {
      doc: 'a folder or file that clients may name, as a repository, kernel or CD (repeatable); these replace the usual ones',
      value: 'DIR',
      many: true,
    },
    logLevel: { doc: 'trace, debug, info, warn, error, fatal or silent', value: 'LEVEL' },
  },
  examples: [
    'serve',
    'serve --data ./data --host qemu:///system',
    "serve --data ./data --listen http://127.0.0.1:0 --host 'memory:///lab?vms=3&seed=1'",
    "serve --listen https://0.0.0.0:4443 --listen 'libvirt+tls://0.0.0.0?clients=password'",
  ],
  local: true,
  async run(context, { data = context.options.data, config, listen, host, allowPlainHttp, allowPath, logLevel }) {
    for (const uri of host) refusePassword(uri)
    await context.serve({
      listen,
      host,
      allowPlainHttp,
      allowPath,
      ...(data === undefined ? {} : { data }),
      ...(config === undefined ? {} : { config }),
      ...(logLevel === undefined ? {} : { logLevel }),
    })
  },
})
