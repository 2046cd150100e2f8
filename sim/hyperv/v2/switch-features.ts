import type { Schema } from '../cim/model.ts'
import type { Method, MethodCall, MethodResult } from '../cim/provider.ts'
import { addFeatures, addSwitchFeatures, modifyFeatures, portFeatureRefusal, removeFeatures } from '../host/features.ts'
import type { Host } from '../host/host.ts'
import { Effect } from '../host/jobs.ts'
import { nameGiven, textGiven } from './given.ts'
import { contextOf, idsGiven, instancesGiven, pathsOf, reading } from './resource-context.ts'
import { nameOfResource } from './resources.ts'
import { keyOf } from './rows.ts'
import { changeSwitch, SwitchJob } from './switch-job.ts'
import { allocationNamed, switchOfId } from './switches.ts'

const FEATURE = 'Msvm_FeatureSettingData'

/** The methods of the service for switches that are about features. */
export function switchFeatureMethods(host: Host, schema: Schema): Readonly<Record<string, Method>> {
  return {
    AddFeatureSettings: call => addFeatureSettings(host, schema, call),
    ModifyFeatureSettings: call => modifyFeatureSettings(host, schema, call),
    RemoveFeatureSettings: call => removeFeatureSettings(host, schema, call),
  }
}

/** Adds features to a switch or to its own ports; those of the ports of machines are not this service's business. */
function addFeatureSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => ({
    id: keyOf(nameGiven(textGiven(call.input, 'AffectedConfiguration')), 'InstanceID') ?? '',
    given: instancesGiven(host, schema, call.input, 'FeatureSettings', FEATURE),
  })
  return reading(read, ({ id, given }) =>
    changeSwitch(host, {
      call,
      type: SwitchJob.modifyPorts,
      target: '',
      usually: 'now',
      work(run) {
        const context = contextOf(host, schema)
        const one = switchOfId(host, id)
        if (one === undefined && allocationNamed(host, id) === undefined) throw portFeatureRefusal(host)
        const made = one === undefined ? addFeatures(context, id, given) : addSwitchFeatures(context, one, given)
        for (const feature of made) run.affects(nameOfResource(feature), Effect.create)
        return { ResultingFeatureSettings: pathsOf(host, made) }
      },
    }),
  )
}

function modifyFeatureSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => instancesGiven(host, schema, call.input, 'FeatureSettings', FEATURE)
  return reading(read, given =>
    changeSwitch(host, {
      call,
      type: SwitchJob.modifyPorts,
      target: '',
      usually: 'now',
      work: () => ({ ResultingFeatureSettings: pathsOf(host, modifyFeatures(contextOf(host, schema), given, true)) }),
    }),
  )
}

function removeFeatureSettings(host: Host, schema: Schema, call: MethodCall): Promise<MethodResult> {
  const read = () => idsGiven(host, call.input, 'FeatureSettings')
  return reading(read, ids =>
    changeSwitch(host, {
      call,
      type: SwitchJob.remove,
      target: '',
      usually: 'now',
      work: () => removeFeatures(contextOf(host, schema), ids, true),
    }),
  )
}
