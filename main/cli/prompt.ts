import { readFileSync } from "node:fs"
import { documentsOf } from "../../contract/pack.ts"
import { MediaReader } from "../host/media/client.ts"
import { isUtf8 } from "../host/media/encoding.ts"
import { defaultPaths, packFor } from "../host/packs/find.ts"
import { number, UsageError } from "./arguments.ts"
import { withInput } from "./input.ts"
import type { common, flag, framing, Values } from "./options.ts"
import { target } from "./target.ts"

/**
 * The canonical bytes of a file for the pack that is named, or for the one that fits the file, and the unit that they
 * are kept by. Text in UTF-8 is taken byte for byte as it is; other texts, pictures and sounds are converted, and what was
 * done is said on stderr. Sounds come with their samples, which are finer than their bytes.
 */
export function readPrompt(given: string, values: Values<typeof common & typeof framing & { columns: typeof flag }>) {
  return withInput(given, async ({ name, path }) => {
    const reader = new MediaReader()
    try {
      const pack = values.pack ?? packFor(await reader.detect(name, path), undefined, defaultPaths())
      const chosen = target({ ...values, pack }, values.precision?.split(",")[0])
      const documents = documentsOf(chosen.pack)
      const { columns = false } = values
      if (columns && !documents.columns) throw new UsageError(`the pack ${chosen.pack.name} does not read by columns`)
      const unit = documents.grain(columns)
      if (!documents.files.raw) {
        const bytes = new Uint8Array(readFileSync(path))
        // A pack that is asked for by name takes any bytes; otherwise a text in another encoding is made UTF-8.
        if (values.pack !== undefined || isUtf8(bytes)) return { bytes, chosen, unit }
      }
      const crop = values.crop === "whole" ? ("whole" as const) : number("crop", values.crop, 0.5, { min: 0, max: 1 })
      const how = { framing: { crop, dithered: values.dither ?? false }, columns }
      const { bytes, samples, note } = await reader.read(name, path, chosen.pack, how)
      if (note) process.stderr.write(`${name}: ${note}\n`)
      return { bytes, samples, chosen, unit }
    } finally {
      reader.close()
    }
  })
}
