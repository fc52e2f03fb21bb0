import { Modality } from "../../../contract/modality/index.ts"
import { checkWritable } from "../../host/folders.ts"
import { defaultPaths, importPath } from "../../host/packs/find.ts"
import { number, parse, UsageError } from "../arguments.ts"
import { flag, text, type Values } from "../options.ts"

/** What the file of another package's weights does not tell. */
const options = { heads: text, context: text, extension: text, modality: text, name: text, license: text, json: flag }

/** `megabyte import`: copies a pack's folder, or makes a pack of another package's weights. */
export function importCommand(args: string[]): void {
  const { values, positionals } = parse(args, options, 1)
  const places = defaultPaths()
  checkWritable(places.home, "MEGABYTE_HOME")
  const name = importPath(positionals[0] as string, places, foreignOptions(values))
  process.stdout.write(values.json ? `${JSON.stringify({ name })}\n` : `imported ${name}\n`)
}

/** What a person says of another package's weights. @throws UsageError */
function foreignOptions({ heads, context, extension, modality, name, license }: Values<typeof options>) {
  const kind = Modality.optional().safeParse(modality)
  if (!kind.success || kind.data === "image" || kind.data === "audio")
    throw new UsageError(`--modality must be text or bytes, not "${modality}"`)
  if (extension !== undefined && !/^\.?[a-z0-9]{1,8}$/.test(extension))
    throw new UsageError(`--extension must be the ending of a file such as bmp, not "${extension}"`)
  const whole = (option: string, value: string) => number(option, value, 0, { min: 1, max: 65536, whole: true })
  return {
    heads: heads === undefined ? undefined : whole("heads", heads),
    context: context === undefined ? undefined : whole("context", context),
    extension,
    modality: kind.data,
    ...(name === undefined ? {} : { name }),
    license,
  }
}
