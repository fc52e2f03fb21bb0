import { isWithinWord } from "../../../contract/characters.ts"
import { documentsOf } from "../../../contract/pack.ts"
import { parse, share } from "../arguments.ts"
import { make } from "../make.ts"
import { flag, framing, making, text } from "../options.ts"
import { readPrompt } from "../prompt.ts"

/** `megabyte continue FILE`: goes on from a part of a file. */
export async function continueCommand(args: string[]): Promise<void> {
  const { values, positionals } = parse(args, { ...making, ...framing, keep: text, columns: flag }, 1)
  const { bytes, samples, chosen, unit } = await readPrompt(positionals[0] as string, values)
  // Of a picture half is kept where nothing is said: all of it would leave nothing to do.
  const usual = documentsOf(chosen.pack).whole ? "50%" : "100%"
  const kept = share("keep", values.keep ?? usual, Math.floor(bytes.length / unit.bytes), unit.name) * unit.bytes
  const decoded = (part: Uint8Array) => new TextDecoder().decode(part)
  const withinWord = isWithinWord(
    decoded(bytes.subarray(Math.max(0, kept - 8), kept)),
    decoded(bytes.subarray(kept, kept + 8)),
  )
  const given = { bytes: bytes.subarray(0, kept), samples: samples?.subarray(0, kept / unit.bytes), withinWord }
  return make(given, values, chosen)
}
