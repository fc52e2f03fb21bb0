import { documentsOf } from "../../../contract/pack.ts"
import { parse, UsageError } from "../arguments.ts"
import { make } from "../make.ts"
import { making, text } from "../options.ts"
import { target } from "../target.ts"

/** `megabyte generate`: makes something new, or what begins with a text. */
export function generateCommand(args: string[]): Promise<void> {
  const { values } = parse(args, { ...making, prompt: text }, 0)
  const chosen = target(values)
  if (values.prompt !== undefined && documentsOf(chosen.pack).files.raw)
    throw new UsageError(
      `--prompt is text, and the pack ${chosen.pack.name} makes ${chosen.pack.modality}; use megabyte continue FILE`,
    )
  return make({ bytes: Buffer.from(values.prompt ?? "") }, values, chosen)
}
