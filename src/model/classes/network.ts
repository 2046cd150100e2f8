import { hostErrors, plugErrors } from '../errors.ts'
import { defineClass, internal, message, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

/** A virtual network. */
export const network = defineClass({
  name: 'network',
  doc: 'a virtual network',
  source: 'Xen Management API rev 0.2, §2.9',
  objects: 'client',
  errors: { create: [...plugErrors, 'PERMISSION_DENIED'], delete: hostErrors },
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    'name/label': rw(t.string, 'a human-readable name', { errors: hostErrors }),
    'name/description': rw(t.string, 'a notes field containg human-readable description'),
    VIFs: rw(t.set(t.ref('VIF')), 'list of connected vifs', { boundTo: 'VIF.network', errors: plugErrors }),
    NIC: rw(
      t.string,
      'ethernet device to use to access this network. Note: in this revision of the API all hosts will use the specified NIC to access this network',
      { errors: [...hostErrors, 'PERMISSION_DENIED'] },
    ),
    VLAN: rw(
      t.string,
      'VLAN tag to use to access this network. Note: in this revision of the API all hosts will use the specified VLAN tag to access this network',
      { errors: hostErrors },
    ),
    default_gateway: rw(
      t.string,
      'default gateway IP address. Used for auto-configuring guests with fixed IP setting',
      { errors: hostErrors },
    ),
    default_netmask: rw(t.string, 'default netmask. Used for auto-configuring guests with fixed IP setting', {
      errors: hostErrors,
    }),
    other_config: otherConfig,
    host: internal(t.ref('host'), 'The host on which it was found; null where a client made it.'),
    has_host: internal(t.bool, 'Whether that host has an interface of its own in it.'),
    told: internal(t.set(t.string), 'The hosts that have it now, as far as was seen.'),
    kept: internal(t.bool, 'Whether it stays when the host on which it was found has it no more.'),
    transient: internal(t.bool, 'Whether it is forgotten when a client of libvirt stops it.'),
    autostart: internal(t.bool, 'Whether its host is told of it when the server starts.', { default: true }),
  },
  messages: {
    list: message({
      doc: 'Return a list of all the networks known to the system',
      params: {},
      result: t.set(t.ref('network')),
      resultDoc: 'A list of all the IDs of all the networks',
      errors: [],
      immediate: true,
    }),
  },
})
