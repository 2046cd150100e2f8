import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { pictureOf } from '../host/screen.ts'
import { textGiven, vmGiven } from './given.ts'
import { providerOf } from './rows.ts'
import { MANAGEMENT } from './services.ts'

/** Pictures of what machines show. */
export function thumbnails(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    methods: {
      [`${MANAGEMENT.className}.GetVirtualSystemThumbnailImage`]: ({ input }) =>
        answerNow(() => {
          const vm = vmGiven(host, schema, textGiven(input, 'TargetSystem'))
          const size = { width: Number(input.get('WidthPixels') ?? 0), height: Number(input.get('HeightPixels') ?? 0) }
          return { ImageData: pictureOf(host, vm, size) }
        }),
    },
  })
}
