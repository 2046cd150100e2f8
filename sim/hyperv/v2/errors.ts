import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { instanceGiven, textsGiven } from './given.ts'
import { providerOf } from './rows.ts'
import { MANAGEMENT } from './services.ts'

/** FormatError: the errors of a job as one text. */
export function errorTexts(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    methods: {
      [`${MANAGEMENT.className}.FormatError`]: ({ input }) =>
        answerNow(() => {
          const texts = textsGiven(input, 'Errors').map(text => instanceGiven(host, schema, text, 'Msvm_Error'))
          const messages = texts.flatMap(({ values }) => {
            const message = values.get('Message')
            return typeof message === 'string' ? [message] : []
          })
          return { ErrorMessage: messages.join('\r\n') }
        }),
    },
  })
}
